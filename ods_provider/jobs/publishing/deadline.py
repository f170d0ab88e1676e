"""Until when a job waits for the portal, whose work goes on after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.core.errors import OdsPublicationRunning
from ods_provider.core.outcome import Wait
from ods_provider.core.times import iso
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing import patience
from ods_provider.jobs.publishing.progress import Progress

BUSY = "busy_since"  # in a job's progress: since when the dataset takes no change


@dataclass(frozen=True, slots=True)
class Deadline:
    """When enough was waited.

    Args:
        ctx: The job's.
        began: When the job's work began, ISO 8601.
        timeout_s: Seconds from there; None waits as long as it takes.
        where: What is told as the place of the error.
    """

    ctx: JobContext
    began: str
    timeout_s: float | None
    where: str

    def expect(self, said: str) -> None:
        """Go on while there is time.

        Raises:
            OdsPublicationRunning: There is none left.
        """
        if self.timeout_s is not None and patience.age_s(self.ctx, self.began) >= self.timeout_s:
            raise OdsPublicationRunning(
                f"the portal is not done after {self.timeout_s:.0f} s ({said})",
                where=self.where,
                advice="It goes on there: run it again to wait for it, with a longer timeout",
            )

    def later(self, said: str, *, watching: Mapping[str, Any] | None = None) -> Wait:
        """Return the wait until the next look.

        Raises:
            OdsPublicationRunning: There is no time left.
        """
        self.expect(said)
        return patience.later(self.ctx, said, began=self.began, timeout_s=self.timeout_s, watching=watching)


def busy(ctx: JobContext, progress: Progress, timeout_s: float | None, said: str, *, where: str) -> Wait:
    """Return the wait for a dataset that is at something else, and takes no change meanwhile.

    Args:
        ctx: The job's.
        progress: Where it is kept since when; ``free`` forgets it.
        timeout_s: Seconds from when it was first found busy; None waits as long as it takes.
        said: What it is at, for people.
        where: What is told as the place of the error.

    Raises:
        OdsPublicationRunning: They are over; the next run waits as long again.
    """
    since = str(progress.get(BUSY) or iso(ctx.client.terms.now()))
    free(progress)
    wait = Deadline(ctx, since, timeout_s, where).later(said)
    progress.put(**{BUSY: since})
    return wait


def free(progress: Progress) -> None:
    """Forget that a dataset was busy."""
    if progress.get(BUSY):
        progress.put(**{BUSY: None})
