"""What the local portal holds: datasets in DuckDB, and how they change. It knows nothing of HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import duckdb

from ods_provider.testing.appending import Row, append
from ods_provider.testing.datasets import geonames, synthetic
from ods_provider.testing.datasets.all_types import all_types
from ods_provider.testing.datasets.capitals import capitals
from ods_provider.testing.datasets.photos import photos, shots
from ods_provider.testing.datasets.postal_codes import postal_codes
from ods_provider.testing.datasets.readings import gated, readings
from ods_provider.testing.fitting import fitted
from ods_provider.testing.measures import Extent, measured
from ods_provider.testing.odsql import register_functions
from ods_provider.testing.schema import DatasetState, literal, quoted

MOST_MORE_BYTES = 512_000_000
Which = Literal["small", "demo"]


class Store:
    """The datasets of one portal.

    Args:
        which: ``small``, or ``demo`` with the GeoNames cities besides; None begins without any dataset.
        synthetic_rows: Rows of the dataset ``synthetic-rows``; 0 leaves it out.
        live_rows: Rows of the realtime dataset ``live-rows``; 0 leaves it out.
        cache_dir: Where the prepared GeoNames rows are kept.
    """

    def __init__(
        self,
        which: Which | None = "small",
        *,
        synthetic_rows: int = 0,
        live_rows: int = 0,
        cache_dir: Path | None = None,
    ) -> None:
        self._cache_dir = cache_dir
        self.lock = threading.RLock()
        self.datasets: dict[str, DatasetState] = {}
        self._dirty: set[str] = set()
        self._start: dict[str, DatasetState] = {}
        self._refill: dict[str, Callable[[DatasetState], None]] = {}
        self._added: set[str] = set()
        self._measures: dict[str, tuple[int, Extent | None]] = {}  # of each table
        self._tables: set[str] = set()  # of publications, quoted
        self._large: str | None = None
        self._numbered = 0
        self._retired: dict[str, str] = {}
        made = () if which is None else (capitals, readings, gated, photos, all_types, postal_codes, shots)
        for make in made:
            state, rows = make()
            self._add(state, partial(self._fill, rows=rows))
        if which == "demo":
            self._add(geonames.geonames(), self._fill_geonames)
        if synthetic_rows:
            self._add(synthetic.synthetic(), partial(self._fill_sql, select=synthetic.select(synthetic_rows)))
        if live_rows:
            self._add(synthetic.live(), partial(self._fill_sql, select=synthetic.select(live_rows, live=True)))

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        # At its first use: a store that holds nothing yet costs nothing.
        made = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
        register_functions(made)
        return made

    def close(self) -> None:
        """Close the database, where there is one."""
        if "_connection" in vars(self):
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
        self._measures.pop(state.table, None)
        append(self._connection, state, _fitting(state, rows))

    def _fill_sql(self, state: DatasetState, select: str) -> None:
        self._measures.pop(state.table, None)
        self._connection.execute(f"CREATE OR REPLACE TABLE {state.table} AS {select}")

    def _fill_geonames(self, state: DatasetState) -> None:
        source = str(geonames.prepared(self._cache_dir)).replace("'", "''")
        self._fill_sql(state, f"SELECT sha1(geoname_id) AS \"$id\", * FROM read_parquet('{source}')")  # noqa: S608

    def add(self, state: DatasetState, rows: Iterable[Row]) -> None:
        """Add a dataset until the next reset, in place of one that was added under the same id.

        Raises:
            ValueError: The portal has such a dataset of its own.
        """
        with self.lock:
            if state.dataset_id in self.datasets.keys() - self._added:
                raise ValueError(f"the portal has a dataset {state.dataset_id!r} of its own")
            others = [other for name, other in self.datasets.items() if name != state.dataset_id]
            if any(other.table == state.table for other in others):
                # One that had this id, and was renamed, keeps its table and its uid.
                state.stored_as = self.new_table()
                state.own_uid = f"da_{self._numbered:06}"
            self._fill(state, rows)
            self._added.add(state.dataset_id)
            # A new mapping: calls that are under way go through the old one.
            self.datasets = {**self.datasets, state.dataset_id: state}

    def rename(self, dataset_id: str, new_id: str) -> None:
        """Give a dataset that was added another id; its ``dataset_uid`` stays.

        Raises:
            ValueError: It was not added, or the portal has a dataset of the new id.
        """
        with self.lock:
            if dataset_id not in self._added or new_id in self.datasets:
                raise ValueError(f"{dataset_id!r} cannot become {new_id!r}: only what was added, to an id that is free")
            state = self.datasets[dataset_id]
            state.born_as, state.dataset_id = state.born_as or dataset_id, new_id
            self._added = self._added - {dataset_id} | {new_id}
            self.datasets = {each.dataset_id: each for each in self.datasets.values()}

    def take_away(self, dataset_id: str) -> None:
        """Remove a dataset that was added.

        Raises:
            ValueError: It was not added.
        """
        with self.lock:
            if dataset_id not in self._added:
                raise ValueError(f"{dataset_id!r} was not added: the portal's own datasets stay")
            state = self.datasets[dataset_id]
            self.datasets = {name: each for name, each in self.datasets.items() if name != dataset_id}
            self._added.discard(dataset_id)
            self._dirty.discard(dataset_id)
            self._measures.pop(state.table, None)
            self._connection.execute(f"DROP TABLE {state.table}")

    def reset(self) -> None:
        """Go back to the start: what has changed is made anew, and what was added is gone."""
        with self.lock:
            kept = {name: state for name, state in self.datasets.items() if name not in self._added}
            for dataset_id in self._added & self.datasets.keys():
                self._connection.execute(f"DROP TABLE IF EXISTS {self.datasets[dataset_id].table}")
            self._dirty -= self._added
            self._added.clear()
            # In the order of the start, whatever was withdrawn meanwhile.
            self.datasets = {name: kept.get(name, start) for name, start in self._start.items()}
            for dataset_id in (self._dirty & self._start.keys()) | (self._start.keys() - kept.keys()):
                self._begin(dataset_id)
            self._dirty.clear()
            for table in self._tables:
                self._connection.execute(f"DROP TABLE IF EXISTS {table}")
                self._measures.pop(table, None)
            self._tables.clear()
            self._retired.clear()
            if self._large is not None:
                self._connection.execute("DETACH large")
                self._connection.execute("RESET memory_limit")
                self._large = None

    def new_table(self, *, large: Path | None = None) -> str:
        """Return the quoted name of a table that no dataset has yet, and that goes with the next reset.

        Args:
            large: Where the database lies that holds it; None keeps it in memory.
        """
        with self.lock:
            if large and self._large is None:
                self._attach(large)
            self._numbered += 1
            table = (self._large or "" if large else "") + quoted(f"published {self._numbered}")
            self._tables.add(table)
            return table

    def _attach(self, path: Path) -> None:
        """Keep large tables on disk, and let memory grow by so much only from here on."""
        (used,) = self._connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone() or (0,)
        self._connection.execute(f"SET temp_directory = {literal(str(path.with_suffix('.spill')))}")
        self._connection.execute(f"SET memory_limit = '{int(used or 0) + MOST_MORE_BYTES}B'")
        self._connection.execute(f"ATTACH {literal(str(path))} AS large")
        self._large = "large."

    def drop_table(self, table: str) -> None:
        """Forget a table of a publication."""
        with self.lock:
            self._tables.discard(table)
            self._measures.pop(table, None)
            self._connection.execute(f"DROP TABLE IF EXISTS {table}")

    def publish(self, state: DatasetState) -> None:
        """Show a dataset as it is described now, in place of the one with its id; its table is filled already."""
        with self.lock:
            if state.dataset_id in self._start:
                self._dirty.add(state.dataset_id)
            else:
                self._added.add(state.dataset_id)
            before = self.datasets.get(state.dataset_id)
            self._measures.pop(state.table, None)
            self.datasets = {**self.datasets, state.dataset_id: state}
            if before is not None and before.table != state.table and before.table in self._tables:
                # One generation is kept for calls that are about to read it.
                old = self._retired.get(state.dataset_id)
                if old is not None:
                    self.drop_table(old)
                self._retired[state.dataset_id] = before.table

    def withdraw(self, dataset_id: str) -> None:
        """Show a dataset no longer."""
        with self.lock:
            gone = self.datasets.get(dataset_id)
            self.datasets = {name: state for name, state in self.datasets.items() if name != dataset_id}
            self._added.discard(dataset_id)
            if gone is not None and gone.table in self._tables:
                self.drop_table(gone.table)

    def count(self, dataset_id: str) -> int:
        """Return how many rows a dataset holds."""
        return self._measured(dataset_id)[0]

    def extent(self, dataset_id: str) -> Extent | None:
        """Return west, south, east and north of a dataset's points, None where it has none."""
        return self._measured(dataset_id)[1]

    def _measured(self, dataset_id: str) -> tuple[int, Extent | None]:
        # Kept until rows come or go: every list of the catalogue tells it of every dataset.
        with self.lock:
            state = self.datasets[dataset_id]
            if state.table not in self._measures:
                self._measures[state.table] = measured(self.cursor(), state)
            return self._measures[state.table]

    def size_bytes(self, dataset_id: str) -> int:
        """Return how many bytes a dataset's rows take as text."""
        table = self.datasets[dataset_id].table
        found = self.cursor().execute(f"SELECT sum(strlen(rows::VARCHAR)) FROM {table} AS rows").fetchone()  # noqa: S608
        return int(found[0] or 0) if found else 0

    def rows(self, dataset_id: str) -> list[dict[str, Any]]:
        """Return all rows as Python values, for assertions."""
        state = self.datasets[dataset_id]
        names = [column.name for column in state.columns]
        picked = ", ".join(quoted(name) for name in names)
        found = self.cursor().execute(f"SELECT {picked} FROM {state.table} ORDER BY rowid").fetchall()  # noqa: S608
        return [dict(zip(names, row, strict=True)) for row in found]

    def insert(self, state: DatasetState, rows: Iterable[Row]) -> None:
        """Add rows, each in place of the one with the same id."""
        made = _fitting(state, rows)
        if not made:
            return
        with self.lock:
            cursor = self.cursor()
            self.remove(state, made)
            append(cursor, state, made)
            self._measures.pop(state.table, None)

    def replace(self, state: DatasetState, rows: Iterable[Row]) -> None:
        """Put rows in the place of all that there are: queries see the old ones or the new ones."""
        with self.lock, self.cursor() as cursor:
            cursor.begin()
            cursor.execute(f"DELETE FROM {state.table}")  # noqa: S608  a quoted name
            append(cursor, state, _fitting(state, rows))
            cursor.commit()
            self._measures.pop(state.table, None)

    def remove(self, state: DatasetState, ids: Iterable[str]) -> int:
        """Remove rows by id and return how many there were."""
        with self.lock:
            gone = self.cursor().execute(
                f'DELETE FROM {state.table} WHERE "$id" IN (SELECT unnest(?)) RETURNING 1',  # noqa: S608  a quoted name
                [list(ids)],
            )
            self._measures.pop(state.table, None)
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
                self._measures.pop(state.table, None)
            self.touched(state, data=not metadata_only)
        return state


def _fitting(state: DatasetState, rows: Iterable[Row]) -> dict[str, Row]:
    return {record_id(state, row): row for row in (fitted(state, given) for given in rows)}


def record_id(state: DatasetState, row: Row) -> str:
    """Return a record's id: a digest of its unique fields where there are some, else of all its values (Q12)."""
    names = state.unique_id or [column.name for column in state.columns]
    text = json.dumps([row.get(name) for name in names], sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha1(text.encode()).hexdigest()  # noqa: S324  40 hex digits, as the portal shows
