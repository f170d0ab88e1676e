"""Read records back after a push: a 200 says that the portal took them, not that it stored them as they were (Q20).

Records are found by the dataset's key fields, those whose schema carries the annotation ``id``. Up to ``MOST`` of them
are read back, spread over the whole; each of their values is compared whose type has one spelling.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsMismatch
from ods_provider.core.faithful import Unfaithful, faithful
from ods_provider.core.given import truth
from ods_provider.core.limits import PAGE_ROWS
from ods_provider.core.odsql import any_of, identifier, literal
from ods_provider.core.plans import records
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset, Field
from ods_provider.core.times import parse_time
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.keys import annotated_key

MOST = 2_000
_MOST_DIGITS = 400
WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0)  # the portal aims at two seconds from push to search
_WHERE_BYTES = 6_000  # in a URL; nginx takes 8 KB for the whole request line
_COMPARED = frozenset({"text", "int", "double", "boolean", "date", "datetime"})

Key = tuple[Any, ...]
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Compares what a dataset shows with what was pushed into it.

    Args:
        dataset: Its description.
        key: Names of the fields by which records are found; empty takes those that are annotated as ``id``.
        most: How many records are looked for at most.
    """

    dataset: Dataset
    key: tuple[str, ...] = ()
    most: int = MOST

    @classmethod
    def of(cls, dataset: Dataset) -> ReadBack:
        """Return the comparison for ``dataset``.

        Raises:
            OdsConfigError: The dataset names no key fields, so that a record cannot be found again.
        """
        made = cls(dataset)
        if not made.keys:
            raise OdsConfigError(
                f"{dataset.dataset_id} marks no field as unique id, so that records cannot be read back",
                where="argument confirm",
                advice="Mark key fields as unique id in the dataset's schema, or push without confirm",
            )
        return made

    @property
    def keys(self) -> tuple[Field, ...]:
        """The key fields."""
        names = self.key or annotated_key(self.dataset)
        return tuple(field for field in self.dataset.fields if field.name in names)

    def run(self, ctx: JobContext, pushed: Iterable[Record], *, rows: int, deleted: bool) -> int:
        """Wait until the records show, or no longer show, and return how many were read back.

        Args:
            ctx: The job's.
            pushed: All records, in the order in which they were sent.
            rows: How many they are.
            deleted: Whether they must be gone.

        Raises:
            OdsIncomplete: Some do not show as they were pushed.
        """
        wanted = self.sample(pushed, rows)
        if rows and not wanted:
            raise OdsIncomplete(
                "no record holds a value that can be asked for in every key field, so that none can be read back",
                where=f"dataset {self.dataset.dataset_id}",
                advice=f"Key fields are {', '.join(field.name for field in self.keys)}; no filter finds a line break",
            )
        return self.await_all(ctx, wanted, rows=rows, deleted=deleted)

    def await_all(self, ctx: JobContext, wanted: Mapping[Key, Record], *, rows: int, deleted: bool) -> int:
        """Wait until the records of a sample show, or no longer show, and return how many they are.

        Args:
            ctx: The job's.
            wanted: From ``sample``.
            rows: How many were sent in all.
            deleted: Whether they must be gone.

        Raises:
            OdsIncomplete: Some do not show as they were pushed.
        """
        left, spent_s = self._wrong(ctx, wanted, deleted), 0.0
        for wait_s in WAITS_S:
            if not left or spent_s + wait_s > ctx.client.terms.rules.max_wait_s:
                break
            ctx.check()
            ctx.client.terms.sleep(wait_s)
            spent_s += wait_s
            left = self._wrong(ctx, {key: wanted[key] for key in left}, deleted)
        if left:
            key, said = next(iter(left.items()))
            raise OdsMismatch(
                f"the portal accepted {counted(rows, 'records')}, but {len(left)} of {len(wanted)} that were read back "
                f"are not as they should be after {spent_s:.0f} s, such as {_shown(key)}: {said}",
                where=f"dataset {self.dataset.dataset_id}",
                advice="Look at the dataset's processing errors: a value of a wrong type is lost without a word (Q20)",
            )
        return len(wanted)

    def sample(self, pushed: Iterable[Record], rows: int) -> dict[Key, Record]:
        """Return records that can be asked for, spread over the whole.

        Args:
            pushed: All records, in the order in which they were sent.
            rows: How many they are.
        """
        step = max(1, math.ceil(rows / self.most))
        kept: dict[Key, Record] = {}
        for number, record in enumerate(pushed):
            key = self._key(record)
            # The last record of a key is the one that must stand in the end.
            if None not in key and (number % step == 0 or number == rows - 1 or key in kept) and self._can_ask(record):
                kept[key] = record
        return kept

    def _can_ask(self, record: Record) -> bool:
        """Return whether a filter can find the record: a line break has no literal (Q42), a word no date."""
        try:
            self._clause([record])
        except (OdsConfigError, ValueError, ArithmeticError):
            return False
        return True

    def _key(self, record: Record) -> Key:
        return tuple(_plain(field, record.get(field.name)) for field in self.keys)

    def _wrong(self, ctx: JobContext, wanted: Mapping[Key, Record], deleted: bool) -> dict[Key, str]:
        found: dict[Key, Record] = {}
        for clause in self._clauses(wanted):
            page = ctx.client.run(records.page(self.dataset.dataset_id, Query.of(where=clause), limit=PAGE_ROWS))
            found |= {self._key(row): row for row in page.rows}
        if deleted:
            return {key: "it is still there" for key in wanted if key in found}
        return {key: said for key, record in wanted.items() if (said := self._differs(record, found.get(key)))}

    def _clauses(self, wanted: Mapping[Key, Record]) -> Iterator[str]:
        """Yield filters that find all of them, each short enough for a URL and for one page."""
        chosen: list[Record] = []
        size = 0
        for record in wanted.values():
            # As it will stand in the URL, with what is written around each value.
            more = sum(len(quote_plus(f"{field.name}{record[field.name]}")) + 36 for field in self.keys)
            if chosen and (len(chosen) == PAGE_ROWS or size + more > _WHERE_BYTES):
                yield self._clause(chosen)
                chosen, size = [], 0
            chosen.append(record)
            size += more
        if chosen:
            yield self._clause(chosen)

    def _clause(self, chosen: list[Record]) -> str:
        if len(self.keys) == 1:
            field = self.keys[0]
            return any_of(field.name, [_asked(field, record[field.name]) for record in chosen])
        each = (
            " AND ".join(
                f"{identifier(field.name)} = {literal(_asked(field, record[field.name]))}" for field in self.keys
            )
            for record in chosen
        )
        return " OR ".join(f"({one})" for one in each)

    def _differs(self, pushed: Record, shown: Record | None) -> str | None:
        if shown is None:
            return "it is not there"
        for field in self.dataset.fields:
            if field.name not in pushed or field.type not in _COMPARED or field.multivalued:
                continue
            given, stands = pushed[field.name], shown.get(field.name)
            if _plain(field, given) != _plain(field, _cut(field, given, stands)):
                return f"{field.name} is {_shown(stands)}, pushed was {_shown(given)}"
        return None


def _cut(field: Field, given: Any, stands: Any) -> Any:
    # A date that is kept to the year shows less of itself than was pushed.
    if field.type == "date" and isinstance(stands, str) and given is not None:
        text = _date_text(given)
        return text if text.startswith(stands) else stands
    return stands


def _date_text(value: Any) -> str:
    return value.isoformat()[:10] if isinstance(value, (date, datetime)) else str(value).strip()[:10]


def _plain(field: Field, value: Any) -> Any:
    """Return a value in the one spelling that both sides are compared in; what does not fit its type stays itself."""
    value = _sent(value)
    if value is None or value == "":
        return None
    try:
        if field.type == "int":
            return int(value) if isinstance(value, int) else _whole(Decimal(str(value)))
        if field.type == "double":
            return f"{float(value):.12g}"
        if field.type == "boolean":
            return truth(field.name, value)
        if field.type == "date":
            return _date_text(value)
        if field.type == "datetime":
            moment = parse_time(value)
            return moment.replace(microsecond=0) if moment else str(value)
    except (TypeError, ValueError, ArithmeticError):
        return str(value)
    return str(value)


def _whole(number: Decimal) -> int:
    # The integer of 1e999999999 would take the machine's memory to write down.
    if number.adjusted() > _MOST_DIGITS:
        raise ValueError("no integer of any portal")
    return int(number)


def _sent(value: Any) -> Any:
    """Return a value as the push wrote it; one that names a file is none of those that are compared."""
    try:
        return faithful(value)
    except Unfaithful:
        return value


def _asked(field: Field, value: Any) -> Any:
    """Return a key's value as the portal must be asked for it: typed as the schema says (Q40)."""
    plain = _plain(field, value)
    if field.type == "date" and isinstance(plain, str):
        return date.fromisoformat(plain)
    if field.type == "double":
        return float(value)
    if field.type == "datetime":
        return parse_time(value)
    return plain


def _shown(value: Any) -> str:
    return f"{value!r}"[:80]
