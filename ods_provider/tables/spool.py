"""Batches that wait in files on this machine until they can be loaded together."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.feeding import small

if TYPE_CHECKING:
    import pyarrow as pa

_FILE_ROWS = 250_000  # whoever holds a file in memory as one holds this much
_GROUP_ROWS = 50_000


class Spool:
    """A folder of Parquet files, for its owner alone; ``close`` removes it.

    Attributes:
        files: Their paths, in the order of the rows, each with how many rows it holds.
    """

    def __init__(self) -> None:
        self.files: list[tuple[str, int]] = []
        self._folder = Path(tempfile.mkdtemp(prefix="ods-load-"))

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(rows for _, rows in self.files)

    def fill(self, rows: pa.RecordBatchReader) -> None:
        """Write all rows of a reader, one batch in memory at a time."""
        import pyarrow.parquet as pq

        batches = small(rows, _GROUP_ROWS)
        batch = next(batches, None)
        try:
            while batch is not None:
                path, held = self._folder / f"{len(self.files):05}.parquet", 0
                with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
                    while batch is not None and held + batch.num_rows <= _FILE_ROWS:
                        writer.write_batch(batch, row_group_size=_GROUP_ROWS)
                        held += batch.num_rows
                        batch = next(batches, None)
                self.files.append((str(path), held))
        except OSError as error:
            raise OdsTableError(
                f"the rows cannot be kept until they are loaded: {error.strerror or error}",
                where=str(self._folder.parent),
                advice="Free space there, or let TMPDIR name another folder",
                cause=error,
            ) from None

    def read(self, schema: pa.Schema) -> pa.RecordBatchReader:
        """Return the rows again, a row group in memory at a time."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(schema, _groups([path for path, _ in self.files]))

    def close(self) -> None:
        """Remove the files."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _groups(paths: list[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    for path in paths:
        with pq.ParquetFile(path) as file:
            # Never `iter_batches` over a file, which reads ahead of what is asked for.
            for group in range(file.num_row_groups):
                yield from file.read_row_group(group).to_batches()
