"""Where a load goes, when a ``Secret`` block of Prefect's holds it."""

from __future__ import annotations

from typing import Any

from prefect.blocks.system import Secret

_BY_NAME = "secret/"


def url_of(place: Any) -> str | None:
    """Return the URL that ``place`` holds, a block or ``secret/NAME``; None where it is neither."""
    named = isinstance(place, str) and place.startswith(_BY_NAME)
    block = Secret.load(place.removeprefix(_BY_NAME)) if named else place
    return str(block.get()) if isinstance(block, Secret) else None
