"""A dataset is opened to everybody, or closed, and it is done when a call without a key says so.

Whether a changed visibility shows at once or with the next publication differs between portals, and no description says
it. So nothing is believed but what an anonymous call gets: it is looked at after the change, then what must be
published for it is published, and then it is waited until it shows. What shows while the portal is at work on it proves
nothing, and is waited for first: a first publication that began before the change may end after it.

Source: Automation API v1.0, security (``is_restricted``, ``default_security``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.errors import OdsAuthError, OdsPublicationFailed, OdsPublicationRunning
from ods_provider.core.outcome import Wait, outcome
from ods_provider.core.plans.automation import datasets
from ods_provider.core.plans.automation.permitted import permitted
from ods_provider.core.plans.automation.status import Status, status
from ods_provider.core.times import iso, parse_time
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing import patience
from ods_provider.jobs.publishing.anonymous import Sight, sight
from ods_provider.jobs.publishing.orders import Order
from ods_provider.jobs.publishing.progress import Progress

_OLD = timedelta(days=1)
SHOWS_S = 900.0  # after all is done, until it shows


@dataclass(frozen=True, slots=True)
class VisibilityJob:
    """One change of who sees a dataset.

    Args:
        dataset_id: Which dataset: its id or its uid.
        public: Whether everybody sees it; else only whom a rule lets.
        timeout_s: Seconds to wait for its publication; None waits as long as it takes.
        dry_run: Whether only to tell what would be done.
    """

    dataset_id: str
    public: bool = True
    timeout_s: float | None = None
    dry_run: bool = False
    name: ClassVar[str] = "visibility"
    changes_portal: ClassVar[bool] = True

    def work(self, ctx: JobContext) -> dict[str, Any] | Wait:
        """Return the Outcome, or a wait until the portal has gone on.

        Raises:
            OdsAuthError: Its change may need a publication, and the key may not publish it; nothing was changed.
            OdsPublicationFailed: Its publication failed, or all is done and an anonymous call still gets another thing.
            OdsPublicationRunning: The portal is not done within ``timeout_s``.
        """
        found = ctx.client.run(datasets.found(self.dataset_id))
        uid, dataset_id = str(found["uid"]), str(found.get("dataset_id") or self.dataset_id)
        identity = fingerprint(base_url=ctx.client.connection.base_url, uid=uid, public=self.public, job=self.name)
        progress = Progress(ctx.ledger(identity))
        _expect_young(ctx, progress)
        restricted = found.get("is_restricted") is True
        seen = sight(ctx, dataset_id)
        if seen.seen is not self.public and _to_publish(found, self.public):
            # Who may not publish it would leave it changed, and to show at a moment that nobody chose.
            ctx.client.run(permitted(uid, dataset_id))
        if self.dry_run:
            return self._outcome(ctx, dataset_id, seen, dry_run=True, note=self._would(found, seen))
        if restricted is self.public:
            progress.put(began=progress.get("began") or iso(ctx.client.terms.now()), changed=True)
            found = ctx.client.run(datasets.update(uid, {"is_restricted": not self.public}))
        if not (progress.get("order") or progress.get("published")):
            rests = self._at_rest(ctx, progress, uid, dataset_id)
            if isinstance(rests, Wait):
                return rests
            if rests is not None and rests.is_published is not None:
                # A first publication may have ended since, with what stood before the change.
                found = {**found, "is_published": rests.is_published}
        seen = sight(ctx, dataset_id)
        due = seen.seen is not self.public and _to_publish(found, self.public)
        # What was ordered is followed to its end, though it may show by now.
        if not progress.get("published") and (due or progress.get("order")):
            ended = Order(ctx, progress, "order", uid, dataset_id, "publish", self.timeout_s).run()
            if isinstance(ended, Wait):
                return ended
            if ended.failed:
                progress.forget()
                raise OdsPublicationFailed(
                    f"the portal says: {ended.failed}",
                    where=f"publish of {dataset_id}",
                    advice=f"It may be {'public' if self.public else 'restricted'} or not: correct what it names, and "
                    "run it again",
                )
            progress.put(published=True)
            seen = sight(ctx, dataset_id)
        return self._shown(ctx, progress, found, dataset_id, seen)

    def _at_rest(self, ctx: JobContext, progress: Progress, uid: str, dataset_id: str) -> Status | Wait | None:
        """Return the status of the dataset once it is at nothing, or the wait until another look.

        What shows while a publication runs may be another thing at its end. None where the key may not know: the status
        is told to those who may publish, and whatever needs that asks for it.
        """
        told: Status | None = None

        def once() -> Status | None:
            nonlocal told
            told = ctx.client.run(status(uid))
            return None if told.busy else told

        try:
            if (rests := patience.in_place(ctx, once)) is not None:
                return rests
        except OdsAuthError as error:
            if error.status != 403:
                raise
            return None
        assert told is not None  # it was looked at
        if not progress.get("began"):
            progress.put(began=iso(ctx.client.terms.now()))
        if self.timeout_s is not None and patience.age_s(ctx, progress.get("began")) >= self.timeout_s:
            raise OdsPublicationRunning(
                f"the portal is not done after {self.timeout_s:.0f} s ({told.said()})",
                where=f"dataset {dataset_id}",
                advice="It goes on there: run it again to wait for it, with a longer timeout",
            )
        said = f"visibility of {dataset_id}: it is at something else ({told.said()})"
        return patience.later(ctx, said, began=progress.get("began"), timeout_s=self.timeout_s)

    def _shown(
        self, ctx: JobContext, progress: Progress, found: Mapping[str, Any], dataset_id: str, seen: Sight
    ) -> dict[str, Any] | Wait:
        """Return the Outcome once an anonymous call sees what it should, or the wait until another look."""
        if seen.seen is not self.public:
            last = seen

            def once() -> Sight | None:
                nonlocal last
                last = sight(ctx, dataset_id)
                return last if last.seen is self.public else None

            looked = patience.in_place(ctx, once)
            if looked is None:
                return self._not_yet(ctx, progress, dataset_id, last)
            seen = looked
        changed, published = bool(progress.get("changed")), bool(progress.get("published"))
        progress.forget()
        hidden = self.public and seen.records is None
        more = {"note": "its default security hides its records from everybody"} if hidden else {}
        return self._outcome(
            ctx, dataset_id, seen, changed=changed, published=published, unchanged=not (changed or published), **more
        )

    def _not_yet(self, ctx: JobContext, progress: Progress, dataset_id: str, seen: Sight) -> Wait:
        if not progress.get("done_at"):
            progress.put(done_at=iso(ctx.client.terms.now()))
        waited_s = patience.age_s(ctx, progress.get("done_at"))
        said = f"an anonymous call still gets {seen.said}"
        if self.timeout_s is not None and patience.age_s(ctx, progress.get("began")) >= self.timeout_s:
            raise OdsPublicationRunning(
                f"it does not show after {self.timeout_s:.0f} s: {said}",
                where=f"dataset {dataset_id}",
                advice="All is ordered: run it again to wait for it, with a longer timeout",
            )
        if waited_s >= SHOWS_S:
            progress.forget()
            raise OdsPublicationFailed(
                f"all is done, and after {waited_s:.0f} s {said}",
                where=f"dataset {dataset_id}",
                advice="Look at the portal's own access policy: a portal that is private as a whole shows nothing"
                if self.public
                else "Look at its security in the back office, and at a cache before the portal",
            )
        return patience.later(ctx, f"visibility of {dataset_id}: {said}", began=progress.get("done_at"))

    def _would(self, found: Mapping[str, Any], seen: Sight) -> str:
        told = f"an anonymous call gets {seen.said}"
        if (found.get("is_restricted") is True) is not self.public and seen.seen is self.public:
            return f"nothing would be changed: {told}"
        steps = ["is_restricted would be changed"] if (found.get("is_restricted") is True) is self.public else []
        if seen.seen is not self.public and _to_publish(found, self.public):
            steps.append("the dataset would be published as it is prepared, where that does not show at once")
        return f"{' and '.join(steps) or 'it would be waited for'}; now {told}"

    def _outcome(self, ctx: JobContext, dataset_id: str, seen: Sight, **known: Any) -> dict[str, Any]:
        return outcome(
            dataset_id=dataset_id,
            public=self.public,
            anonymous={"seen": seen.seen, "records": seen.records},
            calls=ctx.calls,
            quota_remaining=ctx.remaining(None),
            **{"changed": None, "published": None} | known,
        )


def _to_publish(found: Mapping[str, Any], public: bool) -> bool:
    """Return whether a publication is of use: what was never public needs none to stay unseen."""
    return public or found.get("is_published") is not False


def _expect_young(ctx: JobContext, progress: Progress) -> None:
    """Forget what a process left behind which died long ago: another publication may be needed today."""
    began = parse_time(progress.get("began"))
    if began and ctx.client.terms.now() - began > _OLD:
        progress.forget()
