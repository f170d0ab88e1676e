"""A folder of Iceberg tables under test, read by pyiceberg through the catalogue in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from engine_contract import Database
from pyiceberg.catalog.sql import SqlCatalog

from ods_provider.tables.columns import Column
from ods_provider.tables.engine import MEMORY_TABLE, Engine
from ods_provider.tables.engines.registry import engine_of
from ods_provider.tables.load import TableName
from ods_provider.tables.urls import target_of


class Iceberg(Database):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def engine(self, token: str = "t") -> Engine:
        return engine_of(target_of(f"file://{self.folder}?format=iceberg"), token)

    @contextmanager
    def catalog(self) -> Iterator[SqlCatalog]:
        with SqlCatalog("default", uri=f"sqlite:///{self.folder}/_iceberg_catalog.db?timeout=60") as catalog:
            yield catalog

    def read(self, table: TableName, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
        with self.catalog() as catalog:
            found = catalog.load_table(("default", table.name)).scan().to_arrow()
        return [tuple(_utc(row[column.name]) for column in columns) for row in found.to_pylist()]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        pytest.skip("a folder takes no statements")

    def tables(self) -> set[str]:
        # What is remembered stands in each table's own properties.
        with self.catalog() as catalog:
            return {name for _, name in catalog.list_tables("default")} | {MEMORY_TABLE}


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
