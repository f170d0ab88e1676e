"""The datasets of a harvester, published by one order and each followed to the end of its own publication.

That the harvester is idle again proves nothing of them: what each told before the order is noted, and its own status
says how its publication ended.

Source: Automation API v1.0, harvesters (publish), status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.core.errors import OdsNotFound
from ods_provider.core.outcome import Wait
from ods_provider.core.plans.automation.publications import APART_S, GRACE_S, Look, Publication, look
from ods_provider.core.plans.automation.status import status
from ods_provider.core.plans.automation.watching import look_many
from ods_provider.core.times import iso, parse_time, seconds_between
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.harvesting.runs import HarvesterOrder
from ods_provider.jobs.publishing import patience
from ods_provider.jobs.publishing.deadline import Deadline
from ods_provider.jobs.publishing.progress import Progress

_MOST_WATCHED = 200  # datasets: what a scheduler keeps of a wait has an end


@dataclass(frozen=True, slots=True)
class Publishing:
    """The publications of a harvester's datasets.

    Args:
        ctx: The job's.
        progress: Where its stages are kept.
        uid: Of the harvester.
        datasets: Uid to ``dataset_id``.
        deadline: Until when their ends are waited for.
    """

    ctx: JobContext
    progress: Progress
    uid: str
    datasets: Mapping[str, str]
    deadline: Deadline

    def run(self) -> dict[str, str | None] | Wait:
        """Return how each ended, by uid: None where well, else what the portal says; or the wait until another look."""
        if not self.datasets:
            return {}
        noted = self.progress.get("publications") or self._noted()
        if isinstance(noted, Wait):
            return noted
        of = [Publication.of(each) for each in noted]
        given = HarvesterOrder(self.ctx, self.progress, self.uid, "publish", self.deadline, of).run()
        if isinstance(given, Wait):
            return given
        if not self.progress.get("queued_at"):
            self.progress.put(queued_at=iso(self.ctx.client.terms.now()))
        return self._followed(of)

    def _noted(self) -> list[dict[str, Any]] | Wait:
        """Return what each tells before the order. One call each: no list tells it."""
        made, youngest_s = [], APART_S
        for uid, dataset_id in self.datasets.items():
            self.ctx.check()
            told = self.ctx.client.run(status(uid))
            if told.busy:
                # It may have begun before the harvest ended, and would be left out by the order.
                return self.deadline.later(f"dataset {dataset_id} is at something else ({told.said()})")
            before = Publication(uid, "publish", told.status, told.since, iso(told.told_at), dataset_id=dataset_id)
            made.append(before.as_dict())
            if told.to_the_second and told.seconds_old is not None:
                youngest_s = min(youngest_s, max(told.seconds_old, 0.0))
        # Moments are told to the second: what is ordered begins in another one, which proves it.
        self.ctx.client.terms.sleep(APART_S - youngest_s)
        self.progress.put(publications=made)
        return made

    def _followed(self, of: list[Publication]) -> dict[str, str | None] | Wait:
        ended: dict[str, str | None] = dict(self.progress.get("ended") or {})
        running = {each.dataset_uid: each for each in of if each.dataset_uid not in ended}
        # What shows nothing is doubted from the moment on at which the harvester had queued them all.
        queued_at = parse_time(self.progress.get("queued_at"))
        took_s = max((seconds_between(each.ordered_at, queued_at) or 0.0 for each in of), default=0.0)

        def once() -> bool | None:
            for seen in self._looks(list(running.values()), grace_s=GRACE_S + max(took_s, 0.0)):
                uid = seen.publication.dataset_uid
                if seen.ended:
                    ended[uid] = seen.message if seen.state == "failed" else None
                    del running[uid]
                else:
                    running[uid] = seen.publication
            self.ctx.progress(len(ended), len(of), "datasets")
            if not running:
                return True
            self.deadline.expect(self._said(running))
            return None

        if not running or patience.in_place(self.ctx, once):
            self.progress.put(ended=ended)
            return ended
        left = [each.as_dict() for each in running.values()]
        # Together with what they showed: a status that is seen at work once proves the end that follows.
        self.progress.put(ended=ended, publications=[running.get(each.dataset_uid, each).as_dict() for each in of])
        watching = {"publications": left} if len(left) <= _MOST_WATCHED else None
        return self.deadline.later(self._said(running), watching=watching)

    def _looks(self, running: list[Publication], *, grace_s: float) -> list[Look]:
        try:
            return self.ctx.client.run(look_many(running, grace_s=grace_s))
        except OdsNotFound:
            # Somebody deleted one of them: the others are waited for all the same.
            return [self._alone(each, grace_s) for each in running]

    def _alone(self, publication: Publication, grace_s: float) -> Look:
        try:
            return self.ctx.client.run(look(publication, grace_s=grace_s))
        except OdsNotFound:
            return Look(publication, "failed", None, "it was deleted meanwhile")

    def _said(self, running: Mapping[str, Publication]) -> str:
        some = ", ".join(self.datasets.get(uid, uid) for uid in list(running)[:3])
        more = f" and {len(running) - 3} more" if len(running) > 3 else ""
        return f"publication of {some}{more}"
