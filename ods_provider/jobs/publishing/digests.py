"""Files as they are read: digested, or held against a digest."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from ods_provider.core.errors import OdsSinkError

_PIECE = 262_144


class Hashing(io.RawIOBase):
    """A file that is digested as it is read, from its beginning to its end.

    Args:
        file: Bytes.

    Attributes:
        digest: SHA-256 of what was read so far.
        size_bytes: How much that is.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size_bytes = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, and return how much came."""
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        self._take(piece)
        return len(piece)

    def read(self, size: int = -1) -> bytes:
        """Return the next piece."""
        piece = bytes(self._file.read(size))
        self._take(piece)
        return piece

    def readline(self, size: int | None = -1) -> bytes:
        """Return the next line."""
        line = bytes(self._file.readline(size))
        self._take(line)
        return line

    def read1(self, size: int = -1) -> bytes:
        """Return the next piece, of one reading."""
        return self.read(_PIECE if size is None or size < 0 else size)

    def drain(self) -> None:
        """Read what nobody has read yet."""
        while self.read(_PIECE):
            pass

    def _take(self, piece: bytes) -> None:
        self.digest.update(piece)
        self.size_bytes += len(piece)


class Checked(io.RawIOBase):
    """A file that must turn out, at its end, to be the one that was counted.

    Args:
        file: Bytes.
        sha256: Of the one that was counted.
        name: What it is called, for messages.
    """

    def __init__(self, file: Any, sha256: str, name: str) -> None:
        self._file, self._sha256, self._name = file, sha256, name
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, and return how much came."""
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        self._digest.update(piece)
        if not piece and self._digest.hexdigest() != self._sha256:
            raise OdsSinkError(
                "the file was changed between its counting and its upload",
                where=f"upload of {self._name}",
                advice="Publish it when nobody writes it any more; nothing on the portal was changed",
            )
        return len(piece)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
