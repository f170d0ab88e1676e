"""Whether a piece of text is whole JSON, and how many objects it holds: walked by msgspec, else read by json.

msgspec skips over values without building them (1.5 s a GB); json builds what it reads and drops it (ten times that).
What msgspec refuses, json decides: it takes half a character in an escape, as a cut emoji leaves it.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from ods_provider.core.strictjson import DECODER

# The literal first letter lets the search run at the speed of memchr; the digit before it is looked back at.
_HUGE = tuple((mark, re.compile(mark + rb"(?<=[0-9]" + mark + rb")\+?[0-9]{3,}\s*[,}\]\s]")) for mark in (b"e", b"E"))


class NotWhole(ValueError):
    """The text is not what it should be."""


class Reader:
    """Reads JSON to see whether it is whole."""

    def objects_in_lines(self, lines: bytes) -> int:
        """Return how many objects stand in ``lines``, each on a line of its own, the last line ended too.

        Raises:
            NotWhole: A line is no JSON object, or is empty.
        """
        texts = lines.split(b"\n")[:-1]
        for text in texts:
            if not isinstance(_read(text), dict):
                raise NotWhole("a line is no object")
        return len(texts)

    def objects_in_list(self, elements: bytes) -> int | None:
        """Return how many objects stand in ``elements``, separated by commas; None when they are not just that."""
        try:
            found = _read(b"[" + elements + b"]")
        except NotWhole:
            return None
        return len(found) if all(isinstance(each, dict) for each in found) else None

    def expect_whole(self, text: bytes) -> None:
        """Check that ``text`` is one whole JSON value.

        Raises:
            NotWhole: It is not.
        """
        _read(text)


class Walker(Reader):
    """Walks over JSON by msgspec, and reads what that does not like.

    Raises:
        ImportError: msgspec is not installed.
    """

    def __init__(self) -> None:
        import msgspec

        row: Any = msgspec.defstruct("Row", ())  # an object of which no field is wanted: all are skipped
        self._lines, self._list = msgspec.json.Decoder(row), msgspec.json.Decoder(list[row])
        self._any = msgspec.json.Decoder(msgspec.Raw)

    def objects_in_lines(self, lines: bytes) -> int:
        """Return how many objects stand in ``lines``, as a ``Reader`` does."""
        try:
            if _plain(lines) and len(self._lines.decode_lines(lines)) == (ended := lines.count(b"\n")):
                return ended
        except (ValueError, RecursionError):
            pass
        return super().objects_in_lines(lines)

    def objects_in_list(self, elements: bytes) -> int | None:
        """Return how many objects stand in ``elements``; None too for what only a ``Reader`` would take."""
        try:
            return len(self._list.decode(b"[" + elements + b"]")) if _plain(elements) else None
        except (ValueError, RecursionError):
            return None

    def expect_whole(self, text: bytes) -> None:
        """Check that ``text`` is one whole JSON value, as a ``Reader`` does."""
        try:
            if _plain(text):
                self._any.decode(text)
                return
        except (ValueError, RecursionError):
            pass
        super().expect_whole(text)


@cache
def best_reader() -> Reader:
    """Return the fastest that is at hand."""
    try:
        return Walker()
    except ImportError:
        return Reader()


def _plain(text: bytes) -> bool:
    """Return whether a walk is enough, which looks neither at the bytes of texts nor at the size of numbers."""
    return bool(_decoded(text)) and not _huge(text)


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise NotWhole("it is no UTF-8") from None


def _huge(text: bytes) -> bool:
    """Return whether a number may stand in ``text`` that is too large for a float: 1e999 reads as infinity."""
    return any(mark in text and pattern.search(text) for mark, pattern in _HUGE)


def _read(text: bytes) -> Any:
    try:
        return (DECODER if _huge(text) else _PLAIN).decode(_decoded(text))
    except NotWhole:
        raise
    except (ValueError, RecursionError):
        raise NotWhole("it is no JSON") from None


# As strict as the core's own, and faster where no number can be too large.
_PLAIN = json.JSONDecoder(parse_constant=DECODER.parse_constant)
