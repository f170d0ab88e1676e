"""PostgreSQL, by its ADBC driver: rows go in by binary COPY, and everything else is one transaction of plain SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from ods_provider.tables.columns import Column
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.postgres_address import address
from ods_provider.tables.engines.postgres_committing import put
from ods_provider.tables.engines.postgres_link import Link
from ods_provider.tables.engines.postgres_rights import expect_rights
from ods_provider.tables.engines.postgres_staging import Staged, begin
from ods_provider.tables.engines.postgres_words import PostgresWords
from ods_provider.tables.load import Load, Loaded, Memory, Mode, StandingColumn, TableName
from ods_provider.tables.memory import forget, memory_table, recall, recalled
from ods_provider.tables.target import Target

if TYPE_CHECKING:
    import pyarrow as pa


class PostgresEngine:
    """An ``Engine`` of a PostgreSQL database. Rows are staged in a temporary table, which nobody else can see.

    Everything from staging to commit is one transaction: a connection that ends, however it does, leaves nothing.

    Args:
        target: The server. ``lock_timeout_s`` in its query or options says how long a locked table is waited for.
        token: The run's: connections of an earlier try of it are ended.
    """

    can = Abilities(
        swaps=("stage", "lock", "rename"),
        modes=("replace", "append", "merge", "scd2"),
        comments=True,
        geometry=True,
        longest_name=63,
        folds_case=False,
        gap=(
            "a transaction of isolation REPEATABLE READ that began before a replace, and reads the table for the first "
            "time after it, finds it empty"
        ),
        taken=frozenset({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"}),
    )

    def __init__(self, target: Target, token: str) -> None:
        self._address = address(target, token)
        self._label = target.label
        self._token = token
        self._open: Link | None = None
        self._staged: Staged | None = None

    def __enter__(self) -> Self:
        self._open = Link(self._address, self._label)
        try:
            self._open.settle(self._token)
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self._open is not None:
            if self._staged is not None:
                self._give_up()
            self._open.close()
            self._open = None

    def cancel(self) -> None:
        """End what the database is doing for this connection."""
        if self._open is not None:
            self._open.cancel()

    def expect_rights(self, table: TableName, mode: Mode, *, deletes: bool) -> None:
        """Refuse a load whose user lacks a right, with its name."""
        expect_rights(self._link, table, mode, deletes=deletes)

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        found = self._link.find(table)
        return found.columns if found else None

    def shown(self, column: Column) -> str:
        """Return what the database calls the type of a column that it would make."""
        return PostgresWords().type_of(column).lower()

    def rows(self, table: TableName) -> int:
        """Return how many rows a table that stands holds."""
        with self._link.waiting(table):
            return self._link.count(table)

    def recall(self, table: TableName, load_id: str | None) -> Memory | None:
        """Return what is remembered of earlier loads of the same work, None where there was none."""
        table = self._link.settled(table, self._link.find(table))
        if not self._link.stands(memory_table(table)):
            return None
        rows = self._link.query(recall(PostgresWords(), table, load_id), memory_table(table))
        return recalled(rows[0]) if rows else None

    def stage(self, load: Load, rows: pa.RecordBatchReader) -> int:
        """Bring rows into the database where no reader sees them, and return how many arrived there."""
        try:
            if self._staged is None:
                self._link.begin()
                with self._link.waiting(load.table):
                    self._staged = begin(self._link, load, self._token)
            arrived = self._link.ingest(self._staged.into, rows, load.table)
        except BaseException:
            self._give_up()
            raise
        self._staged.rows += arrived
        return arrived

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, with all that was staged, and remember it: all of it or nothing."""
        staged = self._staged
        assert staged is not None, "nothing was staged"
        try:
            with self._link.waiting(staged.load.table):
                loaded = put(self._link, staged, memory)
            self._link.commit(staged.load.table)
        except BaseException:
            self._give_up()
            raise
        self._staged = None
        return replace(loaded, said=tuple(staged.said))

    def drop(self, table: TableName, load_id: str) -> None:
        """Drop a table, if it stands, and forget the load of that name: both or neither."""
        table = self._link.settled(table, self._link.find(table))
        self._link.begin()
        try:
            with self._link.waiting(table):
                if self._link.stands(memory_table(table)):
                    self._link.run(forget(PostgresWords(), table, load_id), memory_table(table))
                if self._link.stands(table):
                    self._link.lock(table, "ACCESS EXCLUSIVE")
                    self._link.run(PostgresWords().drop(table), table)
            self._link.commit(table)
        except BaseException:
            self._give_up()
            raise

    @property
    def _link(self) -> Link:
        assert self._open is not None, "the engine is not entered"
        return self._open

    def _give_up(self) -> None:
        self._staged = None
        self._link.rollback()
