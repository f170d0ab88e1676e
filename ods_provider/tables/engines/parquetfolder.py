"""Plain folders of Parquet files, and a list of them that tells of the load.

On this machine one folder takes the place of the other in one step (``sinks.folders``). In a store the new files come,
the old ones go, and the list is last: who reads the files that the list names reads one state, and who takes what is
there may meet two for a moment.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Self

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsTableBusy, OdsTableError
from ods_provider.sinks.destination import Destination, speaking
from ods_provider.sinks.folders import Lists, commit_folder, expect_only
from ods_provider.tables.applying import check_load
from ods_provider.tables.columns import Column, arrow_schema, arrow_type
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.lake import Lake, expect_mode, latest, place_in
from ods_provider.tables.load import Load, Loaded, Memory, StandingColumn, TableName
from ods_provider.tables.spool import Spool
from ods_provider.tables.stopping import until_stopped, was_stopped
from ods_provider.tables.target import Target

if TYPE_CHECKING:
    import pyarrow as pa

# Readers of folders skip what begins with an underscore.
_LIST, _UNFINISHED = "_ods_loads.json", "_ods_loading.json"
_FILE_ROWS = 250_000
_GAP = "in a store, who reads the files without their list may meet those of two states for a moment"


class ParquetFolderEngine:
    """An ``Engine`` of folders of Parquet files.

    Args:
        target: The folder in which tables are folders.
        lake: The same, taken apart.
        token: The run's.
    """

    def __init__(self, target: Target, lake: Lake, token: str) -> None:
        self._target = target
        self._lake = lake
        self._mark = hashlib.sha256(token.encode()).hexdigest()[:12]
        self._spool: Spool | None = None
        self._stopped = threading.Event()
        self._root = place_in(lake, lake.url, target)
        self.can = Abilities(
            swaps=("stage",),
            modes=("replace", "append"),
            comments=True,
            geometry=False,
            longest_name=None,
            folds_case=False,
            gap="" if self._root.can.renames else _GAP,
        )

    def __enter__(self) -> Self:
        """There is nothing to connect to; what a killed run left is removed when its table is loaded again."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Remove what was staged."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        known = self._known(table)
        if known is None:
            return None
        return tuple(
            StandingColumn(column["name"], column["kind"], frozenset({column["kind"]})) for column in known["columns"]
        )

    def shown(self, column: Column) -> str:
        """Return what the list calls the type of a column."""
        return column.kind

    def rows(self, table: TableName) -> int:
        """Return how many rows a table that stands holds, by what its files say."""
        known = self._known(table) or {"files": {}}
        return sum(self._counted(self._folder(table).child(name)) for name in known["files"])

    def recall(self, table: TableName, load_id: str | None) -> Memory | None:
        """Return what is remembered of earlier loads of the same work, None where there was none."""
        loads = (self._known(table) or {"loads": {}})["loads"]
        return latest([Memory(**told) for name, told in loads.items() if load_id in (None, name)])

    def stage(self, load: Load, rows: pa.RecordBatchReader) -> int:
        """Keep rows in files of this machine, and return how many there are."""
        self.__exit__()
        self._spool = Spool()
        self._spool.fill(until_stopped(rows, self._stopped, self._target.label))
        return self._spool.rows

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Let a folder with the new rows take the place of the old one, or add to it."""
        assert self._spool is not None
        expect_mode(load, self.can, self._target)
        folder = self._folder(load.table)
        known = self._known(load.table)
        check_load(load, self.standing(load.table))
        old = {**known["files"]} if known else {}
        expect_only(folder, {*old, *_left(folder), _LIST, _UNFINISHED})
        columns = self._columns(load, known)
        beside = folder.sibling(f".{folder.name}.{self._mark}.stage.part")
        beside.remove(recursive=True)
        try:
            made = self._write(load, columns, beside, self._spool.read(arrow_schema(load.columns)), "part")
            kept = self._kept(load, columns, beside, folder, old, known)
            counts = {name: self._counted(place) for name, place in {**made, **kept}.items()}
            loaded = self._loaded(load, counts, made, sum(old.values()))
            loads = {**(known["loads"] if known else {})}
            loads[memory.load_id] = asdict(replace(memory, table_rows=loaded.table_rows))
            told = {
                "comment": load.comment,
                "columns": [asdict(column) for column in columns],
                "files": counts,
                "loads": loads,
            }
            lists = Lists(_LIST, json.dumps(told, ensure_ascii=False, indent=1).encode(), _UNFINISHED, _MINE)
            # A file that stays where it is need not be copied in a store; a new folder needs a link to it.
            moved = {**made, **{n: p for n, p in kept.items() if folder.can.renames or n not in old}}
            commit_folder(folder, moved, lists, older=set(_left(folder)) - set(kept), token=self._mark)
        finally:
            beside.remove(recursive=True)
        return loaded

    def drop(self, table: TableName, load_id: str) -> None:
        """Remove the table's folder; what is remembered of its loads lies in it."""
        if (known := self._known(table)) is not None:
            folder = self._folder(table)
            expect_only(folder, {*known["files"], *_left(folder), _LIST, _UNFINISHED})
            folder.remove(recursive=True)

    def cancel(self) -> None:
        """Stop before the next batch."""
        self._stopped.set()

    def _loaded(self, load: Load, counts: dict[str, int], made: dict[str, Destination], before: int) -> Loaded:
        assert self._spool is not None
        inserted = sum(counts[name] for name in made)
        if inserted != self._spool.rows:
            raise OdsTableBusy(
                f"{counted(inserted, 'rows')} arrived of {self._spool.rows}: the table is as it was",
                where=str(load.table),
                advice="Run it again",
            )
        table_rows = sum(counts.values())
        return Loaded(table_rows, inserted, 0, before + inserted - table_rows if load.mode == "append" else 0)

    def _columns(self, load: Load, known: dict[str, Any] | None) -> tuple[Column, ...]:
        """Return the table's columns after the load."""
        given = {column.name: column for column in load.columns}
        if known is None:
            return load.columns
        old = [given.get(each["name"]) or Column(**each) for each in known["columns"]]
        return (*old, *load.add)

    def _kept(
        self,
        load: Load,
        columns: tuple[Column, ...],
        beside: Destination,
        folder: Destination,
        old: dict[str, int],
        known: dict[str, Any] | None,
    ) -> dict[str, Destination]:
        """Return the files with the rows that stay: as they are, or written anew where some go or columns change."""
        if load.mode == "replace" or known is None:
            return {}
        if not (load.window or load.add or load.widen):
            return {name: folder.child(name) for name in old}
        return self._write(load, columns, beside, self._standing_rows(load, folder, old), "kept")

    def _standing_rows(self, load: Load, folder: Destination, old: dict[str, int]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        for name in old:
            with folder.child(name).fs.open(folder.child(name).path, "rb") as file:
                parquet = pq.ParquetFile(file)
                for group in range(parquet.num_row_groups):
                    for batch in parquet.read_row_group(group).to_batches():
                        if load.window:
                            values = batch.column(load.window.column)
                            start = pa.scalar(load.window.start, values.type)
                            stays: Any = pc.fill_null(pc.less(values, start), False)  # type: ignore[type-var]
                            yield batch.filter(stays)
                        else:
                            yield batch

    def _write(
        self, load: Load, columns: tuple[Column, ...], beside: Destination, rows: Any, kind: str
    ) -> dict[str, Destination]:
        """Write rows into files beside the folder."""
        import pyarrow.parquet as pq

        schema = _described(columns)
        made: dict[str, Destination] = {}
        batches = iter(rows)
        batch = next(batches, None)
        with speaking(beside):
            while batch is not None or not (made or kind == "kept"):
                # No two loads give a file the same name: a reader's file never changes under it.
                place = beside.child(f"{kind}-{self._fresh()}-{len(made):05}.parquet")
                place.make_parents()
                held = 0
                with place.fs.open(place.path, "wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as out:
                    while batch is not None and (held == 0 or held + batch.num_rows <= _FILE_ROWS):
                        if self._stopped.is_set():
                            raise was_stopped(self._target.label)
                        out.write_batch(_as(batch, schema))
                        held += batch.num_rows
                        batch = next(batches, None)
                made[place.name] = place
        return made

    def _fresh(self) -> str:
        import secrets

        return f"{self._mark}-{secrets.token_hex(4)}"

    def _known(self, table: TableName) -> dict[str, Any] | None:
        place = self._folder(table).child(_LIST)
        if place.size_bytes() is None:
            unfinished = self._folder(table).child(_UNFINISHED)
            if unfinished.size_bytes() is not None or not _left(self._folder(table)):
                return None
            raise OdsTableError(
                "the folder holds Parquet files that are not of a load",
                where=place.url,
                advice="Name a folder that is empty or not there yet",
            )
        try:
            found: dict[str, Any] = json.loads(place.read_bytes())
        except ValueError:
            raise _strange(place) from None
        if not isinstance(found, dict) or not {"columns", "files", "loads"} <= set(found):
            raise _strange(place)
        return found

    def _counted(self, place: Destination) -> int:
        import pyarrow.parquet as pq

        with speaking(place, reading=True), place.fs.open(place.path, "rb") as file:
            return int(pq.read_metadata(file).num_rows)

    def _folder(self, table: TableName) -> Destination:
        return place_in(self._lake, self._lake.folder(table), self._target)


_MINE = json.dumps({"by": "ods_provider", "says": "a load is under way, or was killed; run it again"}).encode()


def _left(folder: Destination) -> list[str]:
    return [name for name in folder.names() if name.endswith(".parquet")]


def _strange(place: Destination) -> OdsTableError:
    return OdsTableError("the list of the folder is not ours", where=place.url, advice="Name another folder")


def _described(columns: tuple[Column, ...]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [pa.field(c.name, arrow_type(c.kind), metadata={"comment": c.comment} if c.comment else None) for c in columns]
    )


def _as(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with a table's columns: those that it lacks are empty, the others as wide as there."""
    import pyarrow as pa

    given = set(batch.schema.names)
    columns = [
        batch.column(field.name).cast(field.type) if field.name in given else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
