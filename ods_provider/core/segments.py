"""An id as a part of a path: two ids would lead elsewhere, since every client resolves them before it asks."""

from __future__ import annotations

from urllib.parse import quote

from ods_provider.core.errors import OdsConfigError


def segment(name: str) -> str:
    """Return an id percent-encoded as one segment of a path (Q44).

    Raises:
        OdsConfigError: It is empty, ``.`` or ``..``: the call would ask another endpoint, which may answer.
    """
    if name in ("", ".", ".."):
        raise OdsConfigError(
            f"an id is {name!r}, which leads to another address",
            where="the arguments of the call",
            advice="Pass the id of the dataset, record, resource or file",
        )
    return quote(name, safe="")
