"""Workbooks (xlsx): one sheet, row by row.

Source: Automation API v1.0, extractor parameters (sheet_no); the rest is our reading.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from ods_provider.testing.backoffice.extraction import jsonfile
from ods_provider.testing.backoffice.extraction.raw import Raw
from ods_provider.testing.backoffice.trouble import ExtractionError


def read(path: Path, params: Mapping[str, Any], scratch: Path, cursor: Any) -> Raw:
    """Return the rows of one sheet, the first unless told.

    Raises:
        ExtractionError: It is no workbook, or has no such sheet.
    """
    from openpyxl import load_workbook

    # Opened here: openpyxl looks at the names of files.
    with path.open("rb") as file:
        try:
            book = load_workbook(file, read_only=True, data_only=True)
        except Exception as error:
            raise ExtractionError(f"The file is not a valid workbook: {error}") from None
        number = int(params.get("sheet_no") or 1)
        if not 1 <= number <= len(book.worksheets):
            raise ExtractionError(f"There is no sheet {number}; the workbook has {len(book.worksheets)}")
        rows = book.worksheets[number - 1].iter_rows(values_only=True)
        skipped = max(int(params.get("first_row_no") or 1) - 1, 0)
        return jsonfile.written(
            _records(islice(rows, skipped, None), headed=params.get("headers_first_row", True) is not False),
            scratch / f"{path.stem}.jsonl",
            cursor,
        )


def _records(rows: Iterator[tuple[Any, ...]], *, headed: bool) -> Iterator[dict[str, Any]]:
    first = next(rows, None)
    if first is None:
        raise ExtractionError("The sheet holds no row")
    names = [
        str(value) if headed and value is not None else f"column_{number}" for number, value in enumerate(first, 1)
    ]
    if len(set(names)) < len(names):
        names = [f"{name}_{number}" if names.index(name) < number else name for number, name in enumerate(names)]
    if not headed:
        yield dict(zip(names, map(_plain, first), strict=True))
    for row in rows:
        if any(value is not None for value in row):
            yield dict(zip(names, map(_plain, row), strict=False))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        # A day without a time is a day: workbooks know moments only.
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    try:
        json.dumps(value)
    except TypeError:
        return str(value)
    return value
