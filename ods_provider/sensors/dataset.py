"""``OdsDatasetUpdateSensor``: wait until a dataset was updated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

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

    template_fields: Sequence[str] = ("ods_conn_id", "dataset_id", "since", "what")

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

    def look(self, client: OdsClient, context: Any) -> dict[str, Any] | None:
        """Return the dataset's freshness when it is newer, or when there is nothing to compare with yet."""
        from ods_provider.core.given import required
        from ods_provider.core.plans.catalog import dataset
        from ods_provider.core.watermark import moved_on, watermark, what_named

        what = what_named(self.what)
        given = self.since if self.since not in (None, "", "None") else self._last_result(context)
        # Understood before it is asked for: a bad argument shall not cost a call.
        since = None if given is None else watermark(given, what)
        self._since = None if since is None else {name: moment.isoformat() for name, moment in since.items()}
        seen = client.run(dataset(required("dataset_id", self.dataset_id)))
        return seen.freshness() if since is None or moved_on(seen, since, what) else None

    def make_trigger(self) -> OdsDatasetUpdateTrigger:
        """Return the trigger that goes on looking for the same."""
        from ods_provider.triggers.dataset import OdsDatasetUpdateTrigger

        return OdsDatasetUpdateTrigger(
            ods_conn_id=self.ods_conn_id,
            dataset_id=self.dataset_id,
            since=self._since,
            what=self.what,
            poll_interval_s=self.poke_interval,
        )

    def _last_result(self, context: Any) -> Any:
        ti = context["ti"]
        # With its map index named: without it Airflow returns the results of all earlier runs, as a list.
        earlier = ti.xcom_pull(task_ids=self.task_id, map_indexes=ti.map_index, include_prior_dates=True)
        # What it saw of another dataset says nothing of this one.
        same = isinstance(earlier, Mapping) and earlier.get("dataset_id") in (None, self.dataset_id)
        return earlier if same else None
