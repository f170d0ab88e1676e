"""What engines of warehouses share: Snowflake and BigQuery, by their ADBC drivers. No server of theirs was tried."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsTableError
from ods_provider.core.forgetting import forgets
from ods_provider.core.redact import Secret
from ods_provider.tables.applying import Standing, check_key, check_load
from ods_provider.tables.columns import Column
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.session import Session
from ods_provider.tables.engines.sqlstates import refused
from ods_provider.tables.extras import required
from ods_provider.tables.load import Load, Loaded, Memory, StandingColumn, TableName
from ods_provider.tables.memory import create_memory, forget, memory_table, recall, recalled
from ods_provider.tables.statements import Statements, staging_name
from ods_provider.tables.target import Target
from ods_provider.tables.types import as_staged, takes

if TYPE_CHECKING:
    import pyarrow as pa

Connect = Callable[[Mapping[str, str]], Any]


class WarehouseEngine(ABC):
    """An ``Engine`` of a warehouse. Rows are staged beside the table; what changes it is one transaction.

    Statements that make or change tables end a transaction there, so that they come first: a load that fails may leave
    a new table empty, or a new column without values.

    Args:
        target: The warehouse.
        token: The run's.
        connect: Opens a connection with autocommit; the driver's where it is None.
    """

    can: Abilities
    sql: ClassVar[Statements]
    module: ClassVar[str]
    """The driver's."""
    extra: ClassVar[str]

    def __init__(self, target: Target, token: str, *, connect: Connect | None = None) -> None:
        self._target = target
        self._token = token
        self._connect = connect
        self._open: Session | None = None
        self._staged: dict[TableName, int] = {}

    @abstractmethod
    def options(self) -> dict[str, Secret]:
        """Return what the driver is given to get in, by its own names."""

    @abstractmethod
    def home(self) -> str | None:
        """Return the schema of tables that name none, None where the connection has one."""

    @abstractmethod
    def make_staging(self, table: TableName, columns: tuple[Column, ...]) -> list[str]:
        """Return the statements that make a staging table anew."""

    @abstractmethod
    def columns_of(self, table: TableName) -> str:
        """Return the statement that selects name, type, whether it must be given a value, and the kind of table."""

    @abstractmethod
    def change(self, load: Load, standing: Standing, staged: TableName, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, in one transaction; the memory's table stands."""

    @forgets
    def __enter__(self) -> Self:
        connect = self._connect or self._driver()
        options = self.options()
        self._open = Session(lambda: connect({name: value.reveal() for name, value in options.items()}), self._refusal)
        return self

    def _driver(self) -> Connect:
        driver = required(f"{self.module}.dbapi", self.extra, self._target.label)
        return lambda options: driver.connect(db_kwargs=dict(options), autocommit=True)

    def __exit__(self, *exc: object) -> None:
        if self._open is not None:
            for staged in self._staged:
                with contextlib.suppress(OdsTableError):
                    self._open.run(self.sql.drop(staged))
            self._open.close()
            self._open = None

    def cancel(self) -> None:
        """End what the database is doing for this connection."""
        if self._open is not None:
            self._open.cancel()

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        table = self._placed(table)
        rows = self.session.query(self.columns_of(table), table)
        if rows and (kind := str(rows[0][3])) != "BASE TABLE":
            raise OdsTableError(
                f"{table} is no table but a {kind.lower()}", where=self._target.label, advice="Name a table"
            )
        columns = [
            StandingColumn(name, kind, takes(kind, self.sql.dialect), bool(must)) for name, kind, must, _ in rows
        ]
        return tuple(columns) or None

    def shown(self, column: Column) -> str:
        """Return what the database calls the type of a column that it would make."""
        return self.sql.type_of(column)

    def rows(self, table: TableName) -> int:
        """Return how many rows a table that stands holds."""
        table = self._placed(table)
        return int(self.session.query(self.sql.count(table), table)[0][0])

    def recall(self, table: TableName, load_id: str | None) -> Memory | None:
        """Return what is remembered of earlier loads of the same work, None where there was none."""
        table = self._placed(table)
        if self.standing(memory_table(table)) is None:
            return None
        rows = self.session.query(recall(self.sql, table, load_id), memory_table(table))
        return recalled(rows[0]) if rows else None

    def stage(self, load: Load, rows: pa.RecordBatchReader) -> int:
        """Bring rows into the database where no reader sees them, and return how many arrived there."""
        load = replace(load, table=self._placed(load.table))
        staged = staging_name(load.table, self._token)
        if staged not in self._staged:
            check_load(load, self.standing(load.table))
            for statement in self.make_staging(staged, as_staged(load.columns)):
                self.session.run(statement, load.table)
            self._staged[staged] = 0
        before = self._staged[staged]
        self.session.ingest(staged, rows, for_table=load.table)
        self._staged[staged] = self.rows(staged)
        return self._staged[staged] - before

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, with all that was staged, and remember it: all of it or nothing."""
        load = replace(load, table=self._placed(load.table))
        staged = staging_name(load.table, self._token)
        standing = self.standing(load.table)
        check_load(load, standing)
        check_key(self.session.query, self.sql, load, staged)
        self.session.run(create_memory(self.sql, load.table), memory_table(load.table))
        loaded = self.change(load, standing, staged, memory)
        if load.mode == "replace" and loaded.table_rows != self._staged[staged]:
            raise OdsTableError(
                f"{counted(self._staged[staged], 'rows')} came, and {load.table} holds {loaded.table_rows:,}",
                where=self._target.label,
                advice="See whether others write into it",
            )
        return loaded

    def drop(self, table: TableName, load_id: str) -> None:
        """Forget the load of that name, and drop the table, if it stands: between the two it would be loaded anew."""
        table = self._placed(table)
        if self.standing(memory_table(table)) is not None:
            self.session.run(forget(self.sql, table, load_id), memory_table(table))
        self.session.run(self.sql.drop(table), table)

    @property
    def session(self) -> Session:
        """The connection."""
        assert self._open is not None, "the engine is not entered"
        return self._open

    def _placed(self, table: TableName) -> TableName:
        return table if table.schema else TableName(table.name, self.home())

    def _refusal(self, error: BaseException, table: TableName | None) -> OdsTableError:
        told = refused(error, f"{self._target.label}, {table}" if table else self._target.label)
        told.cut_out([self._target.url, *self.options().values(), *self._target.secrets.values()])
        return told
