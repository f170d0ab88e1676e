"""Objects from a stream that is one JSON array, in constant memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

from ods_provider.core.errors import OdsTruncated
from ods_provider.core.limits import ROW_BYTES
from ods_provider.core.strictjson import DECODER, goes_on
from ods_provider.core.wire import ByteStream

_SPACE = " \t\r\n"


def rows(stream: ByteStream, *, where: str, inside: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the objects of an array; the stream is closed at the end, at an error, and when the iterator is dropped.

    Args:
        stream: The body: an array, or an object that holds one.
        where: For messages.
        inside: The key of the array within the top object (``features``); None for an array at the top.

    Raises:
        OdsTruncated: The body ended before the array did.
    """
    text = _Text(stream, where)
    try:
        if inside is not None:
            text.skip(f'"{inside}"')
        elif text.mark("") != "[":
            raise _broken("the JSON is no array", where)
        text.skip("[")
        while True:
            mark = text.mark(",")
            if mark == "]":
                return
            row = text.value()
            if not isinstance(row, dict):
                raise _broken("an element of the JSON array is no object", where)
            yield row
    finally:
        stream.close()


class _Text:
    """The decoded text that has come and was not read yet."""

    def __init__(self, stream: ByteStream, where: str) -> None:
        self._stream = stream
        self._where = where
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._buffer = ""
        self._at = 0

    def _more(self, most: int = 1) -> None:
        """Read on, ``most`` characters at least: what is not read yet is copied once for all of them."""
        pieces = [self._buffer[self._at :]]
        while most > 0:
            piece = self._stream.read()
            if not piece and len(pieces) > 1:
                break
            if not piece:
                raise _broken("the JSON ends before its array is closed", self._where)
            try:
                pieces.append(self._decode(piece))
            except UnicodeDecodeError:
                raise _broken("the JSON is no UTF-8", self._where) from None
            most -= max(1, len(pieces[-1]))
        self._buffer, self._at = "".join(pieces), 0

    def skip(self, wanted: str) -> None:
        """Go behind the next ``wanted``."""
        while (found := self._buffer.find(wanted, self._at)) < 0:
            self._at = max(self._at, len(self._buffer) - len(wanted) + 1)
            self._more()
        self._at = found + len(wanted)

    def mark(self, passed: str) -> str:
        """Return the next character that is neither space nor ``passed``, without taking it."""
        while True:
            while self._at < len(self._buffer):
                character = self._buffer[self._at]
                if character not in _SPACE and character not in passed:
                    return character
                self._at += 1
            self._more()

    def value(self) -> Any:
        """Take the next value."""
        while True:
            try:
                value, self._at = DECODER.raw_decode(self._buffer, self._at)
            except ValueError as error:
                held = len(self._buffer) - self._at
                if not goes_on(error):
                    raise _broken("an element of the JSON array is broken", self._where) from None
                if held > ROW_BYTES:
                    raise _broken(f"an element of the JSON array is longer than {ROW_BYTES:,}", self._where) from None
                # As much again as there is: a long element is begun anew a few times, not at each piece.
                self._more(held)
            except RecursionError:
                raise _broken("an element of the JSON array is too deep", self._where) from None
            else:
                return value


def _broken(what: str, where: str) -> OdsTruncated:
    return OdsTruncated(what, where=where, advice="Run it again; nothing was kept")
