"""The names that somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable

from ods_provider.core.legible import legible

_MOST_CHARS = 100  # comparing takes the product of two lengths
_MOST_SHOWN = 3


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return the names that are most like ``name``, the likest first; none where it is one of them."""
    import difflib  # late: it is wanted once something went wrong

    by_fold: dict[str, str] = {}
    for each in known:
        if each == name:
            return []
        if len(each) <= _MOST_CHARS:
            by_fold.setdefault(each.casefold(), each)
    if len(name) > _MOST_CHARS:
        return []
    alike = difflib.get_close_matches(name.casefold(), by_fold, n=_MOST_SHOWN, cutoff=0.7)
    return [by_fold[fold] for fold in alike]


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them."""
    return " or ".join(repr(legible(name)) for name in names)
