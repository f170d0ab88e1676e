"""Make one file of several that hold the parts of one query: the bytes of the whole, piece by piece.

What is joined is checked again as a file of its own: nothing here has to be believed.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

from ods_provider.core.formats.delimited import first_row_end
from ods_provider.core.formats.joinparquet import joined_parquet
from ods_provider.core.formats.unlike import Part, unlike

_PIECE_BYTES = 262_144
_MOST_HEAD_BYTES = 4_194_304
_TAIL_BYTES = 4_096
_ARRAY = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*+\[")
_FEATURES = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*+\{[^\[\]]*?"features"\s*+:\s*+\[')
_ARRAY_END = re.compile(rb"\]\s*\Z")
_FEATURES_END = re.compile(rb"\]\s*\}\s*\Z")


def joinable() -> tuple[str, ...]:
    """Return the names of the formats whose files can be joined."""
    return tuple(_JOINERS)


def joined(format: str, parts: Sequence[Part], *, packed: bool = False) -> Iterator[bytes]:
    """Return the bytes of one file that holds the rows of all parts, in their order.

    Args:
        format: The format of all of them.
        parts: At least one; none of them is packed.
        packed: Whether the whole is to be gzip.

    Raises:
        OdsMismatch: While it is read: the parts do not fit together.
    """
    pieces = _JOINERS[format](parts)
    return _packed(pieces) if packed else pieces


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, wbits=31)
    for piece in pieces:
        if made := packer.compress(piece):
            yield made
    yield packer.flush()


def _csv(parts: Sequence[Part]) -> Iterator[bytes]:
    first, begun = b"", False
    for number, part in enumerate(parts):
        with part() as file:
            head = _head_row(file)
            if not _names(head):
                continue
            if first and _names(head) != _names(first):
                raise unlike("another header", number)
            # One without rows may lack the end of its line, which the first row would then stand in.
            if not begun:
                first = head
            if not begun and head.endswith(b"\n"):
                begun = True
                yield head
            yield from _rest(file)
    if not begun:
        yield first


def _names(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n")


def _head_row(file: IO[bytes]) -> bytes:
    """Return the header line of a CSV and stand behind it."""
    held = b""
    while len(held) < _MOST_HEAD_BYTES and (piece := file.read(_PIECE_BYTES)):
        held += piece
        if end := first_row_end(held):
            file.seek(end)
            return held[:end]
    return held


def _rest(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _lines(parts: Sequence[Part]) -> Iterator[bytes]:
    for part in parts:
        last = b"\n"
        with part() as file:
            for piece in _rest(file):
                last = piece[-1:]
                yield piece
        if last != b"\n":
            yield b"\n"


def _array(parts: Sequence[Part]) -> Iterator[bytes]:
    return _listed(parts, _ARRAY, _ARRAY_END)


def _collection(parts: Sequence[Part]) -> Iterator[bytes]:
    return _listed(parts, _FEATURES, _FEATURES_END)


def _listed(parts: Sequence[Part], begins: re.Pattern[bytes], ends: re.Pattern[bytes]) -> Iterator[bytes]:
    """Put the elements of several lists into the first one's head and tail."""
    behind, rows = b"", False
    for number, part in enumerate(parts):
        with part() as file:
            start, end, head, tail = _inside(file, begins, ends, number)
            if not number:
                yield head
                behind = tail
            file.seek(start)
            for piece in _elements(file, end - start):
                if rows and piece.first:
                    yield b","
                rows = True
                yield piece.data
    yield behind


class _Piece:
    __slots__ = ("data", "first")

    def __init__(self, data: bytes, *, first: bool) -> None:
        self.data, self.first = data, first


def _elements(file: IO[bytes], left: int) -> Iterator[_Piece]:
    """Return what stands within a list, nothing where that is blank."""
    first = True
    while left > 0 and (data := file.read(min(left, _PIECE_BYTES))):
        left -= len(data)
        if first and not data.strip():
            continue
        yield _Piece(data, first=first)
        first = False


def _inside(
    file: IO[bytes], begins: re.Pattern[bytes], ends: re.Pattern[bytes], number: int
) -> tuple[int, int, bytes, bytes]:
    """Return where the elements of a list begin and end, and what stands before and behind them."""
    start = begins.match(file.read(_PIECE_BYTES))
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    behind = file.read(_TAIL_BYTES)
    end = ends.search(behind)
    if start is None or end is None:
        raise unlike("more than its rows in it", number)
    return start.end(), size - len(behind) + end.start(), start[0], end[0]


_JOINERS: dict[str, Callable[[Sequence[Part]], Iterator[bytes]]] = {
    "csv": _csv,
    "jsonl": _lines,
    "json": _array,
    "geojson": _collection,
    "parquet": joined_parquet,
}
