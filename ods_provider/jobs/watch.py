"""Wait until a dataset is updated: look, and come back later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.core.outcome import Wait
from ods_provider.core.patience import patient_with
from ods_provider.core.plans import catalog
from ods_provider.core.source import CATALOG, Source, named
from ods_provider.core.times import utc_now
from ods_provider.core.watermark import What, moved_on, watermark
from ods_provider.jobs.context import JobContext


@dataclass(frozen=True, slots=True)
class WatchJob:
    """One look at a dataset; what is not there yet is a wait until the next look.

    Args:
        dataset_id: The dataset.
        since: A portal time, or what an earlier watch returned; None takes whatever is there.
        what: ``data``, ``metadata`` or ``any``.
        poll_interval_s: Seconds until the next look.
        source: Where the dataset is kept.
    """

    dataset_id: str
    since: Any = None
    what: What = "data"
    poll_interval_s: float = 300.0
    source: Source = CATALOG
    name: ClassVar[str] = "watch"

    def __post_init__(self) -> None:
        if self.poll_interval_s <= 0:
            raise OdsConfigError(
                f"poll_interval_s={self.poll_interval_s} is no time",
                where="argument poll_interval_s",
                advice="Pass the seconds between two looks",
            )

    def work(self, ctx: JobContext) -> dict[str, Any] | Wait:
        """Return ``{dataset_id, data_processed, modified, records_count}`` of the updated dataset, or a wait."""
        ctx = ctx.at(self.source)
        # Understood before it is asked for: a bad argument shall not cost a call.
        since = None if self.since is None else watermark(self.since, self.what)
        try:
            seen = ctx.client.run(catalog.dataset(self.dataset_id))
        except OdsError as error:
            later = self.after(error)
            # The portal's own time, where it names one, is the runner's affair.
            if later is None or getattr(error, "retry_at", None) is not None:
                raise
            return later
        if since is None or moved_on(seen, since, self.what):
            return seen.freshness() | ctx.source_told
        last = max((moment for moment in since.values() if moment), default=None)
        return self._later(
            f"{named(self.source, self.dataset_id)} has not been updated"
            + (f" since {last.isoformat()}" if last else "")
        )

    def after(self, error: OdsError) -> Wait | None:
        """Return the wait until the next look when ``error`` only delays it, else None."""
        if not patient_with(error, answered=self.since is not None):
            return None
        return self._later(f"the look failed: {error}")

    def _later(self, reason: str) -> Wait:
        return Wait(utc_now() + timedelta(seconds=self.poll_interval_s), reason.rstrip("."), poll=True)
