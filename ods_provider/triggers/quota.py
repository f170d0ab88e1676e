"""``OdsQuotaResetTrigger``: fire when a quota allows calls again."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from ods_provider.triggers.asking import Asking
from ods_provider.triggers.polling import Telling, failed, sleep_until

POLL_INTERVAL_S = 60.0

log = logging.getLogger(__name__)


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
        if self.until:
            await sleep_until(datetime.fromisoformat(self.until))
        try:
            event = TriggerEvent({"status": "updated", "result": await self._enough()})
        except Exception as error:
            event = TriggerEvent(failed(error))
        yield event

    async def _enough(self) -> dict[str, Any]:
        from ods_provider.core.datasetid import dataset_named
        from ods_provider.core.errors import OdsError
        from ods_provider.core.given import is_given
        from ods_provider.core.patience import next_look, pace_s, patient_with
        from ods_provider.core.plans import freshness

        named = dataset_named(self.dataset_id) if is_given(self.dataset_id) else None
        pause_s, telling = pace_s(self.poll_interval_s), Telling()
        with closing(await Asking.patiently(self.ods_conn_id, every_s=pause_s)) as asking:
            while True:
                now = datetime.now(UTC)
                try:
                    look = await asking.run(lambda client: freshness.quota(client.quota, named, self.min_remaining))
                except OdsError as error:
                    # A sensor has looked before: that this is a portal is known.
                    if not patient_with(error, answered=True):
                        raise
                    until = next_look(now, every_s=pause_s, named=getattr(error, "retry_at", None))
                    log.warning("Looking again at %s: %s", until.isoformat(timespec="seconds"), error)
                else:
                    said = look.said(named, self.min_remaining)
                    if look.ready:
                        log.info(said)
                        return freshness.as_result(look)
                    # At the reset, but never at once: one in the past would become a loop of calls.
                    soon_s = min(pause_s, 5.0) if look.ready_at else pause_s
                    until = next_look(now, every_s=soon_s, named=look.ready_at)
                    telling.tell(said, until)
                await sleep_until(until)
