"""Bring a dataset into a file that holds exactly its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, cast, get_args

from ods_provider.core.counting import counted
from ods_provider.core.errors import (
    OdsConfigError,
    OdsError,
    OdsMoved,
    OdsNotFound,
    OdsQueryError,
    OdsTruncated,
)
from ods_provider.core.formats.check import Check
from ods_provider.core.formats.registry import Format
from ods_provider.core.given import truth
from ods_provider.core.outcome import Done, outcome
from ods_provider.core.plans import catalog, records
from ods_provider.core.query import Query
from ods_provider.core.source import CATALOG, Source, named
from ods_provider.core.times import iso
from ods_provider.core.wire import ByteStream, Plan, Response
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.downloading.checked import Copy, write_checked
from ods_provider.jobs.downloading.pouring import Stream
from ods_provider.jobs.downloading.rowrules import RowRules
from ods_provider.jobs.state import State
from ods_provider.jobs.unchanged import Earlier, IfUnchanged, expect_known
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.writer import FileWriter

IfMoved = Literal["retry", "fail", "accept"]
MOVED_TRIES = 3


@dataclass(frozen=True, slots=True)
class DownloadJob:
    """One export, counted, hashed, compared with what the portal says before and after, and only then named.

    The export is one unit: interrupted, it is asked for again.

    Args:
        dataset_id: The dataset; None exports the catalogue.
        path: File to write, replacing an older one in one step.
        format: Export format.
        query: What to select.
        limit: Rows at most; None wants all.
        format_options: The format's own parameters.
        if_moved: What to do when the dataset is republished meanwhile: ``retry`` (three tries), ``fail``, or
            ``accept`` when the rows lie between the two counts.
        min_rows: Fewer rows than this are an error.
        if_unchanged: What to do when an earlier run wrote the same and the dataset did not change since: ``fetch`` it
            all the same, ``keep`` what stands there, or ``skip`` what follows too.
        source: Where the dataset is kept.
    """

    dataset_id: str | None
    path: Any
    format: Format
    query: Query = field(default_factory=Query)
    limit: int | None = None
    format_options: Mapping[str, Any] | None = None
    if_moved: IfMoved = "retry"
    min_rows: int = 0
    if_unchanged: IfUnchanged = "fetch"
    source: Source = CATALOG
    name: ClassVar[str] = "download"

    def __post_init__(self) -> None:
        if self.if_moved not in get_args(IfMoved):
            raise OdsConfigError(
                f"if_moved={self.if_moved!r} is not known",
                where="argument if_moved",
                advice="Use retry, fail or accept",
            )
        expect_known(self.if_unchanged)
        self.format.params(self.format_options)

    def work(self, ctx: JobContext, before: State | None = None) -> dict[str, Any] | Done:
        """Return the Outcome of the file that now stands under its name.

        Args:
            ctx: The job's context.
            before: The dataset as somebody looked at it just now; None looks at it.
        """
        ctx = ctx.at(self.source)
        place = ctx.file(self.path)
        before = before or self.look(ctx)
        earlier = self.earlier(ctx, place)
        return earlier.still(before.digest) or earlier.written(self.work_from(ctx, place, before))

    def earlier(self, ctx: JobContext, place: Destination, *, folder: bool = False) -> Earlier:
        """Return what earlier runs of the same work wrote: a file, or a folder of parts."""
        return Earlier(ctx, place, self.asked(), how=self.if_unchanged, least=self.min_rows, folder=folder)

    def asked(self) -> dict[str, Any]:
        """Return what decides what is written."""
        how = {"format": self.format.name, "options": self.format.params(self.format_options)}
        what = {"dataset_id": self.named, "query": self.query, "limit": self.limit}
        return {"job": self.name, **what, **how}

    @property
    def named(self) -> str | None:
        """The dataset's name among those of all sources."""
        return named(self.source, self.dataset_id)

    def work_from(self, ctx: JobContext, place: Destination, before: State) -> dict[str, Any]:
        """Go on from where the dataset was looked at."""
        for tries_left in reversed(range(MOVED_TRIES)):
            ctx.check()
            self.rules.expect_data(before)
            copy = self.fetch(ctx, place, before)
            with copy.writer as writer:
                after = self.look(ctx)
                moved = before.moved_to(after)
                if not moved or self.if_moved == "accept":
                    self.rules.expect_rows(copy.rows, before, after)
                    writer.commit()
                    return self.outcome_of(ctx, place, copy, after, moved=moved)
            if self.if_moved == "fail" or not tries_left:
                raise self.moved_error(before, after)
            before = after
        raise AssertionError("the loop returns or raises")

    def look(self, ctx: JobContext) -> State:
        """Return the dataset as it is now."""
        if self.dataset_id is None:
            return State(None if self.query.group_by else ctx.client.run(records.count(None, self.query)), None, None)
        dataset = ctx.client.run(catalog.dataset(self.dataset_id))
        # Groups have no count that can be trusted (Q2).
        matching = None if self.query.group_by else ctx.client.run(records.count(self.dataset_id, self.query))
        return State(matching, dataset.records_count, dataset.data_processed, dataset)

    @property
    def _filtered(self) -> bool:
        return self.query.filtered

    def _plan(self, read: Callable[[Response], Copy]) -> Plan[Copy]:
        """Return what asks for the file and has it read."""
        return records.export(
            self.dataset_id,
            self.query,
            format=self.format.name,
            read=read,
            limit=self.limit,
            options=self.format.params(self.format_options),
        )

    def fetch(self, ctx: JobContext, place: Destination, before: State) -> Copy:
        """Ask for the export and return what was written of it; one that breaks off is asked for and written again."""
        try:
            return ctx.client.run(self._plan(lambda response: self._keep(ctx, response, place, before)))
        except (OdsQueryError, OdsNotFound) as error:
            # The offer differs between datasets; the refusal itself does not name it.
            if self.format.name in (offered := self._offered(ctx)) or not offered:
                raise
            raise OdsConfigError(
                f"the portal does not offer the format {self.format.name} here: {error.what}",
                where=self.where_told(),
                advice=f"It offers {', '.join(offered)}",
            ) from None

    def _offered(self, ctx: JobContext) -> list[str]:
        """Return the formats of this dataset, none where the portal does not say: what it refused stays the news."""
        try:
            return ctx.client.run(catalog.export_formats(self.dataset_id))
        except OdsError:
            return []

    def where_told(self) -> str:
        """Return what errors name as the place."""
        place = "the catalogue" if self.named is None else f"dataset {self.named}"
        return f"{place}, format {self.format.name}"

    @property
    def rules(self) -> RowRules:
        """What the rows of the file have to be."""
        return RowRules(self.format, self.format_options, self.limit, self.min_rows, self._filtered, self.where_told())

    @property
    def packed(self) -> bool:
        """Whether the file is gzip itself."""
        return truth("compressed", (self.format_options or {}).get("compressed") or False)

    def _check(self) -> Check:
        return self.format.check_with(self.format_options)

    def _keep(self, ctx: JobContext, response: Response, place: Destination, before: State) -> Copy:
        stream = cast("ByteStream", response.stream)  # an export is always streamed
        return self.written(
            ctx,
            stream,
            place,
            lambda rows, writer: self._expect_end(ctx, response, rows, before, size_bytes=writer.size_bytes),
            total=None if before.matching is None else self.rules.wanted(before.matching),
        )

    def written(
        self,
        ctx: JobContext,
        stream: Stream,
        place: Destination,
        expect_end: Callable[[int | None, FileWriter], None] | None = None,
        *,
        total: int | None = None,
    ) -> Copy:
        """Write a stream to its end and check it; nothing is committed."""
        return write_checked(ctx, stream, place, self._check(), expect_end, total=total)

    def _expect_end(
        self, ctx: JobContext, response: Response, rows: int | None, before: State, *, size_bytes: int
    ) -> None:
        """Raise when rows are missing and the answer may have been cut: it is empty, or nothing marks its end.

        A gate leaves at least the header (Q3). Groups have no count, so that only another answer can tell whether
        theirs is whole: JSON, which shows its end.
        """
        if rows is None or (response.ends_marked and size_bytes):
            return
        if before.matching is not None:
            least = self.rules.wanted(before.matching)
        elif self.query.group_by and self.format.name in ("csv", "jsonl"):
            least = len(ctx.client.run(records.export_rows(self.dataset_id, self.query, limit=self.limit)))
        else:
            return
        if rows < least:
            raise OdsTruncated(
                f"the answer ends after {counted(rows, 'rows')} of {least}",
                where=self.where_told(),
                advice="It was asked for again; if it persists, ask the portal's operator",
            )

    def moved_error(self, before: State, after: State) -> OdsMoved:
        """Return the error of a dataset that was republished meanwhile."""
        return OdsMoved(
            f"the dataset was republished while it was read: {iso(before.processed)} with "
            f"{counted(before.matching, 'rows')}, then {iso(after.processed)} with {counted(after.matching, 'rows')}",
            where=self.where_told(),
            advice='Run it when the publisher is quiet; if_moved="accept" takes a file of either state',
        )

    def outcome_of(
        self, ctx: JobContext, place: Destination, copy: Copy, after: State, *, moved: bool
    ) -> dict[str, Any]:
        """Return the Outcome of a file that was committed."""
        # A number of rows that nothing was compared with proves the container only.
        verified = "container" if self.query.group_by and copy.verified == "counted" else copy.verified
        return outcome(
            dataset_id=self.dataset_id,
            path=place.url,
            format=self.format.name,
            rows=copy.rows,
            size_bytes=copy.writer.size_bytes,
            sha256=copy.writer.sha256,
            verified=verified,
            data_processed=iso(after.processed),
            moved=moved,
            calls=ctx.calls,
            quota_remaining=ctx.remaining(self.dataset_id),
            # Of which of the two states a file is that was read meanwhile, nobody knows.
            dataset_state=None if moved else after.digest,
            **ctx.source_told,
            **self.rules.seen(after),
        )
