"""A merge into an Iceberg table: its files one by one against the rows that wait, by a DuckDB in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ods_provider.tables.columns import arrow_schema
from ods_provider.tables.engines.lake import quoted
from ods_provider.tables.load import Load
from ods_provider.tables.spool import Spool

if TYPE_CHECKING:
    import pyarrow as pa

_MEMORY = "512MB"
_BATCH_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Met:
    """What the rows of a file met with.

    Attributes:
        changed: Rows whose key waits with other values.
        missing: Rows whose key does not wait.
    """

    changed: int
    missing: int


class Merge:
    """The rows that wait, and which of their keys were found in the table so far.

    Args:
        load: What is to be done; no key waits twice, and none is null.
        spool: The rows that wait.
    """

    def __init__(self, load: Load, spool: Spool) -> None:
        self._load = load
        self._spool = spool
        self._link: Any = None
        self._folder = tempfile.TemporaryDirectory(prefix="ods-merge-")
        self._same = " AND ".join(f"o.{quoted(name)} = n.{quoted(name)}" for name in load.key)
        self._new = f"n.{quoted(load.key[0])} IS NOT NULL"

    def __enter__(self) -> Self:
        """Look at the rows that wait where they lie."""
        import duckdb

        self._link = duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": self._folder.name})
        if self._spool.files:
            paths = ", ".join("'" + path.replace("'", "''") + "'" for path, _ in self._spool.files)
            self._link.execute(f"CREATE VIEW waiting AS SELECT * FROM read_parquet([{paths}])")
        else:
            self._link.register("waiting", arrow_schema(self._load.columns).empty_table())
        self._link.execute(f"CREATE TABLE met AS SELECT {self._keys('waiting')} FROM waiting LIMIT 0")
        return self

    def __exit__(self, *exc: object) -> None:
        """Remove what was kept."""
        self._link.close()
        self._folder.cleanup()

    def meet(self, standing: pa.Table) -> Met:
        """Look at the rows of one file."""
        self._link.register("standing", standing)
        rest = [quoted(column.name) for column in self._load.columns if column.name not in self._load.key]
        differs = " OR ".join(f"o.{name} IS DISTINCT FROM n.{name}" for name in rest) or "FALSE"
        changed, missing = self._link.execute(
            f"SELECT count(*) FILTER ({self._new} AND ({differs})), count(*) FILTER (NOT {self._new}) "
            f"FROM standing o LEFT JOIN waiting n ON {self._same}"
        ).fetchone()
        self._link.execute(f"INSERT INTO met SELECT {self._keys('n')} FROM standing o JOIN waiting n ON {self._same}")
        return Met(changed, missing)

    def merged(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the file that was looked at last, as they are to be."""
        columns = self._link.execute("SELECT * FROM standing LIMIT 0").description
        given = {column.name for column in self._load.columns}
        selected = ", ".join(
            f"CASE WHEN {self._new} THEN n.{quoted(name)} ELSE o.{quoted(name)} END AS {quoted(name)}"
            if name in given
            else f"o.{quoted(name)}"
            for name in (each[0] for each in columns)
        )
        only = f" WHERE {self._new}" if self._load.delete_missing else ""
        yield from self._batches(f"SELECT {selected} FROM standing o LEFT JOIN waiting n ON {self._same}{only}")

    def inserted(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows that no file had."""
        same = " AND ".join(f"m.{quoted(name)} = n.{quoted(name)}" for name in self._load.key)
        yield from self._batches(f"SELECT n.* FROM waiting n ANTI JOIN met m ON {same}")

    def _batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        yield from self._link.sql(sql).to_arrow_reader(_BATCH_ROWS)

    def _keys(self, of: str) -> str:
        return ", ".join(f"{of}.{quoted(name)}" for name in self._load.key)
