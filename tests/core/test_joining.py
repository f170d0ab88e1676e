"""Parts become one file: what differs between files of one query, and how much memory it takes."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ods_provider.core.errors import OdsMismatch
from ods_provider.core.formats.joining import joined


def join(format: str, *parts: bytes) -> bytes:
    return b"".join(joined(format, [lambda part=part: io.BytesIO(part) for part in parts]))


def parquet(columns: dict[str, Any], geo: dict[str, Any] | None = None) -> bytes:
    file = io.BytesIO()
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}) if geo else table, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ((b"a,c", b"a,c\r\n1,2\r\n"), b"a,c\r\n1,2\r\n"),
        ((b"a,c\r\n1,2\r\n", b"a,c"), b"a,c\r\n1,2\r\n"),
        ((b"\xef\xbb\xbf", b"\xef\xbb\xbfa\n1\n", b"a\n2\n"), b"\xef\xbb\xbfa\n1\n2\n"),
        ((b"a", b"a"), b"a"),
        ((b'"a\r\nb"\r\n', b'"a\r\nb"\r\n"\r\n"\r\n'), b'"a\r\nb"\r\n"\r\n"\r\n'),
        ((b"a\n\n", b"a\n", b"a\n1\n"), b"a\n\n1\n"),
    ],
)
def test_a_part_without_rows_may_lack_the_end_of_its_header(parts: tuple[bytes, ...], whole: bytes) -> None:
    assert join("csv", *parts) == whole


def test_parts_of_other_columns_are_named() -> None:
    for others in ({"b": [2], "a": [1]}, {"a": [1]}):
        with pytest.raises(OdsMismatch, match="part 1 has other columns"):
            join("parquet", parquet({"a": [1], "b": [2]}), parquet(others))


def test_the_bounds_of_one_part_are_not_said_of_the_whole() -> None:
    def geo(bounds: list[int] | None, kinds: list[str]) -> dict[str, Any]:
        told = {"encoding": "WKB", "geometry_types": kinds} | ({"bbox": bounds} if bounds else {})
        return {"version": "1.0.0", "primary_column": "g", "columns": {"g": told}}

    first = parquet({"g": [b"x"]}, geo([0, 0, 1, 1], ["Point"]))
    for other in (geo([5, 5, 9, 9], ["Point"]), geo(None, [])):
        whole = pq.read_schema(io.BytesIO(join("parquet", first, parquet({"g": [b"y"]}, other))))
        assert json.loads(whole.metadata[b"geo"]) == geo(None, [])
    same = pq.read_schema(io.BytesIO(join("parquet", first, first)))
    assert json.loads(same.metadata[b"geo"]) == geo([0, 0, 1, 1], ["Point"])
    other = pq.read_schema(io.BytesIO(join("parquet", first, parquet({"g": [b"y"]}, {"columns": {}}))))
    assert b"geo" not in (other.metadata or {})


def test_large_cells_end_a_row_group_early() -> None:
    # One text again and again takes nothing in a file, and all of it in memory.
    one = parquet({"n": list(range(2_100)), "shape": ["x" * 20_000] * 2_100})
    file = pq.ParquetFile(io.BytesIO(join("parquet", one, one)))
    assert (file.metadata.num_rows, file.read(["n"])["n"].to_pylist()) == (4_200, [*range(2_100)] * 2)
    assert [file.metadata.row_group(group).num_rows for group in range(6)] == [1_024, 1_024, 52] * 2
