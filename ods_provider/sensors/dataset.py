"""``OdsDatasetUpdateSensor``: wait until a dataset was updated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.sensors.looking import OdsLookingSensor

if TYPE_CHECKING:
    from ods_provider.client import OdsClient
    from ods_provider.triggers.dataset import OdsDatasetUpdateTrigger


class OdsDatasetUpdateSensor(OdsLookingSensor):
    """Succeed when the dataset is newer than ``since``.

    Only times of the portal are compared, never a worker's clock.

    Args:
        dataset_id: The dataset.
        since: A portal time (``data_processed`` of an earlier task's result), or what this sensor returned earlier.
            None takes what this task returned in its last successful run; in its very first run it succeeds at once
            and so records the first value.
        what: ``data`` compares when the records changed, ``metadata`` the editorial date, ``any`` either.
        poke_interval, timeout, mode, soft_fail: As with every sensor; ``poke_interval`` is also the trigger's.

    Returns:
        ``{dataset_id, data_processed, modified, records_count}``, times in ISO 8601.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        since: str | datetime | dict[str, Any] | None = None,
        what: str = "data",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.since = since
        self.what = what

    template_fields: Sequence[str] = ("ods_conn_id", *arguments_of(__init__))

    def understand(self, context: Any) -> None:
        """Find out what is compared, and with what."""
        from ods_provider.core.datasetid import dataset_named
        from ods_provider.core.watermark import watermark, what_named

        self._dataset = dataset_named(self.dataset_id)
        self._what = what_named(self.what)
        given = self.since if self.since not in (None, "", "None") else self._last_result(context)
        self._since = None if given is None else watermark(given, self._what)

    def look(self, client: OdsClient) -> dict[str, Any] | None:
        """Return the dataset's freshness when it is newer, or when there is nothing to compare with yet."""
        from ods_provider.core.plans.catalog import dataset
        from ods_provider.core.watermark import moved_on

        seen = client.run(dataset(self._dataset))
        return seen.freshness() if self._since is None or moved_on(seen, self._since, self._what) else None

    def found(self, context: Any, result: dict[str, Any]) -> dict[str, Any]:
        """Return the result, remembered by the dataset's own name where it has a place in a list, which may shift."""
        if context["ti"].map_index >= 0:
            context["ti"].xcom_push(self._memory, result)
        return result

    @property
    def _memory(self) -> str:
        from ods_provider.core.checkpoint import fingerprint

        return f"ods_seen_{fingerprint(dataset_id=self.dataset_id)}"

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
        )

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
        return isinstance(result, Mapping) and result.get("dataset_id") in (None, self.dataset_id)


def _age(result: Mapping[str, Any]) -> tuple[str, str]:
    # ISO 8601 in UTC, which sorts as text.
    return str(result.get("data_processed") or ""), str(result.get("modified") or "")
