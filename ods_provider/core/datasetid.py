"""A dataset's id as users type it: an address of the dataset is none, and says which id is meant."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import MONITORED
from ods_provider.core.given import required, text

# Pages, embedded views and API calls of both APIs name the dataset in their path.
_IN_PATH = re.compile(r"/(?:datasets?|assets)/(?:1\.0/)?([^/]+)")
_ADDRESS = re.compile(r"\w+://|www\.|[\w.-]+\.\w+(?::\d+)?/", re.ASCII)
_MONITORED = re.compile(r"\A(?:ods://[^/]+/monitoring/|[^?#]*/api/explore/v2\.\d/monitoring/)")
_NO_ID = "search"  # of the older API: its lists stand beside its datasets


def dataset_named(value: Any, *, name: str = "dataset_id") -> str:
    """Return the id of a dataset.

    Raises:
        OdsConfigError: It is not given, or it is an address; the message names the id that the address holds.
    """
    given = text(name, required(name, value), "")
    if not _ADDRESS.match(given):
        return given
    inside = _inside(given)
    raise OdsConfigError(
        f"{name} is an address, not the id of a dataset",
        where=f"argument {name}",
        advice=f"Pass {inside!r}{_and_its_source(given)}"
        if inside
        else "Pass the id: what follows /explore/dataset/ in the dataset's address",
    )


def _and_its_source(address: str) -> str:
    return f", and {MONITORED}" if _MONITORED.search(address) else ""


def _inside(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    found = [unquote(part) for part in _IN_PATH.findall(parts.path) if part != _NO_ID]
    if not found and parts.scheme == "ods":
        found = [unquote(parts.path.strip("/").rpartition("/")[2])]
    return next((each for each in [*found, *parse_qs(parts.query).get("dataset", [])] if each), None)
