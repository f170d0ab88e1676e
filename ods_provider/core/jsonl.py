"""Rows from a stream of JSON lines, in constant memory, decoded by msgspec where it is installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

from ods_provider.core.errors import OdsTruncated
from ods_provider.core.wire import ByteStream

Decode = Callable[[bytes], Any]


def decoder() -> Decode:
    """Return the fastest JSON decoder at hand; both keep integers exact."""
    try:
        import msgspec
    except ImportError:
        return json.loads
    return cast("Decode", msgspec.json.Decoder().decode)


def rows(stream: ByteStream, *, where: str) -> Iterator[dict[str, Any]]:
    """Yield one dict per line; the stream is closed at the end, at an error, and when the iterator is dropped.

    Args:
        stream: The body of a ``jsonl`` export.
        where: For messages.

    Raises:
        OdsTruncated: A line is no JSON, as when the answer was cut inside one.
    """
    decode = decoder()
    rest = b""
    try:
        while piece := stream.read():
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            for line in lines:
                if line and line != b"\r":
                    yield _row(decode, line, where)
        if rest.strip():
            yield _row(decode, rest, where)
    finally:
        stream.close()


def _row(decode: Decode, line: bytes, where: str) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", decode(line))
    except ValueError:  # msgspec's DecodeError is one too
        raise OdsTruncated(
            f"a line of the export is no JSON: {line[:60]!r}", where=where, advice="Run it again; nothing was kept"
        ) from None
