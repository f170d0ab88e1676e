"""Bodies that are read whole: every one of them has a bound, for a small answer may inflate a thousandfold."""

from __future__ import annotations

from ods_provider.core.errors import OdsUnreachable
from ods_provider.core.wire import ByteStream

ANSWER_BYTES = 64 * 1024 * 1024  # of an answer of an API: a page of 100 records takes a thousandth of it
REFUSAL_BYTES = 256 * 1024  # of an error: its first sentence is enough
LIST_BYTES = 256 * 1024 * 1024  # of an export that is read as one list


def read_all(stream: ByteStream, *, where: str, most_bytes: int, cut: bool = False) -> bytes:
    """Return the rest of a stream and close it.

    Args:
        stream: The body.
        where: Method and redacted URL, for messages.
        most_bytes: Bound of its size.
        cut: Whether what is longer is cut there; else it is an error.

    Raises:
        OdsUnreachable: It is longer.
    """
    pieces: list[bytes] = []
    have = 0
    try:
        while piece := stream.read():
            pieces.append(piece)
            have += len(piece)
            if have > most_bytes:
                if not cut:
                    raise _too_large(most_bytes, where)
                break
    finally:
        stream.close()
    return b"".join(pieces)[:most_bytes] if cut else b"".join(pieces)


def _too_large(most_bytes: int, where: str) -> OdsUnreachable:
    return OdsUnreachable(
        f"the answer is larger than {most_bytes // 1_048_576} MiB, which no such answer needs to be",
        where=where,
        advice="Ask for fewer records or fields at once, or download them to a file; else check the host",
    )
