"""Ask what a field holds, and cut it: numbers by percentiles, moments by histograms, texts by groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, TypeVar

from ods_provider.core import histogram
from ods_provider.core.cuts import Piece, bins, boundaries, nothing, quantiles, ranges, share
from ods_provider.core.odsql import identifier
from ods_provider.core.plans.records import count_of, page
from ods_provider.core.query import Query
from ods_provider.core.schema import Field
from ods_provider.core.wire import Plan

T = TypeVar("T")
Row = dict[str, Any]

NUMBERS = ("int", "double")
MOMENTS = ("date", "datetime")

_MOST_GROUPS = 10_000  # half of the lowest cap that was met (Q1, Q2): a longer list is not asked for
_ROUNDS = 3  # in which the fullest spans of time are looked at more closely
_MOST_RANKS = 64  # percentiles in one call: more make a URL of more than 4 KB, and servers refuse those of 8
_TOO_FULL = 1.5  # of what one part should hold


class Unfit(Exception):
    """A field that does not cut the rows; says why, as the end of a sentence about it."""


@dataclass(slots=True)
class Lookups:
    """Calls about one query, counted.

    Attributes:
        most_calls: How many calls there may be, those that fetch the parts included; None is any number.
        calls: How many there were.
    """

    dataset_id: str
    query: Query
    total: int
    most_calls: int | None = None
    calls: int = 0

    def left(self) -> float:
        """Return how many calls there may still be."""
        return float("inf") if self.most_calls is None else self.most_calls - self.calls

    def call(self, plan: Plan[T]) -> Plan[T]:
        """Run a plan of one call."""
        self.calls += 1
        return (yield from plan)

    def summary(self, select: str) -> Plan[Row]:
        """Ask for aggregates of all rows. One call."""
        query = replace(self.query.filters_only(), select=select)
        found = yield from self.call(page(self.dataset_id, query, limit=1))
        if not found.rows:
            raise Unfit("the portal gives no aggregates of it")
        return found.rows[0]

    def groups(self, group_by: str, where: str | None = None) -> Plan[list[Row]]:
        """Ask how many rows each group has. One call.

        Raises:
            Unfit: The list may be cut.
        """
        kept = self.query.filters_only()
        query = replace(
            kept,
            select=f"count(*) as {histogram.ROWS}",
            group_by=group_by,
            where=kept.where if where is None else (*kept.where, where),
        )
        found = yield from self.call(page(self.dataset_id, query, limit=_MOST_GROUPS))
        if len(found.rows) >= _MOST_GROUPS:
            raise Unfit(f"it has {_MOST_GROUPS:,} groups or more, and a longer list may be cut without a sign")
        return found.rows


def looks_of(field: Field, parts: int) -> int:
    """Return how many calls it takes at least to cut by a field."""
    return 2 if field.type in MOMENTS else ceil((parts - 1) / _MOST_RANKS) if field.type in NUMBERS else 1


def pieces(ask: Lookups, field: Field, parts: int) -> Plan[list[Piece]]:
    """Cut the rows by one field, the rows without a value last.

    One call for a text, one per 64 parts for a number, up to five for a moment.

    Args:
        ask: Of the query.
        field: A number, a moment or a text.
        parts: How many parts are wanted besides that of the rows without a value.

    Raises:
        Unfit: The field gives no parts.
        OdsConfigError: No literal can name one of its values.
    """
    if field.type in NUMBERS:
        return (yield from _by_number(ask, field, parts))
    if field.type in MOMENTS:
        return (yield from _by_moment(ask, field, parts))
    return (yield from _by_text(ask, field, parts))


def _summary(field: Field, *more: str) -> str:
    name = identifier(field.name)
    return ", ".join([f"min({name}) as ods_least", f"max({name}) as ods_most", f"count({name}) as ods_held", *more])


def _held(row: Row) -> int:
    held = count_of(row, "ods_held")
    if not held:
        raise Unfit("it holds no value")
    if row.get("ods_least") == row.get("ods_most"):
        raise Unfit("it holds one value only")
    return held


def _by_number(ask: Lookups, field: Field, parts: int) -> Plan[list[Piece]]:
    name = identifier(field.name)
    ranks = [f"{100 * number / parts:.6f}".rstrip("0").rstrip(".") for number in range(1, parts)]
    # The scale is 0 to 100 (Q8).
    asked = [f"percentile({name}, {rank}) as ods_p{number}" for number, rank in enumerate(ranks, 1)]
    row = yield from ask.summary(_summary(field, *asked[:_MOST_RANKS]))
    held = _held(row)
    for start in range(_MOST_RANKS, len(asked), _MOST_RANKS):
        row |= yield from ask.summary(", ".join(asked[start : start + _MOST_RANKS]))
    least, most = row.get("ods_least"), row.get("ods_most")
    if not isinstance(least, (int, float)) or not isinstance(most, (int, float)):
        raise Unfit("its least and largest values are no numbers")
    values = [row.get(f"ods_p{number}") for number in range(1, parts)]
    atoms = quantiles(least, most, values, held, whole=field.type == "int")
    return _ranges(ask, field, atoms, held, parts)


def _by_moment(ask: Lookups, field: Field, parts: int) -> Plan[list[Piece]]:
    days = field.type == "date"
    zone = histogram.zone_of(ask.query.timezone, days=days)
    row = yield from ask.summary(_summary(field))
    held = _held(row)
    first, last = (histogram.moment(row.get(end), zone) for end in ("ods_least", "ods_most"))
    if first is None or last is None:
        raise Unfit("its first and last moments cannot be read")
    chosen = histogram.units(first, last, days=days)
    found = yield from ask.groups(histogram.group_by(field.name, chosen))
    counted = histogram.spans(found, chosen, zone)
    for _ in range(_ROUNDS):
        full = histogram.too_full(counted, _TOO_FULL * ask.total / parts, days=days)
        if not full or ask.left() <= calls_of(parts):
            break
        chosen = histogram.finer(full, days=days)
        found = yield from ask.groups(histogram.group_by(field.name, chosen), histogram.within(field.name, full))
        others = [span for span in counted if span not in full]
        counted = sorted([*others, *histogram.spans(found, chosen, zone)], key=lambda span: span.start)
    return _ranges(ask, field, [(span.start, span.rows) for span in counted], held, parts)


def _ranges(ask: Lookups, field: Field, atoms: Sequence[tuple[Any, int]], held: int, parts: int) -> list[Piece]:
    starts = boundaries(atoms, share(parts, held, ask.total))
    if not starts:
        raise Unfit("nearly all its rows lie between two boundaries" if held else "it holds no value")
    return [*ranges(field.name, starts, held), nothing(field.name, max(0, ask.total - held))]


def _by_text(ask: Lookups, field: Field, parts: int) -> Plan[list[Piece]]:
    found = yield from ask.groups(f"{identifier(field.name)} as ods_value")
    counted = [(row["ods_value"], int(row[histogram.ROWS])) for row in found if row["ods_value"] is not None]
    if any(not isinstance(value, str) for value, _ in counted):
        raise Unfit("its values are no texts")
    held = sum(rows for _, rows in counted)
    if len(counted) < 2:
        raise Unfit("it holds one value only" if counted else "it holds no value")
    made = bins(field.name, counted, share(parts, held, ask.total))
    if made is None:
        raise Unfit(f"its {len(counted):,} values make clauses longer than a URL should hold")
    if len(made) < 2:
        raise Unfit("nearly all rows hold no value of it")
    return [*made, nothing(field.name, max(0, ask.total - held))]


def calls_of(parts: int) -> int:
    """Return how many calls so many parts take, with that of the rows without a value: each is counted and fetched."""
    return 2 * (parts + 1)
