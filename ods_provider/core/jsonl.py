"""Rows from a stream of JSON lines, in constant memory, decoded by msgspec where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from ods_provider.core.errors import OdsTruncated
from ods_provider.core.limits import ROW_BYTES
from ods_provider.core.strictjson import BOM, decode
from ods_provider.core.wire import ByteStream

Row = dict[str, Any]
_STEP_BYTES = 65_536  # of JSON decoded at once: its rows take several times as much as Python objects


def lines_decoder() -> Callable[[bytes], list[Row]]:
    """Return the fastest decoder of JSON lines at hand; both keep integers exact."""
    try:
        import msgspec
    except ImportError:
        return _decode_lines
    return cast("Callable[[bytes], list[Row]]", msgspec.json.Decoder().decode_lines)


def _decode_lines(lines: bytes) -> list[Row]:
    # Not splitlines(): a line break of Unicode inside a text ends no record. An array is decoded in one C call.
    texts = [line for line in lines.split(b"\n") if line.strip()]
    rows = cast("list[Row]", decode(b"[" + b",".join(texts) + b"]"))
    if len(rows) != len(texts):
        raise ValueError("two broken lines made a whole one")
    return rows


def batches(stream: ByteStream, *, where: str, quoted: Callable[[str], str] = str) -> Iterator[list[Row]]:
    """Yield the rows in lists; the stream is closed at the end, at an error, and when the iterator is dropped.

    Args:
        stream: The body of a ``jsonl`` export.
        where: For messages.
        quoted: Makes a piece of the stream fit for a message, as ``Response.quoted``.

    Raises:
        OdsTruncated: A line is no JSON object, as when the answer was cut inside one.
    """
    decode = lines_decoder()
    try:
        for lines in _whole_lines(stream, where):
            rows = _decoded(decode, lines, where, quoted)
            if rows:
                yield rows
    finally:
        stream.close()


def _whole_lines(stream: ByteStream, where: str) -> Iterator[bytes]:
    """Yield a line or more at a time; a line of many pieces is put together once, at its end."""
    begun = [b""]
    size_bytes = 0
    before = BOM  # a mark of the byte order may stand before the first line
    while piece := stream.read():
        for start in range(0, len(piece), _STEP_BYTES):
            part = piece[start : start + _STEP_BYTES]
            cut = part.rfind(b"\n") + 1
            if cut:
                yield b"".join([*begun, part[:cut]]).removeprefix(before)
                before, begun, size_bytes = b"", [], 0
            begun.append(part[cut:])
            size_bytes += len(part) - cut
            if size_bytes > ROW_BYTES:
                raise OdsTruncated(
                    f"a line of the export is longer than {ROW_BYTES:,} bytes",
                    where=where,
                    advice="Select fewer fields; if it persists, ask the portal's operator",
                )
    yield b"".join(begun).removeprefix(before)


def _decoded(decode: Callable[[bytes], list[Row]], lines: bytes, where: str, quoted: Callable[[str], str]) -> list[Row]:
    try:
        rows = decode(lines)
    except (ValueError, RecursionError):  # msgspec's DecodeError is a ValueError too
        rows = [None]  # type: ignore[list-item]
    if not all(type(row) is dict for row in rows):
        near = quoted(lines.decode(errors="replace"))[-60:]
        raise OdsTruncated(
            f"a line of the export is no JSON object, near {near!r}",
            where=where,
            advice="Run it again; nothing was kept",
        )
    return rows
