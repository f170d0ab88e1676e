"""Count the rows of CSV as they pass, at the speed of ``bytes.translate``, and see that each has all its cells."""

from __future__ import annotations

from typing import IO

from ods_provider.core.formats.check import Verified, broken

_STEP_BYTES = 65_536  # at once: rows of unlike cells are taken apart, which takes several times as much memory
_MOST_HEAD_BYTES = 4_194_304
_MOST_MARKS = 67_108_864  # delimiters, quotes and newlines in one row: a cell may hold a whole coastline
_MOST_QUOTES = 4_000  # how far back the end of a row is looked for


class CsvCheck:
    """Counts CSV records under one header line; a newline inside quotes ends no record (Q39).

    Args:
        delimiter: What was asked for; where the header does not hold it, rows are counted and their cells are not. A
            mark that stands there instead may be the portal's own delimiter, or part of the only column's label.
    """

    verified: Verified = "counted"
    random_access = False

    def __init__(self, delimiter: str = ",") -> None:
        self._delimiter = delimiter.encode()
        self._head: bytes | None = b""  # what came before the header line ended
        self._drop = b""  # what is no mark: neither quote nor delimiter nor newline
        self._row = b""  # the marks of a row, without those inside quotes
        self._alike = b""  # the marks of the last row that was looked at alone, all of them
        self._held: list[bytes] = []  # the marks of a row that has not ended
        self._size = self._wanted = 0
        self._rows = 0
        self._last = b""

    @property
    def rows(self) -> int:
        """How many rows have been counted so far, the header not among them."""
        return max(0, self._rows - 1)

    def feed(self, data: bytes) -> None:
        """Count the rows that end in ``data``."""
        self._last = data[-1:] or self._last
        if self._head is not None:
            self._head += data
            if not self._begun(self._head):
                if len(self._head) > _MOST_HEAD_BYTES:
                    broken(f"the header of the CSV is longer than {_MOST_HEAD_BYTES:,} bytes")
                return
            data, self._head = self._head, None
        for start in range(0, len(data), _STEP_BYTES):
            marks = data[start : start + _STEP_BYTES].translate(None, self._drop)
            self._held.append(marks)
            self._size += len(marks)
            if self._size >= self._wanted:
                self._count(b"".join(self._held))

    def _begun(self, data: bytes) -> bool:
        """Return whether the header line ends in ``data``; it says what a row looks like."""
        end = first_row_end(data)
        line = b"".join(data[:end].split(b'"')[::2])
        delimiters = self._delimiter * line.count(self._delimiter)
        self._drop = bytes(set(range(256)) - set(b'"\n' + delimiters))
        self._row = delimiters + b"\n"
        return bool(end)

    def _count(self, marks: bytes) -> None:
        """Count the rows that end in ``marks``, which begin with a row, and hold what is left."""
        rows, left = divmod(len(marks), len(self._alike)) if self._alike else (0, 0)
        if not self._alike or marks != self._alike * rows + self._alike[:left]:
            end = _row_end(marks)
            left = len(marks) - end
            if left > _MOST_MARKS:
                broken(f"a row of the CSV has more than {_MOST_MARKS:,} delimiters, behind row {self._rows:,}")
            # A doubled quote closes and opens again, and so does a cell without marks: neither changes anything.
            outside = b"".join(marks[:end].replace(b'""', b"").split(b'"')[::2])
            rows = len(outside) // len(self._row)
            if outside != self._row * rows:
                broken(f"a row of the CSV has other cells than its header, behind row {self._rows:,}")
            if rows:
                self._alike = marks[_row_end(marks[: end - 1]) : end]
        self._rows += rows
        self._held = [marks[len(marks) - left :]] if left else []
        self._size = left
        # A long row is looked at when twice as much has come, or it would be looked at for every piece of it.
        self._wanted = 2 * left if not rows else 0

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of records without the header."""
        if self._head is not None:
            if self._head.count(b'"') % 2:
                broken("the CSV ends inside a quoted cell")
            return 0
        self._count(b"".join(self._held))
        if b"".join(self._held).count(b'"') % 2:
            broken("the CSV ends inside a quoted cell")
        if self._held or self._last != b"\n":
            # Portals end every row alike: one that is not ended was cut, and nothing else would tell.
            broken("the CSV ends inside a row")
        return self._rows - 1


def first_row_end(data: bytes) -> int:
    """Return the place behind the first newline outside quotes, 0 when there is none."""
    end = quotes = 0
    while (found := data.find(b"\n", end) + 1) > 0:
        quotes += data.count(b'"', end, found)
        if quotes % 2 == 0:
            return found
        end = found
    return 0


def _row_end(marks: bytes) -> int:
    """Return the place behind the last newline outside quotes, 0 when there is none."""
    end = marks.rfind(b"\n") + 1
    if not marks.count(b'"', 0, end) % 2:
        return end
    inside = marks.count(b'"') % 2 == 1
    end = len(marks)
    for part in reversed(marks.rsplit(b'"', _MOST_QUOTES)):
        if not inside and (found := part.rfind(b"\n")) >= 0:
            return end - len(part) + found + 1
        end -= len(part) + 1
        inside = not inside
    return 0
