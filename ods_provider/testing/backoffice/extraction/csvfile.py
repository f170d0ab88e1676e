"""Delimited text, with the parameters of the extractor ``csvfile``.

Source: Automation API v1.0, extractor parameters (headers_first_row, encoding, separator, first_row_no, doublequote,
escapechar).
"""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ods_provider.testing.backoffice.extraction.raw import Raw, named, selected
from ods_provider.testing.backoffice.trouble import ExtractionError
from ods_provider.testing.schema import literal

_STEP = 1 << 20
SEPARATORS = (";", ",", "\t", "|")


def read(path: Path, params: Mapping[str, Any], scratch: Path) -> Raw:
    """Return the rows of a file.

    Args:
        path: The file.
        params: Of the extractor.
        scratch: Where a copy in UTF-8 may be written.

    Raises:
        ExtractionError: The file is in another encoding than told, or a parameter makes no sense.
    """
    encoding = str(params.get("encoding") or "utf-8")
    text = _in_utf8(path, encoding, scratch)
    separator = str(params.get("separator") or ",").replace("\\t", "\t")
    if len(separator) != 1:
        raise ExtractionError(f"The separator must be one character, not {separator!r}")
    doubled = params.get("doublequote", True) is not False
    escape = str(params.get("escapechar") or "") or ('"' if doubled else "\\")
    skipped = max(int(params.get("first_row_no") or 1) - 1, 0)
    headed = params.get("headers_first_row", True) is not False
    with text.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(
            itertools.islice(file, skipped, None),
            delimiter=separator,
            doublequote=doubled,
            escapechar=None if escape == '"' else escape,
        )
        first = next(lines, None)
    if not first:
        raise ExtractionError("The file holds no row")
    fields = named(first if headed else [f"column_{number}" for number in range(1, len(first) + 1)])
    names = [f"c{number}" for number in range(len(fields))]
    declared = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in names) + "}"
    source = (
        f"read_csv({literal(str(text))}, auto_detect=false, columns={declared}, delim={literal(separator)}, "
        f"quote='\"', "
        f"escape={literal(escape)}, header={'true' if headed else 'false'}, skip={skipped}, null_padding=true, "
        "strict_mode=false, max_line_size=16777216, buffer_size=33554432, parallel=false)"
    )
    return Raw(selected(fields, [f"nullif({name}, '')" for name in names], source), fields)


def _in_utf8(path: Path, encoding: str, scratch: Path) -> Path:
    # Also where it is UTF-8 already: what is broken is told before anything is read, and the mark goes.
    # A mark at its start is no part of the first name (Q38).
    marked = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    try:
        decoder = codecs.getincrementaldecoder("utf-8-sig" if marked else encoding)()
    except LookupError:
        raise ExtractionError(f"Unknown encoding: {encoding}") from None
    target = scratch / f"{path.stem}.utf8"
    try:
        with path.open("rb") as source, target.open("wb") as made:
            for piece in _pieces(source):
                made.write(decoder.decode(piece).encode())
            made.write(decoder.decode(b"", final=True).encode())
    except UnicodeError as error:
        raise ExtractionError(f"The file is not in {encoding}: {error}") from None
    return target


def _pieces(source: Any) -> Iterator[bytes]:
    while piece := source.read(_STEP):
        yield piece


def guessed(path: Path) -> dict[str, Any]:
    """Return the parameters that fit a file: encoding and separator by its first part."""
    with path.open("rb") as file:
        head = file.read(65_536)
    encoding = "utf-8"
    try:
        # The last character may be cut.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeError:
        encoding = "iso-8859-1"
    line = head.decode(encoding, "replace").partition("\n")[0]
    separator = max(SEPARATORS, key=line.count)
    return {
        "doublequote": True,
        "encoding": encoding,
        "first_row_no": 1,
        "headers_first_row": True,
        "separator": separator,
    }
