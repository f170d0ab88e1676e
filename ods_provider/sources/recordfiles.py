"""Read records from a file: JSON lines, JSON, CSV or Parquet, told apart by the ending."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.sinks.destination import Destination, speaking

Record = dict[str, Any]


def read_records(place: Destination) -> Iterator[Record]:
    """Yield the records of a file, in constant memory but for ``.json``, which is one array.

    CSV cells are text, empty ones null; the delimiter is told from the header line, a BOM is dropped.

    Raises:
        OdsConfigError: The ending is unknown, or a line is no record; the message numbers it.
        OdsSinkError: The file cannot be read.
    """
    ending = place.name.lower().rpartition(".")[2]
    readers = {"jsonl": _lines, "ndjson": _lines, "json": _array, "csv": _csv, "parquet": _parquet}
    if ending not in readers:
        raise OdsConfigError(
            f"records cannot be read from a file ending in {ending!r}",
            where=place.url,
            advice=f"Use one of {', '.join(readers)}",
        )
    with speaking(place, reading=True), place.fs.open(place.path, "rb") as file:
        yield from readers[ending](file, place)


def _bad(place: Destination, what: str) -> OdsConfigError:
    return OdsConfigError(what, where=place.url, advice="Correct the file; nothing after that line was sent")


def _lines(file: Any, place: Destination) -> Iterator[Record]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield _record(line, place, f"line {number}")


def _record(text: bytes, place: Destination, what: str) -> Record:
    try:
        record = json.loads(text)
    except ValueError as error:
        raise _bad(place, f"{what} is not valid JSON: {error}") from None
    if not isinstance(record, dict):
        raise _bad(place, f"{what} is a {type(record).__name__}, not an object")
    return record


def _array(file: Any, place: Destination) -> Iterator[Record]:
    try:
        records = json.loads(file.read())
    except ValueError as error:
        raise _bad(place, f"the file is not valid JSON: {error}") from None
    for number, record in enumerate(records if isinstance(records, list) else [records], start=1):
        if not isinstance(record, dict):
            raise _bad(place, f"record {number} is a {type(record).__name__}, not an object")
        yield record


def _csv(file: Any, place: Destination) -> Iterator[Record]:
    csv.field_size_limit(sys.maxsize)  # the module's own limit is 128 KB a cell, which a coastline exceeds
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        header = text.readline()
        delimiter = max(",;\t|", key=header.count)
        names = next(csv.reader([header], delimiter=delimiter), [])
        for number, cells in enumerate(csv.reader(text, delimiter=delimiter), start=2):
            if len(cells) != len(names) and cells:
                raise _bad(place, f"row {number} has {len(cells)} cells, the header {len(names)}")
            if cells:
                yield {name: cell if cell != "" else None for name, cell in zip(names, cells, strict=True)}
    except UnicodeDecodeError as error:
        raise _bad(place, f"the file is not UTF-8: {error.reason}") from None
    finally:
        text.detach()


def _parquet(file: Any, place: Destination) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=10_000):
            yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise _bad(place, f"the file is not valid Parquet: {error}") from None
