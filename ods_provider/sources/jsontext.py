"""JSON as text that is read from one end to the other, strictly, in constant memory, and with a place for each fault.

What readers of JSON differ in is refused: text after the end, a name that stands twice on the way to the records, a
comma too few. One reader takes the first of two lists and another the last, and none says what it left out.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ods_provider.core.faithful import Unfaithful
from ods_provider.core.limits import ROW_BYTES
from ods_provider.core.strictjson import goes_on
from ods_provider.sources.delimited import Bad
from ods_provider.sources.recordfiles import EXACT, TwiceNamed

_PIECE = 262_144
_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[-+.\w]*")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_CUT = "the JSON ends before its array is closed"


def listed(file: Any, way: Sequence[str], *, bad: Bad, decoder: json.JSONDecoder = EXACT) -> Iterator[Any]:
    """Yield the elements of the one list that a document is, or holds; all of the document is read.

    Args:
        file: Bytes.
        way: Names of the objects to enter on the way to the list; none for a document that is a list.
        bad: Makes the error that says what is wrong with it.
        decoder: Takes its elements.

    Raises:
        OdsConfigError: There is no such list, there are two, or the document is broken; the message has the place.
    """
    text = _Text(file, bad, decoder)
    for number, name in enumerate(way):
        text.enter(name, ".".join(way[: number + 1]))
    if text.peek() != "[":
        there = f"at {'.'.join(way)}" if way else "at the top"
        raise bad(f"there is no list of records {there} of the JSON ({text.place})")
    yield from text.elements()
    for number in reversed(range(len(way))):
        text.leave(way[number], ".".join(way[: number + 1]))
    if text.peek():
        raise bad(
            f"the JSON has an end, and more text follows at {text.place}: its records would be left out. Make one list "
            "of all records, or write them as JSON lines (.jsonl)"
        )


class _Text:
    """The decoded text that has come and was not read yet."""

    def __init__(self, file: Any, bad: Bad, decoder: json.JSONDecoder) -> None:
        self._file = file
        self._bad = bad
        self._decoder = decoder
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._buffer = ""
        self._at = 0
        self._lines = 1
        self._bytes = 0

    @property
    def place(self) -> str:
        """Where it is, for people."""
        behind = self._buffer[: self._at]
        return f"line {self._lines + behind.count(chr(10)):,}, byte {self._bytes + len(behind.encode()) + 1:,}"

    def peek(self) -> str:
        """Return the next character that is no space; ``""`` at the end."""
        while True:
            found = _SPACE.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def elements(self) -> Iterator[Any]:
        """Yield the elements of the list that begins here, and go behind it."""
        self._at += 1
        if self._taken("]"):
            return
        while True:
            yield self.value()
            if self._taken("]"):
                return
            self._take(",")

    def enter(self, name: str, way: str) -> None:
        """Go to the value of this name in the object that begins here."""
        if self.peek() != "{":
            raise self._bad(f"there is no object with {way} in the JSON ({self.place})")
        self._at += 1
        while self.peek() == '"':
            key = self.value()
            self._take(":")
            if key == name:
                return
            self._pass_over()
            if not self._taken(","):
                break
        self._take("}")
        raise self._bad(f"the JSON has no {way}")

    def leave(self, name: str, way: str) -> None:
        """Go behind the end of the object that was entered by this name, which may not stand there again."""
        while self._taken(","):
            self.peek()
            place = self.place
            if self.value() == name:
                raise self._bad(
                    f"{way} stands twice in one object of the JSON, again at {place}: the records of one of the two "
                    "would be left out. Make one list of both"
                )
            self._take(":")
            self._pass_over()
        self._take("}")

    def value(self) -> Any:
        """Take the next value, which must be an object, a list or a text: of what else is read nobody knows the end."""
        self.peek()
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._buffer, self._at)
            except Unfaithful as error:
                raise self._bad(f"{error.what} (near {self.place})") from None
            except TwiceNamed as error:
                raise self._bad(f"the JSON names {error} twice in one object, near {self.place}") from None
            except ValueError as error:
                held = len(self._buffer) - self._at
                if not goes_on(error):
                    raise self._bad(f"the JSON is broken near {self.place}") from None
                if held > ROW_BYTES:
                    raise self._bad(f"an element of the JSON is longer than {ROW_BYTES:,} ({self.place})") from None
                # As much again as there is: a long element is begun anew a few times, not at each piece.
                if not self._more(held):
                    raise self._bad(_CUT) from None
            except RecursionError:
                raise self._bad(f"the JSON is nested too deep at {self.place}") from None
            else:
                return value

    def _pass_over(self) -> None:
        """Go behind the next value, however long it is."""
        depth = 0
        while True:
            sign = self.peek()
            if sign == '"':
                self._behind(_STRING)
            elif sign in ("[", "{"):
                depth, self._at = depth + 1, self._at + 1
            elif depth and sign in ("]", "}"):
                depth, self._at = depth - 1, self._at + 1
            elif depth and sign in (",", ":"):
                self._at += 1
            else:
                self._behind(_WORD)
            if not depth:
                return

    def _behind(self, pattern: re.Pattern[str]) -> None:
        while True:
            found = pattern.match(self._buffer, self._at)
            if found and not found.group():
                raise self._unexpected()
            # A word or a number that ends where the text ends may go on in the next piece.
            if found and (found.end() < len(self._buffer) or pattern is _STRING):
                self._at = found.end()
                return
            held = len(self._buffer) - self._at
            if held > ROW_BYTES:
                raise self._bad(f"a text of the JSON is longer than {ROW_BYTES:,} ({self.place})")
            if not self._more(held):
                raise self._bad(_CUT)

    def _taken(self, sign: str) -> bool:
        there = self.peek() == sign
        self._at += there
        return there

    def _take(self, sign: str) -> None:
        if not self._taken(sign):
            raise self._unexpected(sign)

    def _unexpected(self, sign: str | None = None) -> Exception:
        if not self.peek():
            return self._bad(_CUT)
        return self._bad(f"the JSON is broken at {self.place}" + (f": {sign!r} is due there" if sign else ""))

    def _more(self, most: int = 1) -> bool:
        """Read on, ``most`` characters at least, and return whether anything came."""
        behind, pieces, came = self._buffer[: self._at], [self._buffer[self._at :]], False
        self._lines += behind.count("\n")
        self._bytes += len(behind.encode())
        while most > 0:
            piece = self._file.read(_PIECE)
            try:
                pieces.append(self._decode(piece, not piece))
            except UnicodeDecodeError:
                raise self._bad("the JSON is no UTF-8") from None
            if not piece:
                break
            came, most = True, most - max(1, len(pieces[-1]))
        self._buffer, self._at = "".join(pieces), 0
        return came
