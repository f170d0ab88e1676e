"""A response body as a stream: inflated, in constant memory, and never mistaken for whole when it was cut.

Readers notice a cut chunked body, but none notices a gzip stream that ends early inside complete chunks; here the
inflater is asked whether it saw the end (Q10).
"""

from __future__ import annotations

import zlib
from typing import Protocol, cast

import urllib3

from ods_provider.core.errors import OdsTruncated
from ods_provider.core.forgetting import forgets
from ods_provider.core.redact import Sealed
from ods_provider.transport.failures import translate

READ_BYTES = 262_144
# Bound of one inflated piece: a small body may inflate a thousandfold. From 128 KB on, glibc takes the memory of each
# piece from the system anew.
_INFLATE_BYTES = 126_976
_PEEK_BYTES = 16_384  # read for a look at what comes
_FEED_BYTES = 32_768  # given to the inflater at once: what it leaves over is copied


class _Inflater(Protocol):
    eof: bool
    unconsumed_tail: bytes
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def _inflater(encoding: str) -> _Inflater:
    window = 47 if encoding in ("gzip", "x-gzip") else 15  # 47: gzip or zlib, by its own header
    try:
        from isal import isal_zlib
    except ImportError:
        return cast("_Inflater", zlib.decompressobj(window))
    return cast("_Inflater", isal_zlib.decompressobj(31 if window == 47 else window))


class Body:
    """The ``ByteStream`` of a response that ``requests`` holds open.

    Args:
        raw: The urllib3 response, undecoded.
        where: Method and redacted URL, for messages.
    """

    def __init__(self, raw: urllib3.BaseHTTPResponse, *, where: str) -> None:
        self._raw = Sealed(raw)  # it knows its pool, and that the proxy's password
        self._where = where
        self._head = b""
        encoding = raw.headers.get("content-encoding", "").strip().lower()
        self._encoding = encoding if encoding not in ("", "identity") else None
        self._inflater = _inflater(self._encoding) if self._encoding else None
        self._pending = memoryview(b"")  # came, and is not inflated yet
        self._rest = b""  # of the pending, what the inflater has seen and left over
        self._ended = False
        self.wire_bytes = 0

    def peek(self, size: int) -> bytes:
        """Return up to ``size`` first bytes; they are still there for ``read``."""
        pieces = [self._head]
        have = len(self._head)
        while have < size:
            piece = self._next(_PEEK_BYTES)
            if not piece:
                break
            pieces.append(piece)
            have += len(piece)
        self._head = b"".join(pieces)
        return self._head[:size]

    def read(self, size: int = READ_BYTES) -> bytes:
        """Return the next piece, of about ``size`` bytes before inflation; ``b""`` at a proper end."""
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._next(size)

    def close(self) -> None:
        """Drop the connection unless the body was read to its end, in which case it goes back to the pool."""
        self._head = b""
        if self._ended:
            self._raw.open().release_conn()
        else:
            self._raw.open().close()

    def _next(self, size: int) -> bytes:
        if self._inflater is None:
            return self._wire(size)
        while True:
            data = self._inflater.unconsumed_tail or self._rest or self._fed(size)
            self._rest = b""
            if not data:
                self._expect_end()
                return b""
            piece = self._inflate(data)
            if piece:
                return piece

    def _fed(self, size: int) -> bytes:
        if not self._pending:
            self._pending = memoryview(self._wire(size))
        data = bytes(self._pending[:_FEED_BYTES])
        self._pending = self._pending[_FEED_BYTES:]
        return data

    def _inflate(self, data: bytes) -> bytes:
        inflater = cast("_Inflater", self._inflater)
        if inflater.eof:
            # gzip members may follow one another (RFC 1952, 2.2).
            if not data.strip(b"\0"):
                return b""
            inflater = self._inflater = _inflater(cast("str", self._encoding))
        try:
            piece = inflater.decompress(data, _INFLATE_BYTES)
        except Exception as error:  # zlib.error or isal's own class, which share no base
            raise OdsTruncated(
                f"the compressed answer is damaged: {type(error).__name__}",
                where=self._where,
                advice="It is fetched again; if it persists, ask the portal's operator",
            ) from None
        if inflater.eof:
            self._rest = inflater.unused_data
        return piece

    def _expect_end(self) -> None:
        if self._inflater is not None and not self._inflater.eof and self.wire_bytes:
            raise OdsTruncated(
                "the compressed answer ends before its end mark",
                where=self._where,
                advice="It is fetched again; nothing of it is kept",
            )

    @forgets
    def _wire(self, size: int) -> bytes:
        try:
            data: bytes = self._raw.open().read(size, decode_content=False)
        except Exception as error:
            raise translate(error, where=self._where, reading=True) from None
        self.wire_bytes += len(data)
        self._ended = not data
        return data
