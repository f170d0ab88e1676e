"""One order to a harvester, given once and followed to its end, by as many processes as it takes.

What was told before the order is noted before it is given; so whoever comes after a process that died knows whether it
was given. A run that somebody else started is waited for, and serves as well.

Source: Automation API v1.0, harvesters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ods_provider.core.outcome import Wait
from ods_provider.core.plans.automation import harvesters
from ods_provider.core.plans.automation.harvesters import READY, Harvest, HarvestLook, Order
from ods_provider.core.plans.automation.publications import Publication
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing import patience
from ods_provider.jobs.publishing.deadline import Deadline
from ods_provider.jobs.publishing.progress import Progress


@dataclass(frozen=True, slots=True)
class HarvesterOrder:
    """One order, whose stages are kept under its own name.

    Args:
        ctx: The job's.
        progress: Where its stages are kept.
        uid: Of the harvester.
        order: What is ordered.
        deadline: Until when its end is waited for.
        of: What the datasets told before an order that queues them.
    """

    ctx: JobContext
    progress: Progress
    uid: str
    order: Order
    deadline: Deadline
    of: Sequence[Publication] = ()

    def run(self) -> str | Wait | None:
        """Give the order unless it was given, and return how it ended: None where well, else what the portal says."""
        kept = self._kept
        if "ended" in kept:
            failed: str | None = kept["ended"]
            return failed
        harvest = Harvest.of(kept["harvest"]) if kept.get("harvest") else self._given()
        return harvest if isinstance(harvest, Wait) else self._followed(harvest)

    def _given(self) -> Harvest | Wait:
        client, noted = self.ctx.client, self._kept.get("noted")
        if noted and client.run(harvesters.begun(Harvest.of(noted), self.of)):
            return self._ordered(Harvest.of(noted))
        now = client.run(harvesters.harvester(self.uid))
        began = now.get("last_started_at")
        if now.get("status") not in READY:
            if self.order != "start":
                return self._later(f"it is at something else ({now.get('status')})")
            # What it is at is a run, if that ends with a success later than the last one.
            self._keep(met={"success": now.get("last_success_at")})
            return self._ordered(Harvest(self.uid, "start", began, seen_busy=True))
        self._keep(noted=Harvest(self.uid, self.order, began).as_dict(), met=None)
        made = client.run(harvesters.ordered(self.uid, self.order, of=self.of))
        if made is None:
            self._keep(noted=None)
            return self._later("it has just begun something else")
        return self._ordered(made)

    def _followed(self, harvest: Harvest) -> str | Wait | None:
        said = ""

        def once() -> HarvestLook | None:
            nonlocal harvest, said
            seen = self.ctx.client.run(harvesters.look(harvest))
            if seen.ended or self._queued(seen):
                return seen
            if seen.harvest != harvest:
                harvest = self._ordered(seen.harvest)
            said = seen.message
            self.deadline.expect(f"{self.order} of harvester {self.uid}: {said}")
            return None

        seen = patience.in_place(self.ctx, once)
        if seen is None:
            return self._later(said, harvest)
        met = self._kept.get("met")
        if met and seen.harvester.get("last_success_at") == met["success"]:
            # It was publishing, or it failed, on somebody else's order: this one is still to be given.
            self._keep(harvest=None, met=None)
            return self._later("what it was at is done")
        failed = seen.message if seen.state == "failed" else None
        self._keep(ended=failed)
        return failed

    def _queued(self, seen: HarvestLook) -> bool:
        """Return whether a harvester that was never seen at work has queued its datasets: they show it first."""
        return seen.harvester.get("status") in READY and self.ctx.client.run(harvesters.queued(self.of))

    def _ordered(self, harvest: Harvest) -> Harvest:
        self._keep(harvest=harvest.as_dict())
        return harvest

    def _later(self, said: str, harvest: Harvest | None = None) -> Wait:
        reason = f"{self.order} of harvester {self.uid}: {said}"
        return self.deadline.later(reason, watching={"harvest": harvest.as_dict()} if harvest else None)

    @property
    def _kept(self) -> dict[str, Any]:
        return self.progress.get(self.order) or {}

    def _keep(self, **changes: Any) -> None:
        self.progress.put(**{self.order: self._kept | changes})
