"""One PostgreSQL server for all tests, its database emptied before each; with PostGIS from Debian."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from debian import install
from engine_contract import Database
from postgresql_server import PostgresqlServer, postgresql_server, programs

from ods_provider.tables.columns import Column
from ods_provider.tables.engines.postgres import PostgresEngine
from ods_provider.tables.load import TableName
from ods_provider.tables.urls import target_of

SHOWN = {"json": "{}::text", "geometry": "gis.ST_AsBinary({})", "datetime": "{}::timestamptz"}


class Postgresql(Database):
    """A database of the server, looked into by psycopg2."""

    schema = "public"

    def __init__(self, url: str) -> None:
        self.url = url

    def engine(self, token: str = "t", url: str | None = None) -> PostgresEngine:
        return PostgresEngine(target_of(url or self.url), token)

    def read(self, table: TableName, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
        names = {column: '"' + column.name.replace('"', '""') + '"' for column in columns}
        listed = ", ".join(SHOWN.get(each.kind, "{}").replace("{}", names[each]) for each in columns)
        rows = self.run(f"SELECT {listed} FROM {self.named(table)}")
        return [tuple(bytes(value) if isinstance(value, memoryview) else value for value in row) for row in rows]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.url, options="-c TimeZone=UTC")
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def tables(self) -> set[str]:
        return {name for (name,) in self.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresqlServer]:
    version = programs().parent.name
    if not Path(f"/usr/share/postgresql/{version}/extension/postgis.control").exists():
        install(f"postgresql-{version}-postgis-3")
    with postgresql_server(user="ods", options=["max_connections=40"]) as server:
        server.run("CREATE DATABASE city")
        # In a schema of its own, as many keep it: its functions are not in the search path.
        server.run("CREATE SCHEMA gis", "city")
        server.run("CREATE EXTENSION postgis SCHEMA gis", "city")
        yield server


@pytest.fixture
def database(server: PostgresqlServer) -> Postgresql:
    """A database with nothing but PostGIS in it. The one of all tests: to make one takes seconds."""
    server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'city' AND pid <> pg_backend_pid()"
    )
    server.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC", "city")
    return Postgresql(server.url("city"))


@pytest.fixture
def make_database() -> type[Postgresql]:
    """For tests that start a server of their own."""
    return Postgresql
