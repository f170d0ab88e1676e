"""How moments are counted: by year, month, day and so on, as fine as a list of groups stays short. Pure functions.

Source: ODSQL reference, ``year()`` to ``second()``; Q13 (they are taken in the query's time zone), Q14 (cut dates).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from ods_provider.core.odsql import identifier, literal

UNITS = ("year", "month", "day", "hour", "minute", "second")
ROWS = "ods_rows"
MOST_GROUPS = 2_000
"""Groups that the first look at a field may take: a tenth of the lowest cap that was met (Q1, Q2)."""

_SECONDS = (31_536_000, 2_592_000, 86_400, 3_600, 60, 1)
_FIRST_DAY = "0001-01-01"
_MOST_REFINED = 20  # bins in one clause, which a URL must hold


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of one year, or one month, and so on.

    Attributes:
        key: Year, month and so on, as far as was asked for.
        start: When it begins.
        end: When the next one begins.
    """

    key: tuple[int, ...]
    start: datetime
    end: datetime
    rows: int


def zone_of(name: str, *, days: bool) -> tzinfo:
    """Return the time zone in which the portal takes the parts of a moment; days have none.

    One that this machine does not know is taken for UTC: cuts are then a little less even.
    """
    try:
        return UTC if days else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def moment(value: Any, zone: tzinfo) -> datetime | None:
    """Return the moment that a portal's JSON gives, cut dates too; None where it gives none."""
    if not isinstance(value, str):
        return None
    try:
        made = datetime.fromisoformat(value + _FIRST_DAY[len(value) :] if len(value) in (4, 7) else value)
    except ValueError:
        return None
    return made if made.tzinfo else made.replace(tzinfo=zone)


def units(first: datetime, last: datetime, *, days: bool) -> tuple[str, ...]:
    """Return the finest units that give few enough groups between two moments."""
    return UNITS[: _depth((last - first).total_seconds(), days=days, least=1)]


def finer(full: Iterable[Span], *, days: bool) -> tuple[str, ...]:
    """Return the finest units that give few enough groups within spans, finer than theirs in any case."""
    spans = list(full)
    seconds = sum((span.end - span.start).total_seconds() for span in spans)
    return UNITS[: _depth(seconds, days=days, least=min(len(span.key) for span in spans) + 1)]


def _depth(seconds: float, *, days: bool, least: int) -> int:
    known = range(least, (3 if days else len(UNITS)) + 1)
    return max((depth for depth in known if seconds / _SECONDS[depth - 1] <= MOST_GROUPS), default=least)


def group_by(field: str, chosen: Iterable[str]) -> str:
    """Return the clause that counts rows by those units."""
    name = identifier(field)
    return ", ".join(f"{unit}({name}) as ods_{unit}" for unit in chosen)


def spans(rows: Iterable[Mapping[str, Any]], chosen: tuple[str, ...], zone: tzinfo) -> list[Span]:
    """Return the groups that a portal listed, in order of time; the group without a value is left out."""
    made = []
    for row in rows:
        values = [row.get(f"ods_{unit}") for unit in chosen]
        if any(value is None for value in values):
            continue
        span = _span(tuple(int(str(value)) for value in values), int(row[ROWS]), zone)
        if span is not None:
            made.append(span)
    return sorted(made, key=lambda span: span.start)


def _span(key: tuple[int, ...], rows: int, zone: tzinfo) -> Span | None:
    try:
        start = datetime(*(*key, 1, 1)[: max(3, len(key))], tzinfo=zone)  # type: ignore[misc,arg-type]
        return Span(key, start.astimezone(UTC), _next(start, len(key)).astimezone(UTC), rows)
    except (ValueError, OverflowError):
        # Before the year 1 or beyond 9999 no boundary can be named; those rows are in the first or the last part.
        return None


def _next(start: datetime, depth: int) -> datetime:
    if depth == 1:
        return start.replace(year=start.year + 1)
    if depth == 2:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    if depth == 3:
        return start + timedelta(days=1)
    # Of the hour that autumn has twice both are one group: what follows it is told by the clock that does not jump.
    return start.astimezone(UTC) + timedelta(seconds=_SECONDS[depth - 1])


def too_full(counted: Iterable[Span], most_rows: float, *, days: bool) -> list[Span]:
    """Return the spans of too many rows for one part that can be looked at more closely, the fullest first."""
    deepest = 3 if days else len(UNITS)
    full = [span for span in counted if span.rows > most_rows and len(span.key) < deepest]
    return sorted(full, key=lambda span: -span.rows)[:_MOST_REFINED]


def within(field: str, chosen: Iterable[Span]) -> str:
    """Return the filter that keeps the rows of those spans."""
    name = identifier(field)
    each = (f"({name} >= {literal(span.start)} AND {name} < {literal(span.end)})" for span in chosen)
    return f"({' OR '.join(each)})"
