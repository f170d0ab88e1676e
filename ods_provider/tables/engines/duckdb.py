"""DuckDB, by its own module: a file that one process has open at a time."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from ods_provider.core.errors import OdsTableBusy, OdsTableError
from ods_provider.core.legible import legible
from ods_provider.tables.applying import apply
from ods_provider.tables.columns import Column
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.duckdbmemory import Pages
from ods_provider.tables.extras import required
from ods_provider.tables.feeding import Feed
from ods_provider.tables.load import Load, Loaded, Memory, StandingColumn, TableName
from ods_provider.tables.memory import forget, memory_table, recall, recalled
from ods_provider.tables.statements import Statements, staging_name
from ods_provider.tables.stopping import was_stopped
from ods_provider.tables.target import Target
from ods_provider.tables.types import as_staged, takes
from ods_provider.tables.urls import expect_own, path_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_PAUSE_S = 0.2
_HOLDER = re.compile(r"lock is held in (.+? \(PID \d+\))")
_SQL = Statements("duckdb")
_WHERE = "database_name = current_database() AND lower(schema_name) = lower(coalesce(?, current_schema()))"


class DuckDbEngine:
    """An ``Engine`` of a DuckDB file. Rows are staged in the file, within the transaction that changes the table.

    Args:
        target: The file.
        token: The run's.
        patience_s: How long another process may keep the file to itself.
    """

    can = Abilities(
        swaps=("stage",),
        modes=("replace", "append", "merge", "scd2"),
        comments=True,
        geometry=True,
        longest_name=None,
        folds_case=True,
        gap="other processes cannot open the file while rows go into it",
    )

    def __init__(self, target: Target, token: str, *, patience_s: float = 60.0) -> None:
        self._target = target
        self._path = path_of(target)
        self._label = target.label
        self._token = token
        self._patience_s = patience_s
        self._stopped = threading.Event()
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._pages: Pages | None = None

    def __enter__(self) -> Self:
        required("sqlglot", "sql", self._label)
        duckdb = required("duckdb", "sql", self._label)
        expect_own(self._target, self._path)
        deadline = time.monotonic() + self._patience_s
        while self._opened is None:
            with self._refusals():
                try:
                    self._opened = duckdb.connect(self._path)
                except duckdb.IOException as error:
                    if not _HOLDER.search(str(error)) or time.monotonic() >= deadline:
                        raise
            if self._opened is None and self._stopped.wait(_PAUSE_S):
                raise was_stopped(self._label)
        # What becomes a moment, and what a moment becomes, is the same on every machine.
        self._opened.execute("SET TimeZone = 'UTC'")
        self._opened.execute("SET enable_progress_bar = false")  # stdout is not its to write to
        self._pages = Pages(self._opened)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._pages is not None:
            self._pages.close()
            self._pages = None
        if self._opened is not None:
            self._opened.close()  # which takes back what was not committed
            self._opened = None

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        with self._refusals(table):
            # Its SQL folds É too, which its names do not: they are compared here.
            found = self._query(
                "SELECT table_name, column_name, data_type, NOT is_nullable AND column_default IS NULL "
                f"FROM duckdb_columns() WHERE {_WHERE} ORDER BY column_index",
                [table.schema],
            )
            columns = [each[1:] for each in found if _folded(each[0]) == _folded(table.name)]
            views = self._query(f"SELECT view_name FROM duckdb_views() WHERE {_WHERE}", [table.schema])
        if any(_folded(name) == _folded(table.name) for (name,) in views):
            raise OdsTableError(
                "This is a view: no rows go into it", where=self._at(table), advice="Load into a table of another name"
            )
        made = (StandingColumn(name, kind, takes(kind, "duckdb"), bool(required)) for name, kind, required in columns)
        return tuple(made) or None

    def shown(self, column: Column) -> str:
        """Return the type that a column would be made with."""
        return _SQL.type_of(column)

    def rows(self, table: TableName) -> int:
        """Return how many rows a table holds."""
        with self._refusals(table):
            return int(self._query(_SQL.count(table))[0][0])

    def recall(self, table: TableName, load_id: str | None) -> Memory | None:
        """Return what is remembered of earlier loads, None where there was none."""
        if self.standing(memory_table(table)) is None:
            return None
        with self._refusals(table):
            found = self._query(recall(_SQL, table, load_id))
        return recalled(found[0]) if found else None

    def stage(self, load: Load, rows: pa.RecordBatchReader) -> int:
        """Bring rows into a table of the transaction that ``commit`` ends, and return how many arrived."""
        staged = staging_name(load.table, self._token)
        assert self._pages is not None
        feed = Feed(self._pages.bound(rows))
        with self._refusals(load.table, feed):
            self._run("BEGIN")
            if load.table.schema:
                self._run(f"CREATE SCHEMA IF NOT EXISTS {_SQL.quoted(load.table.schema)}")
            self._run(_SQL.create(staged, as_staged(load.columns)))
            connection = self._connection()
            connection.register("_ods_feed", feed.reader())
            try:
                self._run(f"INSERT INTO {_SQL.table(staged)} SELECT * FROM _ods_feed")
            finally:
                with suppress(Exception):  # it is refused after a failure, which ends the connection anyway
                    connection.unregister("_ods_feed")
            return self.rows(staged)

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, with all that was staged, and remember it: all of it or nothing."""
        staged = staging_name(load.table, self._token)
        with self._refusals(load.table):
            self._make_room(load)
            loaded = apply(self._run, self._query, _SQL, load, self.standing(load.table), staged, memory)
            self._run(_SQL.drop(staged))
            self._run("COMMIT")
        return loaded

    def drop(self, table: TableName, load_id: str) -> None:
        """Drop a table, if it stands, and forget the load of that name: both or neither."""
        remembered = self.standing(memory_table(table)) is not None
        with self._refusals(table):
            self._run("BEGIN")
            self._run(_SQL.drop(table))
            if remembered:
                self._run(forget(_SQL, table, load_id))
            self._run("COMMIT")

    def cancel(self) -> None:
        """End what the database is doing; called from another thread, and at a signal."""
        self._stopped.set()
        if self._opened is not None:
            self._opened.interrupt()

    def _make_room(self, load: Load) -> None:
        """Lift the bound where the table asks for memory: an index stays there, and keys are compared."""
        found = self._query(
            f"SELECT table_name FROM duckdb_indexes() WHERE {_WHERE} UNION ALL "
            f"SELECT table_name FROM duckdb_constraints() WHERE {_WHERE} "
            "AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')",
            [load.table.schema] * 2,
        )
        if load.key or any(_folded(name) == _folded(load.table.name) for (name,) in found):
            assert self._pages is not None
            self._pages.lift()

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            raise RuntimeError("the engine is not connected")
        if self._stopped.is_set():
            raise was_stopped(self._label)
        return self._opened

    def _query(self, sql: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return self._connection().execute(sql, values).fetchall()

    def _run(self, sql: str) -> int:
        answer = self._connection().execute(sql)
        # Of what changes rows the answer is their number, of the rest there is none.
        row = answer.fetchone() if answer.description else None
        return row[0] if row and isinstance(row[0], int) else -1

    @contextmanager
    def _refusals(self, table: TableName | None = None, feed: Feed | None = None) -> Iterator[None]:
        """Take back what was begun when something fails, and say what the database refused in our words."""
        import duckdb

        try:
            yield
        except BaseException as error:
            if self._opened is not None:
                with suppress(duckdb.Error):  # none was begun, or the failure has ended it
                    self._opened.execute("ROLLBACK")
            if feed is not None and feed.failed is not None:
                raise feed.failed from None
            if isinstance(error, duckdb.Error):
                raise self._refusal(error, table) from error
            raise

    def _at(self, table: TableName | None) -> str:
        return f"{self._label}, table {legible(str(table))}" if table else self._label

    def _refusal(self, error: duckdb.Error, table: TableName | None) -> OdsTableError:
        import duckdb

        text = " ".join(str(error).split("\n\nLINE ")[0].split())
        where = self._at(table)
        if self._stopped.is_set():
            return was_stopped(self._label)
        if holder := _HOLDER.search(text):
            return OdsTableBusy(
                f"Another process has the file open: {holder[1]}",
                where=where,
                advice="Close it there: DuckDB lets one process write, or several read",
            )
        for sign, advice, transient in _KNOWN:
            if sign in text:
                return OdsTableError(text, where=where, advice=advice, transient=transient)
        return OdsTableError(text, where=where, transient=isinstance(error, duckdb.TransactionException))


def _folded(name: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


# What DuckDB says, what to do about it, and whether another try may help.
_KNOWN = (
    ("No such file or directory", "Make the folder, or correct the path", False),
    ("Permission denied", "Let this user write to the file and its folder", False),
    ("Read-only file system", "Name a file on a disk that can be written to", False),
    ("read-only", "Let this user write to the file", False),
    ("Is a directory", "Name a file", False),
    ("not a valid DuckDB database file", "Name another file: this one holds something else", False),
    ("No space left", "Make room on the disk", False),
    ("Out of Memory", "Give DuckDB more memory, or load fewer rows at once", False),
    ("entries that depend on it", "Drop the indexes of the table, load, and make them again", False),
    ("Constraint Error", "Load what the table's constraints allow, or drop them", False),
    ("Conversion Error", "Give the column a wider type, or load into another table", False),
)
