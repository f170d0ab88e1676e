"""Exports as a calendar: an event for each row that has a moment.

Source: Explore v2.1 export formats (where a dataset has a calendar view); RFC 5545. Which fields an event is made of is
our reading: it begins at the first moment and is called by the first text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from ods_provider.testing.exports.export import Export

_LINE_BYTES = 75


def write(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield the calendar."""
    columns = export.named()
    begins = next(
        (column.key for column in columns if column.type in ("date", "datetime") and not column.precision), None
    )
    called = next((column.key for column in columns if column.type == "text" and not column.multivalued), None)
    yield b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//ods-provider//local portal//EN\r\n"
    for records in export.records(cursor):
        yield b"".join(_event(record, begins, called) for record in records)
    yield b"END:VCALENDAR\r\n"


def _event(record: dict[str, Any], begins: str | None, called: str | None) -> bytes:
    moment = record.get(begins or "")
    if not moment:
        return b""
    digits = "".join(char for char in moment[:19] if char.isdigit() or char == "T")
    start = f"DTSTART:{digits}Z" if "T" in digits else f"DTSTART;VALUE=DATE:{digits}"
    told = json.dumps(record, ensure_ascii=False, sort_keys=True)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()}",
        f"DTSTAMP:{digits if 'T' in digits else digits + 'T000000'}Z",
        start,
        f"SUMMARY:{_escaped(str(record.get(called or '') or ''))}",
        f"DESCRIPTION:{_escaped(told)}",
        "END:VEVENT",
    ]
    return b"".join(_folded(line) for line in lines)


def _escaped(text: str) -> str:
    marked = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return marked.replace("\r\n", "\\n").replace("\n", "\\n")


def _folded(line: str) -> bytes:
    # A line holds 75 bytes at most; what follows begins with a space. No character may be torn.
    rows, row = [], b""
    for char in line:
        if len(row) + len(char.encode()) > _LINE_BYTES:
            rows.append(row)
            row = b" "
        row += char.encode()
    return b"\r\n".join([*rows, row]) + b"\r\n"
