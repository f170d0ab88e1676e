"""``OdsQuotaResetTrigger``: fire when a quota allows calls again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from ods_provider.triggers.polling import failed, sleep_until

POLL_INTERVAL_S = 60.0


class OdsQuotaResetTrigger(BaseTrigger):
    """Sleep until the quota's reset, then make sure with one call, and fire.

    Args:
        ods_conn_id: Connection of type ``ods``.
        dataset_id: A dataset with a quota of its own; None means the portal's.
        min_remaining: Calls that must be left.
        until: When to look first, ISO 8601; None looks at once.
        poll_interval_s: Seconds between looks where the portal does not say when the quota returns.
    """

    def __init__(
        self,
        *,
        ods_conn_id: str,
        dataset_id: str | None = None,
        min_remaining: int = 1,
        until: str | None = None,
        poll_interval_s: float = POLL_INTERVAL_S,
    ) -> None:
        super().__init__()
        self.ods_conn_id = ods_conn_id
        self.dataset_id = dataset_id
        self.min_remaining = min_remaining
        self.until = until
        self.poll_interval_s = poll_interval_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path of this class and its arguments as JSON values."""
        return f"{__name__}.OdsQuotaResetTrigger", {
            "ods_conn_id": self.ods_conn_id,
            "dataset_id": self.dataset_id,
            "min_remaining": self.min_remaining,
            "until": self.until,
            "poll_interval_s": self.poll_interval_s,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Sleep and look until enough calls are left; an error that no waiting cures becomes an event that says so."""
        from ods_provider.core.errors import OdsError
        from ods_provider.core.plans import freshness
        from ods_provider.hooks.ods import OdsHook

        if self.until:
            await sleep_until(datetime.fromisoformat(self.until))
        try:
            with await OdsHook(self.ods_conn_id).aget_conn() as client:
                while True:
                    ready_at: datetime | None = None
                    try:
                        look = await client.arun(freshness.quota(client.quota, self.dataset_id, self.min_remaining))
                    except OdsError as error:
                        if not error.transient:
                            raise
                        self.log.warning("Looking again in %.0f s: %s", self.poll_interval_s, error)
                    else:
                        if look.ready:
                            event = TriggerEvent({"status": "updated", "result": freshness.as_result(look)})
                            break
                        ready_at = look.ready_at
                    # Never at once: a reset in the past would become a loop of calls.
                    soonest = datetime.now(UTC) + timedelta(seconds=min(self.poll_interval_s, 5.0))
                    later = datetime.now(UTC) + timedelta(seconds=self.poll_interval_s)
                    await sleep_until(max(soonest, ready_at) if ready_at else later)
        except OdsError as error:
            event = TriggerEvent(failed(error))
        yield event
