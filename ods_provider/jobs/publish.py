"""An order to a dataset, given once and followed to its end: publish, publish the metadata alone, unpublish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.errors import OdsConfigError, OdsPublicationFailed
from ods_provider.core.outcome import Wait, outcome
from ods_provider.core.plans.automation import datasets
from ods_provider.core.plans.automation.permitted import permitted
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.orders import Order
from ods_provider.jobs.publishing.progress import Progress

Ordered = Literal["publish", "publish_metadata", "unpublish"]


@dataclass(frozen=True, slots=True)
class PublishJob:
    """One order.

    Args:
        dataset_id: Which dataset: its id or its uid.
        action: ``publish``, ``publish_metadata`` (no record is read) or ``unpublish``.
        wait: Whether it is followed to its end.
        timeout_s: Seconds to wait for the portal; None waits as long as it takes.
        abort_on_timeout: Whether the portal is told to stop then; else it goes on.
        dry_run: Whether only to tell what would be ordered.
    """

    dataset_id: str
    action: Ordered = "publish"
    wait: bool = True
    timeout_s: float | None = None
    abort_on_timeout: bool = False
    dry_run: bool = False
    name: ClassVar[str] = "publish"
    changes_portal: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.action not in get_args(Ordered):
            raise OdsConfigError(
                f"action={self.action!r} is not known",
                where="argument action",
                advice=f"Use {', '.join(get_args(Ordered))}",
            )

    def work(self, ctx: JobContext) -> dict[str, Any] | Wait:
        """Return the Outcome, or a wait until the portal has gone on.

        Raises:
            OdsAuthError: The key may not publish it; nothing was ordered.
            OdsPublicationFailed: It ended, and not well; the message is the portal's.
            OdsPublicationRunning: The portal is not done within ``timeout_s``.
        """
        found = ctx.client.run(datasets.found(self.dataset_id))
        uid, dataset_id = str(found["uid"]), str(found.get("dataset_id") or self.dataset_id)
        if self.dry_run:
            told = ctx.client.run(permitted(uid, dataset_id))
            note = f"nothing was ordered: {self.action} of a dataset that is {told.said()}"
            return self._outcome(ctx, dataset_id, told.status, note=note, dry_run=True)
        identity = fingerprint(base_url=ctx.client.connection.base_url, uid=uid, action=self.action, job=self.name)
        progress = Progress(ctx.ledger(identity))
        order = Order(ctx, progress, "order", uid, dataset_id, self.action, self.timeout_s, self.abort_on_timeout)
        order.forget_old()
        if not self.wait:
            given = order.given()
            if isinstance(given, Wait):
                return given
            progress.forget()
            return self._outcome(ctx, dataset_id, "ordered", publication=given.as_dict())
        ended = order.run()
        if isinstance(ended, Wait):
            return ended
        progress.forget()
        if ended.failed:
            raise OdsPublicationFailed(
                f"the portal says: {ended.failed}",
                where=f"{self.action} of {dataset_id}",
                advice="Correct what it names, and order it again",
            )
        errors = {"records_errors": ended.errors, "shown_errors": list(ended.shown)}
        return self._outcome(ctx, dataset_id, ended.status, **errors)

    def _outcome(self, ctx: JobContext, dataset_id: str, status: str, **more: Any) -> dict[str, Any]:
        known = {"records_errors": None, "publication": None} | more
        return outcome(
            dataset_id=dataset_id,
            action=self.action,
            status=status,
            calls=ctx.calls,
            quota_remaining=ctx.remaining(None),
            **known,
        )
