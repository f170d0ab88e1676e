"""Files that were uploaded: on disk under a name that nobody else has, and told by a uid made of theirs.

Source: Automation API v1.0, files of resources; the uid is the slugged name, another one when that is taken.
"""

from __future__ import annotations

import mimetypes
import re
import tempfile
import threading
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ods_provider.testing.backoffice.moments import spelled


@dataclass(frozen=True)
class UploadedFile:
    """One file, as its dataset knows it."""

    uid: str
    filename: str
    mimetype: str
    created_at: datetime
    path: Path

    def as_json(self) -> dict[str, str]:
        """Return the file as the API shows it."""
        return {
            "uid": self.uid,
            "filename": self.filename,
            "mimetype": self.mimetype,
            "created_at": spelled(self.created_at),
        }


class Uploads:
    """A folder that goes with the portal; made when the first file comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0

    def path(self) -> Path:
        """Return where a new file may be written."""
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="ods-portal-", ignore_cleanup_errors=True)
            self._count += 1
            return Path(self._folder.name) / f"{self._count}.part"

    def close(self) -> None:
        """Remove the folder and all in it."""
        with self._lock:
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None


def slug(filename: str, taken: set[str]) -> str:
    """Return a uid for a file of that name, ``cheese_data.csv`` for ``Cheese Data.csv``."""
    plain = unicodedata.normalize("NFKD", filename.casefold()).encode("ascii", "ignore").decode()
    made = re.sub(r"[^a-z0-9.]+", "_", plain).strip("_.") or "file"
    stem, dot, ending = made.rpartition(".")
    number, uid = 1, made
    while uid in taken:
        number += 1
        uid = f"{stem or ending}_{number}{dot}{ending if stem else ''}"
    return uid


def mimetype_of(filename: str, told: str | None) -> str:
    """Return the kind of a file: what its name says, else what its sender does."""
    return mimetypes.guess_type(filename)[0] or told or "application/octet-stream"
