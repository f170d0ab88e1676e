"""Check JSON as it passes, and count its rows: lines, an array, the features of a GeoJSON.

A long text is cut where it can be: behind a line, else at a comma. Each piece is made a whole text of its own: what was
open is opened before it, and what still is open is closed behind it. Memory holds a piece, and every byte is looked at.
"""

from __future__ import annotations

import re
from itertools import islice, takewhile
from typing import IO, NoReturn

from ods_provider.core.formats.check import Verified, broken
from ods_provider.core.formats.jsonvalid import NotWhole, Reader, best_reader

_STEP_BYTES = 262_144
_PATIENT_BYTES = 1_048_576  # how long a row may be before the text is cut inside it
MOST_BYTES = 67_108_864  # of one line, or of one text or number in an array
MOST_DEEP = 1_000  # brackets within brackets: readers give up near there, and no data goes a tenth as deep
# Keys that open a bracket each, and the brackets that close them: more cannot stand in JSON without a comma.
_MOST_BETWEEN_COMMAS = 4 * MOST_DEEP
_BOM = b"\xef\xbb\xbf"
_CLOSES = {b"]": b"[", b"}": b"{"}
_CLOSING = bytes.maketrans(b"[{", b"]}")
# Possessive: a long text must leave no trail to go back on. A quote alone is a text that has not ended.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{},]', re.DOTALL)
# How a row begins: its first key, and in a GeoJSON what tells a feature from the geometries in it.
_BEGINNING = re.compile(rb'\s*\{\s*"[^"\\]{1,200}"(?:\s*:\s*"Feature")?')


class LinesCheck:
    """Counts JSON lines, each one object; the last one may lack its newline.

    Args:
        reader: What reads them; None takes the fastest at hand.
    """

    verified: Verified = "counted"
    random_access = False

    def __init__(self, reader: Reader | None = None) -> None:
        self._reader = reader or best_reader()
        self._rows = 0
        self._pieces: list[bytes] = []
        self._held = 0

    @property
    def rows(self) -> int:
        """How many lines have been read so far."""
        return self._rows

    def feed(self, data: bytes) -> None:
        """Check the lines that end in ``data``, and keep the one that has not ended."""
        cut = data.rfind(b"\n") + 1
        if cut:
            self._check(b"".join([*self._pieces, data[:cut]]))
            self._pieces, self._held = [], 0
        self._pieces.append(data[cut:])
        self._held += len(data) - cut
        if self._held > MOST_BYTES:
            broken(f"a JSON line is longer than {MOST_BYTES:,} bytes")

    def _check(self, lines: bytes) -> None:
        if not self._rows:
            lines = lines.removeprefix(_BOM)
        try:
            self._rows += self._reader.objects_in_lines(lines)
        except NotWhole as error:
            broken(f"the JSON lines are broken behind row {self._rows:,}: {error}")

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of lines."""
        last = b"".join(self._pieces)
        if last.strip():
            try:
                self._reader.objects_in_lines(last.removeprefix(_BOM) + b"\n")
            except NotWhole:
                broken("the last JSON line is not whole")
            return self._rows + 1
        return self._rows


class JsonCheck:
    """Counts the objects that open directly below ``parents``.

    Args:
        parents: ``"["`` counts the elements of a top array, ``"{["`` those of an array inside the top object (the
            features of a FeatureCollection), None counts nothing and only checks that all of it is JSON.
        reader: What reads the pieces; None takes the fastest at hand.
    """

    random_access = False

    def __init__(self, parents: str | None, reader: Reader | None = None) -> None:
        self._reader = reader or best_reader()
        self._parents = (parents or "").encode()
        self.verified: Verified = "counted" if parents else "container"
        self._open = b""  # the brackets that are open where the held text begins
        self._separator: tuple[bytes, int] | None = None  # what stands between two rows, and where in it the comma is
        self._rows = 0
        self._passed = 0
        self._pieces: list[bytes] = []
        self._held = 0
        self._wanted = _STEP_BYTES

    @property
    def rows(self) -> int | None:
        """How many rows have been counted so far; None where nobody knows what a row is."""
        return self._rows if self._parents else None

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        self._pieces.append(data)
        self._held += len(data)
        if self._held < self._wanted:
            return
        text = b"".join(self._pieces)
        cut = self._between_rows(text)
        if cut is None and (self._separator is None or len(text) >= _PATIENT_BYTES or self._separator[0] in text):
            cut = self._anywhere(text)
        if cut is None:
            if len(text) > MOST_BYTES:
                broken(f"the JSON holds a value longer than {MOST_BYTES:,} bytes")
            self._pieces, self._wanted = [text], min(2 * len(text), MOST_BYTES + 1)
            return
        rest = text[cut + 1 :]
        self._passed += cut + 1
        self._pieces, self._held, self._wanted = [rest], len(rest), len(rest) + _STEP_BYTES

    def _between_rows(self, text: bytes) -> int | None:
        """Return the last comma that seems to stand between two rows; None unless what is before it is whole."""
        if self._separator is None:
            return None
        separator, comma = self._separator
        found = text.rfind(separator)
        if found < 0:
            return None
        rows = self._reader.objects_in_list(text[: found + comma])
        if rows is None:
            return None
        if self._open == self._parents:
            self._rows += rows
        return found + comma

    def _anywhere(self, text: bytes) -> int | None:
        """Return the comma at which ``text`` is best cut, None when it holds none; what is before it was checked."""
        found = _Walk(self._open, self._parents)
        found.over(text, self._expect_start(text))
        if found.cut is None:
            # It comes again when twice as much is here: 64 MB of brackets would take a minute to be refused.
            tokens = takewhile(lambda token: token[0] != b'"', _TOKEN.finditer(text))
            if next(islice(tokens, _MOST_BETWEEN_COMMAS, None), None):
                self._broken(len(text))
            return None
        self._expect_whole(text[: found.cut], found.open_at_cut)
        self._rows += found.rows_at_cut
        self._open = found.open_at_cut
        begins = _BEGINNING.match(text, found.cut + 1)
        if begins and self._open.endswith(b"[") and text[found.cut - 1 : found.cut] == b"}":
            self._separator = (b"}," + begins[0], 1)
        else:
            self._separator = None
        return found.cut

    def _expect_start(self, text: bytes) -> int:
        """Return where the walk over ``text`` begins; behind a comma a value or a key begins."""
        if self._open and text.lstrip()[:1] in (b"]", b"}", b","):
            self._broken(len(text))
        return len(_BOM) if not self._passed and text.startswith(_BOM) else 0

    def _expect_whole(self, text: bytes, still_open: bytes) -> None:
        # An object that is open within another bracket stands there as the value of some key.
        before = b"".join(
            mark + (b'"":' if mark == b"{" and inner < len(self._open) else b"")
            for inner, mark in enumerate((self._open[i : i + 1] for i in range(len(self._open))), start=1)
        )
        if not self._passed:
            text = text.removeprefix(_BOM)
        try:
            self._reader.expect_whole(before + text + still_open[::-1].translate(_CLOSING))
        except NotWhole:
            self._broken(len(text))

    def _broken(self, length: int) -> NoReturn:
        broken(f"the JSON is broken between its bytes {self._passed:,} and {self._passed + length:,}")

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of objects."""
        text = b"".join(self._pieces)
        found = _Walk(self._open, self._parents)
        found.over(text, self._expect_start(text))
        if found.in_string or found.open or not (found.seen or self._open):
            broken("the JSON ends before its last bracket is closed")
        self._expect_whole(text, b"")
        self._rows += found.rows
        return self._rows if self._parents else None


class _Walk:
    """What a walk over brackets, commas and texts found, and the comma at which the text is best cut.

    Args:
        already: The brackets that are open at its beginning.
        parents: Below which objects are counted.
    """

    def __init__(self, already: bytes, parents: bytes) -> None:
        self.open, self._parents = bytearray(already), parents
        self.rows = self.rows_at_cut = 0
        self.seen = self.in_string = False
        self.cut: int | None = None
        self.open_at_cut = b""

    def over(self, text: bytes, start: int) -> None:
        """Walk over ``text``."""
        open_now, parents, rank, half = self.open, self._parents, 1 << 60, len(text) // 2
        for token in _TOKEN.finditer(text, start):
            mark = token[0]
            if mark == b",":
                at = token.start()
                # Least deep, within an array rather than an object, and in the second half, so that little is left.
                found = 2 * len(open_now) + (not open_now.endswith(b"["))
                if found <= rank or (self.cut or 0) < half <= at:
                    rank, self.cut = found, at
                    self.open_at_cut, self.rows_at_cut = bytes(open_now), self.rows
            elif mark in (b"[", b"{"):
                self.seen = True
                self.rows += mark == b"{" and open_now == parents and bool(parents)
                open_now += mark
                if len(open_now) > MOST_DEEP:
                    broken(f"the JSON is nested deeper than {MOST_DEEP:,} brackets")
            elif mark in _CLOSES:
                if open_now[-1:] != _CLOSES[mark]:
                    broken("the JSON closes a bracket that is not open")
                del open_now[-1]
            elif len(mark) == 1:
                self.in_string = True
                return
