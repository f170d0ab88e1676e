"""Loads into a real ClickHouse, which runs in this process (chdb): all but dlt's own way there, which needs a server.

What stands in for dlt's child process runs the engine's statements as they are, and brings in the same Parquet files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import chdb.session
import pyarrow as pa
import pytest
from engine_contract import CITIES, EXTREMES, ID, NAME, Database, EngineContract, city, loaded

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.engine import MEMORY_TABLE
from ods_provider.tables.engines.dltautocommit import AutocommitEngine
from ods_provider.tables.load import Load, TableName, Window
from ods_provider.tables.target import Target
from ods_provider.tables.urls import target_of


class Within:
    """ClickHouse in this process: one for each folder, and one folder at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._session: chdb.session.Session | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_folder": self._folder, "_session": None}

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def query(self, statement: str) -> list[list[Any]]:
        if self._session is None:
            self._session = chdb.session.Session(str(self._folder))
        found = self._session.query(statement, "Arrow").bytes()
        if not found:
            return []
        table = pa.ipc.open_file(found).read_all()
        columns = [column.to_pylist() for column in table.columns]
        return [list(row) for row in zip(*columns, strict=True)]


class Child:
    """What the engine asks dlt's process for, done here; up to the first statement that begins so."""

    def __init__(self, server: Within, until: str | None) -> None:
        self._server = server
        self._until = until

    def open(self, dataset: str) -> dict[str, Any]:
        return {}

    def ask(self, do: str, **words: Any) -> Any:
        try:
            if do == "load":
                for path, _ in words["files"]:
                    at = f"city.`{words['dataset']}___{words['table']}`"
                    self._server.query(f"INSERT INTO {at} FROM INFILE '{path}' FORMAT Parquet")
                return None
            return self._server.query(words["statement"]) if do == "query" else do == "run" and self._run(**words)
        except RuntimeError as error:
            raise OdsTableError(str(error)[:300]) from None

    def _run(self, statement: str) -> int:
        if self._until and statement.startswith(self._until):
            raise KeyboardInterrupt
        self._server.query(statement)
        return -1

    def cancel(self) -> None: ...

    def close(self) -> None: ...


class ClickHouse(Database):
    schema = "city"

    def __init__(self, server: Within, until: str | None = None) -> None:
        self.server = server
        self.until = until

    def let_go(self) -> None:
        self.server.close()

    def engine(self, token: str = "t") -> AutocommitEngine:
        def child(target: Target, books: str) -> Child:
            return Child(self.server, self.until)

        return AutocommitEngine(target_of("clickhouse://h/city"), token, child=child)

    def extremes(self, kind: Kind) -> list[Any]:
        years: dict[str, list[Any]] = {
            "date": [date(1900, 1, 1), date(2299, 12, 31), date(1969, 12, 31)],
            "datetime": [
                datetime(1900, 1, 1, tzinfo=UTC),
                datetime(2299, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
                *EXTREMES["datetime"][2:],
            ],
        }
        return years.get(kind, EXTREMES[kind])

    def read(self, table: TableName, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
        def shown(column: Column) -> str:
            name = "`" + column.name.replace("\\", "\\\\").replace("`", "\\`") + "`"
            return {"binary": f"hex({name})", "datetime": f"toUnixTimestamp64Micro({name})"}.get(column.kind, name)

        made: dict[Kind, Any] = {
            "binary": bytes.fromhex,
            "datetime": lambda value: datetime.fromtimestamp(value // 1_000_000, UTC).replace(
                microsecond=value % 1_000_000
            ),
        }
        rows = self.server.query(f"SELECT {', '.join(map(shown, columns))} FROM {self.named(table)}")
        return [
            tuple(
                made[column.kind](value) if column.kind in made and value is not None else value
                for column, value in zip(columns, row, strict=True)
            )
            for row in rows
        ]

    def named(self, table: TableName) -> str:
        parts = [part for part in (table.schema or "city", table.name) if part]
        return ".".join("`" + part.replace("\\", "\\\\").replace("`", "\\`") + "`" for part in parts)

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.server.query(sql)]

    def tables(self) -> set[str]:
        return {name for (name,) in self.run("SELECT name FROM system.tables WHERE database = 'city'")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Within]:
    found = Within(tmp_path_factory.mktemp("clickhouse"))
    yield found
    found.close()


@pytest.fixture
def database(server: Within) -> ClickHouse:
    server.query("DROP DATABASE IF EXISTS city SYNC")
    server.query("CREATE DATABASE city ENGINE = Atomic")
    return ClickHouse(server)


class TestClickHouse(EngineContract):
    @pytest.fixture
    def database(self, database: ClickHouse) -> ClickHouse:
        return database

    def test_an_index_of_the_table_survives_each_mode(self, database: Database, cities: Load) -> None:
        loaded(database, cities, [city(1), city(2)])
        at = database.named(cities.table)
        database.run(f"ALTER TABLE {at} ADD INDEX by_name name TYPE bloom_filter GRANULARITY 1")
        loaded(database, cities, [city(1, "Bruges"), city(2)])
        loaded(database, replace(cities, mode="append"), [city(3)])
        loaded(database, replace(cities, mode="merge", key=("id",), delete_missing=True), [city(2, "Bruges"), city(3)])
        assert self.seen(database, cities) == [city(2, "Bruges"), city(3)]
        kept = "SELECT name FROM system.data_skipping_indices WHERE database = 'city' AND table = 'cities'"
        assert database.run(kept) == [("by_name",)]


@pytest.fixture
def cities(database: ClickHouse) -> Load:
    return Load(database.table(), CITIES, token="t")


def test_appended_rows_join_each_partition_of_a_table_of_the_user_s(database: ClickHouse, cities: Load) -> None:
    database.run(
        "CREATE TABLE city.cities (id Int64, name LowCardinality(Nullable(String)), at DateTime64(6), note String"
        " DEFAULT 'by default', year UInt16 MATERIALIZED toYear(at)) ENGINE = MergeTree PARTITION BY toYYYYMM(at)"
        " ORDER BY id"
    )
    days = [city(1, day=0), city(2, day=40), city(3, day=80)]
    assert loaded(database, replace(cities, mode="append"), days).inserted == 3
    assert loaded(database, replace(cities, mode="append"), [city(4, day=80)]).table_rows == 4
    assert loaded(database, replace(cities, mode="merge", key=("id",)), [city(4, "Bruges", 0)]).updated == 1
    assert database.run("SELECT id, name, note, year FROM city.cities ORDER BY id") == [
        (1, "Ghent", "by default", 2026), (2, "Ghent", "by default", 2026),
        (3, "Ghent", "by default", 2026), (4, "Bruges", "by default", 2026),
    ]  # fmt: skip


def test_what_clickhouse_would_change_without_a_word_is_refused(database: ClickHouse, cities: Load) -> None:
    loaded(database, cities, [city(1)])
    day = Column("day", "date", "day")
    with pytest.raises(OdsTableError, match=r"row 2 holds 1899-12-31, and ClickHouse keeps dates.*column day"):
        loaded(database, Load(database.table("days"), (day,)), [(date(1900, 1, 1),), (date(1899, 12, 31),)])
    database.run("CREATE TABLE city.strict (id Int32, name String) ENGINE = MergeTree ORDER BY id")
    with database.engine() as engine:
        standing = engine.standing(database.table("strict"))
    assert standing is not None
    assert standing[0].takes == frozenset()  # a larger number would become another
    strict = Load(database.table("strict"), (NAME,))
    with pytest.raises(OdsTableError, match="NULL"):
        loaded(database, strict, [("Ghent",), (None,)])
    assert database.run("SELECT count() FROM city.strict") == [(0,)]
    assert database.tables() == {"cities", "strict", MEMORY_TABLE}


def test_a_table_of_another_engine_is_refused(database: ClickHouse, cities: Load) -> None:
    database.run("CREATE TABLE city.cities (id Int64) ENGINE = Log")
    with pytest.raises(OdsTableError, match="a table of Log, whose rows change in no single step"):
        loaded(database, replace(cities, columns=(ID,)), [(1,)])


def test_rows_that_are_not_remembered_are_loaded_again(database: ClickHouse, cities: Load) -> None:
    load = replace(cities, mode="append", window=Window("at", city(1)[2]))
    killed = ClickHouse(database.server, until=f'INSERT INTO "city"."{MEMORY_TABLE}"')
    with pytest.raises(KeyboardInterrupt):
        loaded(killed, load, [city(1), city(2)])
    assert len(database.read(cities.table, CITIES)) == 2
    with database.engine() as engine:
        assert engine.recall(cities.table, "work") is None
    assert loaded(database, load, [city(1), city(2)]).table_rows == 2
