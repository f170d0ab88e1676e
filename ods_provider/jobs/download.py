"""Bring a dataset into a file that holds exactly its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, cast, get_args

from ods_provider.core.errors import (
    OdsAuthError,
    OdsConfigError,
    OdsError,
    OdsIncomplete,
    OdsMismatch,
    OdsMoved,
    OdsNotFound,
    OdsQueryError,
    OdsTruncated,
)
from ods_provider.core.events import DatasetDescribed
from ods_provider.core.formats.check import Check, Verified
from ods_provider.core.formats.registry import Format
from ods_provider.core.formats.scratch import Scratch
from ods_provider.core.limits import SHP_ROWS, XLSX_ROWS
from ods_provider.core.outcome import outcome
from ods_provider.core.plans import catalog, records
from ods_provider.core.query import Query
from ods_provider.core.times import iso
from ods_provider.core.wire import ByteStream, Plan, Response
from ods_provider.jobs.context import JobContext
from ods_provider.sinks.destination import Destination, speaking
from ods_provider.sinks.writer import FileWriter

IfMoved = Literal["retry", "fail", "accept"]
MOVED_TRIES = 3
_MOST_ROWS = {"xlsx": (XLSX_ROWS, "an Excel sheet"), "shp": (SHP_ROWS, "a shapefile export")}


@dataclass(frozen=True, slots=True)
class State:
    """The dataset at one moment: rows that match the query, rows it holds in all, when it last changed."""

    matching: int | None
    records_count: int | None
    processed: datetime | None


@dataclass(frozen=True, slots=True)
class _Copy:
    """What was written and not yet committed."""

    writer: FileWriter
    rows: int | None
    verified: Verified


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
    """

    dataset_id: str | None
    path: Any
    format: Format
    query: Query = field(default_factory=Query)
    limit: int | None = None
    format_options: Mapping[str, Any] | None = None
    if_moved: IfMoved = "retry"
    min_rows: int = 0
    name: ClassVar[str] = "download"

    def __post_init__(self) -> None:
        if self.if_moved not in get_args(IfMoved):
            raise OdsConfigError(
                f"if_moved={self.if_moved!r} is not known",
                where="argument if_moved",
                advice="Use retry, fail or accept",
            )
        self.format.params(self.format_options)

    def work(self, ctx: JobContext) -> dict[str, Any]:
        """Return the Outcome of the file that now stands under its name."""
        place = ctx.file(self.path)
        before = self._look(ctx)
        for tries_left in reversed(range(MOVED_TRIES)):
            ctx.check()
            self._expect_data(before)
            copy = self._fetch(ctx, place, before)
            with copy.writer as writer:
                after = self._look(ctx)
                moved = before.processed != after.processed or before.matching != after.matching
                if not moved or self.if_moved == "accept":
                    self._expect_rows(copy.rows, before, after)
                    writer.commit()
                    return self._outcome(ctx, place, copy, after, moved=moved)
            if self.if_moved == "fail" or not tries_left:
                raise self._moved(before, after)
            before = after
        raise AssertionError("the loop returns or raises")

    def _look(self, ctx: JobContext) -> State:
        if self.dataset_id is None:
            return State(None if self.query.group_by else ctx.client.run(records.count(None, self.query)), None, None)
        dataset = ctx.client.run(catalog.dataset(self.dataset_id))
        ctx.emit(DatasetDescribed(dataset))
        # Groups have no count that can be trusted (Q2).
        matching = None if self.query.group_by else ctx.client.run(records.count(self.dataset_id, self.query))
        return State(matching, dataset.records_count, dataset.data_processed)

    @property
    def _filtered(self) -> bool:
        return self.query.filtered

    def _plan(self, read: Callable[[Response], _Copy]) -> Plan[_Copy]:
        """Return what asks for the file and has it read."""
        return records.export(
            self.dataset_id,
            self.query,
            format=self.format.name,
            read=read,
            limit=self.limit,
            options=self.format.params(self.format_options),
        )

    def _fetch(self, ctx: JobContext, place: Destination, before: State) -> _Copy:
        try:
            return ctx.client.run(self._plan(lambda response: self._keep(ctx, response, place, before)))
        except (OdsQueryError, OdsNotFound) as error:
            # The offer differs between datasets; the refusal itself does not name it.
            if self.format.name in (offered := self._offered(ctx)) or not offered:
                raise
            raise OdsConfigError(
                f"the portal does not offer the format {self.format.name} here: {error.what}",
                where=self._where(),
                advice=f"It offers {', '.join(offered)}",
            ) from None

    def _offered(self, ctx: JobContext) -> list[str]:
        """Return the formats of this dataset, none where the portal does not say: what it refused stays the news."""
        try:
            return ctx.client.run(catalog.export_formats(self.dataset_id))
        except OdsError:
            return []

    def _where(self) -> str:
        place = "the catalogue" if self.dataset_id is None else f"dataset {self.dataset_id}"
        return f"{place}, format {self.format.name}"

    def _expect_data(self, before: State) -> None:
        """Raise before anything is fetched when the file could not be right."""
        if before.matching == 0 and before.records_count and not self._filtered:
            raise OdsAuthError(
                f"the portal shows none of the {before.records_count} rows",
                status=200,
                where=self._where(),
                advice="The data is gated for this key: ask the publisher for access, or use another key",
            )
        if self.min_rows and before.matching is None and self._check().verified != "counted":
            raise OdsConfigError(
                f"nobody counts groups as {self.format.name}, so that min_rows says nothing",
                where="argument min_rows",
                advice="Leave it out, or use a format whose rows can be counted, such as csv or parquet",
            )
        most, what = _MOST_ROWS.get(self.format.name, (None, ""))
        if most is not None and self._wanted(before.matching or 0) > most:
            raise OdsConfigError(
                f"{before.matching} rows do not fit into {what}, which holds {most}",
                where=self._where(),
                advice="Use csv or parquet (fgb or geojson for shapes), or narrow the query",
            )

    def _wanted(self, matching: int) -> int:
        return matching if self.limit is None else min(self.limit, matching)

    def _check(self) -> Check:
        return self.format.check_with(self.format_options)

    def _keep(self, ctx: JobContext, response: Response, place: Destination, before: State) -> _Copy:
        stream = cast("ByteStream", response.stream)  # an export is always streamed
        check = self._check()
        writer = FileWriter(place, token=ctx.token)
        spool: Scratch | None = None
        try:
            # A store that cannot be read before it is committed: the check gets a copy on local disk.
            if check.random_access and not writer.readable:
                spool = Scratch()
            self._pour(ctx, stream, writer, check, spool)
            rows = self._finish(check, writer, spool)
            self._expect_end(ctx, response, rows, before, size_bytes=writer.size_bytes)
        except BaseException:
            writer.discard()
            raise
        finally:
            if spool is not None:
                spool.close()
        return _Copy(writer, rows, check.verified)

    def _pour(
        self, ctx: JobContext, stream: ByteStream, writer: FileWriter, check: Check, spool: Scratch | None
    ) -> None:
        while piece := stream.read():
            ctx.check()
            check.feed(piece)
            writer.write(piece)
            if spool is not None:
                spool.write(piece)
            ctx.progress(writer.size_bytes, None, "bytes")

    def _finish(self, check: Check, writer: FileWriter, spool: Scratch | None) -> int | None:
        if not check.random_access:
            return check.finish(None)
        if spool is not None:
            return check.finish(spool.read_back())
        with speaking(writer.place, reading=True), writer.read_back() as file:
            return check.finish(file)

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
            least = self._wanted(before.matching)
        elif self.query.group_by and self.format.name in ("csv", "jsonl"):
            least = len(ctx.client.run(records.export_rows(self.dataset_id, self.query, limit=self.limit)))
        else:
            return
        if rows < least:
            raise OdsTruncated(
                f"the answer ends after {rows} rows of {least}",
                where=self._where(),
                advice="It was asked for again; if it persists, ask the portal's operator",
            )

    def _expect_rows(self, rows: int | None, before: State, after: State) -> None:
        if rows is None:
            # Nothing counts the file: what the portal counts is the most that it can hold.
            self._expect_enough(self._wanted(min(before.matching or 0, after.matching or 0)), "the portal counts")
            return
        if before.matching is not None and after.matching is not None:
            low, high = sorted((self._wanted(before.matching), self._wanted(after.matching)))
            if rows == 0 < low:
                raise OdsIncomplete(
                    f"the export is empty where the portal counts {low} rows",
                    where=self._where(),
                    advice="The data is gated for this key: ask the publisher for access, or use another key (Q3)",
                )
            if not low <= rows <= high:
                expected = str(low) if low == high else f"between {low} and {high}"
                raise OdsMismatch(
                    f"the file holds {rows} rows where the portal counts {expected}",
                    where=self._where(),
                    advice="Nothing was kept. Run it again; if it persists, the export is gated or broken",
                )
        self._expect_enough(rows, "the file holds")

    def _expect_enough(self, rows: int, said: str) -> None:
        if rows < self.min_rows:
            raise OdsIncomplete(
                f"{said} {rows} rows, fewer than min_rows={self.min_rows}",
                where=self._where(),
                advice="Check the query and the dataset, or lower min_rows",
            )

    def _moved(self, before: State, after: State) -> OdsMoved:
        return OdsMoved(
            f"the dataset was republished while it was read: {iso(before.processed)} with {before.matching} rows, "
            f"then {iso(after.processed)} with {after.matching}",
            where=self._where(),
            advice='Run it when the publisher is quiet; if_moved="accept" takes a file of either state',
        )

    def _outcome(
        self, ctx: JobContext, place: Destination, copy: _Copy, after: State, *, moved: bool
    ) -> dict[str, Any]:
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
            **self._seen(after),
        )

    def _seen(self, after: State) -> dict[str, Any]:
        """Return what an unfiltered look tells of rows that this key does not see (Q4)."""
        hidden = (after.records_count or 0) - (after.matching or 0)
        if self._filtered or after.matching is None or hidden <= 0:
            return {}
        note = (
            f"The portal says that the dataset holds {after.records_count} rows and shows {after.matching}: "
            "this key may see fewer than others. min_rows makes that an error"
        )
        return {"hidden_rows": hidden, "note": note}
