"""``OdsQuotaResetSensor``: wait until a quota allows calls again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.sensors.looking import OdsLookingSensor

if TYPE_CHECKING:
    from datetime import datetime

    from ods_provider.client import OdsClient
    from ods_provider.triggers.quota import OdsQuotaResetTrigger


class OdsQuotaResetSensor(OdsLookingSensor):
    """Succeed when at least ``min_remaining`` calls are left; put it before work that needs many.

    Looking costs one call. A portal that states no quota lets calls through, and so does the sensor.

    Args:
        dataset_id: A dataset with a quota of its own; None means the portal's.
        min_remaining: Calls that must be left.

    Returns:
        ``{limit, remaining, reset_at}``; None where the portal states none.
    """

    def __init__(self, *, dataset_id: str | None = None, min_remaining: int | str = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.min_remaining = min_remaining

    template_fields: Sequence[str] = ("ods_conn_id", *arguments_of(__init__))

    def understand(self, context: Any) -> None:
        """Find out how much of which quota is waited for."""
        from ods_provider.core.datasetid import dataset_named
        from ods_provider.core.given import is_given, whole_number

        self._least = whole_number("min_remaining", self.min_remaining) or 0
        self._ready_at: datetime | None = None
        self._dataset = dataset_named(self.dataset_id) if is_given(self.dataset_id) else None

    def look(self, client: OdsClient) -> dict[str, Any] | None:
        """Return the quota when enough is left."""
        from ods_provider.core.patience import next_look
        from ods_provider.core.plans import freshness
        from ods_provider.core.times import utc_now

        seen = client.run(freshness.quota(client.quota, self._dataset, self._least))
        self.log.info(seen.said(self._dataset, self._least))
        if not seen.ready and seen.ready_at:
            self._ready_at = next_look(utc_now(), every_s=0, named=seen.ready_at)
        return freshness.as_result(seen) if seen.ready else None

    def make_trigger(self) -> OdsQuotaResetTrigger:
        """Return the trigger that comes back at the reset."""
        from ods_provider.airflow.legs import fires_at
        from ods_provider.triggers.quota import OdsQuotaResetTrigger

        return OdsQuotaResetTrigger(
            ods_conn_id=self.ods_conn_id,
            dataset_id=self._dataset,
            min_remaining=self._least,
            until=fires_at(self._ready_at).isoformat(),
            poll_interval_s=self.poke_interval,
        )
