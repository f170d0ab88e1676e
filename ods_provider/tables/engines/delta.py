"""Delta tables: each load is one commit of their log, rows and memory together, so readers see the old or the new."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsError, OdsTableBusy, OdsTableError
from ods_provider.core.redact import Secret, scrub
from ods_provider.tables.applying import check_load
from ods_provider.tables.columns import Column, arrow_schema, arrow_type
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.deltawords import (
    TAKES,
    TYPES,
    aligned,
    field,
    literal,
    type_name,
)
from ods_provider.tables.engines.lake import (
    TAG,
    Lake,
    expect_mode,
    latest,
    memory_of,
    memory_text,
    place_in,
    property_of,
    quoted,
    remembered_in,
)
from ods_provider.tables.load import Load, Loaded, Memory, StandingColumn, TableName
from ods_provider.tables.spool import Spool
from ods_provider.tables.spooledkeys import check_spooled_key
from ods_provider.tables.stopping import until_stopped
from ods_provider.tables.target import Target

if TYPE_CHECKING:
    import pyarrow as pa


class DeltaEngine:
    """An ``Engine`` of Delta tables in a folder of this machine or of a store.

    Args:
        target: The folder.
        lake: The same, taken apart.
    """

    can = Abilities(
        swaps=("stage",),
        modes=("replace", "append", "merge"),
        comments=True,
        geometry=False,
        longest_name=None,
        folds_case=True,
    )

    def __init__(self, target: Target, lake: Lake) -> None:
        self._target = target
        self._lake = lake
        self._spool: Spool | None = None
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        """Look for the package; there is nothing to connect to."""
        try:
            import deltalake  # noqa: F401
        except ImportError:
            raise OdsConfigError(
                "Delta tables need deltalake", where=self._target.label, advice="pip install 'ods-provider[delta]'"
            ) from None
        return self

    def __exit__(self, *exc: object) -> None:
        """Remove what waited to be loaded."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        with self._speaking(table):
            found = self._table(table)
            if found is None:
                return None
            columns = [(field.name, type_name(field.type), not field.nullable) for field in found.schema().fields]
        return tuple(StandingColumn(n, kind, TAKES.get(kind, frozenset()), needed) for n, kind, needed in columns)

    def shown(self, column: Column) -> str:
        """Return what Delta calls the type of a column that it would make."""
        return TYPES[column.kind]

    def rows(self, table: TableName) -> int:
        """Return how many rows a table that stands holds."""
        with self._speaking(table):
            found = self._table(table)
            return int(found.count()) if found is not None else 0

    def recall(self, table: TableName, load_id: str | None) -> Memory | None:
        """Return what is remembered of earlier loads of the same work, None where there was none."""
        with self._speaking(table):
            found = self._table(table)
            if found is None:
                return None
            kept = remembered_in(found.metadata().configuration, load_id)
            # The property follows its commit; where a run was killed between them, the log knows more.
            for commit in found.history():
                if tag := commit.get(TAG):
                    told = memory_of(tag)
                    if load_id in (None, told.load_id):
                        kept.append(told)
                        break
        return latest(kept)

    def stage(self, load: Load, rows: pa.RecordBatchReader) -> int:
        """Keep rows in files of this machine, and return how many there are: nothing is shown of them."""
        self.__exit__()
        self._spool = Spool()
        self._spool.fill(until_stopped(rows, self._stopped, self._target.label))
        return self._spool.rows

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Write all that was staged and what is remembered of it, as one commit of the log."""
        assert self._spool is not None
        expect_mode(load, self.can, self._target)
        standing = self.standing(load.table)
        check_load(load, standing)
        schema = arrow_schema(load.columns)
        if load.mode == "merge":
            check_spooled_key(load, self._spool, schema)
        with self._speaking(load.table):
            self._define(load, standing)
            before = self.rows(load.table)
            done = self._write(load, memory)
            table_rows = self.rows(load.table)
            loaded = self._loaded(load, before, table_rows, done)
            self._table(load.table).alter.set_table_properties(
                {property_of(memory.load_id): memory_text(replace(memory, table_rows=table_rows))},
                raise_if_not_exists=False,
            )
        return loaded

    def drop(self, table: TableName, load_id: str) -> None:
        """Remove the table's folder; what is remembered of its loads lies in it."""
        with self._speaking(table):
            if self._table(table) is not None:
                place_in(self._lake, self._lake.folder(table), self._target).remove(recursive=True)

    def cancel(self) -> None:
        """Stop before the next batch; a commit that has begun is done or not, and nothing between."""
        self._stopped.set()

    def _write(self, load: Load, memory: Memory) -> dict[str, Any]:
        """Write one commit, and return what a merge counted."""
        from deltalake import CommitProperties, write_deltalake

        assert self._spool is not None
        found = self._table(load.table)
        rows = aligned(self._spool, load, found)
        tag = CommitProperties(custom_metadata={TAG: memory_text(memory)})
        if load.mode == "merge":
            return dict(self._merged(load, found, rows, tag))
        given: dict[str, Any] = {"mode": "append" if load.mode == "append" else "overwrite"}
        if load.window:
            name = quoted(load.window.column)
            given = {"mode": "overwrite", "predicate": f"{name} >= {literal(load.window.start)} OR {name} IS NULL"}
        write_deltalake(found, rows, commit_properties=tag, **given)
        return {}

    def _merged(self, load: Load, found: Any, rows: Any, tag: Any) -> Any:
        same = " AND ".join(f"old.{quoted(name)} = new.{quoted(name)}" for name in load.key)
        merger = found.merge(rows, same, source_alias="new", target_alias="old", commit_properties=tag)
        put = {quoted(column.name): f"new.{quoted(column.name)}" for column in load.columns}
        rest = {quoted(column.name): put[quoted(column.name)] for column in load.columns if column.name not in load.key}
        if rest:
            differs = " OR ".join(f"(old.{name} IS DISTINCT FROM {value})" for name, value in rest.items())
            merger = merger.when_matched_update(rest, predicate=differs)
        merger = merger.when_not_matched_insert(put)
        if load.delete_missing:
            merger = merger.when_not_matched_by_source_delete()
        return merger.execute()

    def _loaded(self, load: Load, before: int, after: int, done: dict[str, Any]) -> Loaded:
        """Return what became of the table, which is counted: the log says it too, and must say the same."""
        assert self._spool is not None
        rows = self._spool.rows
        if load.mode == "merge":
            inserted, deleted = int(done["num_target_rows_inserted"]), int(done["num_target_rows_deleted"])
            updated, expected = int(done["num_target_rows_updated"]), before + inserted - deleted
        else:
            inserted, updated, deleted = rows, 0, before + rows - after if load.window else 0
            expected = rows if load.mode == "replace" else after if load.window else before + rows
        if after != expected or deleted < 0:
            raise OdsTableBusy(
                f"the table holds {counted(after, 'rows')}, and {expected} were to be there",
                where=str(load.table),
                advice="Let nobody else write into it while it is loaded, and run it again",
            )
        return Loaded(after, inserted, updated, deleted)

    def _define(self, load: Load, standing: tuple[StandingColumn, ...] | None) -> None:
        """Make the table, or give it the columns that it lacks: commits that leave the rows as they are."""
        from deltalake import DeltaTable, Schema

        if standing is None:
            DeltaTable.create(
                self._url(load.table),
                Schema([field(column) for column in load.columns]),
                description=load.comment,
                storage_options=self._lake.for_delta(),
                configuration={"delta.columnMapping.mode": "none"},
            )
            return
        if load.add:
            self._table(load.table).alter.add_columns([field(column) for column in load.add])
        if load.widen:
            self._widen(load)

    def _widen(self, load: Load) -> None:
        """Write the table anew with the wider columns."""
        import pyarrow as pa
        from deltalake import write_deltalake

        found = self._table(load.table)
        kinds = {column.name: arrow_type(column.kind) for column in load.widen}
        dataset = found.to_pyarrow_dataset()
        schema = pa.schema([pa.field(f.name, kinds.get(f.name, f.type)) for f in dataset.schema])
        batches = (batch.cast(schema) for batch in dataset.to_batches(batch_size=50_000))
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        write_deltalake(found, reader, mode="overwrite", schema_mode="overwrite")

    def _table(self, table: TableName) -> Any:
        from deltalake import DeltaTable

        url, options = self._url(table), self._lake.for_delta()
        return DeltaTable(url, storage_options=options) if DeltaTable.is_deltatable(url, options) else None

    def _url(self, table: TableName) -> str:
        url = self._lake.folder(table)
        return url.removeprefix("file://") if url.startswith("file://") else url

    @contextmanager
    def _speaking(self, table: TableName) -> Iterator[None]:
        """Turn what the package raises into errors of ours."""
        from deltalake import exceptions

        try:
            yield
        except OdsError:
            raise
        except Exception as error:
            secrets = [Secret(text) for key, text in self._lake.settings.items() if "key" in key or "token" in key]
            raise OdsTableError(
                f"the lake refused: {scrub(str(error), secrets)[:300]}",
                where=f"{self._target.label}, table {table}",
                advice="Run it again" if isinstance(error, exceptions.CommitFailedError) else "Mend what it says",
                transient=isinstance(error, exceptions.CommitFailedError),
            ) from None
