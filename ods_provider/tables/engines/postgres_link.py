"""The connection to a PostgreSQL server: how it is set up, waits for locks, tells errors, and what it finds there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ods_provider.core.errors import OdsTableBusy, OdsTableError
from ods_provider.core.forgetting import forgets
from ods_provider.tables.engines.postgres_address import Address
from ods_provider.tables.engines.postgres_locks import Lock, holders, lock
from ods_provider.tables.engines.postgres_tables import Found, find
from ods_provider.tables.engines.postgres_words import PostgresWords
from ods_provider.tables.engines.session import Session
from ods_provider.tables.engines.sqlstates import refused, state_of
from ods_provider.tables.extras import required
from ods_provider.tables.load import TableName

if TYPE_CHECKING:
    import pyarrow as pa

_ENDED_S = 15.0  # for statements of an earlier try to end
_SETTINGS = {
    # A worker that was killed is missed while a statement of its runs, and what it began is taken back (from 14 on).
    "client_connection_check_interval": "2s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
    "extra_float_digits": "1",
}


class Link:
    """A connection to one database, for one load.

    Args:
        address: What it takes to get in.
        label: The database, as errors name it.
    """

    @forgets
    def __init__(self, address: Address, label: str) -> None:
        driver = required("adbc_driver_postgresql.dbapi", "sql", label)
        self.label = label
        self._address = address
        self._last_state = ""
        uri = address.uri
        self._session = Session(lambda: driver.connect(uri.reveal(), autocommit=True), self._refusal)
        self.begin, self.commit, self.rollback = self._session.begin, self._session.commit, self._session.rollback
        self.cancel, self.close = self._session.cancel, self._session.close

    def settle(self, token: str) -> None:
        """Set the connection up, and end what an earlier try of the run left at the server."""
        settings = _SETTINGS | {"lock_timeout": f"{max(1, int(self._address.lock_wait_s * 1000))}"}
        values = ", ".join(f"('{name}', '{value}')" for name, value in settings.items())
        known = f"FROM (VALUES {values}) AS v(name, value) WHERE name IN (SELECT name FROM pg_settings)"
        self.query(f"SELECT set_config(name, value, false) {known}")
        if token:
            self._end_earlier()

    def run(self, statement: str, table: TableName | None = None) -> int:
        """Run a statement and return how many rows it changed; below 0 where the database does not say."""
        return self._session.run(statement, table)

    def query(self, statement: str, table: TableName | None = None) -> list[tuple[Any, ...]]:
        """Run a statement and return the rows that it selects."""
        return self._session.query(statement, table)

    def ingest(self, into: TableName, rows: pa.RecordBatchReader, for_table: TableName) -> int:
        """Append batches to a table that stands; errors tell of the one that they are for."""
        return self._session.ingest(into, rows, for_table=for_table)

    def runs(self, table: TableName) -> Callable[[str], int]:
        """Return what runs statements for a table."""
        return lambda statement: self.run(statement, table)

    @contextmanager
    def waiting(self, table: TableName) -> Iterator[None]:
        """Say who holds the table, where a lock was waited for in vain."""
        try:
            yield
        except OdsTableError as error:
            if self._last_state == "55P03":
                self.rollback()
                self._tell_holders(error, table)
            raise

    def lock(self, table: TableName, kind: Lock) -> None:
        """Lock a table for the rest of the transaction."""
        self.run(lock(PostgresWords().table(table), kind, self._address.lock_wait_s), table)

    def find(self, table: TableName) -> Found | None:
        """Return what stands under a name, None where nothing does."""
        words = PostgresWords()
        try:
            return find(lambda statement: self.query(statement, table), words.table(table), words.literal)
        except OdsTableError as error:
            error.where = error.where or self.label
            raise

    def settled(self, table: TableName, found: Found | None) -> TableName:
        """Return a table's name with the schema that it is in, or would be made in."""
        if found or table.schema:
            return found.name if found else table
        (schema,) = self.query("SELECT current_schema()::text")[0]
        if schema is None:
            raise OdsTableError(
                "None of the schemas in search_path is there", where=self.label, advice="Name one: schema.table"
            )
        return TableName(table.name, schema)

    def stands(self, table: TableName) -> bool:
        """Return whether there is a table of that name."""
        words = PostgresWords()
        asked = f"SELECT to_regclass({words.literal(words.table(table))}) IS NOT NULL"
        return bool(self.query(asked, table)[0][0])

    def count(self, table: TableName) -> int:
        """Return how many rows a table holds."""
        return int(self.query(PostgresWords().count(table), table)[0][0])

    def _end_earlier(self) -> None:
        own = PostgresWords().literal(self._address.application)
        others = f"application_name = {own} AND pid <> pg_backend_pid() AND usename = session_user"
        deadline = time.monotonic() + _ENDED_S
        while self.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"):
            if time.monotonic() > deadline:
                raise OdsTableBusy(
                    "An earlier try of this run still works on the server, and does not end",
                    where=self.label,
                )
            time.sleep(0.1)

    def _refusal(self, error: BaseException, table: TableName | None) -> OdsTableError:
        self._last_state = state_of(error)
        told = refused(error, f"{self.label}, {table}" if table else self.label)
        told.cut_out(self._address.secrets)
        return told

    def _tell_holders(self, error: OdsTableError, table: TableName) -> None:
        words = PostgresWords()
        with contextlib.suppress(OdsTableError):
            held_by = holders(self.query, words.literal(words.table(table)))
            waited = f"{table} stayed locked for {self._address.lock_wait_s:g} s"
            error.reword(lambda _: f"{waited}, by {held_by}" if held_by else waited, "what")
            if held_by:
                error.reword(
                    lambda _: (
                        "Let it end, or end it (select pg_terminate_backend(…)), and try again; "
                        "lock_timeout_s in the destination's query waits longer"
                    ),
                    "advice",
                )
