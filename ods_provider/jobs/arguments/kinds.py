"""What an argument may be, and the coercions that builders share besides those of ``core.given``.

A face that needs a type of its own for each argument reads it from the signatures of the builders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import clauses, is_given, seconds, shown, text, unless_none

Text = str | None
Texts = str | Sequence[str] | None
Mapped = Mapping[str, Any] | str | None
Number = int | str | None
Flag = bool | str | None
Seconds = float | str | None
Span = timedelta | float | str | None
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


def names(name: str, value: Texts) -> tuple[str, ...]:
    """Return names of fields: one text or several, each of which may hold some, with commas between them."""
    return tuple(each.strip() for clause in clauses(name, value) for each in clause.split(","))


def mark(name: str, value: Text) -> str | None:
    """Return the mark between the cells of a CSV; a tab is a space too, and stands for itself here."""
    return value if value == "\t" else text(name, value)


def time_limit(timeout: Seconds) -> float | None:
    """Return how many seconds the portal is waited for, None for as long as it takes.

    Raises:
        OdsConfigError: It is no such number.
    """
    if not is_given(timeout):
        return None
    found = seconds("timeout", timeout, default=0.0)
    if found <= 0:
        raise OdsConfigError(
            f"timeout={shown(timeout)} is no time", where="argument timeout", advice="Pass seconds, or leave it out"
        )
    return found
