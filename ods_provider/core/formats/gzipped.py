"""Check a file that is itself compressed, as ``compressed=true`` makes it, by what is inside."""

from __future__ import annotations

import gzip
import zlib
from typing import IO

from ods_provider.core.formats.check import Check, Verified, broken
from ods_provider.core.formats.scratch import Scratch

_PIECE = 1_048_576  # bound of one inflated piece: a small file may inflate a thousandfold


class GzipCheck:
    """Inflates what passes and hands it to the check of the format inside.

    Args:
        inside: That check.
    """

    def __init__(self, inside: Check) -> None:
        self._inside = inside
        self._inflater = zlib.decompressobj(31)
        self.verified: Verified = "container" if inside.verified == "transport" else inside.verified
        self.random_access = inside.random_access

    @property
    def rows(self) -> int | None:
        """How many rows inside have been counted so far."""
        return self._inside.rows

    def feed(self, data: bytes) -> None:
        """Inflate the next piece."""
        while data:
            if self._inflater.eof:
                # Members may follow one another (RFC 1952, 2.2); zeros are padding.
                if not data.strip(b"\0"):
                    return
                self._inflater = zlib.decompressobj(31)
            try:
                piece = self._inflater.decompress(data, _PIECE)
            except zlib.error:
                broken("the file is no intact gzip file")
            self._inside.feed(piece)
            data = self._inflater.unconsumed_tail or self._inflater.unused_data

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of rows inside, after the end mark was seen."""
        if not self._inflater.eof:
            broken("the gzip file ends before its end mark")
        if file is None or not self.random_access:
            return self._inside.finish(None)
        # Inflated once: every step back in a gzip file would inflate it from its beginning.
        with Scratch() as scratch, gzip.GzipFile(fileobj=file, mode="rb") as inflated:
            while piece := inflated.read(_PIECE):
                scratch.write(piece)
            return self._inside.finish(scratch.read_back())
