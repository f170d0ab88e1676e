"""SQLite, by Python's own module: rows are staged in a file of the connection, and copied in one transaction."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from ods_provider.core.errors import OdsConfigError, OdsTableError
from ods_provider.core.legible import legible
from ods_provider.tables.applying import apply
from ods_provider.tables.columns import Column
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.sqlite_values import bound
from ods_provider.tables.extras import required
from ods_provider.tables.feeding import small
from ods_provider.tables.load import Load, Loaded, Memory, StandingColumn, TableName
from ods_provider.tables.memory import forget, memory_table, recall, recalled
from ods_provider.tables.statements import Statements, staging_name
from ods_provider.tables.stopping import was_stopped
from ods_provider.tables.target import Target
from ods_provider.tables.types import as_staged, takes
from ods_provider.tables.urls import expect_own, path_of

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

_PAUSE_S = 0.1
_BATCH_ROWS = 10_000
_SQL = Statements("sqlite")


class SqliteEngine:
    """An ``Engine`` of an SQLite file, whose journal stays as it is set.

    Args:
        target: The file.
        token: The run's.
        patience_s: How long others may keep the file locked.
    """

    can = Abilities(
        swaps=("stage",),
        modes=("replace", "append", "merge", "scd2"),
        comments=False,
        geometry=True,
        longest_name=None,
        folds_case=True,
    )

    def __init__(self, target: Target, token: str, *, patience_s: float = 60.0) -> None:
        self._target = target
        self._path = path_of(target)
        self._label = target.label
        self._token = token
        self._patience_s = patience_s
        self._stopped = threading.Event()
        self._opened: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        required("sqlglot", "sql", self._label)
        expect_own(self._target, self._path)
        with self._refusals():
            # SQLite's own waiting cannot be ended by another thread, so that it is short, and ours goes around it.
            self._opened = sqlite3.connect(self._path, timeout=_PAUSE_S, isolation_level=None, check_same_thread=False)
            try:
                self._query("SELECT COUNT(*) FROM sqlite_schema")  # only this looks into the file
            except BaseException:
                self.__exit__()
                raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self._opened is not None:
            self._opened.close()  # which takes back what was not committed, and removes what was staged
            self._opened = None

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        if table.schema not in {None, "main"}:
            raise OdsConfigError(
                f"SQLite has no schema {legible(str(table.schema))!r}", where=self._label, advice="Name the table alone"
            )
        with self._refusals(table):
            kinds = self._query("SELECT type FROM main.sqlite_schema WHERE lower(name) = lower(?)", (table.name,))
            if ("view",) in kinds:
                raise OdsTableError(
                    "This is a view: no rows go into it",
                    where=self._at(table),
                    advice="Load into a table of another name",
                )
            found = self._query(
                "SELECT name, type, \"notnull\" AND dflt_value IS NULL AND NOT (pk AND upper(type) = 'INTEGER') "
                "FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0 ORDER BY cid",
                (table.name,),
            )
        columns = (StandingColumn(name, kind, takes(kind, "sqlite"), bool(required)) for name, kind, required in found)
        return tuple(columns) or None

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
        """Bring rows into a table of this connection, in a file beside the system's others, and count them there."""
        staged = self._staged(load)
        nothing: Counter[str] = Counter()
        with self._refusals(load.table):
            self._run("BEGIN")  # which locks nothing of the database itself
            self._run(_SQL.drop(staged))
            self._run(_SQL.create(staged, as_staged(load.columns)))
            into = f"INSERT INTO {_SQL.table(staged)} VALUES ({', '.join('?' for _ in load.columns)})"
            for batch in small(rows, _BATCH_ROWS):
                self._connection().executemany(into, bound(batch, load.columns, nothing))
            if load.key:  # rows are looked up by it, and doubles found
                index = _SQL.table(replace(staged, name=f"{staged.name}_key"))
                self._run(
                    f"CREATE INDEX {index} ON {_SQL.quoted(staged.name)} ({', '.join(map(_SQL.quoted, load.key))})"
                )
            self._run("COMMIT")
            for name, count in (+nothing).items():
                log.warning("%s: %d NaN of %s became NULL: SQLite has none.", self._at(load.table), count, name)
            return self.rows(staged)

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, with all that was staged, and remember it: all of it or nothing."""
        staged = self._staged(load)
        with self._refusals(load.table):
            self._patiently("BEGIN IMMEDIATE")
            loaded = apply(self._run, self._query, _SQL, load, self.standing(load.table), staged, memory)
            self._run(_SQL.drop(staged))
            # Readers may hold the file a moment longer: the transaction stands until they have gone.
            self._patiently("COMMIT")
        return loaded

    def drop(self, table: TableName, load_id: str) -> None:
        """Drop a table, if it stands, and forget the load of that name: both or neither."""
        remembered = self.standing(memory_table(table)) is not None
        with self._refusals(table):
            self._patiently("BEGIN IMMEDIATE")
            self._run(_SQL.drop(TableName(table.name, "main")))
            if remembered:
                self._run(forget(_SQL, table, load_id))
            self._patiently("COMMIT")

    def cancel(self) -> None:
        """End what the database is doing; called from another thread, and at a signal."""
        self._stopped.set()
        if self._opened is not None:
            with suppress(sqlite3.ProgrammingError):  # closed meanwhile
                self._opened.interrupt()

    def _staged(self, load: Load) -> TableName:
        return staging_name(TableName(load.table.name, "temp"), self._token)

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            raise RuntimeError("the engine is not connected")
        if self._stopped.is_set():
            raise was_stopped(self._label)
        return self._opened

    def _query(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self._patiently(sql, values).fetchall()

    def _run(self, sql: str) -> int:
        return self._connection().execute(sql).rowcount

    def _patiently(self, sql: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run a statement, again as long as others keep it from the file."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return self._connection().execute(sql, values)
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() >= deadline:
                    raise

    @contextmanager
    def _refusals(self, table: TableName | None = None) -> Iterator[None]:
        """Take back what was begun when something fails, and say what the database refused in our words."""
        try:
            yield
        except BaseException as error:
            if self._opened is not None and self._opened.in_transaction:
                with suppress(sqlite3.Error):  # the failure itself has ended it
                    self._opened.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise self._refusal(error, table) from error
            raise

    def _at(self, table: TableName | None) -> str:
        return f"{self._label}, table {legible(str(table))}" if table else self._label

    def _refusal(self, error: sqlite3.Error, table: TableName | None) -> OdsTableError:
        if self._stopped.is_set():
            return was_stopped(self._label)
        code = getattr(error, "sqlite_errorname", None) or ""
        if "after drop column" in str(error) or "cannot drop column" in str(error):
            advice: str | None = "Drop the views and indexes of the column, load, and make them again"
        else:
            advice = next((text for sign, text in _ADVICE.items() if code.startswith(sign)), None)
        return OdsTableError(
            f"{error} ({code})" if code else str(error), where=self._at(table), advice=advice, transient=_is_busy(error)
        )


def _is_busy(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorname", None) or "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


# What to do about each of SQLite's codes.
_ADVICE = {
    "SQLITE_BUSY": "Another process keeps the file locked: end its transaction, or try later",
    "SQLITE_LOCKED": "Another connection keeps the table locked: end its transaction, or try later",
    "SQLITE_CANTOPEN": "Make the folder, correct the path, or let this user write there",
    "SQLITE_READONLY": "Let this user write to the file and to its folder",
    "SQLITE_PERM": "Let this user write to the file and to its folder",
    "SQLITE_FULL": "Make room on the disk of the file and of the folder that SQLITE_TMPDIR names",
    "SQLITE_NOTADB": "Name another file: this one holds something else",
    "SQLITE_CORRUPT": "Bring the file back from a copy: it is damaged",
    "SQLITE_IOERR": "Look at the disk: it failed, or is full",
    "SQLITE_CONSTRAINT": "Load what the table's constraints allow, or drop them",
}
