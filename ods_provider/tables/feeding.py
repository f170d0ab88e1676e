"""Batches on their way into a driver, which would wrap what goes wrong on ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def small(rows: pa.RecordBatchReader, most_rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a reader, the large ones in pieces: what is made of them is several times as large."""
    for batch in rows:
        for start in range(0, batch.num_rows, most_rows):
            yield batch.slice(start, most_rows)


class Feed:
    """Batches that a driver reads through C, with the error that ended them.

    Args:
        rows: The batches.
        most_rows: Of a batch as the driver gets it; larger ones are cut; None leaves them as they are.

    Attributes:
        failed: What was raised while they were read, as it was raised: a driver hands on its text at most.
    """

    def __init__(self, rows: pa.RecordBatchReader, *, most_rows: int | None = None) -> None:
        self._rows = rows
        self._most_rows = most_rows
        self.failed: BaseException | None = None

    def reader(self) -> pa.RecordBatchReader:
        """Return what the driver is given."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(self._rows.schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._rows:
                rows = self._most_rows or max(1, batch.num_rows)
                for start in range(0, batch.num_rows, rows):
                    yield batch.slice(start, rows)
        except GeneratorExit:  # the driver wants no more
            raise
        except BaseException as error:
            self.failed = error
            raise
