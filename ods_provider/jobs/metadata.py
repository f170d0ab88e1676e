"""Metadata of a dataset, changed field by field: what differs is written, what people pinned is kept, then published.

Before the first value is written it is kept what will be, so that whoever comes after a process that died still
publishes. A publication that was ordered is followed first; then all is compared once more, and what differs by then
is written and published anew: what ends well holds what was asked for last.

Source: Automation API v1.0, metadata by field, publish_metadata, publish.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from ods_provider.core.automation import is_busy
from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.errors import OdsConfigError, OdsPublicationFailed, OdsQueryError
from ods_provider.core.outcome import Wait, outcome
from ods_provider.core.plans.automation import datasets
from ods_provider.core.plans.automation.differing import Difference, difference, written
from ods_provider.core.plans.automation.metadata import whole
from ods_provider.core.plans.automation.ownids import expect_listed
from ods_provider.core.plans.automation.permitted import permitted
from ods_provider.core.plans.automation.placing import STANDARD, Descriptions, Whole, placed
from ods_provider.core.plans.automation.publications import Action
from ods_provider.core.wire import Plan
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.coverage import coverage, spelled
from ods_provider.jobs.publishing.deadline import BUSY, busy, free
from ods_provider.jobs.publishing.orders import Ended, Order
from ods_provider.jobs.publishing.progress import Progress

Published = Literal["metadata", "full"]
ACTIONS: dict[str, Action] = {"metadata": "publish_metadata", "full": "publish"}
_DUE, _ORDER = "changed", "order"


@dataclass(frozen=True, slots=True)
class MetadataJob:
    """Values of one dataset's metadata.

    Args:
        dataset_id: Which dataset: its id or its uid.
        metadata: ``template.field`` to value; None as a value takes the dataset's own one back.
        coverage_of: Field whose first and last value become the temporal coverage; None fills none.
        publish: ``metadata`` (no record is read), ``full``, or None to publish nothing.
        override: Whether values that people pinned, in place of what a harvested dataset's source says, are changed.
        timeout_s: Seconds to wait for the portal; None waits as long as it takes.
        dry_run: Only tell what would be changed.
        agree: Called with what an Outcome says of the plan, before anything is sent; it raises to end it there.
    """

    dataset_id: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    coverage_of: str | None = None
    publish: Published | None = "metadata"
    override: bool = False
    timeout_s: float | None = None
    dry_run: bool = False
    agree: Callable[[Mapping[str, Any]], None] | None = field(default=None, compare=False, repr=False)
    name: ClassVar[str] = "metadata"
    changes_portal: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.publish is not None and self.publish not in ACTIONS:
            raise OdsConfigError(
                f"publish={self.publish!r} is not known", where="argument publish", advice="Use metadata, full or none"
            )

    def work(self, ctx: JobContext) -> dict[str, Any] | Wait:
        """Return the Outcome, or a wait until the portal has gone on.

        Raises:
            OdsConfigError: There is no such template or field, or a value does not fit it; nothing was changed.
            OdsAuthError: They are to be published, and the key may not do it; nothing was changed.
            OdsPublicationFailed: The values are set, and their publication ended, and not well.
            OdsPublicationRunning: The portal is not done within ``timeout_s``; the values are set.
        """
        return _Work(self, ctx).done()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What there is to do: differences to write, and those that stand against a pinned value."""

    changes: tuple[Difference, ...]
    kept: tuple[Difference, ...]


class _Work:
    def __init__(self, job: MetadataJob, ctx: JobContext) -> None:
        self._job = job
        self._ctx = ctx
        found = ctx.client.run(datasets.found(job.dataset_id))
        self._uid, self._dataset_id = str(found["uid"]), str(found.get("dataset_id") or job.dataset_id)
        action = ACTIONS.get(job.publish or "")
        # Metadata alone cannot make public what is not: they will show when somebody publishes it.
        self._hidden = action == "publish_metadata" and found.get("is_published") is False
        self._action = None if self._hidden else action
        identity = fingerprint(
            base_url=ctx.client.connection.base_url, uid=self._uid, job=job.name, publish=job.publish
        )
        self._progress = Progress(ctx.ledger(identity))

    def done(self) -> dict[str, Any] | Wait:
        """Do all that is left to do."""
        job, ended = self._job, None
        order = self._order() if self._action else None
        if order and not job.dry_run:
            order.forget_old()
            if self._progress.get(_ORDER):
                ended = self._followed(order)
        if isinstance(ended, Wait):
            return ended
        plan = self._ctx.client.run(self._planned(self._values_of_records()))
        if self._action and plan.changes:
            self._ctx.client.run(permitted(self._uid, self._dataset_id))
        if job.dry_run:
            return self._outcome(plan, self._told(plan.changes), None)
        if job.agree is not None and plan.changes:
            job.agree({"changed_fields": self._told(plan.changes), "kept_fields": _kept(plan.kept)})
        due = self._due(plan)
        if plan.changes:
            # An earlier order shows none of them.
            ended = None
            self._progress.only(**{_DUE: due, BUSY: self._progress.get(BUSY)})
            later = self._written(plan.changes)
            if later is not None:
                return later
        if order and due and ended is None:
            ended = self._followed(order)
            if isinstance(ended, Wait):
                return ended
        self._progress.forget()
        return self._outcome(plan, due, ended)

    def _order(self) -> Order:
        assert self._action is not None
        return Order(self._ctx, self._progress, _ORDER, self._uid, self._dataset_id, self._action, self._job.timeout_s)

    def _followed(self, order: Order) -> Ended | Wait:
        ended = order.run()
        if isinstance(ended, Ended) and ended.failed:
            order.forget()  # the values are still to be published
            raise OdsPublicationFailed(
                f"the values are set, and not public: the portal says: {ended.failed}",
                where=f"{order.action} of {self._dataset_id}",
                advice="Correct what it names, and run it again: it publishes them",
            )
        return ended

    # What there is to do

    def _values_of_records(self) -> dict[str, Any]:
        if self._job.coverage_of is None:
            return {}
        return coverage(self._ctx, self._dataset_id, self._job.coverage_of)

    def _planned(self, reach: Mapping[str, Any]) -> Plan[_Plan]:
        """Compare all values; nothing is sent before all of them are known to fit."""
        found = yield from whole(self._uid)
        descriptions, seen = Descriptions(found), dict[tuple[str, str], str]()
        changes: list[Difference] = []
        kept: list[Difference] = []
        for name, given in {**self._job.metadata, **reach}.items():
            place = yield from placed(name, found, descriptions)
            if place.at in seen:
                raise OdsConfigError(
                    f"{name} and {seen[place.at]} are one value", where="argument metadata", advice="Give it once"
                )
            seen[place.at] = name
            place = replace(place, type=(yield from descriptions.type_of(name, place)))
            value = given
            if name in reach:
                place = replace(place, type=place.type or "datetime")
                value = spelled(given, place.type, _timezone(found))
            change = difference(name, place, value)
            if change is not None:
                yield from expect_listed(change)
                people_s = change.pinned and not self._job.override and not self._is_ours(change)
                (kept if people_s else changes).append(change)
        return _Plan(tuple(changes), tuple(kept))

    def _is_ours(self, change: Difference) -> bool:
        """Return whether an earlier try of this work pinned the value that stands."""
        return any(each["field"] == change.name and each["new"] == change.old for each in self._earlier)

    @property
    def _earlier(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._progress.get(_DUE) or []
        return found

    def _due(self, plan: _Plan) -> list[dict[str, Any]]:
        """Return what this work changed, by earlier tries too: it is not public yet."""
        due = {each["field"]: each for each in self._earlier}
        for each in self._told(plan.changes):
            # What stood before the first try is what was changed.
            due[each["field"]] = due.get(each["field"], each) | {"new": each["new"]}
        return [*due.values()]

    def _written(self, changes: tuple[Difference, ...]) -> Wait | None:
        for change in changes:
            self._ctx.check()
            try:
                self._ctx.client.run(written(self._uid, change))
            except OdsQueryError as error:
                if not is_busy(error):
                    raise
                where = f"metadata of {self._dataset_id}"
                said = f"{where}: it is at something else"
                return busy(self._ctx, self._progress, self._job.timeout_s, said, where=where)
        free(self._progress)
        return None

    # What came of it

    def _outcome(self, plan: _Plan, changed: list[dict[str, Any]], ended: Ended | None) -> dict[str, Any]:
        return outcome(
            dataset_id=self._dataset_id,
            changed_fields=changed,
            kept_fields=_kept(plan.kept),
            action=self._action if ended else None,
            status=ended.status if ended else None,
            dry_run=self._job.dry_run,
            unchanged=not changed,
            note=self._note(plan, changed),
            calls=self._ctx.calls,
            quota_remaining=self._ctx.remaining(None),
        )

    def _note(self, plan: _Plan, changed: list[dict[str, Any]]) -> str | None:
        said = []
        if self._job.dry_run:
            said.append("nothing was changed")
        if plan.kept:
            said.append(f"kept what people pinned: {', '.join(each.name for each in plan.kept)}")
        if changed and self._hidden:
            said.append("the dataset is not published: the values show once it is")
        return "; ".join(said) or None

    @staticmethod
    def _told(changes: tuple[Difference, ...]) -> list[dict[str, Any]]:
        return [{"field": each.name, "old": each.old, "new": each.new, "pinned": each.pinned} for each in changes]


def _kept(changes: tuple[Difference, ...]) -> list[dict[str, Any]]:
    return [{"field": each.name, "value": each.old, "asked": each.new} for each in changes]


def _timezone(found: Whole) -> Any:
    return next(
        (value.get("value") for name in STANDARD if (value := found.get(name, {}).get("timezone")) is not None), None
    )
