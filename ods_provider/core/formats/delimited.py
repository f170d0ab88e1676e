"""Count the rows of CSV and JSON lines as they pass, at the speed of ``bytes.count``."""

from __future__ import annotations

import json
from typing import IO

from ods_provider.core.formats.check import Verified, broken

_NOT_MARKS = bytes(set(range(256)) - set(b'"\n'))


class CsvCheck:
    """Counts CSV records under one header line; a newline inside quotes ends no record (Q39)."""

    verified: Verified = "counted"
    random_access = False

    def __init__(self) -> None:
        self._newlines = 0
        self._quoted = False
        self._last = b""

    def feed(self, data: bytes) -> None:
        """Count the newlines outside quotes; a doubled quote closes and opens again, which changes nothing."""
        if not data:
            return
        if b'"' in data:
            # Only quotes and newlines matter; a pair of quotes with nothing left between them changes nothing.
            marks = data.translate(None, _NOT_MARKS).replace(b'""', b"")
            parts = marks.split(b'"')
            self._newlines += sum(map(len, parts[1::2] if self._quoted else parts[::2]))
            self._quoted ^= len(parts) % 2 == 0
        elif not self._quoted:
            self._newlines += data.count(b"\n")
        self._last = data[-1:]

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of records without the header."""
        if self._quoted:
            broken("the CSV ends inside a quoted cell")
        whole = self._last in (b"", b"\n")
        if self._newlines and not whole:
            # Portals end every row alike: one that is not ended was cut, and nothing else would tell.
            broken("the CSV ends inside a row")
        lines = self._newlines + (0 if whole else 1)
        return max(0, lines - 1)


class LinesCheck:
    """Counts JSON lines; the last one may lack its newline, but must be whole."""

    verified: Verified = "counted"
    random_access = False

    def __init__(self) -> None:
        self._newlines = 0
        self._last = b""

    def feed(self, data: bytes) -> None:
        """Count newlines, which are always escaped inside a JSON text, and keep the line that has not ended."""
        self._newlines += data.count(b"\n")
        ended = data.rfind(b"\n")
        self._last = data[ended + 1 :] if ended >= 0 else self._last + data

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of lines."""
        if not self._last.strip():
            return self._newlines
        try:
            whole = isinstance(json.loads(self._last), dict)
        except (ValueError, RecursionError):
            whole = False
        if not whole:
            broken("the last JSON line is not whole")
        return self._newlines + 1
