"""A file on local disk for what must be jumped about in: nobody sees it, and it goes with the process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Self

from ods_provider.core.errors import OdsSinkError


class Scratch:
    """A temporary file that is written once and then read.

    Raises:
        OdsSinkError: From every method, when the folder for temporary files has no room or cannot be written.
    """

    def __init__(self) -> None:
        with _speaking():
            self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by whoever made it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Append ``data``."""
        with _speaking():
            self._file.write(data)

    def read_back(self) -> IO[bytes]:
        """Return the file at its beginning; ``close`` closes it."""
        with _speaking():
            self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Leave nothing behind."""
        try:
            self._file.close()
        except OSError:
            return  # what a full disk did not take any more is not wanted any more


@contextmanager
def _speaking() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        folder = tempfile.gettempdir() if tempfile.tempdir else "the folder for temporary files"
        raise OdsSinkError(
            f"the copy that the check needs cannot be kept: {error.strerror or type(error).__name__}",
            where=folder,
            advice="Give it room, or let TMPDIR name another folder",
        ) from None
