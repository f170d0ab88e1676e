"""What `load.py` loads: rows of 7 columns, their exports as a portal keeps them, and just enough of that portal."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from serving import Server, framed, plain

GROUP = 100_000
TABLE = "id bigint PRIMARY KEY, name text, n bigint, x double precision, ok boolean, at timestamptz, note text"
TYPES = {"id": "int", "name": "text", "n": "int", "x": "double", "ok": "boolean", "at": "datetime", "note": "text"}
DATASET = "/api/explore/v2.1/catalog/datasets/numbers"
_START_US = 1_700_000_000_000_000
_WINDOW = 10_000  # what a portal lists at most, offset and limit together


def rows(numbers: range, *, changed: bool) -> Any:
    """Return rows as a table of Arrow's; every tenth has another number where ``changed``."""
    import pyarrow as pa

    return pa.table({
        "id": pa.array(numbers, pa.int64()),
        "name": [f"Zürich, {n % 997}" for n in numbers],
        "n": pa.array([n % 1000 + (changed and n % 10 == 0) for n in numbers], pa.int64()),
        "x": [n * 0.37 for n in numbers],
        "ok": [n % 2 == 0 for n in numbers],
        "at": pa.array([_START_US + n * 1_000_000 for n in numbers], pa.timestamp("us", "UTC")),
        "note": [f"une remarque n° {n}" for n in numbers],
    })  # fmt: skip


def write_parquet(path: Path, count: int, *, changed: bool) -> None:
    """Write an export as Parquet, in row groups."""
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, rows(range(1), changed=False).schema) as writer:
        for numbers in _groups(count):
            writer.write_table(rows(numbers, changed=changed))


def texts(path: Path) -> tuple[bytes, bytes]:
    """Return an export as CSV and as JSON lines, both compressed as a portal sends them."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv
    import pyarrow.parquet as pq

    packers = [zlib.compressobj(1, wbits=31) for _ in range(2)]
    done: tuple[list[bytes], list[bytes]] = ([], [])
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            group = file.read_row_group(number)
            at = pc.strftime(group["at"], format="%Y-%m-%dT%H:%M:%S+00:00")
            told = group.set_column(group.schema.get_field_index("at"), "at", at)
            sink = pa.BufferOutputStream()
            how = pyarrow.csv.WriteOptions(include_header=number == 0, delimiter=";")
            pyarrow.csv.write_csv(told, sink, how)
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in told.to_pylist())
            for packer, kept, text in zip(packers, done, (sink.getvalue().to_pybytes(), lines.encode()), strict=True):
                kept.append(packer.compress(text))
    csv, jsonl = (b"".join([*kept, packer.flush()]) for packer, kept in zip(packers, done, strict=True))
    return csv, jsonl


def portal(path: Path, count: int, *, with_texts: bool = False) -> Server:
    """Serve a Parquet export as the dataset ``numbers``, as CSV and JSON lines too where they are asked for."""
    fields = [{"name": name, "type": type_, "label": name, "annotations": {}} for name, type_ in TYPES.items()]
    metas = {"default": {"records_count": count, "data_processed": "2026-01-01T00:00:00+00:00"}}
    dataset = plain({"dataset_id": "numbers", "dataset_uid": "da_1", "fields": fields, "metas": metas})
    exports = {"parquet": framed(path.read_bytes(), "Content-Type: application/octet-stream")}
    if with_texts:
        for format, body in zip(("csv", "jsonl"), texts(path), strict=True):
            exports[format] = framed(body, f"Content-Type: text/{format}; charset=utf-8", "Content-Encoding: gzip")

    def answer(place: str, query: str) -> bytes:
        if place.startswith(f"{DATASET}/exports/"):
            return exports[place.rpartition("/")[2]]
        return _listed(count, parse_qs(query)) if place == f"{DATASET}/records" else dataset

    return Server(answer)


def _listed(count: int, asked: dict[str, list[str]]) -> bytes:
    limit, offset = (int(asked.get(name, [default])[0]) for name, default in (("limit", "10"), ("offset", "0")))
    if offset + limit > _WINDOW:
        told = json.dumps({"error_code": "InvalidRESTParameterError", "message": "offset + limit is above 10000"})
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {len(told)}\r\n\r\n"
        return (head + told).encode()
    found = rows(range(min(offset, count), min(offset + limit, count)), changed=False).to_pylist()
    return plain({"total_count": count, "results": [row | {"at": row["at"].isoformat()} for row in found]})


def _groups(count: int) -> Iterator[range]:
    for start in range(0, count, GROUP):
        yield range(start, min(count, start + GROUP))
