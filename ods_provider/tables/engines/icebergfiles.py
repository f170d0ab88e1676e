"""The data files of a load into an Iceberg table: written before its commit, and removed where there was none.

Before the first of them their common name is noted beside the table's metadata. Whoever loads the same work next finds
there which run was killed, and removes its files that no snapshot names. What another run noted is left alone for a
day: it may still be at work.
"""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ods_provider.core.errors import OdsTableBusy
from ods_provider.tables.engines.icebergwords import aligned
from ods_provider.tables.engines.lake import property_of

if TYPE_CHECKING:
    import pyarrow as pa

_FILE_BYTES = 64_000_000  # of rows in memory, which become one file
_ALIVE_S = 86_400


class DataFiles:
    """What one load writes.

    Args:
        transaction: The load's; its schema is as it will be.
        load_id: Of the work.
        token: Of the run.
    """

    def __init__(self, transaction: Any, load_id: str, token: str) -> None:
        self._transaction = transaction
        # A table that does not stand yet is known to its transaction only.
        self._table = transaction._table  # noqa: SLF001
        self._io = self._table.io
        self._counter = itertools.count(0)
        self._note = self._table.location_provider().new_metadata_location(f"{property_of(load_id)}.loading")
        self._own: dict[str, Any] = {"name": str(uuid.uuid4()), "token": token, "at": time.time()}
        self.written: list[Any] = []
        self._write_note([*self._tidied(), self._own])

    @property
    def schema(self) -> pa.Schema:
        """The columns that the table will have."""
        from pyiceberg.io.pyarrow import schema_to_pyarrow

        found: pa.Schema = schema_to_pyarrow(self._transaction.table_metadata.schema(), include_field_ids=False)
        return found

    def add(self, batches: Iterable[pa.RecordBatch], check: Callable[[], None]) -> int:
        """Write rows, a file's worth in memory at a time, and return how many there were.

        Args:
            batches: The rows; what they lack of the table's columns is null.
            check: Raises where the load was told to stop; asked before each file.
        """
        import pyarrow as pa
        from pyiceberg.io.pyarrow import _dataframe_to_data_files

        metadata, schema = self._transaction.table_metadata, self.schema
        rows = 0
        for held in _files(aligned(batches, schema)):
            check()
            table = pa.Table.from_batches(held, schema)
            rows += table.num_rows
            self.written += _dataframe_to_data_files(
                table_metadata=metadata,
                df=table,
                io=self._io,
                write_uuid=uuid.UUID(self._own["name"]),
                counter=self._counter,
            )
        return rows

    def expect_own(self) -> None:
        """Refuse to go on where another attempt of the same run took over: it removed these files.

        Raises:
            OdsTableBusy: It did.
        """
        if self._own not in self._noted():
            raise OdsTableBusy(
                "another attempt of the same run has begun", where=self._note, advice="Let one of them run"
            )

    def forget(self) -> None:
        """Strike this load off the note: the files are the table's now."""
        with suppress(OSError):
            self._write_note([run for run in self._noted() if run != self._own])

    def take_back(self) -> None:
        """Remove what was written, which no snapshot names."""
        for file in self.written:
            with suppress(OSError):
                self._io.delete(file.file_path)
        self.forget()

    def _noted(self) -> list[dict[str, Any]]:
        """Return the runs of this work that have begun, and whose end nobody has noted."""
        found = self._io.new_input(self._note)
        if found.exists():
            with found.open() as stream, suppress(ValueError):
                return list(json.loads(stream.read()))
        return []

    def _write_note(self, runs: list[dict[str, Any]]) -> None:
        if not runs:
            self._io.delete(self._note)
            return
        with self._io.new_output(self._note).create(overwrite=True) as stream:
            stream.write(json.dumps(runs).encode())

    def _tidied(self) -> list[dict[str, Any]]:
        """Remove what runs left that are no more, and return the others."""
        runs = self._noted()
        alive = [run for run in runs if run["token"] != self._own["token"] and time.time() - run["at"] < _ALIVE_S]
        named = self._named() if len(alive) < len(runs) else set()
        for run in runs:
            if run not in alive:
                self._remove(run["name"], named)
        return alive

    def _remove(self, name: str, named: set[str]) -> None:
        provider = self._table.location_provider()
        for number in itertools.count(0):
            # As pyiceberg names them; below a partition they are not looked for.
            path = provider.new_data_location(f"00000-{number}-{name}.parquet")
            if path not in named:
                if not self._io.new_input(path).exists():
                    return
                self._io.delete(path)

    def _named(self) -> set[str]:
        """Return the paths of all files that a snapshot names."""
        return {
            entry.data_file.file_path
            for snapshot in self._table.metadata.snapshots
            for manifest in snapshot.manifests(self._io)
            for entry in manifest.fetch_manifest_entry(self._io)
        }


def _files(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        held.append(batch)
        size += batch.nbytes
        if size >= _FILE_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held
