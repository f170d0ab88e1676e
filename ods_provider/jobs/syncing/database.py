"""Digests of rows in a database of DuckDB: a file of its own, in bounded memory; what does not fit spills beside it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from ods_provider.core.errors import OdsSinkError
from ods_provider.jobs.syncing.forms import Digests
from ods_provider.tables.extras import required

Side = Literal["file", "portal", "again"]
"""The file's rows, those of the portal, and those of the portal once more when all is done."""

FILE_NAME = "rows.duckdb"
_MEMORY = "96MB"
_GROUP_ROWS = 50_000
_FETCH_ROWS = 10_000


class Database:
    """Where both sides lie, a digest a row and where its line begins; ``with`` opens and closes it.

    Args:
        folder: Of this machine.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection: Any = None

    def __enter__(self) -> Self:
        duckdb = required("duckdb", "sql", "the comparison of rows")
        with self._speaking():
            self._connection = duckdb.connect(
                str(self._folder / FILE_NAME),
                config={
                    "memory_limit": _MEMORY,
                    "temp_directory": str(self._folder / "spill"),
                    "preserve_insertion_order": False,
                    "threads": 2,
                    "autoinstall_known_extensions": False,
                },
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def filling(self, side: Side) -> Filling:
        """Return what takes the rows of one side, in place of those that it had."""
        self.run(f"CREATE OR REPLACE TABLE {side} (k1 UBIGINT, k2 UBIGINT, r1 UBIGINT, r2 UBIGINT, pos BIGINT)")
        return Filling(self, side)

    def several(self, side: Side, most: int) -> tuple[int, list[tuple[int, int]]]:
        """Return how many keys stand in more than one row, and where two rows of each begin, for some of them."""
        self.run(
            f"CREATE OR REPLACE TEMP TABLE several AS SELECT min(pos) AS first, max(pos) AS last FROM {side} "
            "GROUP BY k1, k2 HAVING count(*) > 1"
        )
        (count,) = self.one("SELECT count(*) FROM several")
        found = self.all(f"SELECT first, last FROM several ORDER BY first LIMIT {int(most)}")
        self.run("DROP TABLE several")
        return int(count), [(first, last) for first, last in found]

    def insert(self, table: str, columns: dict[str, array[int]]) -> None:
        """Add rows to a table.

        Args:
            table: Its name.
            columns: Of 64 bits each.
        """
        import pyarrow as pa

        kinds = {"q": pa.int64(), "Q": pa.uint64()}
        arrays = [
            pa.Array.from_buffers(kinds[values.typecode], len(values), [None, pa.py_buffer(values)])
            for values in columns.values()
        ]
        self._connection.register("_ods_rows", pa.table(arrays, list(columns)))
        self.run(f"INSERT INTO {table} SELECT * FROM _ods_rows")
        self._connection.unregister("_ods_rows")

    def run(self, sql: str) -> None:
        """Run a statement."""
        with self._speaking():
            self._connection.execute(sql)

    def one(self, sql: str) -> tuple[Any, ...]:
        """Return the one row of a query."""
        (found,) = self.all(sql)
        return found

    def all(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, which are few."""
        with self._speaking():
            found: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
            return found

    def each(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query; others may run before it is read to its end."""
        with self._speaking():
            cursor = self._connection.cursor()
            cursor.execute(sql)
        try:
            while some := self._fetched(cursor):
                yield from some
        finally:
            cursor.close()

    def _fetched(self, cursor: Any) -> list[tuple[Any, ...]]:
        with self._speaking():
            found: list[tuple[Any, ...]] = cursor.fetchmany(_FETCH_ROWS)
            return found

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            said = " ".join(str(error).split())
            raise OdsSinkError(
                f"the rows cannot be compared: {said[:300]}",
                where=str(self._folder),
                advice="Make room there, or let XDG_STATE_HOME name a folder on a larger disk",
            ) from None


class Filling:
    """Takes digests of rows, and brings them into the database in groups.

    Args:
        database: The database.
        side: Whose rows they are.
    """

    def __init__(self, database: Database, side: Side) -> None:
        self._database = database
        self._side = side
        self._begin()

    def _begin(self) -> None:
        self._keys, self._rows, self._at = bytearray(), bytearray(), array("q")

    def add(self, digests: Digests, at: Iterable[int]) -> None:
        """Take some rows.

        Args:
            digests: Theirs.
            at: Where their lines begin.
        """
        self._keys += b"".join(digests.keys)
        self._rows += b"".join(digests.rows)
        self._at.extend(at)
        if len(self._at) >= _GROUP_ROWS:
            self.end()

    def end(self) -> None:
        """Bring in what was taken."""
        if self._at:
            keys, rows = (array("Q", bytes(each)) for each in (self._keys, self._rows))
            columns = {"k1": keys[0::2], "k2": keys[1::2], "r1": rows[0::2], "r2": rows[1::2], "pos": self._at}
            self._database.insert(self._side, columns)
        self._begin()
