"""What is published: a file as it lies there, or records written as JSON lines; counted and known by its digest.

A portal takes CSV, JSON, JSON lines, GeoJSON and workbooks as they are. Parquet no portal is known to take: its rows,
and records that come from a task, are written as JSON lines, where numbers, texts and missing values stay what they
are. All is read once, piece by piece, before anything is sent: a file that is broken changes nothing on the portal.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from ods_provider.core.batches import encoded, encoder
from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsSinkError
from ods_provider.core.shapes import opened
from ods_provider.core.upload import Upload
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.digests import Checked, Hashing
from ods_provider.jobs.publishing.reading import UNCHANGED, Kind, Reading, Record, unmarked
from ods_provider.sinks.destination import Destination, speaking
from ods_provider.sources.delimited import DelimitedText
from ods_provider.sources.recordfiles import json_lines, read_records

_KINDS: dict[str, Kind] = {
    "csv": "csv",
    "tsv": "csv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "json",
    "geojson": "geojson",
    "xlsx": "xlsx",
    "parquet": "jsonl",
}
_MIMETYPES: dict[Kind, str] = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "json": "application/json",
    "geojson": "application/geo+json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_PACKED = ("gz", "zip", "bz2", "xz", "zst")


@dataclass(frozen=True, slots=True)
class About:
    """What is known of what will be the dataset's data, as JSON values.

    Attributes:
        kind: What the portal gets.
        filename: And under which name.
        rows: How many records it holds.
        size_bytes, sha256: Of what is sent.
        params: How it is written, in the words of the portal's extractor.
    """

    kind: Kind
    filename: str
    rows: int
    size_bytes: int
    sha256: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """It, and how to read it.

    Attributes:
        about: What is known of it.
        open: Opens what is sent.
        records: Reads it once more, row by row.
        close: Lets go of what was written for it.
    """

    about: About
    open: Callable[[], BinaryIO] = field(repr=False)
    records: Callable[[], Iterator[Record]] = field(repr=False)
    close: Callable[[], None] = field(repr=False, default=lambda: None)

    def upload(self, sent: Callable[[int], None]) -> Upload:
        """Return it as an upload, which breaks off where the file is no longer what was counted."""
        of = self.about

        def checked() -> BinaryIO:
            return cast("BinaryIO", io.BufferedReader(Checked(self.open(), of.sha256, of.filename)))

        return Upload(checked, of.size_bytes, of.filename, _MIMETYPES[of.kind], sent=sent)


@dataclass(frozen=True, slots=True)
class Given:
    """What the user named: a file, or records.

    Args:
        path: The file.
        records: Or the records.
        text: How a CSV is written, where the user says so.
        params: How it is read: those parameters of the extractor that the user names, or that its resource has.
        name: What records are called as a file.
    """

    path: Any
    records: Sequence[Record] | None
    text: DelimitedText
    params: Mapping[str, Any]
    name: str

    @property
    def ending(self) -> str:
        """The ending of the file."""
        name = str(getattr(self.path, "path", self.path)).lower().rpartition("/")[2]
        return name.rpartition(".")[2]

    def expect_ending(self) -> None:
        """Check that the ending says what the file holds.

        Raises:
            OdsConfigError: It says nothing that can be published.
        """
        if self.ending not in _KINDS:
            packed = "; unpack it first" if self.ending in _PACKED else ""
            raise OdsConfigError(
                f"a file ending in {self.ending!r} cannot be published",
                where="argument path",
                advice=f"Use one of {', '.join(_KINDS)}{packed}",
            )

    def mark(self, ctx: JobContext) -> str | None:
        """Return what tells the file from what it was at another time, without reading it; None for records."""
        if self.path is None:
            return None
        place = ctx.destination(self.path)
        return f"{place.url} {place.size_bytes()} {place.modified()}"

    def place(self, ctx: JobContext) -> str | None:
        """Return where the file lies, as people see it."""
        return None if self.path is None else ctx.destination(self.path).url

    def read(self, ctx: JobContext) -> Content:
        """Read all of it, and return what will be published.

        Raises:
            OdsConfigError: There is no such file, or it is broken.
            OdsSinkError: It cannot be read.
        """
        if self.path is None:
            source = opened(self.records or (), where="argument records")
            return _spooled(ctx, source, f"{self.name}.jsonl", "argument records")
        ending, place = self.ending, ctx.destination(self.path)
        if place.size_bytes() is None:
            raise OdsConfigError(
                f"there is no file {place.url}", where="argument path", advice="Check the path; a folder is no file"
            )
        if self.text.told and _KINDS[ending] != "csv":
            raise OdsConfigError(
                f"delimiter and encoding say how a CSV is written, and a .{ending} is none",
                where=f"arguments delimiter, encoding, {place.url}",
                advice="Leave them out",
            )
        if ending == "parquet":
            stem = place.name.rpartition(".")[0]
            return _spooled(ctx, read_records(place, kept=UNCHANGED), f"{stem}.jsonl", place.url)
        return self._as_it_lies(ctx, _KINDS[ending], place)

    def _as_it_lies(self, ctx: JobContext, kind: Kind, place: Destination) -> Content:
        reading = Reading(kind, place, self.text, self.params)

        def open_file() -> BinaryIO:
            with speaking(place, reading=True):
                file = cast("BinaryIO", place.fs.open(place.path, "rb"))
                return file if kind == "xlsx" else unmarked(file)

        def records() -> Iterator[Record]:
            with speaking(place, reading=True), open_file() as file:
                yield from reading.rows(file)

        rows = 0
        with speaking(place, reading=True), open_file() as file:
            seen = Hashing(file)
            # A workbook is read here and there: its digest takes a reading of its own.
            for rows, _ in enumerate(reading.rows(file if kind == "xlsx" else seen), start=1):
                if rows % 10_000 == 0:
                    ctx.check()
            if kind == "xlsx":
                file.seek(0)
            seen.drain()
        if not reading.named:
            raise _without_fields(place.url)
        about = About(kind, place.name, rows, seen.size_bytes, seen.digest.hexdigest(), reading.told())
        return Content(about, open_file, records)


def _without_fields(where: str) -> OdsIncomplete:
    return OdsIncomplete(
        "it holds no record, and so no field: a portal could make no dataset of it",
        where=where,
        advice="Nothing was changed. A CSV of its header alone empties a dataset, and unpublish withdraws it",
    )


def _spooled(ctx: JobContext, source: Iterable[Record], filename: str, where: str) -> Content:
    """Write records as JSON lines into a file that has no name, and goes with the process.

    Raises:
        OdsConfigError: A value has no faithful form in JSON; the message names the record and the field.
    """
    spool = tempfile.TemporaryFile(prefix="ods-publish-")  # noqa: SIM115  it lives as long as the content
    try:
        about = _written(ctx, source, spool, filename, where)
    except BaseException:
        spool.close()
        raise

    def open_spool() -> BinaryIO:
        # It has no name to be opened by: another handle of the same file.
        again = os.fdopen(os.dup(spool.fileno()), "rb")
        again.seek(0)
        return again

    def records() -> Iterator[Record]:
        with open_spool() as file:
            yield from json_lines(file, lambda what: OdsConfigError(what, where=where))

    return Content(about, open_spool, records, spool.close)


def _written(ctx: JobContext, source: Iterable[Record], spool: Any, filename: str, where: str) -> About:
    digest, encode, rows = hashlib.sha256(), encoder(), 0
    for record in source:
        try:
            line = encoded(encode, record, rows) + b"\n"
        except OdsConfigError as error:
            error.reword(lambda text: where if text == "argument records" else f"{text}, {where}", "where")
            raise
        try:
            spool.write(line)
        except OSError as error:
            raise OdsSinkError(
                f"the records cannot be written to a temporary file: {error.strerror}",
                where=tempfile.gettempdir(),
                advice="Make room there, or set TMPDIR to a folder with more",
            ) from None
        digest.update(line)
        rows += 1
        if rows % 10_000 == 0:
            ctx.check()
    if not rows:
        raise _without_fields(where)
    spool.flush()
    return About("jsonl", filename, rows, spool.tell(), digest.hexdigest(), {})
