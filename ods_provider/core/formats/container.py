"""Check that a file is whole where its format has no rows to count."""

from __future__ import annotations

import errno
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from xml.parsers import expat

from ods_provider.core.errors import OdsError
from ods_provider.core.formats.check import Verified, broken


@contextmanager
def opened(file: IO[bytes] | None, what: str) -> Iterator[zipfile.ZipFile]:
    """Open an archive; whatever its reader stumbles over inside is damage.

    Raises:
        OdsTruncated: It is not whole.
    """
    if file is None:
        broken(f"the {what} cannot be read back")
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except OdsError:
        raise
    except Exception as error:
        # A directory that points before the file's beginning is a place that no store has; all else is its fault.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        # One byte changed here or there and zipfile raises any of ten kinds.
        broken(f"the {what} is not a whole archive")


class ZipCheck:
    """Reads an archive's directory and every checksum in it."""

    verified: Verified = "container"
    random_access = True
    rows = None

    def feed(self, data: bytes) -> None:
        """Look at nothing: the directory comes last."""

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return None after every member was read."""
        with opened(file, "archive") as archive:
            damaged = archive.testzip()
        if damaged:
            broken(f"the member {damaged!r} of the archive is damaged")
        return None


class XmlCheck:
    """Parses XML as it passes: every element must close."""

    verified: Verified = "container"
    random_access = False
    rows = None

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()

    def feed(self, data: bytes) -> None:
        """Parse the next piece."""
        self._parse(data, last=False)

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return None after the root element was closed."""
        self._parse(b"", last=True)
        return None

    def _parse(self, data: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            broken(f"the XML is not whole: {error}")
        except (LookupError, ValueError) as error:
            broken(f"the XML names an encoding that it cannot be read in: {error}")


class MagicCheck:
    """Checks the first bytes, for formats whose end only a full reader could find."""

    verified: Verified = "container"
    random_access = False
    rows = None

    def __init__(self, magic: bytes) -> None:
        self._magic = magic
        self._head = b""

    def feed(self, data: bytes) -> None:
        """Keep the first bytes."""
        if len(self._head) < len(self._magic):
            self._head += data[: len(self._magic)]

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return None after the first bytes were right."""
        if not self._head.startswith(self._magic):
            broken("the file does not begin as its format does")
        return None


class IcalCheck:
    """Checks that a calendar ends with its end mark, and that all that begins in it ends."""

    verified: Verified = "container"
    random_access = False
    rows = None

    def __init__(self) -> None:
        self._tail = b"\n"
        self._open = 0

    def feed(self, data: bytes) -> None:
        """Count the marks at the beginnings of lines, and keep the last bytes."""
        window = self._tail + data
        # What a mark began with in the piece before was not counted there: it was not whole.
        self._open += window.count(b"\nBEGIN:") - window.count(b"\nEND:")
        self._open -= self._tail.count(b"\nBEGIN:") - self._tail.count(b"\nEND:")
        self._tail = window[-64:]

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return None after the end mark was seen."""
        if not self._tail.rstrip().endswith(b"END:VCALENDAR"):
            broken("the calendar has no end mark")
        if self._open:
            broken("the calendar does not end all that it begins")
        return None
