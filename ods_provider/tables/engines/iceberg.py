"""Iceberg tables: each load is one commit of their catalogue, rows, columns and memory together."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from ods_provider.core.errors import OdsConfigError
from ods_provider.tables.applying import check_load
from ods_provider.tables.columns import Column, arrow_schema
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines import icebergwords as words
from ods_provider.tables.engines.icebergcatalog import Catalogue, identifier, lost_a_race
from ods_provider.tables.engines.icebergchanges import written
from ods_provider.tables.engines.icebergfiles import DataFiles
from ods_provider.tables.engines.lake import (
    Lake,
    expect_mode,
    latest,
    memory_text,
    place_in,
    property_of,
    remembered_in,
)
from ods_provider.tables.load import Load, Loaded, Memory, StandingColumn, TableName
from ods_provider.tables.spool import Spool
from ods_provider.tables.spooledkeys import check_spooled_key
from ods_provider.tables.stopping import until_stopped, was_stopped
from ods_provider.tables.target import Target

if TYPE_CHECKING:
    import pyarrow as pa

_RUN = "ods-provider.run"


class IcebergEngine:
    """An ``Engine`` of Iceberg tables in a folder of this machine, or of a catalogue.

    Args:
        target: The folder.
        lake: The same, taken apart.
        token: Of the run.

    Raises:
        OdsConfigError: A package is missing, or a store's catalogue is not named.
    """

    can = Abilities(
        swaps=("stage",),
        modes=("replace", "append", "merge"),
        comments=True,
        geometry=False,
        longest_name=None,
        folds_case=True,
    )

    def __init__(self, target: Target, lake: Lake, token: str) -> None:
        self._target = target
        self._token = token
        self._lake = lake
        self._catalogue = Catalogue(target, lake)
        self._spool: Spool | None = None
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        """Look for the packages; the catalogue is opened when it is asked."""
        try:
            import duckdb  # noqa: F401
            import pyiceberg.catalog.sql
            import pyiceberg.io.pyarrow  # noqa: F401
        except ImportError as error:
            raise OdsConfigError(
                f"Iceberg tables need pyiceberg and duckdb ({error})",
                where=self._target.label,
                advice="pip install 'ods-provider[iceberg]'",
            ) from None
        return self

    def __exit__(self, *exc: object) -> None:
        """Remove what waited to be loaded."""
        self._catalogue.close()
        self._discard()

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        with self._catalogue.speaking(table):
            found = self._catalogue.table(table)
            return words.standing_of(found.schema()) if found is not None else None

    def shown(self, column: Column) -> str:
        """Return what Iceberg calls the type of a column that it would make."""
        return words.shown(column)

    def rows(self, table: TableName) -> int:
        """Return how many rows a table that stands holds."""
        with self._catalogue.speaking(table):
            found = self._catalogue.table(table)
            return int(found.scan().count()) if found is not None else 0

    def recall(self, table: TableName, load_id: str | None) -> Memory | None:
        """Return what is remembered of earlier loads of the same work, None where there was none."""
        with self._catalogue.speaking(table):
            found = self._catalogue.table(table)
        return latest(remembered_in(found.properties, load_id)) if found is not None else None

    def stage(self, load: Load, rows: pa.RecordBatchReader) -> int:
        """Keep rows in files of this machine, and return how many there are: nothing is shown of them."""
        self._discard()
        self._spool = Spool()
        self._spool.fill(until_stopped(rows, self._stopped, self._target.label))
        return self._spool.rows

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Write all that was staged and what is remembered of it, as one commit of the catalogue."""
        assert self._spool is not None
        expect_mode(load, self.can, self._target)
        with self._catalogue.speaking(load.table):
            found = self._catalogue.table(load.table)
            check_load(load, words.standing_of(found.schema()) if found is not None else None)
            if load.mode == "merge":
                check_spooled_key(load, self._spool, arrow_schema(load.columns))
            return self._commit(load, memory, found)

    def drop(self, table: TableName, load_id: str) -> None:
        """Remove a table from its catalogue, with its files; what is remembered of its loads is its own."""
        with self._catalogue.speaking(table):
            found = self._catalogue.table(table)
            if found is None:
                return
            self._catalogue.opened().purge_table(identifier(table))
            if self._catalogue.ours and found.location() == self._catalogue.location(table):
                with suppress(FileNotFoundError):
                    place_in(self._lake, found.location(), self._target).remove(recursive=True)

    def cancel(self) -> None:
        """Stop before the next batch; a commit that has begun is done or not, and nothing between."""
        self._stopped.set()

    def _commit(self, load: Load, memory: Memory, found: Any) -> Loaded:
        assert self._spool is not None
        rows_before = int(found.scan().count()) if found is not None else 0
        transaction = self._begun(load, found)
        words.evolve(transaction, load)
        files = DataFiles(transaction, memory.load_id, self._token)
        sent = False
        try:
            change = written(load, self._spool, found, files, self._check)
            table_rows = change.inserted - change.deleted + (0 if load.mode == "replace" else rows_before)
            kept = {property_of(memory.load_id): memory_text(replace(memory, table_rows=table_rows))}
            transaction.set_properties(kept | ({"comment": load.comment} if load.comment else {}))
            self._snapshot(transaction, memory, change.gone, files.written)
            files.expect_own()
            sent = True
            transaction.commit_transaction()
        except BaseException as error:
            # Of another failure of what was sent nobody knows whether it came after all: the next run looks.
            if not sent or lost_a_race(error):
                files.take_back()
            raise
        files.forget()
        return Loaded(table_rows, change.inserted, change.updated, change.deleted)

    def _snapshot(self, transaction: Any, memory: Memory, gone: list[Any], come: list[Any]) -> None:
        """Put all files that go and come into one snapshot."""
        from pyiceberg.expressions import AlwaysTrue

        with transaction.update_snapshot(snapshot_properties={_RUN: memory.run}).overwrite() as snapshot:
            # Whatever others add or remove meanwhile makes the commit fail: what was counted is what becomes of it.
            snapshot.delete_by_predicate(AlwaysTrue())
            for file in gone:
                snapshot.delete_data_file(file)
            for file in come:
                snapshot.append_data_file(file)

    def _begun(self, load: Load, found: Any) -> Any:
        """Return a transaction on the table, which makes it where it does not stand."""
        if found is not None:
            return found.transaction()
        catalog = self._catalogue.opened(make=True)
        catalog.create_namespace_if_not_exists(identifier(load.table)[:1])
        return catalog.create_table_transaction(
            identifier(load.table), words.schema_of(load.columns), location=self._catalogue.location(load.table)
        )

    def _check(self) -> None:
        if self._stopped.is_set():
            raise was_stopped(self._target.label)

    def _discard(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None
