"""Rows that a portal makes one: how many will be left of a file's rows, as far as that can be known beforehand.

Without key fields a record's id is made of all its values, so that equal rows become one; with them, rows of one key
do. The portal compares values, a file holds their spellings: ``1`` and ``1.0`` are one number and two texts. So two
numbers are counted, in a temporary database that grows on disk: rows that are certainly apart, and rows that may be.

Source: Q12 (record ids), Q20; automation API, annotation ``id``.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ods_provider.core.schema import Dataset
from ods_provider.core.times import parse_time

_SOME = 5_000
_CACHE_KB = 16_000
_NO_WORD = re.compile(r"[^a-z0-9]+")
_MOMENT = re.compile(r"\d{4}-\d")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """How many rows a portal will hold of a file: from ``least`` to ``most``."""

    least: int
    most: int

    def holds(self, rows: int) -> bool:
        """Return whether so many may be all."""
        return self.least <= rows <= self.most


def left_of(records: Iterable[Record], shown: Dataset | None, *, check: Callable[[], None]) -> Left:
    """Count what will be left of a file's rows.

    Args:
        records: All of them.
        shown: The dataset as it shows: its key fields, and which columns it kept; None where that is not known.
        check: Stops the work where it is told to.
    """
    with closing(sqlite3.connect("")) as apart:  # a file without a name, which goes with the connection
        apart.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
        for table in ("certainly", "perhaps"):
            apart.execute(f"CREATE TABLE {table} (row BLOB PRIMARY KEY) WITHOUT ROWID")
        each = iter(records)
        columns: _Columns | None = None
        while some := list(islice(each, _SOME)):
            check()
            columns = columns or _Columns.of(some, shown)
            _add(apart, "certainly", (columns.certain(record) for record in some))
            _add(apart, "perhaps", (columns.possible(record) for record in some))
        least, most = (_count(apart, table) for table in ("certainly", "perhaps"))
        return Left(least, most)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which columns tell rows apart: ``kept`` surely do, None of ``possible`` excludes none."""

    kept: Collection[str] | None
    may: Collection[str] | None

    @classmethod
    def of(cls, some: list[Record], shown: Dataset | None) -> _Columns:
        names = {_plain(name) for record in some for name in record}
        fields = {_plain(each.name) for each in shown.fields} if shown else set()
        keys = {_plain(each.name) for each in shown.fields if "id" in each.annotations} if shown else set()
        if not fields:
            return cls(None, None)
        if keys:
            return cls(keys & names, keys if keys <= names else None)
        # A field of another name may be any column that is not found: then none need have been dropped.
        renamed = len(fields - names) >= len(names - fields)
        return cls(None if renamed else fields & names, None)

    def certain(self, record: Record) -> bytes:
        return _digest(record, self.kept, _value)

    def possible(self, record: Record) -> bytes:
        return _digest(record, self.may, _spelling)


def _digest(record: Record, columns: Collection[str] | None, told: Callable[[Any], str | None]) -> bytes:
    cells = ((_plain(name), told(value)) for name, value in record.items())
    chosen = sorted((name, text) for name, text in cells if text is not None and (columns is None or name in columns))
    return hashlib.blake2b(repr(chosen).encode(errors="surrogatepass"), digest_size=16).digest()


def _spelling(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _value(value: Any) -> str | None:
    """Return a text that is the same for all spellings of a value."""
    text = (_spelling(value) or "").strip()
    if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return repr(number + 0.0)
    if _MOMENT.match(text) and (moment := parse_time(text)) is not None:
        return moment.replace(microsecond=0).isoformat()
    return text.casefold() or None


def _plain(name: str) -> str:
    """Return a column's name as a portal makes one of it, as far as names tell columns apart."""
    return _NO_WORD.sub("_", str(name).casefold()).strip("_") or str(name)


def _add(apart: sqlite3.Connection, table: str, rows: Iterator[bytes]) -> None:
    apart.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?)", ((row,) for row in rows))  # noqa: S608  our own name


def _count(apart: sqlite3.Connection, table: str) -> int:
    (found,) = apart.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  as above
    return int(found)
