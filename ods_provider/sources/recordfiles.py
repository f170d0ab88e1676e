"""Read records from a file: JSON lines, JSON, CSV or Parquet, told apart by the ending."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.sinks.destination import Destination, speaking
from ods_provider.sources.delimited import Bad, DelimitedText, read_delimited

Record = dict[str, Any]
_DELIMITED = ("csv", "tsv")
_OR_NAMED = "Correct the file, or name its delimiter and encoding"


def read_records(place: Destination, *, text: DelimitedText | None = None) -> Iterator[Record]:
    """Yield the records of a file, in constant memory but for ``.json`` and ``.geojson``, which are one document.

    Cells of CSV are text, empty ones null; a document that is an object is one record, which may be an envelope of
    many (``core.shapes``).

    Args:
        place: The file.
        text: How a CSV is written, where its user says so; refused with other files.

    Raises:
        OdsConfigError: The ending is unknown, or a line is no record; the message numbers it.
        OdsSinkError: The file cannot be read.
    """
    ending = place.name.lower().rpartition(".")[2]
    readers = {"jsonl": json_lines, "ndjson": json_lines, "json": _document, "geojson": _document, "parquet": _parquet}
    known = [*readers, *_DELIMITED]
    if ending not in known:
        raise OdsConfigError(
            f"records cannot be read from a file ending in {ending!r}",
            where=place.url,
            advice=f"Use one of {', '.join(known)}",
        )
    if text is not None and text.told and ending not in _DELIMITED:
        raise OdsConfigError(
            f"delimiter and encoding say how a CSV is written, and a .{ending} is none",
            where=f"arguments delimiter, encoding, {place.url}",
            advice="Leave them out",
        )
    with speaking(place, reading=True), place.fs.open(place.path, "rb") as file:
        if ending in _DELIMITED:
            yield from read_delimited(file, text or DelimitedText(), bad=lambda what: _bad(place, what, _OR_NAMED))
        else:
            yield from readers[ending](file, lambda what: _bad(place, what))


def _bad(place: Destination, what: str, how: str = "Correct the file") -> OdsConfigError:
    return OdsConfigError(what, where=place.url, advice=f"{how}; nothing after that line was sent")


def json_lines(file: Any, bad: Bad) -> Iterator[Record]:
    """Yield the records of JSON lines; empty ones are passed over.

    Args:
        file: Bytes.
        bad: Makes the error that says what is wrong with a line.

    Raises:
        OdsConfigError: A line is no object of JSON; the message numbers it.
    """
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield _record(_parsed(line, bad, f"line {number}"), bad, f"line {number}")


def _document(file: Any, bad: Bad) -> Iterator[Record]:
    records = _parsed(file.read(), bad, "the file")
    for number, record in enumerate(records if isinstance(records, list) else [records], start=1):
        yield _record(record, bad, f"record {number}")


def _parsed(text: bytes, bad: Bad, what: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except _TwiceNamed as error:
        raise bad(f"{what} names {error} twice in one object") from None
    except ValueError as error:
        raise bad(f"{what} is not valid JSON: {error}") from None
    except RecursionError:
        raise bad(f"{what} is nested too deep") from None


class _TwiceNamed(Exception):
    """A key stands twice in one object: which of its values is meant, nobody knows."""


def _object(pairs: list[tuple[str, Any]]) -> Record:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _TwiceNamed(repr(Counter(name for name, _ in pairs).most_common(1)[0][0]))
    return made


def _record(record: Any, bad: Bad, what: str) -> Record:
    if not isinstance(record, dict):
        raise bad(f"{what} is a {type(record).__name__}, not an object")
    return record


def _parquet(file: Any, bad: Bad) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        names = table.schema_arrow.names
        if len(set(names)) < len(names):
            raise bad(f"the file has two columns called {Counter(names).most_common(1)[0][0]!r}")
        for batch in table.iter_batches(batch_size=10_000):
            yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise bad(f"the file is not valid Parquet: {error}") from None
