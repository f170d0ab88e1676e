"""CSV read as it is written: the delimiter is told by the rows that fit it, never by counting marks in one line.

Source: RFC 4180; Excel's first line ``sep=;``; exports of portals (Q38, a BOM; Q39, breaks inside cells).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from ods_provider.core.errors import OdsConfigError

DELIMITERS = ",;\t|"
_SAMPLE_LINES, _SAMPLE_CHARS = 200, 1_000_000
_SEP = re.compile(r'"?sep=(.)"?\r?\n?\Z')
Record = dict[str, Any]
Bad = Callable[[str], OdsConfigError]


@dataclass(frozen=True, slots=True)
class DelimitedText:
    """How a CSV is written, as far as its user says so.

    Args:
        delimiter: The mark between cells, ``tab`` for one of those; None tells it from the rows.
        encoding: Of the text, by Python's names (``cp1252``, ``latin-1``, ``utf-16``); None is UTF-8.

    Raises:
        OdsConfigError: It is no delimiter, or no encoding.
    """

    delimiter: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.delimiter in ("tab", r"\t"):
            object.__setattr__(self, "delimiter", "\t")
        mark = self.delimiter
        if mark is not None and (not isinstance(mark, str) or len(mark) != 1 or mark in '"\r\n\0'):
            raise OdsConfigError(
                f"{mark!r} is no delimiter", where="argument delimiter", advice="Use one character, such as ; or tab"
            )
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
                "".encode(self.encoding)
            except (LookupError, ValueError, TypeError):
                raise OdsConfigError(
                    f"{self.encoding!r} is no encoding of text",
                    where="argument encoding",
                    advice="Use a name that Python knows, such as utf-8, cp1252 or utf-16",
                ) from None

    @property
    def told(self) -> bool:
        """Whether the user said anything."""
        return self.delimiter is not None or self.encoding is not None


@dataclass(frozen=True, slots=True)
class Written:
    """How a CSV turned out to be written.

    Attributes:
        delimiter: The mark between its cells.
        header_line: The line that its header stands on, from 1: below a line ``sep=;``, and below empty ones.
    """

    delimiter: str
    header_line: int


def read_delimited(
    file: Any, how: DelimitedText, *, bad: Bad, seen: Callable[[Written], None] | None = None
) -> Iterator[Record]:
    """Yield the rows of a CSV as records: cells are text, empty ones None. A BOM and a line ``sep=;`` are dropped.

    Args:
        file: Bytes.
        how: What the user says of it.
        bad: Makes the error that says what is wrong with the file.
        seen: Hears how it is written, before the first row; nothing of a file that has not even a header.

    Raises:
        OdsConfigError: The delimiter cannot be told, a column has no name or that of another, or a row has other cells
            than the header; the message numbers it.
    """
    csv.field_size_limit(sys.maxsize)  # the module's own limit is 128 KB a cell, which a coastline exceeds
    text = io.TextIOWrapper(file, encoding=how.encoding or "utf-8", newline="")
    try:
        head, more = _sample(text), text.readline()
        delimiter, header_line = how.delimiter, 1
        if head and (said := _SEP.match(head[0])):
            if delimiter not in (None, said[1]):
                raise bad(f"its first line says sep={said[1]}, and the delimiter {delimiter} was named")
            delimiter, head, header_line = said[1], head[1:], 2
        while head and not head[0].strip("\r\n"):
            head, header_line = head[1:], header_line + 1
        if delimiter is None:
            delimiter = _told(head, whole=not more, bad=bad)
        if seen and head:
            seen(Written(delimiter, header_line))
        yield from _records(
            csv.reader(chain(head, [more] if more else [], text), delimiter=delimiter, strict=True), bad
        )
    except UnicodeError as error:
        reason = getattr(error, "reason", str(error))
        name = how.encoding or "UTF-8"
        raise bad(f"the file is not {name}: {reason}") from None
    finally:
        text.detach()


def read_cells(file: Any, how: DelimitedText, *, first_line: int, headed: bool, bad: Bad) -> Iterator[Record]:
    """Yield the rows of a CSV that begins further down, or has no header, by the numbers of their columns.

    Args:
        file: Bytes.
        how: What the user says of it; its delimiter is a comma unless told.
        first_line: The line it begins on, from 1.
        headed: Whether that one is its header.
        bad: Makes the error that says what is wrong with the file.

    Raises:
        OdsConfigError: It is no CSV, or in another encoding.
    """
    csv.field_size_limit(sys.maxsize)
    text = io.TextIOWrapper(file, encoding=how.encoding or "utf-8", newline="")
    try:
        rows = csv.reader(islice(text, first_line - 1, None), delimiter=how.delimiter or ",", strict=True)
        for row in islice((row for row in rows if row), int(headed), None):
            yield {str(column): cell or None for column, cell in enumerate(row)}
    except csv.Error as error:
        raise bad(f"it is no CSV: {error}") from None
    except UnicodeError as error:
        reason = getattr(error, "reason", str(error))
        raise bad(f"the file is not {how.encoding or 'UTF-8'}: {reason}") from None
    finally:
        text.detach()


def _sample(text: Iterable[str]) -> list[str]:
    """Return the first lines, those that decide."""
    lines: list[str] = []
    size = 0
    for line in islice(text, _SAMPLE_LINES):
        lines.append(line)
        size += len(line)
        if size > _SAMPLE_CHARS:
            break
    if lines:
        lines[0] = lines[0].removeprefix("\ufeff")
    return lines


def _told(head: list[str], *, whole: bool, bad: Bad) -> str:
    """Return the delimiter that cuts the header, and every row that was looked at, into the same columns."""
    cut = {mark: _Cut.of(head, mark, whole=whole) for mark in DELIMITERS}
    several = [mark for mark in DELIMITERS if len(cut[mark].names) > 1]
    fitting = [mark for mark in several if cut[mark].fits]
    if len(fitting) == 1:
        return fitting[0]
    if len(several) == 1:
        return several[0]  # the row that does not fit will be numbered
    if not several and all(len(row) < 2 for each in cut.values() for row in each.rows):
        return ","
    if not several:
        raise bad("the header is one column, and rows below hold marks of several")
    shown = " and ".join("tab" if mark == "\t" else mark for mark in fitting or several)
    raise bad(f"{shown} {'both' if len(fitting or several) == 2 else 'all'} may be its delimiter")


@dataclass(frozen=True, slots=True)
class _Cut:
    """The first rows as one delimiter cuts them; ``sound`` when none is broken."""

    rows: list[list[str]]
    sound: bool

    @classmethod
    def of(cls, head: list[str], mark: str, *, whole: bool) -> _Cut:
        def lines() -> Iterator[str]:
            yield from head
            if not whole:
                raise _CutOff

        rows: list[list[str]] = []
        try:
            rows.extend(row for row in csv.reader(lines(), delimiter=mark, strict=True) if row)
        except _CutOff:
            pass  # the last row goes on beyond what was looked at
        except csv.Error:
            return cls(rows, sound=False)
        return cls(rows, sound=True)

    @property
    def names(self) -> list[str]:
        return self.rows[0] if self.rows else []

    @property
    def fits(self) -> bool:
        return self.sound and all(_fits(row, self.names) for row in self.rows)


class _CutOff(Exception):
    """The lines that are looked at end, the file does not."""


def _named(names: list[str]) -> int:
    """Return how many columns there are: some programs end every line in a delimiter, which begins none."""
    width = len(names)
    while width and not names[width - 1].strip():
        width -= 1
    return width


def _fits(row: list[str], names: list[str]) -> bool:
    width = _named(names)
    return width <= len(row) <= len(names) and not any(row[width:])


def _records(rows: Iterator[list[str]], bad: Bad) -> Iterator[Record]:
    names: list[str] = []
    columns: list[str] = []
    number = 0
    try:
        for number, row in enumerate(rows, start=1):
            if not row:
                continue
            if not names:
                names, columns = row, row[: _named(row)]
                _expect_apart(columns, bad)
                continue
            if not (len(row) == len(columns) or _fits(row, names)):
                raise bad(f"row {number} {_unfit(row, names, columns)}")
            # What stands beyond the columns was found to be empty.
            yield {name: cell if cell != "" else None for name, cell in zip(columns, row, strict=False)}
    except csv.Error as error:
        raise bad(f"row {number + 1} is no CSV: {error}") from None


def _unfit(row: list[str], names: list[str], columns: list[str]) -> str:
    counted = f"has {len(row)} cell{'s' if len(row) != 1 else ''}, the header {len(columns)}"
    if len(row) < len(columns):
        return f"{counted}: none stands below {columns[len(row)]!r}"
    return f"{counted}: a value stands below no name" if len(row) <= len(names) else counted


def _expect_apart(names: list[str], bad: Bad) -> None:
    seen: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise bad(f"column {number} of the header has no name")
        if seen.setdefault(name, number) != number:
            raise bad(f"the header names two columns {name!r}, at {seen[name]} and {number}")
