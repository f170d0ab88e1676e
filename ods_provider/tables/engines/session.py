"""One connection of an ADBC driver, whose calls can be ended while they run."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ods_provider.core.errors import OdsTableBusy, OdsTableError
from ods_provider.core.forgetting import alone
from ods_provider.core.redact import Sealed
from ods_provider.tables.feeding import Feed
from ods_provider.tables.load import TableName
from ods_provider.tables.stopping import until_stopped, was_stopped

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
# How long a statement that was cancelled may take to end. What takes longer is left to the server, which sees that
# nobody is there any more.
_ENDS_S = 15.0
# A driver writes a whole batch in the server's own form before it sends the first byte, and so holds it twice.
_SENT_ROWS = 8_192


class Session:
    """A connection, outside of transactions but within ``transaction``.

    Each call runs in a thread of its own: Python hears signals between its own steps only, and a statement is one step
    however long the server takes. What interrupts the wait for it, cancels it at the server.

    Args:
        connect: Opens the driver's connection, with autocommit.
        refused: Returns our error for one of the driver's; the table that was worked on is its second argument.
    """

    def __init__(
        self, connect: Callable[[], Any], refused: Callable[[BaseException, TableName | None], Exception]
    ) -> None:
        self._refused = refused
        self._busy = False
        self._stopped = threading.Event()
        self._connection = Sealed(self._beside(connect))

    def run(self, statement: str, table: TableName | None = None) -> int:
        """Run a statement and return how many rows it changed; below 0 where the database does not say."""

        def call() -> int:
            with self._connection.open().cursor() as cursor:
                cursor.execute(statement)
                return int(cursor.rowcount)

        return self._beside(call, table)

    def query(self, statement: str, table: TableName | None = None) -> list[tuple[Any, ...]]:
        """Run a statement and return the rows that it selects."""

        def call() -> list[tuple[Any, ...]]:
            with self._connection.open().cursor() as cursor:
                cursor.execute(statement)
                return [tuple(row) for row in cursor.fetchall()]

        return self._beside(call, table)

    def ingest(self, table: TableName, rows: pa.RecordBatchReader, *, for_table: TableName | None = None) -> int:
        """Append batches to a table that stands, one at a time, and return how many rows the database took.

        Args:
            table: Where they go.
            rows: The batches; what goes wrong in reading them is raised as it is.
            for_table: The table that errors tell of, where it is another.
        """
        # A driver learns that its COPY was cancelled when it has sent all of it.
        feed = Feed(until_stopped(rows, self._stopped, str(for_table or table)), most_rows=_SENT_ROWS)

        def call() -> int:
            with self._connection.open().cursor() as cursor:
                # A reader, never a generator, which the driver would put into memory first.
                named = {"db_schema_name": table.schema} if table.schema else {}
                return int(cursor.adbc_ingest(table.name, feed.reader(), mode="append", **named))

        try:
            return self._beside(call, for_table or table)
        except OdsTableError:
            if feed.failed is not None:
                raise feed.failed from None
            raise

    def begin(self) -> None:
        """Begin a transaction, which ``commit`` or ``rollback`` ends."""
        self._beside(partial(self._driver.set_autocommit, False))

    def commit(self, table: TableName | None = None) -> None:
        """End the transaction: what was done in it stands."""
        self._beside(self._driver.commit, table, confirms=True)
        self._beside(partial(self._driver.set_autocommit, True))

    def rollback(self) -> None:
        """End the transaction: what was done in it is taken back. Where the connection is lost, the server does so."""
        for step in (self._driver.rollback, partial(self._driver.set_autocommit, True)):
            with contextlib.suppress(OdsTableError):
                self._beside(step, to_end=True)

    def cancel(self) -> None:
        """End the statement that runs, from any thread; none is begun after it."""
        self._stopped.set()
        with contextlib.suppress(Exception):  # the driver's: nothing to cancel, or the connection is gone
            self._connection.open().adbc_cancel()

    def close(self) -> None:
        """Disconnect; what was not committed is taken back."""
        if self._busy:
            return  # a statement that did not end has the connection; it goes with the process
        with contextlib.suppress(Exception):  # the driver's: the connection is gone already
            self._connection.open().close()

    @property
    def _driver(self) -> Any:
        return self._connection.open().adbc_connection

    def _beside(
        self, call: Callable[[], T], table: TableName | None = None, *, to_end: bool = False, confirms: bool = False
    ) -> T:
        done: Future[T] = Future()

        def work() -> None:
            try:
                done.set_result(call())
            except BaseException as error:
                done.set_exception(alone(error))  # its frames hold the connection's address

        if self._stopped.is_set() and not to_end:
            raise was_stopped(str(table) if table else None)
        if self._busy:
            raise OdsTableBusy("The connection still waits for a statement that was cancelled")
        thread = threading.Thread(target=work, name="ods-database", daemon=True)
        thread.start()
        try:
            failed = done.exception()
        except BaseException:
            self.cancel()
            thread.join(_ENDS_S)
            self._busy = thread.is_alive()
            raise
        thread.join()
        if failed is not None:
            if self._stopped.is_set():
                raise was_stopped(str(table) if table else None, confirming=confirms) from None
            raise self._refused(failed, table) from None
        return done.result()
