"""Databases that dlt brings rows to: staged by it, in a child process of ours, and put in place by our statements."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import parse_qsl, urlsplit

from ods_provider.core.errors import OdsError, OdsTableError
from ods_provider.tables.applying import apply
from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.dltpipe import Child
from ods_provider.tables.load import Load, Loaded, Memory, StandingColumn, TableName
from ods_provider.tables.memory import forget, memory_table, recall, recalled
from ods_provider.tables.spool import Spool
from ods_provider.tables.statements import Statements, staging_prefix
from ods_provider.tables.stopping import until_stopped, was_stopped
from ods_provider.tables.target import Target
from ods_provider.tables.types import Dialect, as_staged, takes

if TYPE_CHECKING:
    import pyarrow as pa

# What dlt calls the kinds. JSON and geometries are staged as plain texts and bytes.
_TYPES: dict[Kind, dict[str, Any]] = {
    "int": {"data_type": "bigint"},
    "double": {"data_type": "double"},
    "decimal": {"data_type": "decimal", "precision": 38, "scale": 9},
    "bool": {"data_type": "bool"},
    "text": {"data_type": "text"},
    "date": {"data_type": "date"},
    "datetime": {"data_type": "timestamp", "timezone": True, "precision": 6},
    "json": {"data_type": "text"},
    "binary": {"data_type": "binary"},
    "geometry": {"data_type": "binary"},
}
_DIALECTS: dict[str, Dialect] = {
    "mssql": "tsql",
    "redshift": "redshift",
    "postgresql": "postgres",
    "duckdb": "duckdb",
    "clickhouse": "clickhouse",
    "databricks": "databricks",
    "athena": "athena",
}
_SCHEMAS = {"mssql": "dbo", "redshift": "public", "postgresql": "public", "duckdb": "main"}
_LONGEST = {"mssql": 128, "redshift": 127, "postgresql": 63}


class Link(Protocol):
    """What talks with the process in which dlt runs: ``Child``."""

    def open(self, dataset: str) -> dict[str, Any]:
        """Connect."""
        ...

    def ask(self, do: str, **words: Any) -> Any:
        """Have it do something, and return what it answers."""
        ...

    def cancel(self) -> None:
        """End it."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


class DltEngine:
    """An ``Engine`` of what dlt reaches and takes statements in transactions.

    dlt loads into a staging table only, which no reader knows and which is counted; what then happens to the table are
    the statements that all engines share, in one transaction on dlt's connection.

    Args:
        target: The database.
        token: The run's.
        child: What talks with dlt's process; tests have one of their own.
    """

    def __init__(self, target: Target, token: str, *, child: Callable[[Target, str], Link] | None = None) -> None:
        self._target = target
        self._token = token
        self._sql = Statements(_DIALECTS[target.kind])
        self._make_child = child or (lambda target, books: Child(target, books=books))
        self._child: Link | None = None
        self._stopped = threading.Event()
        self.can = Abilities(
            swaps=("stage",),
            modes=("replace", "append", "merge", "scd2"),
            comments=self._sql.dialect in {"redshift", "postgres", "duckdb"},
            geometry=False,
            longest_name=_LONGEST.get(target.kind),
            names_by="characters" if target.kind == "mssql" else "bytes",
            folds_case=self._sql.dialect != "postgres",
        )

    def __enter__(self) -> Self:
        """Start the child, connect, and remove what a killed run of the same token left staged."""
        child = self._child = self._make_child(self._target, staging_prefix(self._token) + "dlt")
        try:
            with self._speaking():
                child.open(self._dataset(self._schema(None)))
            self._sweep()
        except BaseException:
            self._child = None
            child.cancel()
            child.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Take back what was not committed, remove what was staged, and disconnect."""
        child, self._child = self._child, None
        if child is None:
            return
        self._child = child
        with suppress(OdsError):  # a child that has ended takes its transaction with it; the next run sweeps
            child.ask("rollback")
            self._sweep()
        self._child = None
        child.close()

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        at = f"table_name = {self._sql.literal(table.name)} AND table_schema = {self._sql.literal(self._schema(table))}"
        if self._query(f"SELECT 1 FROM information_schema.views WHERE {at}"):
            raise OdsTableError(
                "This is a view: no rows go into it",
                where=f"{self._target.label}, table {table}",
                advice="Load into a table of another name",
            )
        found = self._query(
            "SELECT column_name, data_type, is_nullable, column_default, character_maximum_length,"
            " numeric_precision, numeric_scale, datetime_precision FROM information_schema.columns"
            f" WHERE {at} ORDER BY ordinal_position"
        )
        return tuple(self._column(row) for row in found) or None

    def shown(self, column: Column) -> str:
        """Return what the database calls the type of a column that it would make."""
        return self._sql.type_of(column)

    def rows(self, table: TableName) -> int:
        """Return how many rows a table that stands holds."""
        return int(self._query(self._sql.count(self._whole(table)))[0][0])

    def recall(self, table: TableName, load_id: str | None) -> Memory | None:
        """Return what is remembered of earlier loads of the same work, None where there was none."""
        if self.standing(memory_table(table)) is None:
            return None
        found = self._query(recall(self._sql, self._whole(table), load_id))
        return recalled(found[0]) if found else None

    def stage(self, load: Load, rows: pa.RecordBatchReader) -> int:
        """Bring rows into a staging table, and return how many it holds then."""
        staged = self._staged(load)
        # With the books of an earlier load dlt would believe that its table stands.
        self._sweep()
        spool = Spool()
        try:
            spool.fill(until_stopped(rows, self._stopped, self._target.label))
            if spool.files:
                hints = [{"name": column.name, "nullable": True, **_TYPES[column.kind]} for column in load.columns]
                self._bring(staged, load.columns, hints, spool.files)
            else:
                # dlt makes no table of nothing, and fails on some databases.
                self._ask("run", statement=self._sql.create(staged, as_staged(load.columns)))
        finally:
            spool.close()
        return self.rows(staged)

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, with all that was staged, and remember it: all of it or nothing."""
        whole = replace(load, table=self._whole(load.table))
        staged = self._staged(load)
        self._ask("begin")
        try:
            standing = self.standing(load.table)
            loaded = apply(self._run, self._query, self._sql, whole, standing, staged, memory)
            self._run(self._sql.drop(staged))
            self._ask("commit")
        except BaseException:
            with suppress(OdsError):
                self._ask("rollback")
            raise
        return loaded

    def drop(self, table: TableName, load_id: str) -> None:
        """Drop a table, if it stands, and forget the load of that name: both or neither."""
        whole, remembered = self._whole(table), self.standing(memory_table(table)) is not None
        self._ask("begin")
        try:
            self._run(self._sql.drop(whole))
            if remembered:
                self._run(forget(self._sql, whole, load_id))
            self._ask("commit")
        except BaseException:
            with suppress(OdsError):
                self._ask("rollback")
            raise

    def cancel(self) -> None:
        """End what the database is doing, and the child."""
        self._stopped.set()
        if self._child is not None:
            self._child.cancel()

    def _sweep(self) -> None:
        """Drop what has the run's prefix: staged rows, and the books that dlt keeps."""
        prefix = staging_prefix(self._token)
        found = self._query("SELECT table_schema, table_name FROM information_schema.tables")
        for schema, name in found:
            if str(name).startswith(prefix):
                self._ask("run", statement=self._sql.drop(TableName(str(name), str(schema))))

    def _column(self, row: list[Any]) -> StandingColumn:
        name, kind, nullable, default, _, digits, scale, fraction = row
        shown = str(kind)
        if shown.lower() in {"numeric", "decimal"} and digits is not None:
            shown = f"{shown}({digits}, {scale or 0})"
        elif shown.lower() in {"datetime2", "datetimeoffset"} and fraction is not None:
            shown = f"{shown}({fraction})"
        required = nullable == "NO" and default is None
        return StandingColumn(str(name), shown, takes(shown, self._sql.dialect), required)

    def _staged(self, load: Load) -> TableName:
        # dlt names files by tables, and takes no name that is none of a file.
        return TableName(staging_prefix(self._token) + "rows", self._schema(load.table))

    def _whole(self, table: TableName) -> TableName:
        return TableName(table.name, self._schema(table))

    def _schema(self, table: TableName | None) -> str:
        if table is not None and table.schema:
            return table.schema
        return self._given.get("schema") or _SCHEMAS[self._target.kind]

    @property
    def _given(self) -> dict[str, str]:
        """What the URL or the connection says besides where the database is; no secrets."""
        options = {name: str(value) for name, value in self._target.options.items() if value}
        return options | dict(parse_qsl(urlsplit(self._target.url.reveal()).query))

    def _dataset(self, schema: str) -> str:
        """Return what dlt calls a schema."""
        return schema

    def _bring(
        self, staged: TableName, columns: tuple[Column, ...], hints: list[dict[str, Any]], files: list[tuple[str, int]]
    ) -> None:
        """Have dlt load files into a staging table."""
        self._ask("load", dataset=staged.schema, table=staged.name, columns=hints, files=files)

    def _ask(self, do: str, **words: Any) -> Any:
        if self._child is None:
            raise RuntimeError("the engine is not connected")
        with self._speaking(confirming=do == "commit"):
            return self._child.ask(do, **words)

    @contextmanager
    def _speaking(self, *, confirming: bool = False) -> Iterator[None]:
        """Say that the load was stopped, where what the child or the database says comes of that."""
        try:
            yield
        except OdsTableError:
            if self._stopped.is_set():
                raise was_stopped(self._target.label, confirming=confirming) from None
            raise

    def _run(self, statement: str) -> int:
        return int(self._ask("run", statement=statement))

    def _query(self, statement: str) -> list[list[Any]]:
        found: list[list[Any]] = self._ask("query", statement=statement)
        return found
