"""``OdsDatasetUpdateSensor``: wait until a dataset was updated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.sensors.looking import OdsLookingSensor

if TYPE_CHECKING:
    from ods_provider.client import OdsClient
    from ods_provider.triggers.dataset import OdsDatasetUpdateTrigger


_THE_END = datetime(9999, 1, 1, tzinfo=UTC)  # later than any run


class OdsDatasetUpdateSensor(OdsLookingSensor):
    """Succeed when the dataset is newer than ``since``.

    Only times of the portal are compared, never a worker's clock.

    Args:
        dataset_id: The dataset.
        source: ``catalog``, or ``monitoring`` for what the portal knows of its own use.
        since: A portal time (``data_processed`` of an earlier task's result), or what this sensor returned earlier.
            None takes what this task returned in its last successful run; in its very first run it succeeds at once
            and so records the first value.
        since_task: Instead, the task of this DAG whose result is compared with, such as the download that follows: an
            update is then waited for until that task has loaded it, also where it failed the last time.
        what: ``data`` compares when the records changed, ``metadata`` the editorial date, ``any`` either.
        poke_interval, timeout, mode, soft_fail: As with every sensor; ``poke_interval`` is also the trigger's.

    Returns:
        ``{dataset_id, data_processed, modified, records_count}``, times in ISO 8601.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        source: str = "catalog",
        since: str | datetime | dict[str, Any] | None = None,
        since_task: str | None = None,
        what: str = "data",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.source = source
        self.since = since
        self.since_task = since_task
        self.what = what

    template_fields: Sequence[str] = ("ods_conn_id", *arguments_of(__init__))

    def understand(self, context: Any) -> None:
        """Find out what is compared, and with what."""
        from ods_provider.core.datasetid import dataset_named
        from ods_provider.core.errors import OdsConfigError
        from ods_provider.core.given import is_given
        from ods_provider.core.source import source_named
        from ods_provider.core.watermark import watermark, what_named

        self._dataset = dataset_named(self.dataset_id)
        self._source = source_named(self.source)
        self._what = what_named(self.what)
        if is_given(self.since_task) and (is_given(self.since) or self._what != "data"):
            raise OdsConfigError(
                "since_task compares with what a task loaded, and nothing else",
                where="arguments since_task, since, what",
                advice='Leave since out, and what as it is ("data"), or leave since_task out',
            )
        given = self.since if is_given(self.since) else self._remembered(context)
        self._since = None if given is None else watermark(given, self._what)

    def look(self, client: OdsClient) -> dict[str, Any] | None:
        """Return the dataset's freshness when it is newer, or when there is nothing to compare with yet."""
        from ods_provider.core.plans.catalog import dataset
        from ods_provider.core.source import source_told
        from ods_provider.core.watermark import compared, moved_on

        seen = client.at(self._source).run(dataset(self._dataset))
        if self._since is None:
            self.log.info("The first look at %s: what is there now is recorded, and ends the wait", self._dataset)
        else:
            self.log.info("%s: %s", self._dataset, compared(seen, self._since, self._what))
        newer = self._since is None or moved_on(seen, self._since, self._what)
        return seen.freshness() | source_told(self._source) if newer else None

    def found(self, context: Any, result: dict[str, Any]) -> dict[str, Any]:
        """Return the result, remembered by the dataset's own name where it has a place in a list, which may shift."""
        if context["ti"].map_index >= 0:
            context["ti"].xcom_push(self._memory, result)
        return result

    @property
    def _memory(self) -> str:
        from ods_provider.core.checkpoint import fingerprint
        from ods_provider.core.source import named, source_named

        return f"ods_seen_{fingerprint(dataset_id=named(source_named(self.source), self.dataset_id))}"

    def make_trigger(self) -> OdsDatasetUpdateTrigger:
        """Return the trigger that goes on looking for the same."""
        from ods_provider.airflow.legs import fires_at
        from ods_provider.core.times import iso
        from ods_provider.triggers.dataset import OdsDatasetUpdateTrigger

        return OdsDatasetUpdateTrigger(
            ods_conn_id=self.ods_conn_id,
            dataset_id=self._dataset,
            since=None if self._since is None else {name: iso(moment) for name, moment in self._since.items()},
            what=self._what,
            poll_interval_s=self.poke_interval,
            first_at=fires_at().isoformat(),
            source=self._source,
        )

    def _remembered(self, context: Any) -> Any:
        """Return what the last run is known to have seen or loaded, None where there is nothing to wait for."""
        from ods_provider.core.given import is_given

        if _is_late(context):
            self.log.info("A run of a later date was here before: this one waits for nothing.")
            return None
        return self._loaded(context, str(self.since_task)) if is_given(self.since_task) else self._last_result(context)

    def _loaded(self, context: Any, task_id: str) -> Any:
        """Return the last result of another task, which it has only where it succeeded."""
        ti, pulled = context["ti"], {"task_ids": task_id, "include_prior_dates": True}
        if _date_of(context) is not None and hasattr(ti, "get_previous_ti"):
            # Not this run's own, which is still there where the run is cleared.
            before = ti.get_previous_ti(map_index=ti.map_index)
            if before is None:
                return None
            pulled["run_id"] = before.run_id
        found = ti.xcom_pull(map_indexes=ti.map_index, **pulled)
        if not self._tells_of_this(found):
            # Mapped otherwise than this one: whichever of its results is of this dataset.
            found = ti.xcom_pull(**pulled)
        listed = found if isinstance(found, Sequence) and not isinstance(found, str) else [found]
        return max((each for each in listed if self._tells_of_this(each)), key=_age, default=None)

    def _tells_of_this(self, result: Any) -> bool:
        return isinstance(result, Mapping) and bool(result.get("data_processed")) and self._is_of_this(result)

    def _last_result(self, context: Any) -> Any:
        ti = context["ti"]
        if ti.map_index < 0:
            # With its map index named: without it Airflow returns the results of all earlier runs, as a list.
            last = ti.xcom_pull(task_ids=self.task_id, map_indexes=ti.map_index, include_prior_dates=True)
            if last is None or self._is_of_this(last):
                return last
        # What was seen of another dataset says nothing of this one: it had another place in the list, or another name.
        key = {"key": self._memory} if ti.map_index >= 0 else {}
        earlier = ti.xcom_pull(task_ids=self.task_id, include_prior_dates=True, **key)
        listed = earlier if isinstance(earlier, Sequence) and not isinstance(earlier, str) else [earlier]
        return max((each for each in listed if self._is_of_this(each)), key=_age, default=None)

    def _is_of_this(self, result: Any) -> bool:
        from ods_provider.core.source import CATALOG

        if not isinstance(result, Mapping) or result.get("dataset_id") not in (None, self.dataset_id):
            return False
        # A portal may have a dataset of that name in either.
        return bool(result.get("source", CATALOG) == self._source)


def _date_of(context: Any) -> datetime | None:
    return getattr(context["dag_run"], "logical_date", None)


def _is_late(context: Any) -> bool:
    """Return whether a run of a later date has succeeded here: a backfill, or an older run that was cleared.

    What it would wait for was waited for already, and may not come again.
    """
    run, ti, date = context["dag_run"], context["ti"], _date_of(context)
    if str(getattr(run.run_type, "value", run.run_type)) == "backfill":
        return True
    if date is None or not hasattr(ti, "get_previous_ti"):
        return False
    newest = ti.get_previous_ti(state="success", logical_date=_THE_END, map_index=ti.map_index)
    return newest is not None and newest.logical_date is not None and newest.logical_date > date


def _age(result: Mapping[str, Any]) -> tuple[str, str]:
    # ISO 8601 in UTC, which sorts as text.
    return str(result.get("data_processed") or ""), str(result.get("modified") or "")
