"""One contract for every engine: here those of files, which need no server."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pytest
from engine_contract import Database, EngineContract

from ods_provider.tables.columns import Column
from ods_provider.tables.engines.duckdb import DuckDbEngine
from ods_provider.tables.engines.sqlite import SqliteEngine
from ods_provider.tables.load import TableName
from ods_provider.tables.urls import target_of

WIDE = Context(prec=50)


class DuckDb(Database):
    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: duckdb.DuckDBPyConnection | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_kept": None}

    def let_go(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def engine(self, token: str = "t", patience_s: float = 60) -> DuckDbEngine:
        return DuckDbEngine(target_of(f"duckdb:///{self.path}"), token, patience_s=patience_s)

    def read(self, table: TableName, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
        def shown(column: Column) -> str:
            name = '"' + column.name.replace('"', '""') + '"'
            # Moments would need a package of time zones to become Python's; older versions do not show geometries.
            return {"datetime": f"epoch_us({name})", "geometry": f"ST_AsWKB({name})"}.get(column.kind, name)

        rows = self.run(f"SELECT {', '.join(map(shown, columns))} FROM {self.named(table)}")
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        moments = [column.kind == "datetime" for column in columns]
        return [
            tuple(
                epoch + timedelta(microseconds=value) if is_moment and value is not None else value
                for is_moment, value in zip(moments, row, strict=True)
            )
            for row in rows
        ]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        # Kept open: a file is opened once for all connections of a process, and opening it is what takes long.
        if self._kept is None:
            self._kept = duckdb.connect(self.path)
        with self._kept.cursor() as cursor:
            return cursor.execute(sql).fetchall()

    def tables(self) -> set[str]:
        return {name for (name,) in self.run("SELECT table_name FROM duckdb_tables()")}


class Sqlite(Database):
    shows = MappingProxyType({"double": lambda value: None if math.isnan(value) else value})

    def __init__(self, path: Path) -> None:
        self.path = path

    def engine(self, token: str = "t", patience_s: float = 60) -> SqliteEngine:
        return SqliteEngine(target_of(f"sqlite:///{self.path}"), token, patience_s=patience_s)

    def read(self, table: TableName, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
        made = {
            "bool": bool,
            "decimal": lambda text: Decimal(text).quantize(Decimal("1.000000000"), context=WIDE),
            "date": date.fromisoformat,
            "datetime": datetime.fromisoformat,
        }
        listed = ", ".join('"' + column.name.replace('"', '""') + '"' for column in columns)
        return [
            tuple(
                made[column.kind](value) if column.kind in made and value is not None else value
                for column, value in zip(columns, row, strict=True)
            )
            for row in self.run(f"SELECT {listed} FROM {self.named(table)}")
        ]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.path, timeout=60)
        try:
            with connection:
                return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def tables(self) -> set[str]:
        return {name for (name,) in self.run("SELECT name FROM sqlite_schema WHERE type = 'table'")}


class TestDuckDb(EngineContract):
    @pytest.fixture
    def database(self, tmp_path: Path) -> Iterator[DuckDb]:
        database = DuckDb(tmp_path / "city.duckdb")
        database.run("SELECT 1")
        yield database
        database.let_go()


class TestSqlite(EngineContract):
    @pytest.fixture
    def database(self, tmp_path: Path) -> Sqlite:
        return Sqlite(tmp_path / "city.db")
