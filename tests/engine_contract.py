"""What every engine of ``tables/`` promises, as tests: a class of them takes one fixture, the ``database``."""

from __future__ import annotations

import math
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, get_args

import pyarrow as pa
import pytest
from killed_load import PATIENCE_S, loading_until_killed

from ods_provider.core.errors import OdsError, OdsTableError
from ods_provider.tables.columns import Column, Kind, arrow_schema
from ods_provider.tables.engine import MEMORY_TABLE, Engine
from ods_provider.tables.load import Load, Loaded, Memory, TableName, Window

DAY = datetime(2026, 3, 1, tzinfo=UTC)


class Database(ABC):
    """A database under test, looked into by other means than the engine's.

    Attributes:
        schema: Where its tables are, None for the default one.
        shows: What is read where a value was loaded, for the kinds of which something is lost.
    """

    schema: str | None = None
    shows: Mapping[Kind, Callable[[Any], Any]] = MappingProxyType({})

    @abstractmethod
    def engine(self, token: str = "t") -> Engine:
        """Return an engine, not connected."""

    @abstractmethod
    def read(self, table: TableName, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
        """Return all rows of a table, values as they were loaded."""

    @abstractmethod
    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement of the test's own, names quoted as in the standard, and commit."""

    @abstractmethod
    def tables(self) -> set[str]:
        """Return the names of all tables."""

    def let_go(self) -> None:  # noqa: B027  most have nothing to close
        """Close what this process has open, so that another one can load."""

    def table(self, name: str = "cities") -> TableName:
        return TableName(name, self.schema)

    def named(self, table: TableName) -> str:
        """Return a table as statements of ``run`` have it."""
        return ".".join('"' + part.replace('"', '""') + '"' for part in (table.schema, table.name) if part)

    def extremes(self, kind: Kind) -> list[Any]:
        """Return values of a kind that are hard to keep; without those that the engine refuses."""
        return EXTREMES[kind]

    def needs(self, mode: str) -> None:
        """Skip a test of a mode that the engine does not have, and says so."""
        if mode not in self.engine().can.modes:
            pytest.skip(f"its modes are {', '.join(self.engine().can.modes)}")

    def shown(self, kind: Kind, value: Any) -> Any:
        """Return what is read where ``value`` was loaded."""
        return self.shows[kind](value) if kind in self.shows else value


ID = Column("id", "int", "id")
NAME = Column("name", "text", "name", label="Name of the city", description="As its people say it")
AT = Column("at", "datetime", "at")
CITIES = (ID, NAME, AT)

EXTREMES: dict[Kind, list[Any]] = {
    "int": [-(2**63), 2**63 - 1, 2**53 + 1, -(2**53) - 1, 0],
    "double": [math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 0.1, -0.5],
    "decimal": [
        Decimal("12345678901234567890123456789.123456789"),
        Decimal("-99999999999999999999999999999.999999999"),
        Decimal("0.000000001"),
        Decimal("1.500000000"),
        Decimal("100.000000000"),
        Decimal("0E-9"),
    ],
    "bool": [True, False],
    "text": [
        "",
        "Zürich 城市 🚲",
        'it\'s "so" `or` [not]',
        "tab\tline\nreturn\r\nback\\slash \\N \\t",
        " NULL ",
        "%s {} ? :a $1 ; -- /* x */",
        "é" * 50_000,
    ],
    "date": [date(1, 1, 1), date(9999, 12, 31), date(1970, 1, 1), date(2024, 2, 29)],
    "datetime": [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 0, 59, 59, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ],
    "json": ['{"a": [1, "é\\"\\\\", null, 12345678901234567890]}', '"text"', "5", "[]", "null"],
    "binary": [bytes(range(256)), b"", b"\\x00'"],
    "geometry": [
        bytes.fromhex("0101000000000000000000f03f0000000000000040"),
        b"\1" + struct.pack("<III8d", 3, 1, 4, 0, 0, 2, 0, 2, -3.25, 0, 0),
    ],
}


def reader(columns: tuple[Column, ...], rows: Iterable[tuple[Any, ...]], *, size: int = 1000) -> pa.RecordBatchReader:
    """Return rows as an engine is given them."""
    schema = arrow_schema(columns)
    rows = list(rows)
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    return pa.RecordBatchReader.from_batches(schema, (batch_of(schema, part) for part in parts))


def batch_of(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    arrays = [pa.array([row[at] for row in rows], field.type) for at, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def memory_of(load: Load, **other: Any) -> Memory:
    kept: dict[str, Any] = {
        "load_id": "work",
        "table": str(load.table),
        "portal": "portal.example",
        "dataset_id": "cities",
        "dataset_uid": None,
        "state": "s'1",
        "data_processed": "2026-03-01T00:00:00+00:00",
        "cursor": None,
        "watermark": None,
        "rows": 0,
        "table_rows": None,
        "run": "t",
        "loaded_at": DAY.isoformat(),
        "outcome": '{"path": "C:\\\\é", "quote": "\'"}',
    }
    return Memory(**{**kept, **other})


def loaded(database: Database, load: Load, rows: Iterable[tuple[Any, ...]], **memory: Any) -> Loaded:
    """Do a load from its beginning to its end."""
    rows = list(rows)
    with database.engine() as engine:
        assert engine.stage(load, reader(load.columns, rows)) == len(rows)
        return engine.commit(load, memory_of(load, rows=len(rows), **memory))


def city(at: int, name: str = "Ghent", day: float = 0) -> tuple[int, str, datetime]:
    return at, name, DAY + timedelta(days=day)


class EngineContract:
    """What every engine promises; ``database`` is an empty one."""

    @pytest.fixture
    def cities(self, database: Database) -> Load:
        return Load(database.table(), CITIES, token="t")

    def seen(self, database: Database, load: Load) -> list[tuple[Any, ...]]:
        return sorted(database.read(load.table, load.columns))

    # What arrives

    def test_every_value_of_every_kind_arrives_as_it_was_sent(self, database: Database) -> None:
        kinds = [kind for kind in get_args(Kind) if kind != "geometry" or database.engine().can.geometry]
        columns = (ID, *(Column(f"a {kind}", kind, kind) for kind in kinds))
        hard = {kind: database.extremes(kind) for kind in kinds}
        most = max(map(len, hard.values())) + 1  # each is null once at least
        rows = [(at, *(hard[kind][at] if at < len(hard[kind]) else None for kind in kinds)) for at in range(most)]
        load = Load(database.table(), columns)
        assert loaded(database, load, rows).table_rows == most
        seen = sorted(database.read(load.table, columns), key=lambda row: row[0])
        for at, column in enumerate(columns[1:], 1):
            expected = [database.shown(column.kind, row[at]) if row[at] is not None else None for row in rows]
            assert repr([row[at] for row in seen]) == repr(expected), column.kind

    def test_rows_of_many_batches_are_counted_where_they_arrived(self, database: Database, cities: Load) -> None:
        rows = [city(at) for at in range(2500)]
        assert loaded(database, cities, rows) == Loaded(2500, 2500, 0, 0)
        assert self.seen(database, cities) == rows
        with database.engine() as engine:
            assert engine.rows(cities.table) == 2500

    def test_an_empty_load_makes_an_empty_table_with_types(self, database: Database) -> None:
        kinds = [kind for kind in get_args(Kind) if kind != "geometry" or database.engine().can.geometry]
        columns = tuple(Column(kind, kind, kind) for kind in kinds)
        load = Load(database.table(), columns)
        assert loaded(database, load, []).table_rows == 0
        assert database.read(load.table, columns) == []
        with database.engine() as engine:
            standing = engine.standing(load.table)
            assert standing is not None
            assert [each.name for each in standing] == [column.name for column in columns]
            for column, each in zip(columns, standing, strict=True):
                assert column.kind in each.takes, (column.kind, each.type)
                assert not each.required
                assert engine.shown(column)

    def test_columns_without_any_value_are_columns(self, database: Database) -> None:
        columns = (Column("a", "text", "a"), Column("b", "double", "b"))
        load = Load(database.table(), columns)
        loaded(database, load, [(None, None), (None, None)])
        assert database.read(load.table, columns) == [(None, None), (None, None)]

    def test_what_does_not_stand_has_no_columns_and_no_memory(self, database: Database, cities: Load) -> None:
        with database.engine() as engine:
            assert engine.standing(cities.table) is None
            assert engine.recall(cities.table, "work") is None

    @pytest.mark.at_length(but=4)
    @pytest.mark.parametrize(
        "name",
        [
            "select",
            "Ville",
            "Où ça",
            "日本",
            "a.b",
            "it's",
            'so "called"',
            "back`tick",
            "1st",
            "100%",
            "a;b",
            "at",
            "a\\b",
        ],
    )
    def test_names_are_kept_whatever_is_in_them(self, database: Database, name: str) -> None:
        database.needs("merge")
        columns = (Column(name, "int", "key"), Column("from", "text", "from", label="it's"))
        load = Load(database.table(name), columns, mode="merge", key=(name,), delete_missing=True, comment="it's \\ so")
        loaded(database, load, [(1, "a"), (2, "b")])
        assert loaded(database, load, [(2, "c"), (3, "d")]) == Loaded(2, 1, 1, 1)
        assert self.seen(database, load) == [(2, "c"), (3, "d")]
        assert database.tables() == {name, MEMORY_TABLE}
        with database.engine() as engine:
            standing = engine.standing(load.table)
        assert standing is not None
        assert [each.name for each in standing] == [name, "from"]

    # The modes

    def test_replace_leaves_the_new_rows_only(self, database: Database, cities: Load) -> None:
        loaded(database, cities, [city(1), city(2)])
        assert loaded(database, cities, [city(2, "Bruges")]).table_rows == 1
        assert self.seen(database, cities) == [city(2, "Bruges")]
        assert loaded(database, cities, []).table_rows == 0
        assert self.seen(database, cities) == []
        assert database.tables() == {"cities", MEMORY_TABLE}

    def test_append_adds_rows(self, database: Database, cities: Load) -> None:
        load = replace(cities, mode="append")
        loaded(database, load, [city(1)])
        assert loaded(database, load, [city(1), city(2)]) == Loaded(3, 2, 0, 0)
        assert self.seen(database, cities) == [city(1), city(1), city(2)]

    def test_a_window_takes_the_place_of_its_rows_so_that_late_ones_ties_and_corrections_are_right(
        self, database: Database, cities: Load
    ) -> None:
        loaded(database, cities, [city(1, day=0), city(2, day=1), city(3, day=2)])
        load = replace(cities, mode="append", window=Window("at", DAY + timedelta(days=1)))
        arrived = [city(2, "corrected", 1), city(3, day=2), city(4, "late", 1.5), city(5, "tie", 2), city(6, day=3)]
        for _ in range(2):  # a second time changes nothing
            assert loaded(database, load, arrived).table_rows == 6
            assert self.seen(database, cities) == [city(1, day=0), *sorted(arrived)]

    def test_rows_without_a_cursor_make_room_too(self, database: Database, cities: Load) -> None:
        loaded(database, cities, [city(1, day=0), (2, "nobody knows when", None)])
        load = replace(cities, mode="append", window=Window("at", DAY + timedelta(days=1)))
        loaded(database, load, [(2, "nobody knows when", None), city(3, day=1)])
        found = sorted(database.read(load.table, load.columns), key=lambda row: row[0])
        assert found == [city(1, day=0), (2, "nobody knows when", None), city(3, day=1)]

    @pytest.mark.parametrize(
        ("kind", "values", "start"),
        [
            ("int", [-5, 2**53, 2**53 + 1], 2**53 + 1),
            ("double", [0.1, 0.25, 1e300], 0.25),
            ("date", [date(1969, 12, 31), date(2026, 3, 1), date(2026, 3, 2)], date(2026, 3, 1)),
            (
                "datetime",
                [DAY, DAY + timedelta(microseconds=1), DAY + timedelta(seconds=1)],
                DAY + timedelta(microseconds=1),
            ),
        ],
    )
    def test_a_window_begins_at_its_start_exactly(
        self, database: Database, kind: Kind, values: list[Any], start: Any
    ) -> None:
        columns = (Column("at", kind, "at"),)
        load = Load(database.table(), columns)
        loaded(database, load, [(value,) for value in values])
        loaded(database, replace(load, mode="append", window=Window("at", start)), [])
        assert database.read(load.table, columns) == [(value,) for value in values if value < start]

    def test_merge_tells_new_changed_and_unchanged_rows_apart(self, database: Database, cities: Load) -> None:
        database.needs("merge")
        load = replace(cities, mode="merge", key=("id",))
        assert loaded(database, load, [city(1), city(2), city(3)]) == Loaded(3, 3, 0, 0)
        assert loaded(database, load, [city(1), city(2, "Bruges"), (3, None, None), city(4)]) == Loaded(4, 1, 2, 0)
        assert loaded(database, load, [(3, None, None)]) == Loaded(4, 0, 0, 0)
        expected = [city(1), city(2, "Bruges"), (3, None, None), city(4)]
        assert sorted(database.read(load.table, CITIES), key=lambda row: row[0]) == expected

    def test_merge_deletes_what_is_missing_where_it_is_told_to(self, database: Database, cities: Load) -> None:
        database.needs("merge")
        load = replace(cities, mode="merge", key=("id", "name"), delete_missing=True)
        loaded(database, load, [city(1), city(1, "Bruges"), city(2)])
        assert loaded(database, load, [city(1), city(3)]) == Loaded(2, 1, 0, 2)
        assert self.seen(database, load) == [city(1), city(3)]
        assert loaded(database, load, []) == Loaded(0, 0, 0, 2)

    def test_merge_of_all_kinds_finds_nothing_changed_the_second_time(self, database: Database) -> None:
        database.needs("merge")
        kinds = [kind for kind in get_args(Kind) if kind != "geometry" or database.engine().can.geometry]
        columns = (ID, *(Column(kind, kind, kind) for kind in kinds))
        load = Load(database.table(), columns, mode="merge", key=("id",))
        rows = [
            (1, *(database.extremes(kind)[0] for kind in kinds)),
            (2, *(database.extremes(kind)[1] for kind in kinds)),
        ]
        assert loaded(database, load, rows) == Loaded(2, 2, 0, 0)
        assert loaded(database, load, rows) == Loaded(2, 0, 0, 0)
        assert loaded(database, load, [(1, *rows[1][1:])]) == Loaded(2, 0, 1, 0)

    def test_merge_by_nothing_but_keys(self, database: Database) -> None:
        database.needs("merge")
        load = Load(database.table(), (ID,), mode="merge", key=("id",), delete_missing=True)
        loaded(database, load, [(1,), (2,)])
        assert loaded(database, load, [(2,), (3,)]) == Loaded(2, 1, 0, 1)

    @pytest.mark.parametrize("mode", ["merge", "scd2"])
    def test_a_key_that_does_not_tell_rows_apart_is_refused_before_anything_changes(
        self, database: Database, cities: Load, mode: Any
    ) -> None:
        database.needs(mode)
        load = replace(cities, mode=mode, key=("id",))
        loaded(database, load, [city(1)])
        before = self.seen(database, load)
        with pytest.raises(OdsError, match=r"'id'.*2 of its values stand in 5 rows.*7 \(2 rows\), 8 \(3 rows\)"):
            loaded(database, load, [city(1, "new"), city(7), city(7), *[city(8)] * 3])
        with pytest.raises(OdsError, match="1 of the rows have no value in their key 'id'"):
            loaded(database, load, [city(1, "new"), (None, "nowhere", None)])
        assert self.seen(database, load) == before
        assert database.tables() == {"cities", MEMORY_TABLE}

    def test_scd2_keeps_what_was(self, database: Database, cities: Load) -> None:
        database.needs("scd2")
        load = replace(cities, mode="scd2", key=("id",), delete_missing=True)
        days = [DAY + timedelta(days=at) for at in range(3)]
        history = (ID, NAME, Column("valid_from", "datetime", ""), Column("valid_to", "datetime", ""))
        first = loaded(database, load, [city(1), city(2), city(3)], loaded_at=days[0].isoformat())
        assert first == Loaded(3, 3, 0, 0)
        second = loaded(database, load, [city(1), city(2, "Bruges"), city(4)], loaded_at=days[1].isoformat())
        assert second == Loaded(5, 1, 1, 1)
        third = loaded(database, load, [city(1), city(2), city(3), city(4)], loaded_at=days[2].isoformat())
        assert third == Loaded(7, 1, 1, 0)
        seen = sorted(database.read(load.table, history), key=lambda row: (row[0], row[2]))
        assert seen == [
            (1, "Ghent", days[0], None),
            (2, "Ghent", days[0], days[1]),
            (2, "Bruges", days[1], days[2]),
            (2, "Ghent", days[2], None),
            (3, "Ghent", days[0], days[1]),
            (3, "Ghent", days[2], None),
            (4, "Ghent", days[1], None),
        ]

    def test_scd2_is_refused_where_the_table_keeps_no_history(self, database: Database, cities: Load) -> None:
        database.needs("scd2")
        loaded(database, cities, [city(1)])
        with pytest.raises(OdsError, match="keeps no history"):
            loaded(database, replace(cities, mode="scd2", key=("id",)), [city(2)])
        assert self.seen(database, cities) == [city(1)]

    # Columns

    def test_columns_are_added_and_made_wider(self, database: Database, cities: Load) -> None:
        loaded(database, cities, [city(1), city(2)])
        new = Column("new", "decimal", "new")
        wider = Column("id", "text", "id")
        load = Load(cities.table, (wider, NAME, AT, new), mode="append", add=(new,), widen=(wider,))
        loaded(database, load, [("007", "Ghent", DAY, Decimal("1.5"))])
        seen = sorted(database.read(load.table, (wider, new)))
        assert repr(seen) == repr(
            [("007", database.shown("decimal", Decimal("1.500000000"))), ("1", None), ("2", None)]
        )

    def test_a_table_may_hold_more_columns_than_the_load(self, database: Database, cities: Load) -> None:
        database.needs("merge")
        more = Column("note", "text", "note")
        whole = Load(cities.table, (*CITIES, more))
        loaded(database, whole, [(*city(1), "kept"), (*city(2), "kept")])
        loaded(database, replace(cities, mode="merge", key=("id",)), [city(1, "Bruges"), city(3)])
        assert sorted(database.read(cities.table, (ID, NAME, more))) == [
            (1, "Bruges", "kept"), (2, "Ghent", "kept"), (3, "Ghent", None),
        ]  # fmt: skip
        loaded(database, cities, [city(9)])
        assert database.read(cities.table, (ID, more)) == [(9, None)]

    def test_a_column_that_the_table_lacks_is_refused(self, database: Database, cities: Load) -> None:
        loaded(database, cities, [city(1)])
        with pytest.raises(OdsTableError, match="no column 'new'"):
            loaded(database, Load(cities.table, (ID, Column("new", "int", "new"))), [(1, 2)])
        assert self.seen(database, cities) == [city(1)]

    def test_a_view_of_the_table_survives_and_takes_no_rows(self, database: Database, cities: Load) -> None:
        loaded(database, cities, [city(1)])
        view = database.named(database.table("seen"))
        database.run(f"CREATE VIEW {view} AS SELECT * FROM {database.named(cities.table)}")
        loaded(database, cities, [city(2), city(3)])
        assert database.run(f"SELECT COUNT(*) FROM {view}") == [(2,)]
        with pytest.raises(OdsTableError, match="view"):
            loaded(database, replace(cities, table=database.table("seen")), [city(4)])

    def test_an_index_of_the_table_survives_each_mode(self, database: Database, cities: Load) -> None:
        database.needs("merge")
        loaded(database, cities, [city(1), city(2)])
        database.run(f'CREATE UNIQUE INDEX by_id ON {database.named(cities.table)} ("id")')
        loaded(database, cities, [city(1, "Bruges"), city(2)])
        loaded(database, replace(cities, mode="append", window=Window("at", DAY)), [city(1), city(2)])
        loaded(database, replace(cities, mode="merge", key=("id",), delete_missing=True), [city(2, "Bruges"), city(3)])
        with pytest.raises(OdsTableError):
            loaded(database, replace(cities, mode="append"), [city(3)])
        assert self.seen(database, cities) == [city(2, "Bruges"), city(3)]

    # The memory

    @pytest.mark.parametrize("watermark", [None, 2**53 + 1, 0.1, "2026-03-01T00:00:00+00:00", "it's \\ é"])
    def test_a_load_is_remembered_with_its_rows(self, database: Database, cities: Load, watermark: Any) -> None:
        loaded(database, cities, [city(1)], load_id="other")
        for rows in (1, 2):
            loaded(database, cities, [city(at) for at in range(rows)], cursor="at", watermark=watermark)
        with database.engine() as engine:
            memory = engine.recall(cities.table, "work")
            assert memory == memory_of(cities, rows=2, table_rows=2, cursor="at", watermark=watermark)
            assert engine.recall(cities.table, "other") is not None
            assert engine.recall(cities.table, "third") is None

    def test_the_last_load_of_a_table_is_known_whatever_was_asked(self, database: Database, cities: Load) -> None:
        other = replace(cities, table=database.table("citie_"))
        with database.engine() as engine:
            assert engine.recall(cities.table, None) is None
        for at, (load, work) in enumerate([(cities, "b"), (cities, "a"), (other, "c")]):
            loaded(database, load, [city(1)], load_id=work, loaded_at=(DAY + timedelta(seconds=at)).isoformat())
        with database.engine() as engine:
            for load, work in ((cities, "a"), (other, "c")):
                memory = engine.recall(load.table, None)
                assert memory is not None and (memory.load_id, memory.table) == (work, str(load.table))
            assert engine.recall(database.table("nothing"), None) is None

    def test_a_refused_load_is_not_remembered(self, database: Database, cities: Load) -> None:
        database.needs("merge")
        load = replace(cities, mode="merge", key=("id",))
        loaded(database, load, [city(1)], watermark=1)
        with pytest.raises(OdsTableError):
            loaded(database, load, [city(2), city(2)], watermark=2)
        with database.engine() as engine:
            memory = engine.recall(cities.table, "work")
        assert memory is not None
        assert memory.watermark == 1

    # What others see, and what stopped runs leave

    def test_what_is_staged_is_seen_by_nobody_and_gone_without_a_commit(self, database: Database, cities: Load) -> None:
        loaded(database, cities, [city(1)])
        with database.engine() as engine:
            engine.stage(cities, reader(CITIES, [city(2)]))
            assert self.seen(database, cities) == [city(1)]
        assert self.seen(database, cities) == [city(1)]
        assert database.tables() == {"cities", MEMORY_TABLE}

    @pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt])
    def test_an_error_of_the_rows_goes_on_up_as_it_was_raised_and_leaves_nothing(
        self, database: Database, cities: Load, kind: type[BaseException]
    ) -> None:
        def batches() -> Iterator[pa.RecordBatch]:
            yield batch_of(arrow_schema(CITIES), [city(2)])
            raise kind("ours")  # made here: it keeps the frames that it passes, and all that they hold

        loaded(database, cities, [city(1)])
        with pytest.raises(kind, match="ours"), database.engine() as engine:
            engine.stage(cities, pa.RecordBatchReader.from_batches(arrow_schema(CITIES), batches()))
        assert self.seen(database, cities) == [city(1)]
        assert database.tables() == {"cities", MEMORY_TABLE}

    def test_a_reader_beside_it_sees_the_old_rows_or_the_new_ones(self, database: Database, cities: Load) -> None:
        versions = [[city(at, f"v{version}") for at in range(300)] for version in range(4)]
        loaded(database, cities, versions[0])
        looks, wrong, done = [0], [], threading.Event()

        def look() -> None:
            while not done.is_set():
                rows = database.read(cities.table, (ID, NAME))
                looks[0] += 1
                if len(rows) != 300 or len({name for _, name in rows}) != 1:
                    wrong.append((len(rows), {name for _, name in rows}))

        thread = threading.Thread(target=look)
        thread.start()
        try:
            for rows in versions[1:]:
                seen = looks[0]
                loaded(database, cities, rows)
                deadline = time.monotonic() + PATIENCE_S
                while looks[0] < seen + 2 and thread.is_alive() and time.monotonic() < deadline:
                    time.sleep(0.01)
        finally:
            done.set()
            thread.join()
        assert wrong == []
        assert looks[0] >= 6

    def test_a_load_is_ended_from_another_thread(self, database: Database, cities: Load) -> None:
        loaded(database, cities, [city(1)])
        under_way = threading.Event()

        def batches() -> Iterator[pa.RecordBatch]:
            for at in range(1_000_000):
                if at == 3:
                    under_way.set()
                yield batch_of(arrow_schema(CITIES), [city(at)])

        with database.engine() as engine:

            def cancel() -> None:
                under_way.wait(PATIENCE_S)
                engine.cancel()

            thread = threading.Thread(target=cancel)
            thread.start()
            with pytest.raises(OdsTableError, match="stopped") as caught:
                engine.stage(cities, pa.RecordBatchReader.from_batches(arrow_schema(CITIES), batches()))
            thread.join()
        assert caught.value.transient
        assert self.seen(database, cities) == [city(1)]
        assert database.tables() == {"cities", MEMORY_TABLE}

    @pytest.mark.at_length
    def test_a_table_is_dropped_with_what_is_remembered_of_it(self, database: Database, cities: Load) -> None:
        other = replace(cities, table=database.table("towns"))
        loaded(database, cities, [city(1)])
        loaded(database, other, [city(2)], load_id="other")
        with database.engine() as engine:
            engine.drop(cities.table, memory_of(cities).load_id)
            engine.drop(database.table("never"), "never")
        assert database.tables() == {"towns", MEMORY_TABLE}
        with database.engine() as engine:
            assert engine.recall(cities.table, memory_of(cities).load_id) is None
            assert engine.recall(other.table, "other") is not None

    @pytest.mark.at_length
    @pytest.mark.parametrize("moment", ["stage", "staged", "commit"])
    def test_a_killed_run_leaves_the_table_old_or_new_and_nothing_staged(
        self, database: Database, cities: Load, moment: Any
    ) -> None:
        old, new = [city(at, "old") for at in range(5000)], [city(at, "new") for at in range(5000)]
        loaded(database, cities, old)
        database.let_go()
        with loading_until_killed(database, cities, new, moment):
            pass
        with database.engine():
            pass
        seen = self.seen(database, cities)
        assert seen == old or (moment == "commit" and seen == new)
        assert database.tables() == {"cities", MEMORY_TABLE}
        assert loaded(database, cities, new).table_rows == 5000
