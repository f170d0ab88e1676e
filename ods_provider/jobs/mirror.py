"""Mirror a whole portal: one job that plans, one that works off a batch, one that reports; and all three in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsIncomplete
from ods_provider.core.outcome import Wait
from ods_provider.core.times import iso
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.mirroring.budget import Budget
from ods_provider.jobs.mirroring.listing import read_catalogue
from ods_provider.jobs.mirroring.order import MirrorOrder
from ods_provider.jobs.mirroring.places import Place, place_of
from ods_provider.jobs.mirroring.planning import CALLS_A_DATASET, compared
from ods_provider.jobs.mirroring.remembered import Remembered
from ods_provider.jobs.mirroring.reporting import Report
from ods_provider.jobs.mirroring.working import FAILED, Due, Row, work_off

_WHOLE_PORTAL: str | None = None


@dataclass(frozen=True, slots=True)
class MirrorPlanJob:
    """Compare the catalogue with the mirror, and return the batches that are to be fetched.

    Args:
        order: What is wanted.
        most_batches: Batches at most, None for one for each dataset.
    """

    order: MirrorOrder
    most_batches: int | None = None
    name: ClassVar[str] = "mirror plan"
    dataset_id: ClassVar[str | None] = _WHOLE_PORTAL

    def work(self, ctx: JobContext) -> list[dict[str, Any]]:
        """Return one mapping a batch; what else there is to tell is remembered where the mirror is."""
        plan = planned(ctx, place_of(self.order), self.order).plan
        due = plan["due"]
        batches = min(len(due), self.most_batches or len(due))
        # Dealt out in turn: instances of a mapped task begin side by side, and the longest waiting come first in each.
        return [{"datasets": due[number::batches], "reserve": plan["reserve"]} for number in range(batches)]


@dataclass(frozen=True, slots=True)
class MirrorBatchJob:
    """Bring the datasets of a batch, one of which failing stops no other.

    Args:
        order: What is wanted.
        due: Its datasets.
        reserve: Calls of the quota that are left to others.
    """

    order: MirrorOrder
    due: Sequence[Due]
    reserve: int
    name: ClassVar[str] = "mirror"
    dataset_id: ClassVar[str | None] = _WHOLE_PORTAL

    def work(self, ctx: JobContext) -> list[Row]:
        """Return what the report is to say of each dataset."""
        place, order = place_of(self.order), self.order
        return work_off(ctx, place, self.due, parallel=1, left_to_others=self.reserve, wait=order.wait)


@dataclass(frozen=True, slots=True)
class MirrorReportJob:
    """Say what came of a run, and remember it for the next.

    Args:
        order: What was wanted.
        results: What the batches gave.
    """

    order: MirrorOrder
    results: Sequence[Row]
    name: ClassVar[str] = "mirror report"
    dataset_id: ClassVar[str | None] = _WHOLE_PORTAL

    def work(self, ctx: JobContext) -> dict[str, Any]:
        """Return the report."""
        place = place_of(self.order)
        remembered = place.remembered(ctx)
        if remembered is None or not remembered.plan:
            raise OdsConfigError(
                "nothing was planned for this mirror", where=place.shown(ctx), advice="Run the task that plans first"
            )
        return Report(ctx, place, self.order, remembered, _now(ctx)).made(self.results)


@dataclass(frozen=True, slots=True)
class MirrorJob:
    """Bring all of a portal that changed, as far as the quota goes.

    Args:
        order: What is wanted.
    """

    order: MirrorOrder
    name: ClassVar[str] = "mirror"
    dataset_id: ClassVar[str | None] = _WHOLE_PORTAL

    def work(self, ctx: JobContext) -> dict[str, Any] | Wait:
        """Return the report; or when to go on, where the rest is to be waited for."""
        place = place_of(self.order)
        remembered = planned(ctx, place, self.order)
        due = [Due.of(each) for each in remembered.plan["due"]]
        reserve = remembered.plan["reserve"]
        parallel = self.order.parallel if place.side_by_side(ctx) else 1
        rows = work_off(ctx, place, due, parallel=parallel, left_to_others=reserve, wait=False)
        report = Report(ctx, place, self.order, remembered, _now(ctx)).made(rows)
        return self._later(ctx, report) or report

    def _later(self, ctx: JobContext, report: Mapping[str, Any]) -> Wait | None:
        quota, now = ctx.client.quota.portal, ctx.client.terms.now()
        if not (self.order.wait and report["tomorrow"] and self.order.max_calls is None and quota and quota.reset_at):
            return None
        longest = timedelta(seconds=ctx.client.connection.max_quota_wait_s)
        if not now < quota.reset_at <= now + longest:
            return None
        return Wait(quota.reset_at, f"{report['note']}; the quota returns at {iso(quota.reset_at)}")


def expect_none_failed(report: Mapping[str, Any]) -> None:
    """Check a report, for faces whose tasks succeed or fail.

    Raises:
        OdsIncomplete: A dataset failed. The others are here, and the next run tries it again.
    """
    failed = [each for each in report["datasets"] if each["what"] == FAILED]
    if failed:
        raise OdsIncomplete(
            f"{len(failed)} of {counted(len(report['datasets']), 'datasets')} failed ({report['note']}); "
            f"{failed[0]['why']}",
            where=", ".join(each["dataset_id"] for each in failed[:5]) + (", …" if len(failed) > 5 else ""),
            advice="The log says why of each; the others are here, and the next run tries these again",
        )


def failures(rows: Sequence[Row]) -> list[Row]:
    """Return those of the datasets that failed and may not fail again."""
    return [each for each in rows if each["what"] == FAILED and each.get("again")]


def planned(ctx: JobContext, place: Place, order: MirrorOrder) -> Remembered:
    """Compare the catalogue with the mirror, within what the quota lets through, and remember the plan there.

    Raises:
        OdsConfigError: The place holds another portal's mirror, or one of another format.
    """
    portal = urlsplit(ctx.client.connection.base_url).hostname or ""
    # Filters alone: what else may change in an order tells nothing of what is gone.
    asked = fingerprint(query=order.query)
    before = place.remembered(ctx) or Remembered(portal, order.form, asked)
    if (before.portal, before.form) != (portal, order.form):
        raise OdsConfigError(
            f"this is the mirror of {before.portal} as {before.form}",
            where=place.shown(ctx),
            advice="Give each portal, and each format, a folder or a schema of its own",
        )
    listed = read_catalogue(ctx, order.query)
    found = compared(
        listed,
        before.datasets,
        here=place.standing(ctx, before.datasets.values()),
        written=lambda known: place.written(ctx, known),
        named=place.named,
        now=_now(ctx),
        same_filters=before.asked == asked,
    )
    calls = ctx.calls
    budget = Budget.of(ctx.client.quota.portal, reserve=order.reserve, max_calls=order.max_calls, spent=calls)
    fits = budget.fits(CALLS_A_DATASET)
    plan = {
        "planned_at": _now(ctx),
        "calls": calls,
        "reserve": budget.reserve,
        "due": [Due(each, found.datasets[each.dataset_id].place).as_dict() for each in found.due[:fits]],
        "tomorrow": [each.dataset_id for each in found.due[fits:]] if fits is not None else [],
        "why_tomorrow": budget.why,
        "unchanged": list(found.unchanged),
        "left_out": dict(found.left_out),
        "gone": [
            {"dataset_id": each.dataset_id, "now": each.now, "known": asdict(found.datasets[each.dataset_id])}
            for each in found.gone
        ],
    }
    after = replace(before, asked=asked, datasets=found.datasets, plan=plan)
    place.remember(ctx, after)
    return after


def _now(ctx: JobContext) -> str:
    return ctx.client.terms.now().isoformat()
