"""Where a field can be cut: boundaries of about equal counts, bins of values, and their clauses. Pure functions.

Source: ODSQL reference (comparisons, lists, literals); Q13 (without an offset a moment is read in the query's zone).
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import ceil, isfinite
from typing import Any
from urllib.parse import quote_plus

from ods_provider.core.legible import legible
from ods_provider.core.odsql import identifier, literal

CLAUSE_BYTES = 4_000
"""Longest clause of a part, as it stands in a URL: servers refuse URLs of more than 8 KB, and the query has others."""

_SHOWN_CHARS = 40  # of a value in a label
_LEAST, _MOST = -(2**63), 2**63 - 1

Boundary = int | float | datetime


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a cut before it is counted.

    Attributes:
        where: Its clause.
        label: For logs.
        rows: How many rows it should hold: about so many of a range.
        exact: Whether it must hold exactly so many.
    """

    where: str
    label: str
    rows: int
    exact: bool = False


def share(parts: int, held: int, total: int) -> int:
    """Return into how many parts the rows that hold a value are cut, so that none is larger than ``total / parts``."""
    return max(1, min(held, ceil(parts * held / total)))


def boundaries(atoms: Sequence[tuple[Boundary, int]], parts: int) -> list[tuple[Boundary, int]]:
    """Choose where to cut a row of counted pieces into ``parts`` of about equal counts.

    Args:
        atoms: Where each piece begins and how many rows it holds, in order; the first one has no boundary before it.
        parts: How many are wanted; fewer come where pieces are larger than that.

    Returns:
        The boundaries, and how many rows lie before each.
    """
    before: list[int] = []
    held = 0
    for _, rows in atoms:
        before.append(held)
        held += rows
    chosen: set[int] = set()
    for number in range(1, parts):
        wanted = held * number / parts
        at = bisect_left(before, wanted)
        near = [place for place in (at - 1, at) if 0 < place < len(atoms)]
        if near:
            chosen.add(min(near, key=lambda place: abs(before[place] - wanted)))
    # A boundary with nothing before it, or nothing behind, parts nothing from the rest.
    return [(atoms[place][0], before[place]) for place in sorted(chosen) if 0 < before[place] < held]


def quantiles(least: Any, most: Any, values: Sequence[Any], held: int, *, whole: bool) -> list[tuple[Boundary, int]]:
    """Return the pieces between percentiles that lie equally far apart.

    Args:
        least: The smallest value of the field.
        most: The largest one.
        values: What the portal gave as percentiles, in order.
        held: How many rows hold a value.
        whole: Whether the field holds whole numbers: ``f < 3.7`` is then ``f < 4``, which no reader takes for a double.
    """
    given = [(rank, made) for rank, value in enumerate(values, 1) if (made := _number(value, whole=whole)) is not None]
    step = held / (len(values) + 1)
    starts: dict[Boundary, int] = {}
    for rank, value in given:
        # Below the least value lies nothing; one that is common is several percentiles at once.
        if value > least:
            starts.setdefault(value, round(rank * step))
    last = _number(most, whole=whole)
    if not starts and last is not None and last > least:
        starts[last] = held - 1
    ordered = sorted(starts.items())
    ends = [*(rows for _, rows in ordered[1:]), held]
    first: tuple[Boundary, int] = (least, ordered[0][1] if ordered else held)
    return [first, *((start, max(0, end - rows)) for (start, rows), end in zip(ordered, ends, strict=True))]


def _number(value: Any, *, whole: bool) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        return None
    made = ceil(value) if whole else value
    return made if not isinstance(made, int) or _LEAST <= made <= _MOST else None


def ranges(field: str, starts: Sequence[tuple[Boundary, int]], held: int) -> list[Piece]:
    """Return half-open ranges, open at both ends, so that every value lies in one of them.

    Args:
        field: A number's or a moment's.
        starts: The boundaries in order, and how many rows lie before each.
        held: How many rows hold a value.
    """
    name = identifier(field)
    edges: list[Boundary | None] = [None, *(start for start, _ in starts), None]
    ends = [0, *(rows for _, rows in starts), held]
    pieces = []
    for (low, high), (before, after) in zip(pairwise(edges), pairwise(ends), strict=True):
        tests = [f"{name} {sign} {literal(end)}" for sign, end in ((">=", low), ("<", high)) if end is not None]
        pieces.append(Piece(" AND ".join(tests), _range_label(field, low, high), after - before))
    return pieces


def _range_label(field: str, low: Boundary | None, high: Boundary | None) -> str:
    if low is None or high is None:
        return f"{field} from {_shown(low)}" if low is not None else f"{field} below {_shown(high)}"
    return f"{field} {_shown(low)} to {_shown(high)}"


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        midnight = value.hour == value.minute == value.second == value.microsecond == 0
        utc = value.astimezone(UTC).replace(tzinfo=None)
        return utc.date().isoformat() if midnight else f"{utc.isoformat()}Z"
    return legible(str(value), most_chars=_SHOWN_CHARS)


def bins(field: str, groups: Iterable[tuple[str, int]], parts: int) -> list[Piece] | None:
    """Pack values into ``parts`` bins of about equal counts: the largest first, each into the emptiest bin.

    Args:
        field: A text's.
        groups: Its values, each with its count.
        parts: How many bins; no more are made than there are values.

    Returns:
        None where the values take longer clauses than a URL should hold.

    Raises:
        OdsConfigError: No literal can name one of the values (Q42).
    """
    name = identifier(field)
    ordered = sorted(groups, key=lambda group: (-group[1], group[0]))
    packed: list[list[tuple[str, int]]] = [[] for _ in range(min(parts, len(ordered)))]
    room = [CLAUSE_BYTES - len(quote_plus(f"{name} IN ()"))] * len(packed)
    open_bins = [(0, number) for number in range(len(packed))]
    for value, rows in ordered:
        size = len(quote_plus(f"{literal(value)}, "))
        # A bin that is too full for this value may be none for the next one, but that is not worth a search.
        while open_bins and room[open_bins[0][1]] < size:
            heapq.heappop(open_bins)
        if not open_bins:
            return None
        held, number = open_bins[0]
        heapq.heapreplace(open_bins, (held + rows, number))
        packed[number].append((value, rows))
        room[number] -= size
    return [_bin(field, name, group) for group in packed]


def _bin(field: str, name: str, group: Sequence[tuple[str, int]]) -> Piece:
    values = [value for value, _ in group]
    named = [literal(value) for value in values]
    where = f"{name} = {named[0]}" if len(named) == 1 else f"{name} IN ({', '.join(named)})"
    return Piece(where, f"{field} {_listed(values)}", sum(rows for _, rows in group), exact=True)


def _listed(values: Sequence[str]) -> str:
    shown = [_shown(value) if value else '""' for value in values]
    if len(shown) <= 2:
        return " and ".join(shown)
    return f"{shown[0]}, {shown[1]} and {len(shown) - 2} more"


def nothing(field: str, rows: int) -> Piece:
    """Return the part of the rows without a value, of which there may be none yet."""
    return Piece(f"{identifier(field)} IS NULL", f"no {field}", rows)
