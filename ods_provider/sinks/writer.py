"""Write one file so that its final name shows it whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from ods_provider.core.errors import OdsSinkError
from ods_provider.sinks.destination import Destination, speaking

_How = Literal["replace", "commit", "move"]
_COMMITTING = {"s3", "s3a", "gs", "gcs"}  # an upload is invisible until commit() (s3fs, gcsfs)


class FileWriter:
    """Collects bytes under a name nobody reads, then commits them in one step or discards them.

    Three ways, by what the filesystem can do: a local file is renamed over the older one; object stores that have
    fsspec's commit contract finish their upload; others move a temporary object. Leaving the ``with`` block without
    ``commit`` discards.

    Args:
        place: The final name.
        token: Names the temporary file; the same token reuses it, so that a killed try leaves no litter behind.

    Raises:
        OdsSinkError: From every method, when the filesystem fails.
    """

    def __init__(self, place: Destination, *, token: str) -> None:
        self.place = place
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._part = place.sibling(f".{place.name}.{token}.part")
        self._open = True
        place.expect_file()
        place.make_parents()
        self._how, self._file = self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            self.discard()

    @property
    def sha256(self) -> str:
        """Hex digest of what was written so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append ``data``."""
        with speaking(self.place):
            self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    @property
    def readable(self) -> bool:
        """Whether what was written can be read before it is committed."""
        return self._how == "replace"

    def read_back(self) -> IO[bytes]:
        """Return what was written so far as a file to jump about in, where it is ``readable``; the caller closes it."""
        with speaking(self.place):
            self._file.flush()
            return open(self._part.path, "rb")

    def commit(self) -> None:
        """Make the file appear under its final name, replacing an older one in one step."""
        with speaking(self.place):
            if self._how == "replace":
                self._file.flush()
                os.fsync(self._file.fileno())
                if not self._still_ours():
                    raise OdsSinkError(
                        "another run of the same task writes this file too",
                        where=self.place.url,
                        advice="Let that run finish: this one gives way and keeps nothing",
                    )
                os.replace(self._part.path, self.place.path)
                self._file.close()
            else:
                self._file.close()
                if self._how == "commit":
                    self._file.commit()
                else:
                    self._part.move_to(self.place)
        self._open = False

    def discard(self) -> None:
        """Leave nothing behind."""
        self._open = False
        try:
            if self._how == "commit":
                # Not closed first: closing an upload in autocommit=False keeps it pending.
                self._file.discard()
                # fsspec's destructor closes what is not marked closed, and closing begins a new upload.
                self._file.closed = True
            else:
                ours = self._how != "replace" or self._still_ours()
                self._file.close()
                if ours:
                    self._part.remove()
        except Exception:
            # The failure that led here is the one to report; an orphan part is overwritten by the next try.
            return

    def _begin(self) -> tuple[_How, Any]:
        with speaking(self.place):
            if self.place.local:
                # A file of its own: a worker given up for dead may still hold the older one and write into it.
                self._part.remove()
                return "replace", open(self._part.path, "xb", buffering=1_048_576)
            if _commits(self.place.fs):
                return "commit", self.place.fs.open(self.place.path, "wb", autocommit=False)
            return "move", self.place.fs.open(self._part.path, "wb")

    def _still_ours(self) -> bool:
        here = os.fstat(self._file.fileno())
        try:
            there = Path(self._part.path).stat()
        except FileNotFoundError:
            return False
        return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _commits(fs: Any) -> bool:
    # By name, because asking proves nothing: fsspec's base class has commit and discard too, and they do nothing;
    # the memory filesystem commits on opening whatever it is told.
    protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
    return bool(protocols & _COMMITTING)


def write_bytes(place: Destination, data: bytes, *, token: str) -> None:
    """Write a small file whole."""
    with FileWriter(place, token=token) as writer:
        writer.write(data)
        writer.commit()
