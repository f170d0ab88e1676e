"""Rows counted as they pass, against Python's own readers; cut files are never taken for whole ones."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from itertools import accumulate, pairwise
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from fuzzing.properties import holds
from ods_provider.core import jsonarray, jsonl
from ods_provider.core.errors import OdsTruncated
from ods_provider.core.formats.check import Check
from ods_provider.core.formats.registry import format_named

CELL = st.one_of(st.text(max_size=12), st.sampled_from(['"', '""', "\r\n", ";", "a\nb", '"\n"', "\ufeff", ""]))
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), CELL),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(CELL, inner, max_size=3)),
    max_leaves=8,
)
ROW = st.dictionaries(st.text(max_size=6), VALUE, max_size=4)
ROWS = st.lists(ROW, max_size=6)


class Pieces:
    """A ``ByteStream`` that hands out a body in pieces of given sizes."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]
        self.closed = False

    def peek(self, size: int) -> bytes:
        return b"".join(self._pieces)[:size]

    def read(self, size: int = 0) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def close(self) -> None:
        self.closed = True


def cut(data: st.DataObject, body: bytes) -> list[bytes]:
    """The body in arbitrary pieces, single bytes among them."""
    marks = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6), label="cuts"))
    edges = [0, *marks, len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def counted(check: Check, pieces: list[bytes]) -> int | None:
    for piece in pieces:
        check.feed(piece)
    return check.finish(None)


@holds(st.data(), st.integers(1, 4), st.sampled_from(",;|\t"), st.booleans(), st.booleans())
def csv_rows_are_counted_as_the_csv_module_reads_them(
    data: st.DataObject, width: int, delimiter: str, quote_all: bool, with_bom: bool
) -> None:
    rows = data.draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6))
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\r\n").writerows(rows)
    body = (b"\xef\xbb\xbf" if with_bom else b"") + out.getvalue().encode()
    assert list(csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=delimiter)) == rows
    assert counted(format_named("csv").check_with({"delimiter": delimiter}), cut(data, body)) == len(rows) - 1


@holds(st.data(), ROWS, st.booleans(), st.sampled_from([None, 1]))
def json_rows_are_counted_and_a_cut_array_is_never_whole(
    data: st.DataObject, rows: list[dict[str, Any]], ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(rows, ensure_ascii=ascii_only, indent=indent).encode(errors="surrogatepass")
    assert counted(format_named("json").check(), cut(data, body)) == len(rows)
    end = data.draw(st.integers(0, len(body) - 1), label="end")
    is_broken(format_named("json").check(), cut(data, body[:end]))


@holds(st.data(), ROWS)
def features_are_counted_and_a_cut_collection_is_never_whole(data: st.DataObject, rows: list[dict[str, Any]]) -> None:
    point = {"type": "Polygon", "coordinates": [[[1.5, 2.0], [3.0, 4.0]]]}
    features = [{"type": "Feature", "geometry": point, "properties": row} for row in rows]
    body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    assert counted(format_named("geojson").check(), cut(data, body)) == len(rows)
    is_broken(format_named("geojson").check(), cut(data, body[: data.draw(st.integers(0, len(body) - 1))]))


def is_broken(check: Check, pieces: list[bytes]) -> None:
    try:
        counted(check, pieces)
    except OdsTruncated:
        return
    raise AssertionError("a cut file passes for a whole one")


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@holds(st.data(), ROWS, st.booleans())
def json_lines_are_counted_and_a_cut_line_never_is(
    data: st.DataObject, rows: list[dict[str, Any]], last_newline: bool
) -> None:
    texts = [json.dumps(row).encode() for row in rows]
    body = b"\n".join(texts) + (b"\n" if texts and last_newline else b"")
    assert counted(format_named("jsonl").check(), cut(data, body)) == len(rows)
    end = data.draw(st.integers(0, len(body)), label="end")
    row_ends = list(accumulate((len(text) + 1 for text in texts), initial=-1))[1:]
    try:
        found = counted(format_named("jsonl").check(), cut(data, body[:end]))
    except OdsTruncated:
        return
    assert found == sum(1 for row_end in row_ends if row_end <= end)


@holds(st.data(), ROWS)
def json_lines_are_read_whatever_the_pieces(data: st.DataObject, rows: list[dict[str, Any]]) -> None:
    stream = Pieces(cut(data, lines(rows)))
    assert [row for batch in jsonl.batches(stream, where="x") for row in batch] == rows
    assert stream.closed


@holds(st.data(), ROWS, st.sampled_from([None, "features"]))
def arrays_are_read_whatever_the_pieces_and_a_cut_one_is_refused(
    data: st.DataObject, rows: list[dict[str, Any]], inside: str | None
) -> None:
    sent = rows if inside is None else {"type": "FeatureCollection", inside: rows}
    body = json.dumps(sent, ensure_ascii=False).encode(errors="replace")
    stream = Pieces(cut(data, body))
    whole = json.loads(body) if inside is None else json.loads(body)[inside]
    assert list(jsonarray.rows(stream, where="x", inside=inside)) == whole
    end = data.draw(st.integers(0, body.rindex(b"]")), label="end")
    stream = Pieces(cut(data, body[:end]))
    try:
        list(jsonarray.rows(stream, where="x", inside=inside))
    except OdsTruncated:
        assert stream.closed
    else:
        raise AssertionError("a cut array passes for a whole one")


@holds(st.data(), st.deferred(lambda: JUNK), st.sampled_from([None, "features"]))
def junk_is_an_array_of_objects_or_refused(data: st.DataObject, body: bytes, inside: str | None) -> None:
    try:
        assert all(isinstance(row, dict) for row in jsonarray.rows(Pieces(cut(data, body)), where="x", inside=inside))
    except OdsTruncated:
        pass


JUNK = st.one_of(st.binary(max_size=60), st.text(alphabet='[]{}",\\:0e-n \n', max_size=40).map(str.encode))


@holds(st.data(), JUNK)
def junk_is_read_as_rows_or_refused(data: st.DataObject, body: bytes) -> None:
    stream = Pieces(cut(data, body))
    try:
        assert all(isinstance(row, dict) for batch in jsonl.batches(stream, where="x") for row in batch)
    except OdsTruncated:
        pass
    assert stream.closed


FORMATS = ["csv", "json", "jsonl", "geojson", "jsonld", "parquet", "xlsx", "shp", "kml", "gpx", "rdfxml", "fgb", "ical"]


@holds(st.data(), st.sampled_from(FORMATS), st.one_of(JUNK, st.deferred(lambda: ARCHIVES)))
def junk_is_no_file_of_any_format_or_counts_no_less_than_nothing(data: st.DataObject, name: str, body: bytes) -> None:
    check = format_named(name).check()
    try:
        for piece in cut(data, body):
            check.feed(piece)
        found = check.finish(io.BytesIO(body) if check.random_access else None)
    except OdsTruncated:
        return
    assert found is None or found >= 0


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """A workbook, spoiled in one place."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<sheet>" + "<row/>" * draw(st.integers(0, 40)) + "</sheet>")
    body = bytearray(out.getvalue())
    place = draw(st.integers(0, len(body) - 1))
    body[place] = draw(st.integers(0, 255))
    return bytes(body)


ARCHIVES = st.one_of(archives(), archives().flatmap(lambda body: st.integers(0, len(body)).map(lambda end: body[:end])))


@holds(st.sampled_from(["[", "{", '{"a":', "[{", "[[]"]), st.sampled_from(["json", "geojson", "jsonl", "jsonld"]))
def brackets_by_the_thousand_are_refused_and_cost_no_time(opening: str, name: str) -> None:
    body = opening.encode() * 40_000
    is_broken(format_named(name).check(), [body])
    assume(name == "jsonl")
    junk = Pieces([body + b"\n"])
    try:
        list(jsonl.batches(junk, where="x"))
    except OdsTruncated:
        return
    raise AssertionError("it is no row")
