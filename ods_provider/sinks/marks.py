"""Marks of files that stand in a folder: one changes when its file does, so that another's is not taken for ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ods_provider.sinks.destination import Destination, refused, speaking

_TELLING = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created")


def mark_of(place: Destination) -> str | None:
    """Return the mark of the file that stands at ``place``, None when none does, or when a store does not show it."""
    with speaking(place):
        place.fs.invalidate_cache()
        try:
            return _mark(place.fs.info(place.path))
        except FileNotFoundError:
            return None
        except OSError as error:
            if refused(error) and not place.can.folders:
                return None
            raise


def marks_below(folder: Destination) -> dict[str, str]:
    """Return the marks of the files directly below ``folder`` by their names, none when there is no such folder."""
    with speaking(folder):
        # A listing may be cached by the filesystem and tell of yesterday.
        folder.fs.invalidate_cache()
        try:
            listed = folder.fs.ls(folder.path, detail=True)
        except FileNotFoundError:
            return {}
        except OSError as error:
            if refused(error) and not folder.can.folders:
                return {}
            raise
        return {
            str(item["name"]).rstrip("/").rpartition("/")[2]: _mark(item)
            for item in listed
            if item.get("type") != "directory"
        }


def _mark(known: Mapping[str, Any]) -> str:
    told = next((known[name] for name in _TELLING if known.get(name)), None)
    # The memory filesystem says the same moment in two ways, alone and in a list.
    return f"{known.get('size')} {told.timestamp() if isinstance(told, datetime) else told}"
