"""Checkpoints as small files in one folder, beside what they belong to."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from ods_provider.sinks.destination import Destination
from ods_provider.sinks.litter import OF_STORES, sweep
from ods_provider.sinks.writer import write_bytes

_SUFFIX = ".json"
log = logging.getLogger(__name__)


class FolderStore:
    """A ``CheckpointStore`` in a folder: one JSON file per unit, for its owner alone, written whole or not at all.

    Args:
        folder: Its destination; created at the first save, removed by ``clear``.
        needed: Whether progress that cannot be read is an error; else none is kept where one may write but not look.
    """

    def __init__(self, folder: Destination, *, needed: bool = True) -> None:
        self._folder = folder
        self._needed = needed
        self._blind = False

    def sweep(self, *, now: datetime, older: timedelta) -> None:
        """Remove what lies beside this one and belongs to runs that were never tried again."""
        sweep(self._folder.above(), now=now, older=older, names=OF_STORES, ours=self._folder.name)

    def load(self) -> dict[str, Any]:
        """Return every unit; a file that is no JSON counts as not confirmed."""
        names = self._folder.names() if self._needed else self._folder.names_if_allowed()
        if names is None:
            self._blind = True
            log.info("No progress is kept beside %s: this user may write there, but not look.", self._folder.url)
        kept: dict[str, Any] = {}
        for name in names or ():
            if name.startswith(".") or not name.endswith(_SUFFIX):
                continue
            try:
                kept[name.removesuffix(_SUFFIX)] = json.loads(self._folder.child(name).read_bytes())
            except (ValueError, RecursionError):
                continue
        return kept

    def save(self, unit: str, value: Any) -> None:
        """Write one unit."""
        if not self._blind:
            place = self._folder.child(unit + _SUFFIX)
            write_bytes(place, json.dumps(value).encode(), token="ods", private=True)  # noqa: S106  names a temporary file

    def attach(self, name: str, data: bytes) -> None:
        """Write a file that belongs to a unit and is too large to be loaded with all of them."""
        if not self._blind:
            write_bytes(self._folder.child(name), data, token="ods", private=True)  # noqa: S106  as above

    def attached(self, name: str) -> bytes:
        """Return such a file.

        Raises:
            OdsSinkError: It is not there.
        """
        return self._folder.child(name).read_bytes()

    def clear(self) -> None:
        """Remove the folder."""
        if not self._blind:
            self._folder.remove(recursive=True)
