"""An id as a part of a path: two ids would lead elsewhere, since every client resolves them before it asks."""

from __future__ import annotations

from urllib.parse import quote

from ods_provider.core.errors import OdsConfigError


def segment(name: str) -> str:
    """Return an id percent-encoded as one segment of a path (Q44).

    Raises:
        OdsConfigError: It holds half a character, or it is empty, ``.`` or ``..``: the call would ask another
            endpoint, which may answer.
    """
    if name in ("", ".", ".."):
        raise OdsConfigError(
            f"an id is {name!r}, which leads to another address",
            where="the arguments of the call",
            advice="Pass the id of the dataset, record, resource or file",
        )
    try:
        return quote(name, safe="")
    except UnicodeEncodeError:
        raise half_a_character() from None


def half_a_character() -> OdsConfigError:
    """Return what to say of a text that no request can hold."""
    return OdsConfigError(
        "a text of the query or of an id holds half a character",
        where="the arguments of the call",
        advice="Repair it: an emoji was cut in two",
    )
