"""A part of a download as it is named for another worker: a mapping that travels through a scheduler's database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.core.formats.registry import format_named
from ods_provider.core.query import Query
from ods_provider.core.source import source_named
from ods_provider.core.times import parse_time
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.state import State

_OF_EACH = ("number", "label", "rows", "where", "path")
_OF_FILES = ("dataset_id", "query", "format", "format_options", "target", "packed", "layout")
_OF_THE_CUT = ("of", "field", "state", "set")
_KEYS = frozenset((*_OF_EACH, *_OF_FILES, *_OF_THE_CUT))
MADE = frozenset(("rows", "size_bytes", "sha256", "mark"))
"""What the Outcome of a part that was fetched says of its file."""


def is_named(part: Any) -> bool:
    """Return whether this is a part that was named for a download."""
    return isinstance(part, Mapping) and set(part) >= _KEYS


def download_of(part: Mapping[str, Any], path: str) -> DownloadJob:
    """Return the download that a part is a part of, to another path."""
    query = dict(part["query"])
    for name in ("where", "refine", "exclude"):
        query[name] = tuple(tuple(each) if isinstance(each, (list, tuple)) else each for each in query[name])
    format = format_named(part["format"])
    how = {"format_options": part["format_options"], "source": source_named(part.get("source"))}
    return DownloadJob(part["dataset_id"], path, format, Query(**query), **how)


def state_of(part: Mapping[str, Any]) -> State:
    """Return the dataset as it was looked at when the part was named."""
    processed, matching, records_count = part["state"]
    return State(matching, records_count, parse_time(processed) if processed else None)
