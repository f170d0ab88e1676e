"""A harvester is started, followed, its datasets are published, and what came of each is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsPublicationFailed
from ods_provider.core.outcome import Wait, outcome
from ods_provider.core.plans.automation import harvesters
from ods_provider.core.plans.automation.harvested import Attached, attached_to
from ods_provider.core.plans.automation.harvesters import READY, uid_of
from ods_provider.core.times import iso, parse_time
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.harvesting.publishing import Publishing
from ods_provider.jobs.harvesting.runs import HarvesterOrder
from ods_provider.jobs.publishing.deadline import Deadline
from ods_provider.jobs.publishing.progress import Progress

_OLD = timedelta(days=1)
_SHOWN = 10
Failures = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class HarvestJob:
    """One harvest.

    Args:
        harvester_id: Which harvester: its uid, or its name.
        publish: Whether its datasets are published after it.
        max_errors: How many datasets may fail: be not harvested, or not published.
        timeout_s: Seconds to wait for the portal; None waits as long as it takes.
        dry_run: Whether only to tell what would be done.
    """

    harvester_id: str
    publish: bool = True
    max_errors: int = 0
    timeout_s: float | None = None
    dry_run: bool = False
    name: ClassVar[str] = "harvest"
    changes_portal: ClassVar[bool] = True
    dataset_id: ClassVar[str | None] = None

    def work(self, ctx: JobContext) -> dict[str, Any] | Wait:
        """Return the Outcome, or a wait until the portal has gone on.

        Raises:
            OdsPublicationFailed: The run failed, or more than ``max_errors`` datasets did; the messages are the
                portal's.
            OdsPublicationRunning: The portal is not done within ``timeout_s``.
        """
        found = ctx.client.run(harvesters.found(self.harvester_id))
        uid = uid_of(found)
        if self.dry_run:
            return self._told(ctx, found)
        identity = fingerprint(base_url=ctx.client.connection.base_url, uid=uid, publish=self.publish, job=self.name)
        progress = Progress(ctx.ledger(identity))
        _expect_young(ctx, progress, found)
        if not progress.get("began"):
            progress.put(began=iso(ctx.client.terms.now()))
        deadline = Deadline(ctx, progress.get("began"), self.timeout_s, f"harvester {uid}")
        before = _seen(ctx, progress, "before", found)
        failed = HarvesterOrder(ctx, progress, uid, "start", deadline).run()
        if isinstance(failed, Wait):
            return failed
        if failed is not None:
            progress.forget()
            raise OdsPublicationFailed(
                f"the portal says: {failed}",
                where=f"harvester {uid}",
                advice="Correct the harvester's settings, or wait until its source answers",
            )
        after = _seen(ctx, progress, "after", found, before)
        failures = _failures(ctx, uid)
        ended: Mapping[str, str | None] = {}
        if self.publish:
            published = Publishing(ctx, progress, uid, after.ids, deadline).run()
            if isinstance(published, Wait):
                return published
            ended = published
        progress.forget()
        failures += [
            {"dataset_id": after.ids.get(each, each), "step": "publish", "message": said}
            for each, said in ended.items()
            if said is not None
        ]
        if len(failures) > self.max_errors:
            raise OdsPublicationFailed(
                f"{counted(len(failures), 'datasets')} failed: {_listed(failures)}",
                where=f"harvester {uid}",
                advice=f"Correct what they name, or let so many fail with max_errors='{len(failures)}'",
            )
        return self._outcome(
            ctx,
            found,
            attached=len(after.ids),
            new=sorted(name for each, name in after.ids.items() if each not in before.ids),
            gone=sorted(name for each, name in before.ids.items() if each not in after.ids),
            published=sum(said is None for said in ended.values()) if self.publish else None,
            errors=len(failures),
            failed=failures[:_SHOWN],
        )

    def _told(self, ctx: JobContext, found: Mapping[str, Any]) -> dict[str, Any]:
        there = ctx.client.run(attached_to(found))
        would = "its datasets published" if self.publish else "nothing published"
        busy = "" if found.get("status") in READY else ", or what runs there be waited for"
        note = f"nothing was ordered: {uid_of(found)} ({found.get('status')}) would be started{busy}, and {would}"
        return self._outcome(ctx, found, attached=len(there.ids), note=note, dry_run=True)

    def _outcome(self, ctx: JobContext, found: Mapping[str, Any], **known: Any) -> dict[str, Any]:
        names = ("attached", "new", "gone", "published", "errors", "failed")
        return outcome(
            harvester=uid_of(found),
            calls=ctx.calls,
            quota_remaining=ctx.remaining(None),
            **dict.fromkeys(names) | known,
        )


def _seen(
    ctx: JobContext, progress: Progress, stage: str, found: Mapping[str, Any], before: Attached | None = None
) -> Attached:
    """Return the harvester's datasets as they were when this stage was reached first."""
    kept = progress.get(stage)
    if kept is None:
        seen = ctx.client.run(attached_to(found, before=before))
        kept = {"ids": dict(seen.ids), "others": None if seen.others is None else list(seen.others)}
        progress.put(**{stage: kept})
    return Attached(kept["ids"], kept["others"])


def _failures(ctx: JobContext, uid: str) -> Failures:
    """Return which datasets could not be harvested, and what the portal says of it."""
    told = ctx.client.run(harvesters.errors(uid)).get("resources")
    resources = told if isinstance(told, Mapping) else {}
    return [{"dataset_id": str(each), "step": "harvest", "message": str(said)} for each, said in resources.items()]


def _listed(failures: Failures) -> str:
    shown = "; ".join(f"{each['step']} of {each['dataset_id']}: {each['message']}" for each in failures[:_SHOWN])
    return shown + (f"; and {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else "")


def _expect_young(ctx: JobContext, progress: Progress, found: Mapping[str, Any]) -> None:
    """Forget a harvest that a process left behind which died long ago: who asks today wants another."""
    began = parse_time(progress.get("began"))
    if began and ctx.client.terms.now() - began > _OLD and found.get("status") in READY:
        progress.forget()
