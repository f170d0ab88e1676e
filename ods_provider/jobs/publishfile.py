"""A file becomes a dataset's data, without a gap: uploaded, published, proven; or what was there before stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ods_provider.core.checkpoint import fingerprint
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.leg import Leg
from ods_provider.jobs.publishing.making import target, would_make
from ods_provider.jobs.publishing.progress import Progress
from ods_provider.jobs.publishing.wanted import Wanted


@dataclass(frozen=True, slots=True)
class PublishFileJob(Wanted):
    """A file to a dataset.

    Every step is kept: a file that was uploaded is not uploaded again, a publication that is under way is waited for,
    and of a resource there is never a second one. The resource stays the one it was and is pointed at the new file, so
    that at no moment there is none.
    """

    name: ClassVar[str] = "publish-file"
    changes_portal: ClassVar[bool] = True

    def work(self, ctx: JobContext) -> Any:
        """Return the Outcome, a wait until the portal has gone on, or that there is nothing to do.

        Raises:
            OdsAuthError: The key may not publish the dataset; nothing was changed.
            OdsPublicationFailed: It was published and is not what was wanted; the message says what is public now.
            OdsPublicationRunning: The portal is not done within ``timeout_s``; the next run goes on waiting.
            OdsIncomplete: The file holds too few rows, and nothing was changed; or Explore does not follow.
            OdsNotFound: There is no such dataset, and no ``new_title`` to make it with.
            OdsConfigError: The file is broken, or no one resource fits; nothing was changed.
        """
        place = target(ctx, self)
        found = place.dataset
        if found is None:
            assert place.made is not None  # a dry run has read it
            return would_make(ctx, self, place.made)
        identity = fingerprint(
            base_url=ctx.client.connection.base_url, uid=found["uid"], resource=self.resource, job=self.name
        )
        return Leg(ctx, self, Progress(ctx.ledger(identity)), found, place.made).go()
