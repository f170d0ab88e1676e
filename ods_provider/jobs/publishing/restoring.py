"""Back to the earlier file, where a publication did not become what was wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from ods_provider.core.automation import is_busy
from ods_provider.core.errors import OdsPublicationFailed, OdsQueryError
from ods_provider.core.outcome import Wait
from ods_provider.core.plans.automation import resources
from ods_provider.core.plans.automation.publications import pause_s
from ods_provider.core.plans.automation.status import status
from ods_provider.core.redact import masked
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.orders import Order
from ods_provider.jobs.publishing.pointing import file_of, taken
from ods_provider.jobs.publishing.progress import Progress

_PARTS = ("type", "params", "datasource")


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, kept until the earlier file is back.

    Attributes:
        said: Why, in words.
        public: Whether the new rows are public.
        restore: Whether the earlier file is wanted back.
        since: When the status began that told of it.
    """

    said: str
    public: bool
    restore: bool
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Restoring:
    """Points the resource at its earlier file, and publishes that where the new rows are public.

    Args:
        ctx: The job's.
        progress: Where it is kept how far this is.
        uid, dataset_id: Of the dataset.
    """

    ctx: JobContext
    progress: Progress
    uid: str
    dataset_id: str

    def run(self) -> Wait:
        """Go on with it; a wait until another look.

        Raises:
            OdsPublicationFailed: It is done: why it had to be, and what is public now.
        """
        failed = Failure(**self.progress.get("failed"))
        before = self.progress.get("before") or {}
        resource = before.get("resource")
        if not failed.restore:
            raise self._told(failed, "The resource still names the new file, as restore=False wants it")
        if resource is None or file_of(resource) is None:
            public = "its rows are public" if failed.public else "nothing of it is public"
            raise self._told(failed, f"There is no earlier file to go back to: {public}")
        if not self.progress.get("back"):
            if others := self._others(resource):
                raise self._told(failed, f"Meanwhile {others}: nothing was undone")
            try:
                parts = {name: resource[name] for name in _PARTS if name in resource}
                self.ctx.client.run(resources.update(self.uid, str(resource["uid"]), parts))
            except OdsQueryError as error:
                if not is_busy(error):
                    raise
                return Wait(self._soon(), f"{self.dataset_id} is busy: the earlier file waits", poll=True)
            self.progress.put(back=True)
        stands = bool(before.get("published"))
        if not failed.public and not self.progress.get("restoring"):
            told = self.ctx.client.run(status(self.uid))
            if not told.ready:
                return Wait(self._soon(), f"{self.dataset_id} is at something else ({told.said()})", poll=True)
            if told.since != failed.since:
                # Somebody ran it meanwhile, and may have read the new file.
                failed = replace(failed, public=True)
                self.progress.put(failed=asdict(failed))
            stands = stands and told.is_published is not False
        if not (failed.public and stands):
            kept = "What was public before still is" if stands else "Nothing is public"
            raise self._told(failed, f"The resource names the earlier file again. {kept}")
        order = Order(self.ctx, self.progress, "restoring", self.uid, self.dataset_id, "publish")
        ended = order.run()
        if isinstance(ended, Wait):
            return ended
        if ended.failed:
            raise self._told(failed, f"The earlier file was published again, which failed too: {ended.failed}")
        raise self._told(failed, "The earlier file was published again")

    def _others(self, before: Mapping[str, Any]) -> str | None:
        """Return what somebody else made of the resource: that is theirs, and not undone."""
        file, uid = self.progress.get("reads"), str(before["uid"])
        if file is None:
            return None
        there = self.ctx.client.run(resources.resources(self.uid))
        # A process that died may have brought the earlier file back, and not noted it.
        return None if taken(there, uid, str(file_of(before))) is None else taken(there, uid, file)

    def _soon(self) -> Any:
        return self.ctx.client.terms.now() + timedelta(seconds=pause_s(2))

    def _told(self, failed: Failure, now: str) -> OdsPublicationFailed:
        self.progress.forget()
        return OdsPublicationFailed(failed.said, where=f"publication of {self.dataset_id}", advice=now)


def kept_of(resource: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what is kept of a resource to bring it back, as JSON values."""
    if resource is None:
        return None
    return {name: masked(resource[name]) for name in ("uid", "title", *_PARTS) if name in resource}
