"""What the local portal holds: datasets in DuckDB, and how they change. It knows nothing of HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import duckdb

from ods_provider.testing.datasets import geonames, synthetic
from ods_provider.testing.datasets.all_types import all_types
from ods_provider.testing.datasets.capitals import capitals
from ods_provider.testing.datasets.photos import photos, shots
from ods_provider.testing.datasets.postal_codes import postal_codes
from ods_provider.testing.datasets.readings import gated, readings
from ods_provider.testing.fitting import fitted
from ods_provider.testing.odsql import register_functions
from ods_provider.testing.schema import DatasetState, quoted

Which = Literal["small", "demo"]
Row = Mapping[str, Any]


class Store:
    """The datasets of one portal.

    Args:
        which: ``small``, or ``demo`` with the GeoNames cities besides.
        synthetic_rows: Rows of the dataset ``synthetic-rows``; 0 leaves it out.
        cache_dir: Where the prepared GeoNames rows are kept.
    """

    def __init__(self, which: Which = "small", *, synthetic_rows: int = 0, cache_dir: Path | None = None) -> None:
        self._cache_dir = cache_dir
        self._connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
        register_functions(self._connection)
        self.lock = threading.RLock()
        self.datasets: dict[str, DatasetState] = {}
        self._dirty: set[str] = set()
        self._start: dict[str, DatasetState] = {}
        self._refill: dict[str, Callable[[DatasetState], None]] = {}
        for make in (capitals, readings, gated, photos, all_types, postal_codes, shots):
            state, rows = make()
            self._add(state, partial(self._fill, rows=rows))
        if which == "demo":
            self._add(geonames.geonames(), self._fill_geonames)
        if synthetic_rows:
            self._add(synthetic.synthetic(), partial(self._fill_sql, select=synthetic.select(synthetic_rows)))

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor of its own: one for each request, since threads do not share them."""
        return self._connection.cursor()

    def _add(self, state: DatasetState, fill: Callable[[DatasetState], None]) -> None:
        self._start[state.dataset_id] = state
        self._refill[state.dataset_id] = fill
        self._begin(state.dataset_id)

    def _begin(self, dataset_id: str) -> None:
        start = self._start[dataset_id]
        # Pushed files come and go with the rows that hold them.
        self.datasets[dataset_id] = replace(start, files=dict(start.files))
        self._refill[dataset_id](self.datasets[dataset_id])

    def _fill(self, state: DatasetState, rows: Iterable[Row]) -> None:
        columns = ", ".join(f"{quoted(column.name)} {column.sql_type}" for column in state.columns)
        self._connection.execute(f'CREATE OR REPLACE TABLE {state.table} ("$id" VARCHAR, {columns})')
        self.insert(state, rows)

    def _fill_sql(self, state: DatasetState, select: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TABLE {state.table} AS {select}")

    def _fill_geonames(self, state: DatasetState) -> None:
        source = str(geonames.prepared(self._cache_dir)).replace("'", "''")
        self._fill_sql(state, f"SELECT sha1(geoname_id) AS \"$id\", * FROM read_parquet('{source}')")  # noqa: S608

    def reset(self) -> None:
        """Go back to the start: what has changed is made anew."""
        with self.lock:
            for dataset_id in self._dirty:
                self._begin(dataset_id)
            self._dirty.clear()

    def count(self, dataset_id: str) -> int:
        """Return how many rows a dataset holds."""
        table = self.datasets[dataset_id].table
        found = self.cursor().execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  a quoted name
        return int(found[0]) if found else 0

    def extent(self, dataset_id: str) -> tuple[float, float, float, float] | None:
        """Return west, south, east and north of a dataset's points, None where it has none."""
        state = self.datasets[dataset_id]
        point = next(
            (column for column in state.columns if column.type == "geo_point_2d" and not column.multivalued), None
        )
        if point is None:
            return None
        cell = quoted(point.name)
        ends = ", ".join(f"{how}({cell}.{axis})" for how in ("min", "max") for axis in ("lon", "lat"))
        found = self.cursor().execute(f"SELECT {ends} FROM {state.table}").fetchone()  # noqa: S608  quoted names
        return found if found and found[0] is not None else None

    def rows(self, dataset_id: str) -> list[dict[str, Any]]:
        """Return all rows as Python values, for assertions."""
        state = self.datasets[dataset_id]
        names = [column.name for column in state.columns]
        picked = ", ".join(quoted(name) for name in names)
        found = self.cursor().execute(f"SELECT {picked} FROM {state.table} ORDER BY rowid").fetchall()  # noqa: S608
        return [dict(zip(names, row, strict=True)) for row in found]

    def insert(self, state: DatasetState, rows: Iterable[Row]) -> None:
        """Add rows, each in place of the one with the same id."""
        made = {record_id(state, row): row for row in (fitted(state, given) for given in rows)}
        if not made:
            return
        with self.lock:
            cursor = self.cursor()
            self.remove(state, made)
            slots = ", ".join("?" for _ in range(len(state.columns) + 1))
            values = [[key, *(row.get(column.name) for column in state.columns)] for key, row in made.items()]
            cursor.executemany(f"INSERT INTO {state.table} VALUES ({slots})", values)  # noqa: S608  a quoted name

    def remove(self, state: DatasetState, ids: Iterable[str]) -> int:
        """Remove rows by id and return how many there were."""
        gone = self.cursor().execute(
            f'DELETE FROM {state.table} WHERE "$id" IN (SELECT unnest(?)) RETURNING 1',  # noqa: S608  a quoted name
            [list(ids)],
        )
        return len(gone.fetchall())

    def touched(self, state: DatasetState, *, data: bool = True) -> None:
        """Move the dataset's times forward, strictly, even within the same millisecond."""
        with self.lock:
            self._dirty.add(state.dataset_id)
            # To the millisecond, which is as fine as live portals tell it.
            now = datetime.now(UTC)
            now = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
            if data:
                state.data_processed = max(now, state.data_processed + timedelta(milliseconds=1))
            state.modified = max(now, state.modified + timedelta(milliseconds=1))

    def touch(self, dataset_id: str, *, rows: int = 0, metadata_only: bool = False) -> DatasetState:
        """Republish a dataset, with more rows where asked.

        Args:
            dataset_id: The dataset.
            rows: Rows to add: copies of the first ones, under new ids.
            metadata_only: Only the editorial date moves.
        """
        state = self.datasets[dataset_id]
        with self.lock:
            if rows:
                names = ", ".join(quoted(column.name) for column in state.columns)
                rounds = rows // max(self.count(dataset_id), 1) + 1
                source = f"{state.table}, range({rounds})"
                made = f"SELECT sha1('more ' || random() || row_number() OVER ()), {names} FROM {source}"  # noqa: S608
                self.cursor().execute(f"INSERT INTO {state.table} {made} LIMIT {int(rows)}")
            self.touched(state, data=not metadata_only)
        return state


def record_id(state: DatasetState, row: Row) -> str:
    """Return a record's id: a digest of its unique fields where there are some, else of all its values (Q12)."""
    names = state.unique_id or [column.name for column in state.columns]
    text = json.dumps([row.get(name) for name in names], sort_keys=True, default=str)
    return hashlib.sha1(text.encode()).hexdigest()  # noqa: S324  40 hex digits, as the portal shows
