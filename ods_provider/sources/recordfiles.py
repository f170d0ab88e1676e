"""Read records from a file: JSON lines, JSON, CSV or Parquet, told apart by the ending."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from math import isfinite
from typing import Any

from ods_provider.core import faithful
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.legible import kind_of
from ods_provider.sinks.destination import Destination, no_file, speaking
from ods_provider.sources.delimited import Bad, DelimitedText, read_delimited

Record = dict[str, Any]
_DIGITS = 17  # tell each double from its neighbours
_BATCH_ROWS = 10_000
_NO_VALUE = (ValueError, OverflowError, LookupError)  # what Arrow raises for a value that Python has none for
_SAID_CHARS = 120
_DELIMITED = ("csv", "tsv")
_OR_NAMED = "Correct the file, or name its delimiter and encoding"


def read_records(
    place: Destination, *, text: DelimitedText | None = None, kept: str = "nothing after that line was sent"
) -> Iterator[Record]:
    """Yield the records of a file, in constant memory but for ``.json`` and ``.geojson``, which are one document.

    Cells of CSV are text, empty ones null; a document that is an object is one record, which may be an envelope of
    many (``core.shapes``).

    Args:
        place: The file.
        text: How a CSV is written, where its user says so; refused with other files.
        kept: What is said of the portal where the file is broken.

    Raises:
        OdsConfigError: There is no such file, its ending is unknown, or a line is no record; the message numbers it.
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
    with speaking(place, reading=True), _opened(place) as file:
        if ending in _DELIMITED:
            yield from read_delimited(
                file, text or DelimitedText(), bad=lambda what: _bad(place, what, kept, _OR_NAMED)
            )
        else:
            yield from readers[ending](file, lambda what: _bad(place, what, kept))


def _opened(place: Destination) -> Any:
    try:
        return place.fs.open(place.path, "rb")
    except (FileNotFoundError, IsADirectoryError):
        raise no_file(place.url) from None


def _bad(place: Destination, what: str, kept: str, how: str = "Correct the file") -> OdsConfigError:
    return OdsConfigError(what, where=place.url, advice=f"{how}; {kept}")


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
    for number, record in enumerate(records if isinstance(records, list) else [records]):
        yield _record(record, bad, f"record {number}")


def _parsed(text: bytes, bad: Bad, what: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_float=_float)
    except faithful.Unfaithful as error:
        raise bad(f"{what}: {error.what}") from None
    except TwiceNamed as error:
        raise bad(f"{what} names {error} twice in one object") from None
    except ValueError as error:
        raise bad(f"{what} is not valid JSON: {error}") from None
    except RecursionError:
        raise bad(f"{what} is nested too deep") from None


def _float(text: str) -> float:
    """Return the double that a number is.

    Raises:
        Unfaithful: It has more digits than tell a double from its neighbours, and is not that double itself.
    """
    made = float(text)
    told = text.strip("-0.")
    # Most numbers are seen here to be what they were.
    if len(told) <= _DIGITS + ("." in told) and (made or not told):
        return made
    exact = Decimal(text)
    digits = "".join(map(str, exact.as_tuple().digits)).strip("0")
    if isfinite(made) and (len(digits) > _DIGITS or (digits and not made)):
        faithful.number(exact)
    return made


class TwiceNamed(Exception):
    """A key stands twice in one object: which of its values is meant, nobody knows."""


def _object(pairs: list[tuple[str, Any]]) -> Record:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise TwiceNamed(repr(Counter(name for name, _ in pairs).most_common(1)[0][0]))
    return made


EXACT = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float)
"""Takes one value, and refuses what would be lost of it: digits, and one of two values of one name."""


def _record(record: Any, bad: Bad, what: str) -> Record:
    if not isinstance(record, dict):
        raise bad(f"{what} is {kind_of(record)}, not an object")
    return record


def _parquet(file: Any, bad: Bad) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        names = table.schema_arrow.names
        if len(set(names)) < len(names):
            raise bad(f"the file has two columns called {Counter(names).most_common(1)[0][0]!r}")
        for field in table.schema_arrow:
            if _has_map(field.type):
                raise bad(f"the column {field.name!r} holds maps, whose keys may be anything: make them structs")
        done = 0
        for batch in table.iter_batches(batch_size=_BATCH_ROWS):
            try:
                records = batch.to_pylist()
            except _NO_VALUE:
                raise bad(_odd_value(batch, done)) from None
            yield from records
            done += len(records)
    except pa.ArrowException as error:
        raise bad(f"the file is not valid Parquet: {error}") from None


def _has_map(kind: Any) -> bool:
    import pyarrow as pa

    inside = [kind.field(at).type for at in range(kind.num_fields)] if pa.types.is_nested(kind) else []
    return bool(pa.types.is_map(kind)) or any(map(_has_map, inside))


def _odd_value(batch: Any, done: int) -> str:
    """Say which value of a batch is none of Python's: a moment between microseconds, bytes that are no text."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        for number, value in enumerate(column, start=done):
            try:
                value.as_py()
            except _NO_VALUE as error:
                said = str(error).partition(". ")[0]
                return f"record {number}, column {name!r}: {said[:_SAID_CHARS]}"
    return "a value has no plain form"
