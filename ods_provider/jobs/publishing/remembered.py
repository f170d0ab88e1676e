"""Not again: whether what would be published is what the portal has from the last time.

The digest of the content is remembered at success and never before: by the scheduler, as what the last successful run
returned, and for a retry of the same run by its own progress. And it is asked whether the portal still has it: somebody
may have put another file there, or withdrawn the dataset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.outcome import Done
from ods_provider.core.plans.automation.status import status
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.pointing import file_of
from ods_provider.jobs.publishing.showing import Unread, looked
from ods_provider.jobs.publishing.wanted import Wanted

Object = Mapping[str, Any]


class Remembered:
    """What was published last into a dataset's resource.

    Args:
        ctx: The job's.
        wanted: What is asked.
        uid, dataset_id: Of the dataset.
    """

    def __init__(self, ctx: JobContext, wanted: Wanted, uid: str, dataset_id: str) -> None:
        self._ctx, self._wanted, self._uid, self._dataset_id = ctx, wanted, uid, dataset_id
        # Without the portal's port: it comes back under another one, behind a tunnel or on this machine.
        portal = urlsplit(ctx.client.connection.base_url).hostname
        self._fingerprint = fingerprint(portal=portal, published=dataset_id, resource=wanted.resource)

    def still(self, state: str, there: Sequence[Object], own: Object | None) -> dict[str, Any] | Done | None:
        """Return what was returned then, or that there is nothing to do; None where it must be published.

        Args:
            state: Of the content.
            there: The resources of the dataset.
            own: What an earlier try of this very run came to, so that what follows it has not been run yet.
        """
        if self._wanted.if_unchanged == "publish":
            return None
        # The scheduler's memory first: what it knows of, others were told of, though the name of the run be the same.
        for known, skips in ((self._last(), self._wanted.if_unchanged == "skip"), (own, False)):
            if known and known.get("dataset_state") == state and self._stands(known, there):
                kept = dict(known) | {"unchanged": True, "calls": self._ctx.calls}
                why = f"{self._dataset_id} holds this already, published as {known.get('data_processed')}"
                return Done(kept, skipped=why) if skips else kept
        return None

    def told(self, result: dict[str, Any], state: str) -> dict[str, Any]:
        """Return an Outcome with what it will be known by."""
        return result | {"fingerprint": self._fingerprint, "dataset_state": state, "unchanged": False}

    def _last(self) -> Object | None:
        return self._ctx.plugins.last_success(self._fingerprint, self._ctx.run)

    def rows(self, there: Sequence[Object]) -> int | None:
        """Return how many rows the file held that the resource reads now; None where nobody knows."""
        known = self._last() or {}
        same = any(self._reads(known, each) for each in there)
        return known.get("rows") if same else None

    def _stands(self, known: Object, there: Sequence[Object]) -> bool:
        if not any(self._reads(known, each) for each in there):
            return False
        told = self._ctx.client.run(status(self._uid))
        if told.status != "idle" or told.is_published is False:
            return False
        now = looked(self._ctx, self._dataset_id)
        # What this key could not count then, and cannot now, is told apart by its file alone.
        return (None if isinstance(now, Unread) else now.rows) == known.get("rows_shown")

    @staticmethod
    def _reads(known: Object, resource: Object) -> bool:
        return resource.get("uid") == known.get("resource") and file_of(resource) == known.get("file")
