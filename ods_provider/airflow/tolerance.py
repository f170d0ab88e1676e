"""``max_failures``: so many failed runs in a row of a flaky source are tolerated, and the next one fails.

They are counted in the scheduler's memory: in an Airflow Variable, since undated runs have no order that every database
agrees on, and a task that was skipped for another reason looks the same in the history of its runs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from ods_provider.airflow.arguments import kept_as

log = logging.getLogger("airflow.task")
# What a portal that recovers does not mend: somebody has to. Of destinations only what passes by itself is tolerated.
_FOR_A_PERSON = (
    "OdsConfigError",
    "OdsAuthError",
    "OdsQueryError",
    "OdsNotFound",
    "OdsColumnsChanged",
    "OdsBrokenPlugin",
    "OdsSinkError",
    "OdsTableError",
)
_LONGEST_KEY = 250  # characters of a Variable's name
_MOST_RUNS = 100  # that are listed
_DATE = re.compile(r"\b\d{4}-?\d\d(?:-?\d\d)?(?:[T_ -]?[\d:.]+)?")


class Tolerant:
    """Mixed into the bases of operators and sensors."""

    max_failures: int = 0
    _failed: str | None
    _kind: str | None = None

    def tolerate(self, max_failures: Any) -> None:
        """Take the argument, while a DAG file is parsed; None is 0.

        Raises:
            ValueError: It is no whole number, or less than 0.
        """
        if max_failures is not None and (
            isinstance(max_failures, bool) or not isinstance(max_failures, int) or max_failures < 0
        ):
            task_id = getattr(self, "task_id", "a task")
            raise ValueError(
                f"{task_id}: max_failures is {max_failures!r}; pass a whole number from 0 on, how many failed runs "
                "in a row are tolerated"
            )
        self.max_failures = max_failures or 0

    def fail(self, error: Any, *, kind: str | None = None) -> NoReturn:
        """Fail as :func:`~ods_provider.airflow.policy.fail` does, and note of what for those who ask later.

        Args:
            error: What went wrong.
            kind: The name of its class, where it was another one's before it came through an event.
        """
        from ods_provider.airflow.policy import fail

        self._failed, self._kind = str(error), kind or type(error).__name__
        fail(error, kind=kind)

    @contextmanager
    def tolerating(self, context: Any) -> Iterator[None]:
        """Skip the task where its run fails for good and that is tolerated; around all that a leg does."""
        from airflow.sdk.exceptions import AirflowSkipException, AirflowTaskTimeout

        # These skip whatever failed, and count nothing.
        if not self.max_failures or getattr(self, "soft_fail", False) or getattr(self, "never_fail", False):
            yield
            return
        ti = context["ti"]
        try:
            yield
        except AirflowSkipException:
            self._forget(ti)
            raise
        except (Exception, AirflowTaskTimeout) as error:
            told = self._tolerated(ti, error)
            if told is None:
                raise
        else:
            self._forget(ti)
            return
        log.warning(told)
        # Without its context, of which Airflow would log the traceback; and short, since Airflow logs it too.
        raise AirflowSkipException(told.partition(":")[0]) from None

    def _tolerated(self, ti: Any, error: BaseException) -> str | None:
        """Return the sentence on a failure that is tolerated; None where the task fails, or is tried again."""
        why = self._counts(ti, error)
        if why is None:
            return None
        try:
            runs = self._count(ti)
        except Exception as broken:
            log.warning("Failed runs cannot be counted, so that none is tolerated: %s", broken)
            return None
        number = runs.index(ti.run_id) + 1
        if number > self.max_failures:
            told = "Failure %d in a row, and max_failures=%d are tolerated; the first was run %s"
            log.error(told, number, self.max_failures, runs[0])
            return None
        return f"Failure {number} of {self.max_failures} in a row that max_failures tolerates: {why}"

    def _counts(self, ti: Any, error: BaseException) -> str | None:
        """Return why the run failed, None where it did not, or where it is no portal's matter."""
        from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, AirflowTaskTimeout

        from ods_provider.core.errors import OdsError

        for_good = isinstance(error, (AirflowFailException, AirflowSensorTimeout))
        if not for_good and ti.try_number <= ti.max_tries:
            return None
        if isinstance(error, AirflowSensorTimeout):
            return f"the sensor's timeout of {self.timeout:g} s was over"  # type: ignore[attr-defined]
        if isinstance(error, AirflowTaskTimeout):
            limit = getattr(self, "execution_timeout", None)
            return str(error) if limit is None else f"the execution_timeout of {limit.total_seconds():g} s was over"
        if not isinstance(error, (AirflowFailException, OdsError)) or self._kind is None:
            return None
        # A connection that is not found may be, the next time, and is somebody's matter all the same.
        passes = isinstance(error, OdsError) and self._kind != "OdsConfigError"
        return self._failed if passes or self._kind not in _FOR_A_PERSON else None

    def _runs(self, ti: Any) -> list[str]:
        from airflow.sdk import Variable

        with suppress(ValueError):
            kept = Variable.get(self._counter(ti), default=None, deserialize_json=True)
            if isinstance(kept, list):
                return [str(run) for run in kept]
        return []

    def _count(self, ti: Any) -> list[str]:
        """Count this run, once however often it is cleared, and return the failed runs in a row."""
        from airflow.sdk import Variable

        runs = self._runs(ti)
        if ti.run_id not in runs:
            runs = [*runs[: _MOST_RUNS - 1], ti.run_id]
            label = "" if ti.map_index < 0 else f" ({getattr(ti, 'rendered_map_index', None) or ti.map_index})"
            told = f"Failed runs in a row of {ti.task_id}{label}, for max_failures"
            Variable.set(self._counter(ti), runs, description=told, serialize_json=True)
        return runs

    def _forget(self, ti: Any) -> None:
        """Begin to count anew: the source is well."""
        from airflow.sdk import Variable

        try:
            if self._runs(ti):
                Variable.delete(self._counter(ti))
                log.info("It is well again, and failed runs are counted anew")
        except Exception as error:
            # What was done is done, and no reason to fail.
            log.warning("Failed runs before this one could not be forgotten, and count on: %s", error)

    def _counter(self, ti: Any) -> str:
        """Return the name of the task's Variable; a mapped task has one for each of its instances."""
        name = f"ods_failures.{ti.dag_id}.{ti.task_id}"
        if ti.map_index >= 0:
            name += f".{self._mapped_by()}"
        return name if len(name) <= _LONGEST_KEY else f"ods_failures.{_digest(name)}"

    def _mapped_by(self) -> str:
        """Return what tells an instance from the others every night: places in the list shift, labels may be equal.

        It is what it was mapped over, or all of its arguments. Dates, which change from run to run, are no part of a
        path; of all arguments they are none but of a dataset's id.
        """
        # Tasks of a mapped group are mapped by their group, and have nothing that says so.
        mapped = self.dag.task_dict.get(self.task_id)  # type: ignore[attr-defined]
        common = getattr(mapped, "partial_kwargs", None)
        names = {*getattr(self, "template_fields", ()), *getattr(self, "job_arguments", ())} - {*(common or ())}
        told = {name: json.dumps(getattr(self, kept_as(name), None), default=str) for name in sorted(names)}
        dated = {"path"} if common is not None else names - {"dataset_id"}
        return _digest(json.dumps({name: _DATE.sub("#", v) if name in dated else v for name, v in told.items()}))[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
