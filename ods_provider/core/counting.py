"""Numbers with what they count, in the words of one or of several."""

from __future__ import annotations

_ENDINGS = (("ies", "y"), ("ches", "ch"), ("s", ""))  # of a plural, and what one of it ends in


def counted(number: int | None, units: str, total: int | None = None) -> str:
    """Return a number with its unit: ``1 row``, ``2 rows``, ``1 of 2 rows``.

    Args:
        number: How many; None where nobody knows.
        units: What several are called; of more words the first one: ``values of x``.
        total: Of how many.
    """
    if number is None:
        return f"an unknown number of {units}"
    of = "" if total is None else f" of {total:,}"
    return f"{number:,}{of} {_one(units) if (number if total is None else total) == 1 else units}"


def verb(number: int, one: str, several: str) -> str:
    """Return the word for what one does, or for what several do: ``is`` or ``are``."""
    return one if number == 1 else several


def _one(units: str) -> str:
    first, blank, rest = units.partition(" ")
    ending, instead = next((pair for pair in _ENDINGS if first.endswith(pair[0])), ("", ""))
    return f"{first.removesuffix(ending)}{instead}{blank}{rest}"
