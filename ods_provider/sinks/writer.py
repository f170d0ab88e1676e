"""Write one file so that its final name shows it whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ods_provider.core.errors import OdsSinkError
from ods_provider.sinks.destination import Destination, speaking
from ods_provider.sinks.regular import create, mode_of, mounted_alone

_BUFFER_BYTES = 65_536  # what is larger is written past it
_SEND_BYTES = 8_388_608
_TRIES = 5  # at making a file that another run of the same name makes and removes


class FileWriter:
    """Collects bytes under a name nobody reads, then commits them in one step or discards them.

    Three ways, by what the filesystem can do: a local file is renamed over the older one, behind links and with its
    mode; object stores that have fsspec's commit contract finish their upload; others move a temporary object. Leaving
    the ``with`` block without ``commit`` discards.

    Args:
        place: The final name.
        token: Names the temporary file; the same token reuses it, so that a killed try leaves no litter behind.
        private: Whether a new file is for its owner alone, where files have owners.

    Raises:
        OdsSinkError: From every method, when the filesystem fails.
    """

    def __init__(self, place: Destination, *, token: str, private: bool = False) -> None:
        self.place = place
        self.size_bytes = 0
        self._sent_bytes = 0
        self._hash = hashlib.sha256()
        self._token = token
        self._private = private
        self._taken = False
        self._open = True
        place.expect_file()
        with speaking(place):
            self._target = place.behind_links()
        self._target.make_parents()
        # Where names cannot be compared with what is open, nobody else's part may have this one's name.
        alone = "" if place.can.renames else f".{secrets.token_hex(4)}"
        self._part = self._target.sibling(f".{self._target.name}.{token}{alone}.part")
        with speaking(place):
            self._file = self._begin()

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
        if self.size_bytes - self._sent_bytes >= _SEND_BYTES and self.place.can.renames:
            self._send()

    def _send(self) -> None:
        """Have the system begin to bring to disk what it would keep for later, or ``commit`` waits for all of it."""
        advise = getattr(os, "posix_fadvise", None)  # not everywhere
        if advise is not None:
            more_bytes = self.size_bytes - self._sent_bytes
            with suppress(OSError):  # it is advice
                # What is said to be needed no more is written, and stays in memory while that lasts.
                advise(self._file.fileno(), self._sent_bytes, more_bytes, os.POSIX_FADV_DONTNEED)
        self._sent_bytes = self.size_bytes

    @property
    def readable(self) -> bool:
        """Whether what was written can be read before it is committed."""
        return self.place.can.renames

    def read_back(self) -> IO[bytes]:
        """Return what was written so far as a file to jump about in, where it is ``readable``; the caller closes it."""
        with speaking(self.place):
            self._file.flush()
            return open(self._part.path, "rb")

    def commit(self) -> None:
        """Make the file appear under its final name, replacing an older one in one step."""
        with speaking(self.place):
            if self.place.can.renames:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._rename()
                self._file.close()
            else:
                self._file.close()
                if self.place.can.uploads:
                    self._file.commit()
                else:
                    self._part.move_to(self._target)
        self._open = False

    def discard(self) -> None:
        """Leave nothing behind."""
        self._open = False
        try:
            if self.place.can.uploads:
                # Not closed first: closing an upload in autocommit=False keeps it pending.
                self._file.discard()
                # fsspec's destructor closes what is not marked closed, and closing begins a new upload.
                self._file.closed = True
            elif self.place.can.renames:
                # Removed first: a full disk lets nothing be closed, and then the part would stay on it.
                try:
                    if self._take():
                        Path(self._part.path).unlink()
                finally:
                    self._file.close()
            else:
                try:
                    self._file.close()
                finally:
                    self._part.remove()
        except Exception:
            # The failure that led here is the one to report; an orphan part is overwritten by the next try.
            return

    def _begin(self) -> Any:
        if self.place.can.renames:
            return os.fdopen(self._create(), "wb", buffering=_BUFFER_BYTES)
        if self.place.can.uploads:
            return self.place.fs.open(self.place.path, "wb", autocommit=False)
        return self.place.fs.open(self._part.path, "wb")

    def _create(self) -> int:
        like = mode_of(self._target.path)
        for tries_left in reversed(range(_TRIES)):
            # A file of its own: a worker given up for dead may still hold the older one and write into it.
            self._part.remove()
            try:
                return create(self._part.path, like, private=self._private)
            except FileExistsError:
                if not tries_left:
                    raise
        raise AssertionError("the loop returns or raises")

    def _rename(self) -> None:
        """Rename the part over the older file, unless another run has put its own in the part's place."""
        if not self._take():
            raise OdsSinkError(
                "another run of the same work writes this file too",
                where=self.place.url,
                advice="Let that run finish: this one gives way and keeps nothing",
            )
        try:
            os.replace(self._part.path, self._target.path)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise mounted_alone(self.place.url) from None
            raise

    def _take(self) -> bool:
        """Give the part a name that nobody else knows: what was taken can be looked at, and nobody can change it.

        Returns:
            Whether it is ours; what is another run's is put back.
        """
        if self._taken or not self._is_ours(self._part):
            return self._taken
        taken = self._target.sibling(f".{self._token}.{secrets.token_hex(4)}.part")
        try:
            Path(self._part.path).rename(taken.path)
        except FileNotFoundError:
            return False
        if self._is_ours(taken):
            self._part, self._taken = taken, True
            return True
        try:
            os.link(taken.path, self._part.path)
        except OSError:
            pass  # its owner gives way in turn, or a third run has begun
        Path(taken.path).unlink()
        return False

    def _is_ours(self, place: Destination) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), Path(place.path).stat())
        except FileNotFoundError:
            return False


def write_bytes(place: Destination, data: bytes, *, token: str, private: bool = False) -> None:
    """Write a small file whole."""
    with FileWriter(place, token=token, private=private) as writer:
        writer.write(data)
        writer.commit()
