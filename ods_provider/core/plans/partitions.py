"""Cut a query into parts that hold every row once: proven by counts of the portal, or one stream.

Source: Q1, Q2 (lists of groups that are cut), Q13 (time zones), Q42 (values that no literal names): each shows in a sum
that is not the whole, and another field is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from ods_provider.core.counting import counted, verb
from ods_provider.core.cuts import Piece
from ods_provider.core.errors import OdsConfigError, OdsQueryError
from ods_provider.core.legible import legible
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.plans.lookups import MOMENTS, NUMBERS, Lookups, Unfit, calls_of, looks_of, pieces
from ods_provider.core.plans.records import count
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset, Field
from ods_provider.core.wire import Plan

_MOST_TRIED = 4  # fields that are looked at: every look is a call
_MOST_RANGES = 3  # of them numbers and moments, where there are texts too
_BALANCED = 1.5  # of what a part should hold, and the cut is taken without looking further
_WORTH = 0.9  # of all rows in one part, and the parts are no faster than one stream
_SAID_CHARS = 200

_Set = tuple[Field, list[Piece], int]  # aside: a field, its cut, and into how many parts there was room to cut


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a query.

    Attributes:
        number: 0 and up, in the order of the cut.
        where: One ODSQL clause to add to the query's own; None is the whole query.
        rows: As the portal counted it.
        label: Short, for logs: ``population 1000 to 5000``, ``country FR, DE and 3 more``, ``no population``.
    """

    number: int
    where: str | None
    rows: int
    label: str


@dataclass(frozen=True, slots=True)
class Partition:
    """A query cut into parts, whose counts add up to the whole.

    Attributes:
        field: What it is cut by; None is one stream.
        total: Rows of the whole.
        tried: Sentences: why a field that was looked at was not taken, why there is one stream, or fewer parts.
        calls: Calls that the planning took.
    """

    field: str | None
    parts: tuple[Part, ...]
    total: int
    tried: tuple[str, ...] = ()
    calls: int = 0

    def query_of(self, query: Query, part: Part) -> Query:
        """Return the query narrowed to one part: its clause is sent beside those that the query has."""
        return query if part.where is None else replace(query, where=(*query.where, part.where))


def partition(
    dataset: Dataset,
    query: Query,
    *,
    parts: int,
    field: str | None = None,
    total: int,
    most_calls: int | None = None,
) -> Plan[Partition]:
    """Cut a query into parts, each counted by the portal; the counts add up to ``total``, or it is one stream.

    Args:
        dataset: With its schema.
        query: What is to be fetched; its filters are sent along with every look and every count.
        parts: How many parts of about equal counts; the rows without a value are one more, which may be empty.
        field: What to cut by; None chooses. Another one is taken where this one's parts do not add up.
        total: Rows of the query, as the portal counted them before.
        most_calls: Calls that the planning and the fetching may take together; None is any number.

    Raises:
        OdsConfigError: The dataset has no such field.
    """
    chosen = None if field is None else _named(dataset, field)
    ask = Lookups(dataset.dataset_id, query, total, most_calls)
    tried: list[str] = []
    why = _why_one(query, parts, total)
    if why is not None:
        return _one_stream(ask, [why])
    wanted = min(parts, total)
    waiting: list[_Set] = []
    for each in _candidates(dataset, chosen):
        room = _room(ask, wanted, looks=looks_of(each, wanted))
        if room < 2:
            tried.append(_too_few(ask, each))
            continue
        try:
            cut = yield from _cut(ask, each, room)
        except Unfit as unfit:
            tried.append(f"{each.name} was not taken: {unfit}")
            continue
        if each is not chosen and _largest(cut) > max(1.0, _BALANCED * total / room):
            waiting.append((each, cut, room))
            continue
        made = yield from _proven(ask, each, cut, tried, asked_for=each is chosen)
        if made is not None:
            return _told(ask, made, wanted, room, tried + _set_aside(waiting, total))
    waiting.sort(key=lambda one: _largest(one[1]))
    while waiting:
        each, cut, room = waiting.pop(0)
        made = yield from _proven(ask, each, cut, tried)
        if made is not None:
            return _told(ask, made, wanted, room, tried + _set_aside(waiting, total))
    return _one_stream(ask, [*tried, "It is one stream, since no field that was looked at cuts it"])


def _why_one(query: Query, parts: int, total: int) -> str | None:
    if parts < 2:
        return "It is one stream, since no more was asked for"
    if total < 2:
        return f"It is one stream, since there {'is 1 row' if total else 'are no rows'}"
    if query.group_by:
        return "It is one stream, since the rows of one group may lie in several parts"
    return None


def _one_stream(ask: Lookups, tried: Iterable[str]) -> Partition:
    return Partition(None, (Part(0, None, ask.total, "all rows"),), ask.total, tuple(tried), ask.calls)


def _told(ask: Lookups, made: Partition, wanted: int, room: int, tried: list[str]) -> Partition:
    most = ask.most_calls or 0
    left = f"{counted(most, 'calls')} {verb(most, 'is', 'are')} left"
    fewer = [f"There {verb(room, 'is', 'are')} {counted(room, 'parts')} instead of {wanted}, since {left}"]
    return replace(made, tried=(*tried, *(fewer if room < wanted else [])), calls=ask.calls)


def _named(dataset: Dataset, name: str) -> Field:
    found = dataset.field(name)
    if found is None:
        near = listed(nearest(name, (each.name for each in dataset.fields)))
        raise OdsConfigError(
            f"{dataset.dataset_id} has no field {legible(name, most_chars=_SAID_CHARS)!r} to cut by",
            where="argument partition_by",
            advice=f"Did you mean {near}?" if near else "Name a field of the dataset, or leave it out",
        )
    return found


def _candidates(dataset: Dataset, chosen: Field | None) -> Iterator[Field]:
    """Yield what promises even parts for few calls: numbers and moments in turns, then texts, facets first."""
    usable = [each for each in dataset.fields if each is not chosen and not each.multivalued]
    numbers = [each for each in usable if each.type in NUMBERS]
    numbers.sort(key=lambda each: "id" not in each.annotations)
    moments = [each for each in usable if each.type in MOMENTS]
    texts = [each for each in usable if each.type == "text"]
    texts.sort(key=lambda each: "facet" not in each.annotations)
    turns = [each for each in chain.from_iterable(zip_longest(numbers, moments)) if each is not None]
    most = max(_MOST_RANGES, _MOST_TRIED - len(texts))
    others = [*turns[:most], *texts][:_MOST_TRIED]
    if chosen is not None:
        yield chosen
        others = others[: _MOST_TRIED - 1]
    yield from others


def _room(ask: Lookups, wanted: int, *, looks: int) -> int:
    """Return how many parts the calls allow that are left."""
    left = ask.left() - looks
    return wanted if left >= calls_of(wanted) else int(left) // 2 - 1


def _too_few(ask: Lookups, field: Field) -> str:
    left = max(0, int(ask.left()))
    said = f"{counted(left, 'calls')} {verb(left, 'is', 'are')} left"
    return f"{field.name} was not tried: {said}, which is too few for two parts"


def _cut(ask: Lookups, field: Field, parts: int) -> Plan[list[Piece]]:
    if field.multivalued:
        raise Unfit("it holds several values in a cell, so that a row would be in several parts")
    if field.type not in (*NUMBERS, *MOMENTS, "text"):
        raise Unfit(f"fields of type {legible(field.type, most_chars=_SAID_CHARS)} have neither an order nor names")
    try:
        return (yield from pieces(ask, field, parts))
    except OdsQueryError as error:
        raise Unfit(f"the portal refuses to look at it ({_said(error)})") from None
    except OdsConfigError as error:
        raise Unfit(_said(error)) from None


def _proven(
    ask: Lookups, field: Field, cut: list[Piece], tried: list[str], *, asked_for: bool = False
) -> Plan[Partition | None]:
    """Count the parts and return them if they are the whole; else say why not, and return None."""
    if ask.left() < 2 * len(cut):
        tried.append(f"{field.name} was not taken: {counted(len(cut), 'parts')} take more calls than are left")
        return None
    try:
        parts = yield from _counted(ask, cut)
    except Unfit as unfit:
        tried.append(f"{field.name} was not taken: {unfit}")
        return None
    largest = max(part.rows for part in parts)
    if largest > (ask.total - 1 if asked_for else _WORTH * ask.total):
        tried.append(f"{field.name} was not taken: one of its parts holds {largest:,} of {counted(ask.total, 'rows')}")
        return None
    return Partition(field.name, parts, ask.total)


def _counted(ask: Lookups, cut: list[Piece]) -> Plan[tuple[Part, ...]]:
    found: list[Part] = []
    summed = 0
    for piece in cut:
        narrowed = replace(ask.query, where=(*ask.query.where, piece.where))
        try:
            rows = yield from ask.call(count(ask.dataset_id, narrowed))
        except OdsQueryError as error:
            raise Unfit(f"the portal refuses to filter by it ({_said(error)})") from None
        # What one bin lacks and another has too much would be the whole again.
        if piece.exact and rows != piece.rows:
            there = f"{verb(rows, 'is', 'are')} {counted(rows, 'rows')}"
            raise Unfit(f"{piece.label} {there}, and {piece.rows:,} as groups")
        found.append(Part(len(found), piece.where, rows, piece.label))
        summed += rows
        if summed > ask.total:
            break
    if summed != ask.total:
        more = "more than the whole" if summed > ask.total else "not the whole"
        raise Unfit(f"its parts hold {counted(summed, 'rows')}, which is {more} of {ask.total:,}")
    return tuple(found)


def _largest(cut: list[Piece]) -> int:
    return max(piece.rows for piece in cut)


def _set_aside(waiting: Iterable[_Set], total: int) -> list[str]:
    return [
        f"{field.name} was not taken: its largest part would hold about {_largest(cut):,} of {counted(total, 'rows')}"
        for field, cut, _ in waiting
    ]


def _said(error: OdsQueryError | OdsConfigError) -> str:
    return legible(error.what, most_chars=_SAID_CHARS)
