"""Checkpoints as small files in one folder, beside what they belong to."""

from __future__ import annotations

import json
from typing import Any

from ods_provider.sinks.destination import Destination
from ods_provider.sinks.writer import write_bytes

_SUFFIX = ".json"


class FolderStore:
    """A ``CheckpointStore`` in a folder: one JSON file per unit, written whole or not at all.

    Args:
        folder: Its destination; created at the first save, removed by ``clear``.
    """

    def __init__(self, folder: Destination) -> None:
        self._folder = folder

    def load(self) -> dict[str, Any]:
        """Return every unit; a file that is no JSON counts as not confirmed."""
        kept: dict[str, Any] = {}
        for name in self._folder.names():
            if name.startswith(".") or not name.endswith(_SUFFIX):
                continue
            try:
                kept[name.removesuffix(_SUFFIX)] = json.loads(self._folder.child(name).read_bytes())
            except (ValueError, RecursionError):
                continue
        return kept

    def save(self, unit: str, value: Any) -> None:
        """Write one unit."""
        write_bytes(self._folder.child(unit + _SUFFIX), json.dumps(value).encode(), token="ods")  # noqa: S106  names a temporary file

    def clear(self) -> None:
        """Remove the folder."""
        self._folder.remove(recursive=True)
