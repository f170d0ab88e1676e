"""How much memory DuckDB keeps pages in while rows come: as many as rows of their width need, however many they are.

Left to itself it keeps all that it wrote, up to most of the machine's memory; with a fixed bound it would fail at rows
that are wider than somebody thought. So the bound follows the widest batch that was seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_GROUP_ROWS = 122_880  # rows that DuckDB collects before it writes them
_GROUPS = 2  # the one that is collected, and the one that is written
_COLUMN_BYTES = 3 * 262_144  # the smallest pages of a column
_BASE_BYTES = 12_000_000
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE = re.compile(r"([\d.]+) (\w+)")


class Pages:
    """The bound on what DuckDB keeps in memory, for one load.

    It holds for all connections that this process has to the file, so it is as it was afterwards.

    Args:
        connection: The load's.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._beside = connection.cursor()  # the load's own waits for rows while they are looked at
        self._before: dict[str, Any] = {}
        self._bound_bytes = 0

    def bound(self, rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """Return the rows; from now on pages are kept for the widest of them."""
        import pyarrow as pa

        found = self._beside.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchone()
        assert found is not None
        self._before = {"memory_limit": found[0], "threads": found[1]}
        self._set("threads", 1)  # each collects rows of its own
        self._follow(len(rows.schema), 0)

        def batches() -> Iterator[pa.RecordBatch]:
            for batch in rows:
                if batch.num_rows:
                    self._follow(batch.num_columns, batch.nbytes / batch.num_rows)
                yield batch

        return pa.RecordBatchReader.from_batches(rows.schema, batches())

    def lift(self) -> None:
        """Let it be as it was."""
        for name, value in self._before.items():
            self._set(name, value)
        self._before = {}

    def close(self) -> None:
        """Let it be as it was, for good."""
        self.lift()
        self._beside.close()

    def _follow(self, columns: int, row_bytes: float) -> None:
        wanted = int(_BASE_BYTES + columns * _COLUMN_BYTES + _GROUPS * _GROUP_ROWS * row_bytes)
        if wanted > self._bound_bytes:
            self._bound_bytes = wanted
            self._set("memory_limit", f"{min(wanted, _bytes(self._before['memory_limit']))} bytes")

    def _set(self, name: str, value: Any) -> None:
        with suppress(Exception):  # more is in use already, by others: the load goes on without a bound
            self._beside.execute(f"SET {name} = '{value}'")


def _bytes(shown: str) -> int:
    size = _SIZE.fullmatch(shown)
    return int(float(size[1]) * _UNITS.get(size[2], 1)) if size else 2**63
