"""Whose the files in a folder are: its manifest tells, and no other job's files are put beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.sinks.destination import Destination, speaking

MANIFEST = "manifest.jsonl"
_LONGEST_ENTRY = 1_000_000  # in bytes

Owner = Mapping[str, str | None]
"""``portal``, ``dataset_id``, ``kind``, and of the files of records the ``field`` where one was named."""


def expect_own(folder: Destination, owner: Owner) -> None:
    """Refuse a folder whose manifest tells of other files: one of their names would stand for both.

    Raises:
        OdsConfigError: Another job's manifest stands there, or something else under its name.
    """
    place = folder.child(MANIFEST)
    if not place.size_bytes():
        return
    with speaking(place, reading=True), place.fs.open(place.path, "rb") as file:
        # No readline, which knows no bound at the files of a store.
        line, _, _ = file.read(_LONGEST_ENTRY).partition(b"\n")
    whose = _whose(line, owner)
    # One field is meant where none is named: then the dataset has no other.
    if whose and all(whose[name] == (owner[name] or whose[name]) for name in owner):
        return
    raise OdsConfigError(
        f"the folder holds {_told(whose, owner)}",
        where=folder.url,
        advice=f"Give each dataset, kind and field a folder of its own, or remove {MANIFEST} there",
    )


def owned(folder: Destination, named: str, owner: Owner) -> set[str]:
    """Return the names of the files that a folder's manifest tells of, and of itself; none where it is not this one's.

    Args:
        folder: Where to look.
        named: Name of the manifest.
        owner: Whose it has to be.
    """
    place = folder.child(named)
    if not place.size_bytes():
        return set()
    names = {named}
    for line in place.read_bytes().splitlines():
        whose = _whose(line, owner)
        if not whose or any(whose[name] != owner[name] for name in owner):
            return set()
        name = json.loads(line).get("file")
        # Of a place elsewhere nothing is removed, whatever somebody wrote into a manifest.
        if not isinstance(name, str) or "/" in name:
            return set()
        names.add(name)
    return names


def _whose(line: bytes, owner: Owner) -> dict[str, Any]:
    try:
        entry = json.loads(line)
        # A manifest of an older release says less.
        return {name: entry.get(name) or owner[name] for name in owner} | {"dataset_id": entry["dataset_id"]}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def _told(whose: Mapping[str, Any], owner: Owner) -> str:
    if not whose:
        return f"something else than files, says its {MANIFEST}"
    field = f" in field {whose['field']}" if whose["field"] else ""
    portal = f" of {whose['portal']}" if whose["portal"] != owner["portal"] else ""
    return f"{whose['kind']}{field} of dataset {whose['dataset_id']}{portal}"
