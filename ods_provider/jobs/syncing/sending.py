"""What was planned, sent in batches: what is new or changed first, so that no row is missing meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from ods_provider.core.batches import batches
from ods_provider.core.checkpoint import Ledger
from ods_provider.core.plans import push
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.syncing.difference import Difference
from ods_provider.jobs.syncing.plan import Folder
from ods_provider.jobs.syncing.sides import Lines

_UNIT = "sent"


@dataclass(frozen=True, slots=True)
class Sent:
    """How far it is: rows that the portal accepted, and in how many calls."""

    pushed: int = 0
    deleted: int = 0
    batches: int = 0

    @classmethod
    def of(cls, ledger: Ledger) -> Self:
        """Return what is confirmed."""
        return cls(**(ledger.units.get(_UNIT) or {}))


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends the rows of a plan; a batch is the unit of progress.

    Args:
        ctx: The job's.
        dataset_id, resource_id: Where to.
        folder: Where the rows lie.
        difference: Which of them are sent.
        replaced: Whether rows are deleted in whose place changed ones come: where the portal does not see to it itself.
        gone: Whether rows are deleted that the file lacks.
    """

    ctx: JobContext
    dataset_id: str
    resource_id: str
    folder: Folder
    difference: Difference
    replaced: bool
    gone: bool

    def run(self, ledger: Ledger, total: int) -> Sent:
        """Send what is not confirmed yet and return what was sent in all.

        Args:
            ledger: Keeps the progress.
            total: Rows to push and to delete.
        """
        sent = Sent.of(ledger)
        for rows, calls in self._batches("push", self.pushed(sent.pushed)):
            sent = replace(sent, pushed=sent.pushed + rows, batches=sent.batches + calls)
            self._confirm(ledger, sent, total)
        for rows, calls in self._batches("delete", self.deleted(sent.deleted)):
            sent = replace(sent, deleted=sent.deleted + rows, batches=sent.batches + calls)
            self._confirm(ledger, sent, total)
        return sent

    def pushed(self, skip: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the rows that are pushed."""
        with Lines(self.folder.file) as lines:
            for at in self.difference.pushed(skip=skip):
                yield lines.row(at)

    def deleted(self, skip: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the rows that are deleted, as the portal showed them."""
        if not self.replaced and not self.gone:
            return
        which = None if self.replaced and self.gone else self.replaced
        with Lines(self.folder.portal("portal")) as lines:
            for at in self.difference.leaving(replaced=which, skip=skip):
                yield lines.row(at)

    def missing(self) -> Iterator[dict[str, Any]]:
        """Yield the deleted rows whose key shall be found no longer."""
        with Lines(self.folder.portal("portal")) as lines:
            for at in self.difference.leaving(replaced=False) if self.gone else ():
                yield lines.row(at)

    def _batches(self, action: Literal["push", "delete"], rows: Iterator[dict[str, Any]]) -> Iterator[tuple[int, int]]:
        for batch in batches(rows):
            self.ctx.check()
            self.ctx.client.run(push.send(self.dataset_id, self.resource_id, batch.body, action=action))
            yield batch.rows, 1
            del batch  # before the next one is made

    def _confirm(self, ledger: Ledger, sent: Sent, total: int) -> None:
        ledger.confirm(_UNIT, asdict(sent))
        self.ctx.progress(sent.pushed + sent.deleted, total, "rows")
