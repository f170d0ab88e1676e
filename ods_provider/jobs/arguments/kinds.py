"""What an argument may be, and the coercions that builders share besides those of ``core.given``.

A face that needs a type of its own for each argument reads it from the signatures of the builders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import text, unless_none

Text = str | None
Texts = str | Sequence[str] | None
Mapped = Mapping[str, Any] | str | None
Number = int | str | None
Flag = bool | str | None
Seconds = float | str | None
Place = Any


def file_place(path: Any) -> Any:
    """Return the place of a file, None where somebody wrote None.

    Raises:
        OdsConfigError: An empty text, or a folder.
    """
    place = unless_none("path", path)
    if isinstance(place, str) and place.endswith("/"):
        folder = place.rstrip("/").rpartition("/")[2] + "/"
        raise OdsConfigError(
            f"{folder!r} names a folder, not a file", where="argument path", advice="Add a file name to it"
        )
    return place


def word(name: str, value: Any, default: str | None = None) -> Any:
    """Return one of an argument's words in small letters; the job refuses those that it does not know."""
    said = text(name, value)
    return default if said is None else said.lower()
