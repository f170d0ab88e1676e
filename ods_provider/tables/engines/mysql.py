"""MariaDB and MySQL: rows as multi-row inserts into a staging table, and one transaction that changes the table."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Self

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.applying import Standing, check_key, check_load
from ods_provider.tables.columns import Column
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.mysqlchanges import changes
from ods_provider.tables.engines.mysqllink import Link
from ods_provider.tables.engines.mysqlvalues import inserts
from ods_provider.tables.keyed import VALID_FROM, VALID_TO
from ods_provider.tables.load import Load, Loaded, Memory, Mode, StandingColumn, TableName
from ods_provider.tables.memory import create_memory, forget, memory_table, recall, recalled, remember
from ods_provider.tables.statements import Statements, staging_name, staging_prefix
from ods_provider.tables.target import Target
from ods_provider.tables.types import as_staged, as_stored, takes

if TYPE_CHECKING:
    import pyarrow as pa

_SQL = Statements("mysql")
_STATEMENT_BYTES = 4_194_304


class MySqlEngine:
    """An engine for one database of a MariaDB or MySQL server.

    Args:
        target: The server; its URL names the database.
        token: The run's.
    """

    can = Abilities(
        swaps=("stage", "rename"),
        modes=("replace", "append", "merge", "scd2"),
        comments=True,
        geometry=False,
        longest_name=64,
        names_by="characters",
        folds_case=True,
    )

    def __init__(self, target: Target, token: str) -> None:
        self._target = target
        self._token = token
        self._link = Link(target)
        self._kept = ""
        self._packet_bytes = 1_048_576

    def __enter__(self) -> Self:
        """Connect, and remove what killed runs of the same token left staged."""
        self._link.open()
        version, self._packet_bytes = self._link.rows("SELECT VERSION(), @@max_allowed_packet")[0]
        # Texts that differ in case, accent or final spaces are different keys.
        collation = "utf8mb4_nopad_bin" if "mariadb" in str(version).lower() else "utf8mb4_0900_bin"
        self._kept = f" ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {collation}"
        self._sweep()
        return self

    def __exit__(self, *exc: object) -> None:
        """Take back what was not committed, and disconnect."""
        if not self._link.is_open:
            return
        with suppress(Exception):  # a connection that is gone has taken all of it back; the next run sweeps
            self._link.take_back()
            self._sweep()
        self._link.close()

    def expect_rights(self, table: TableName, mode: Mode, *, deletes: bool) -> None:
        """Refuse a load whose user lacks a right: tried at a small table, as roles and wildcards hide who has it."""
        tried = staging_name(replace(table, name="rights"), self._token)
        at = _SQL.table(tried)
        try:
            self._link.run(_SQL.drop(tried))  # first: what may not be dropped is not made
            self._link.run(f"CREATE TABLE {at} (n INT) ENGINE=InnoDB")
            for statement in (f"INSERT INTO {at} VALUES (1)", f"UPDATE {at} SET n = 2", f"DELETE FROM {at}"):
                self._link.run(statement)
            self._link.run("COMMIT")
            self._link.run(_SQL.drop(tried))
        except OdsTableError as error:
            # Nobody knows the small table: the right that it lacked is told.
            told = re.sub(r" for table \S+(?= \(error)", f" for a load into {table}", error.what)
            error.reword(lambda _: told, "what")
            raise

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        schema = _SQL.literal(table.schema) if table.schema else "DATABASE()"
        at = f"TABLE_NAME = {_SQL.literal(table.name)} AND TABLE_SCHEMA = {schema}"
        if self._link.rows(f"SELECT 1 FROM information_schema.VIEWS WHERE {at}"):
            raise OdsTableError(
                "This is a view: no rows go into it",
                where=f"{self._target.label}, table {table}",
                advice="Load into a table of another name",
            )
        found = self._link.rows(
            "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE = 'NO' AND COLUMN_DEFAULT IS NULL AND EXTRA = ''"
            f" FROM information_schema.COLUMNS WHERE {at} ORDER BY ORDINAL_POSITION"
        )
        return tuple(StandingColumn(n, t, takes(t, "mysql"), bool(required)) for n, t, required in found) or None

    def shown(self, column: Column) -> str:
        """Return what the database calls the type of a column that it would make."""
        return _SQL.type_of(column)

    def rows(self, table: TableName) -> int:
        """Return how many rows a table that stands holds."""
        return int(self._link.rows(_SQL.count(table))[0][0])

    def recall(self, table: TableName, load_id: str | None) -> Memory | None:
        """Return what is remembered of earlier loads of the same work, None where there was none."""
        if self.standing(memory_table(table)) is None:
            return None
        found = self._link.rows(recall(_SQL, table, load_id))
        return recalled(found[0]) if found else None

    def stage(self, load: Load, rows: pa.RecordBatchReader) -> int:
        """Bring rows into a staging table, and return how many it holds then."""
        staged = staging_name(load.table, self._token)
        self._link.run(_SQL.drop(staged))
        self._link.run(_SQL.create(staged, as_staged(load.columns)) + self._kept)
        if load.key:
            self._link.run(self._index(load, staged))
        for statement in inserts(
            _SQL.table(staged), load.columns, rows, most_bytes=min(self._packet_bytes // 2, _STATEMENT_BYTES)
        ):
            self._link.run(statement)
        self._link.run("COMMIT")
        return self.rows(staged)

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, and remember it."""
        staged = staging_name(load.table, self._token)
        standing = self.standing(load.table)
        check_load(load, standing)
        check_key(self._link.rows, _SQL, load, staged)
        # Definitions commit by themselves here; each leaves the rows as they were.
        self._link.run(create_memory(_SQL, load.table) + self._kept)
        self._define(load, standing)
        wider = {column.name for column in load.widen}
        columns = as_stored(load.columns, [each for each in standing or () if each.name not in wider])
        load = replace(load, columns=columns)
        if load.mode == "replace" and load.swap == "rename" and standing:
            loaded = self._rename(load, staged, memory)
        else:
            loaded = self._change(load, staged, memory)
        self._link.run(_SQL.drop(staged))
        return loaded

    def drop(self, table: TableName, load_id: str) -> None:
        """Forget the load of that name, and drop the table, if it stands: between the two it would be loaded anew."""
        if self.standing(memory_table(table)) is not None:
            self._link.run(forget(_SQL, table, load_id))
            self._link.run("COMMIT")
        self._link.run(_SQL.drop(table))

    def cancel(self) -> None:
        """End the statement that runs, by a second connection."""
        self._link.cancel()

    def _change(self, load: Load, staged: TableName, memory: Memory) -> Loaded:
        self._link.run("START TRANSACTION")
        counts: Counter[str] = Counter()
        for kind, statement in changes(_SQL, load, staged, datetime.fromisoformat(memory.loaded_at)):
            counts[kind] += self._link.run(statement)
        table_rows = self.rows(load.table)
        self._remember(load, memory, table_rows)
        if load.mode == "scd2":
            counts["inserted"] -= counts["updated"]  # a changed row is ended, and comes in anew
        return Loaded(table_rows, counts["inserted"], counts["updated"], counts["deleted"])

    def _define(self, load: Load, standing: Standing) -> None:
        """Make the table, or give it the columns that it lacks."""
        more = (VALID_FROM, VALID_TO) if load.mode == "scd2" else ()
        if standing is None:
            self._link.run(_SQL.create(load.table, (*load.columns, *more)) + self._kept)
            for statement in _SQL.comments(load.table, load.columns, load.comment):
                self._link.run(statement)
            return
        for column in load.add:
            self._link.run(_SQL.add_column(load.table, column))
        for column in load.widen:
            for statement in _SQL.widen_column(load.table, column):
                self._link.run(statement)

    def _rename(self, load: Load, staged: TableName, memory: Memory) -> Loaded:
        """Let a new table, made like the old one, take its name: both names change in one step."""
        prefix = staging_prefix(self._token)
        new, old = (replace(staged, name=f"{prefix}{part}") for part in ("new", "old"))
        self._link.run(f"CREATE TABLE {_SQL.table(new)} LIKE {_SQL.table(load.table)}")
        inserted = self._link.run(_SQL.insert(new, staged, load.columns))
        self._link.run("COMMIT")
        table = _SQL.table(load.table)
        self._link.run(f"RENAME TABLE {table} TO {_SQL.table(old)}, {_SQL.table(new)} TO {table}")
        # A rename commits by itself; what is killed before the next line has the new rows and loads them once more.
        self._remember(load, memory, inserted)
        self._link.run(_SQL.drop(old))
        return Loaded(inserted, inserted, 0, 0)

    def _remember(self, load: Load, memory: Memory, table_rows: int) -> None:
        for statement in remember(_SQL, load.table, replace(memory, table_rows=table_rows)):
            self._link.run(statement)
        self._link.run("COMMIT")

    def _sweep(self) -> None:
        prefix = staging_prefix(self._token)
        found = self._link.rows("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES")
        for schema, name in found:
            if name.startswith(prefix):
                self._link.run(_SQL.drop(TableName(name, schema)))

    def _index(self, load: Load, staged: TableName) -> str:
        """Return what makes the index by which merges look staged rows up."""
        long = {column.name for column in load.columns if column.kind in ("text", "json", "binary", "geometry")}
        parts = ", ".join(f"{_SQL.quoted(name)}{'(100)' if name in long else ''}" for name in load.key)
        return f"ALTER TABLE {_SQL.table(staged)} ADD INDEX ({parts})"
