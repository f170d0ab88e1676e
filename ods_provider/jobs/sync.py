"""Make a realtime dataset equal to a file: only what is new or changed is pushed, and what vanished is deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from ods_provider.core.batches import encoded, encoder
from ods_provider.core.checkpoint import Ledger, fingerprint
from ods_provider.core.errors import OdsConfigError, OdsMismatch
from ods_provider.core.outcome import outcome
from ods_provider.core.schema import Dataset
from ods_provider.core.shapes import UnknownFields, opened
from ods_provider.core.share import Share
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.keys import annotated_key, key_fields
from ods_provider.jobs.scratchplace import ScratchPlace
from ods_provider.jobs.syncing.confirming import Confirming
from ods_provider.jobs.syncing.database import FILE_NAME, Database
from ods_provider.jobs.syncing.difference import Counts, Difference
from ods_provider.jobs.syncing.forms import Forms
from ods_provider.jobs.syncing.plan import Folder, Plan, Planning
from ods_provider.jobs.syncing.sending import Sending, Sent
from ods_provider.jobs.syncing.sides import FileSide
from ods_provider.jobs.syncing.target import expect_takes_pushes
from ods_provider.sources.delimited import DelimitedText
from ods_provider.sources.recordfiles import read_records
from ods_provider.tables.extras import required

Record = Mapping[str, Any]
_PLAN, _DOUBTED = "plan", "doubted"


@dataclass(frozen=True, slots=True)
class SyncJob:
    """Both sides are compared on this machine, the difference is sent, and read back.

    Once the plan is made, a batch is the unit of progress: after a wait or a kill, what the portal accepted is not sent
    again. Where the plan is gone, as on another machine, another one is made: what was sent is found there.

    Args:
        dataset_id, resource_id: Where to.
        records: All records that the dataset shall hold, or
        path: a JSON lines, JSON, GeoJSON, CSV or Parquet file of them.
        key: Fields that tell rows apart; empty takes those that the dataset annotates as ``id``.
        delete_missing: Whether rows go that the records lack.
        max_delete: How many of the rows that stand may go; more is an error before anything is sent.
        dry_run: Only make the plan.
        delimiter: What stands between the cells of a CSV; None tells it from the rows.
        encoding: The encoding of a CSV; None is UTF-8.
        unknown_fields: ``refuse`` what the schema does not name, or ``send`` it, for a processor of the dataset.
        agree: Called with what an Outcome says of the plan, before anything is sent; it raises to end it there.
    """

    dataset_id: str
    resource_id: str
    records: Sequence[Record] | None = None
    path: Any = None
    key: tuple[str, ...] = ()
    delete_missing: bool = True
    max_delete: Share = field(default_factory=lambda: Share(number=0))
    dry_run: bool = False
    delimiter: str | None = None
    encoding: str | None = None
    unknown_fields: UnknownFields = "refuse"
    agree: Callable[[Mapping[str, Any]], None] | None = field(default=None, compare=False, repr=False)
    name: ClassVar[str] = "sync"
    changes_portal: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.unknown_fields not in ("refuse", "send"):
            raise OdsConfigError(
                f"unknown_fields={self.unknown_fields!r} is not known",
                where="argument unknown_fields",
                advice="Use refuse or send",
            )
        if (self.records is None) == (self.path is None):
            raise OdsConfigError(
                "pass either records, or a path", where="arguments records, path", advice="Give exactly one of them"
            )
        if self._text.told and self.path is None:
            raise OdsConfigError(
                "delimiter and encoding say how a CSV is written, and none is given",
                where="arguments delimiter, encoding",
                advice="Leave them out, or pass a path",
            )

    @property
    def _text(self) -> DelimitedText:
        return DelimitedText(self.delimiter, self.encoding)

    def work(self, ctx: JobContext) -> dict[str, Any]:
        """Return the Outcome: the plan, and how much of it was ``pushed``, ``deleted`` and ``confirmed``."""
        # Before anything is read: neither a missing package nor a missing key shall be found after an hour.
        required("duckdb", "sql", "the comparison of rows")
        ctx.client.connection.push_key(self.dataset_id, self.resource_id)
        dataset = ctx.client.schema(self.dataset_id)
        key, unique = self._key(dataset)
        identity = fingerprint(
            base_url=ctx.client.connection.base_url,
            job=self.name,
            dataset=(self.dataset_id, self.resource_id),
            how=(key, self.delete_missing, self.unknown_fields),
            source=self._source(ctx),
        )
        work = _Work(self, ctx, dataset, key, unique=unique)
        if self.dry_run:
            place = ScratchPlace.of(ctx, None, fingerprint(identity=identity, only="plan"))
            with work.planned(Folder(place.folder), None) as ready:
                plan = ready.plan
            place.forget()
            return self._outcome(ctx, plan, Sent(), None)
        ledger = ctx.ledger(identity, valid=_reads)
        place = ScratchPlace.of(ctx, None, identity)
        with work.planned(Folder(place.folder), ledger) as ready:
            sent, confirmed = work.done(ready, ledger)
        ledger.clear()
        place.forget()
        return self._outcome(ctx, ready.plan, sent, confirmed)

    def _key(self, dataset: Dataset) -> tuple[tuple[str, ...], bool]:
        """Return the key fields, and whether the portal itself puts a row in the place of another one by them."""
        key = key_fields(self.key, dataset, needed_by="a sync", argument="key")
        own = annotated_key(dataset)
        if own and set(own) != set(key):
            raise OdsConfigError(
                f"{dataset.dataset_id} tells its rows apart by {', '.join(own)}, and key names {', '.join(key)}",
                where="argument key",
                advice="Leave it out: a pushed row takes the place of the one with the same annotated fields",
            )
        return key, bool(own)

    def _source(self, ctx: JobContext) -> str:
        """Name what is synced, so that a plan for one file is never taken for that of another."""
        if self.path is not None:
            place = ctx.destination(self.path)
            return f"{place.url} {place.size_bytes()} {place.modified()} {self.delimiter} {self.encoding}"
        digest, encode = hashlib.sha256(), encoder()
        for number, record in enumerate(self.records or ()):
            digest.update(encoded(encode, record, number))
        return digest.hexdigest()

    def where(self, ctx: JobContext) -> str:
        """Return what errors name as the place of the records."""
        return "argument records" if self.path is None else ctx.destination(self.path).url

    def read(self, ctx: JobContext, dataset: Dataset) -> Iterator[Record]:
        """Begin reading the records."""
        records: Iterable[Record] = self.records or ()
        if self.path is not None:
            records = read_records(ctx.destination(self.path), text=self._text)
        return opened(records, lambda: dataset, where=self.where(ctx))

    def _outcome(self, ctx: JobContext, plan: Plan, sent: Sent, confirmed: int | None) -> dict[str, Any]:
        return outcome(
            dataset_id=self.dataset_id,
            **plan.told(),
            **asdict(sent),
            confirmed=confirmed,
            dry_run=self.dry_run,
            unchanged=not self.dry_run and not sent.pushed and not sent.deleted,
            calls=ctx.calls,
            quota_remaining=ctx.remaining(self.dataset_id),
        )


@dataclass(frozen=True, slots=True)
class _Ready:
    """A plan, and what carries it out."""

    plan: Plan
    forms: Forms
    folder: Folder
    planning: Planning
    sending: Sending

    @property
    def to_send(self) -> int:
        """Rows to push and to delete."""
        counts = self.plan.counts
        leaving = counts.replaced * self.sending.replaced + counts.gone * self.sending.gone
        return counts.new + counts.changed + leaving


class _Work:
    def __init__(self, job: SyncJob, ctx: JobContext, dataset: Dataset, key: tuple[str, ...], *, unique: bool) -> None:
        self._job = job
        self._ctx = ctx
        self._dataset = dataset
        self._key = key
        self._unique = unique

    @contextmanager
    def planned(self, folder: Folder, ledger: Ledger | None) -> Iterator[_Ready]:
        """Give the plan: that of an earlier try where it lies here whole, else a new one."""
        kept = None if ledger is None else ledger.units.get(_PLAN)
        if kept is not None and not ((folder.path / FILE_NAME).exists() and folder.file.exists()):
            kept = None
        if ledger is not None and kept is None:
            ledger.clear()
        if kept is None:
            expect_takes_pushes(self._ctx, self._job.dataset_id, self._job.resource_id)
            folder.begin()
        with Database(folder.path) as database:
            planning = Planning(self._ctx, self._dataset, self._key, folder, database, unique=self._unique)
            if kept is None:
                try:
                    plan, forms = self._made(planning, ledger)
                except BaseException:
                    folder.place.remove(recursive=True)
                    raise
            else:
                plan = Plan(Counts(**kept["counts"]), kept["samples"], tuple(kept["notes"]))
                by_name = {each.name: each for each in self._dataset.fields}
                forms = Forms([by_name[name] for name in kept["fields"]], self._key, self._job.where(self._ctx))
            sending = Sending(
                self._ctx,
                self._job.dataset_id,
                self._job.resource_id,
                folder,
                Difference(database),
                replaced=not self._unique,
                gone=self._job.delete_missing,
            )
            yield _Ready(plan, forms, folder, planning, sending)

    def _made(self, planning: Planning, ledger: Ledger | None) -> tuple[Plan, Forms]:
        job = self._job
        file = FileSide(
            self._ctx,
            self._dataset,
            self._key,
            lambda: job.read(self._ctx, self._dataset),
            job.where(self._ctx),
            send_unknown=job.unknown_fields == "send",
        )
        plan, forms = planning.make(file, delete_missing=job.delete_missing, most=job.max_delete)
        if ledger is not None:
            if job.agree is not None:
                job.agree(plan.told())
            # From here on rows are sent, and no other plan may be made of what they leave.
            kept = {"counts": asdict(plan.counts), "samples": plan.samples, "notes": plan.notes, "fields": forms.names}
            ledger.confirm(_PLAN, kept)
        return plan, forms

    def done(self, ready: _Ready, ledger: Ledger) -> tuple[Sent, int]:
        """Send what is planned, read it back, and return how much was sent and looked at."""
        if not ready.to_send:
            return Sent(), 0
        sent = ready.sending.run(ledger, ready.to_send)

        def compare() -> Difference:
            return ready.planning.compare(ready.forms, "again")[0]

        confirming = Confirming(self._ctx, self._dataset, self._key, ready.sending, compare)
        try:
            return sent, confirming.run(sent, ready.plan.counts)
        except OdsMismatch:
            # The portal may only be slow, so that the next try looks once more. After that it plans anew, which sends
            # what is still not there.
            if _DOUBTED in ledger.units:
                ledger.clear()
            else:
                ledger.confirm(_DOUBTED, True)
            raise


def _reads(unit: str, kept: Any) -> bool:
    if unit == _PLAN:
        Counts(**kept["counts"])
        return bool(kept["fields"]) and isinstance(kept["samples"], Mapping)
    return unit == _DOUBTED or min(replace(Sent(), **kept).pushed, kept["deleted"], kept["batches"]) >= 0
