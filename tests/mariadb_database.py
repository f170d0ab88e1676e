"""A MariaDB database under test, looked into by PyMySQL."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit

import pymysql
from engine_contract import EXTREMES, Database

from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.engines.mysql import MySqlEngine
from ods_provider.tables.load import TableName
from ods_provider.tables.urls import target_of


class MariaDb(Database):
    def __init__(self, url: str) -> None:
        self.url = url

    def engine(self, token: str = "t") -> MySqlEngine:
        return MySqlEngine(target_of(self.url), token)

    def extremes(self, kind: Kind) -> list[Any]:
        return [value for value in EXTREMES[kind] if kind != "double" or math.isfinite(value)]

    def read(self, table: TableName, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
        made: dict[Kind, Any] = {"bool": bool, "datetime": lambda value: value.replace(tzinfo=UTC)}
        listed = ", ".join('"' + column.name.replace('"', '""') + '"' for column in columns)
        return [
            tuple(
                made[column.kind](value) if column.kind in made and value is not None else value
                for column, value in zip(columns, row, strict=True)
            )
            for row in self.run(f"SELECT {listed} FROM {self.named(table)}")
        ]

    @contextlib.contextmanager
    def connected(self) -> Iterator[Any]:
        where = urlsplit(self.url)
        link = pymysql.connect(host=where.hostname, port=where.port, user="root", database="city", charset="utf8mb4")
        with contextlib.closing(link), link.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode = 'ANSI_QUOTES'")
            yield cursor
            link.commit()

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connected() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def tables(self) -> set[str]:
        return {name for (name,) in self.run("SHOW TABLES")}

    def empty(self) -> None:
        """Drop all that stands."""
        for name in self.tables():
            quoted = self.named(TableName(name))
            self.run(f"DROP VIEW IF EXISTS {quoted}")
            self.run(f"DROP TABLE IF EXISTS {quoted}")
