"""The items of one list within a long JSON text, one at a time: memory holds an item, not the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from ods_provider.testing.backoffice.trouble import ExtractionError

_STEP = 1 << 18
_SPACE = " \t\r\n"


def items(file: TextIO, way: Sequence[str]) -> Iterator[Any]:
    """Yield the items of the list that lies at ``way`` from the root.

    Args:
        file: The text.
        way: Names of objects to enter; none for a text that is a list.

    Raises:
        ExtractionError: It is no JSON, or there is no list.
    """
    reader = _Reader(file)
    for name in way:
        reader.enter(name)
    if reader.peek() != "[":
        raise ExtractionError(f"There is no list of records at {'.'.join(way) or 'the root'} of the file")
    reader.at += 1
    while reader.peek() != "]":
        yield reader.value()
        if reader.peek() == ",":
            reader.at += 1
            if reader.peek() == "]":
                raise ExtractionError("The file is not valid JSON: nothing follows the last comma of a list")
        elif reader.peek() != "]":
            raise ExtractionError("The file is not valid JSON: a comma or the end of a list is missing")


class _Reader:
    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._decoder = json.JSONDecoder()
        self._text = ""
        self.at = 0

    def _more(self, step: int = _STEP) -> bool:
        piece = self._file.read(step)
        self._text, self.at = self._text[self.at :] + piece, 0
        return bool(piece)

    def peek(self) -> str:
        """Return the next character that is no space."""
        while True:
            while self.at < len(self._text) and self._text[self.at] in _SPACE:
                self.at += 1
            if self.at < len(self._text):
                return self._text[self.at]
            if not self._more():
                raise ExtractionError("The file is not valid JSON: it ends too early")

    def value(self) -> Any:
        """Return the value that begins here, and go behind it."""
        self.peek()
        step = _STEP
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self.at)
            except ValueError as error:
                # Perhaps only its end is missing; twice as much each time, so that a long one costs no square of it.
                if not self._more(step):
                    raise ExtractionError(f"The file is not valid JSON: {error}") from None
                step *= 2
                continue
            if end < len(self._text):
                self.at = end
                return value
            # A number at the very end of what was read may go on: it is read anew with what follows.
            length = end - self.at
            if not self._more(step):
                self.at = length
                return value

    def enter(self, name: str) -> None:
        """Go to the value of this name within the object that begins here."""
        if self.peek() != "{":
            raise ExtractionError(f"There is no object with {name!r} in the file")
        self.at += 1
        while self.peek() != "}":
            key = self.value()
            if self.peek() != ":":
                raise ExtractionError("The file is not valid JSON: a colon is missing")
            self.at += 1
            if key == name:
                return
            self.value()
            if self.peek() == ",":
                self.at += 1
        raise ExtractionError(f"There is no {name!r} in the file")
