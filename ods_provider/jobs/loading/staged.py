"""Rows on their way from an export that was verified into a table: read from Parquet, converted, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

from ods_provider.core.errors import OdsSinkError
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.loading.cursor import as_json
from ods_provider.sinks.destination import Destination, speaking

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_BATCH_ROWS = 65_536
_BUFFER_BYTES = 1_048_576


class ExportedRows:
    """The rows of one or more Parquet files, in batches; they are read again as often as they are asked for.

    Args:
        ctx: The job's.
        files: The files, of one schema.
        cursor: Column whose highest value is looked for, None for none.

    Attributes:
        done: Rows that passed at the last reading.
        highest: The highest value of the cursor among them, as JSON has it; None where there was none.
        failure: What ended the last reading before its end: a driver tells it in words of its own, or not at all.
    """

    def __init__(self, ctx: JobContext, files: list[Destination]) -> None:
        self._ctx = ctx
        self._files = files
        self.done = 0
        self.highest: Any = None
        self.failure: BaseException | None = None

    def schema(self) -> pa.Schema:
        """Return what the files hold."""
        with speaking(self._files[0], reading=True), self._opened(self._files[0]) as file:
            return _parquet(file, self._files[0]).schema_arrow

    def reader(
        self, schema: pa.Schema, convert: Callable[[pa.RecordBatch], pa.RecordBatch], *, cursor: str | None = None
    ) -> pa.RecordBatchReader:
        """Return a reader of all rows.

        Args:
            schema: Of what ``convert`` gives.
            convert: Makes a batch of the table's columns of one of the files'.
            cursor: Column whose highest value is looked for.
        """
        import pyarrow as pa

        self.done, self.highest, self.failure = 0, None, None
        return pa.RecordBatchReader.from_batches(schema, self._batches(convert, cursor))

    def _batches(
        self, convert: Callable[[pa.RecordBatch], pa.RecordBatch], cursor: str | None
    ) -> Iterator[pa.RecordBatch]:
        try:
            highest: Any = None
            for place in self._files:
                for raw in self._of_file(place):
                    self._ctx.check()
                    batch = convert(raw)
                    if cursor is not None:
                        highest = _higher(highest, batch.column(cursor))
                    yield batch
                    self.done += batch.num_rows
            self.highest = as_json(highest)
        except GeneratorExit:
            raise
        except BaseException as error:
            self.failure = error
            raise

    def _of_file(self, place: Destination) -> Iterator[pa.RecordBatch]:
        with speaking(place, reading=True), self._opened(place) as opened:
            file = _parquet(opened, place)
            # One row group after another: read as a whole, a file is held in memory as a whole.
            for number in range(file.num_row_groups):
                yield from file.iter_batches(batch_size=_BATCH_ROWS, row_groups=[number], use_threads=False)

    @staticmethod
    def _opened(place: Destination) -> IO[bytes]:
        opened: IO[bytes] = place.fs.open(place.path, "rb")
        return opened


def _parquet(file: IO[bytes], place: Destination) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    except (pa.ArrowException, ValueError) as error:
        raise OdsSinkError(
            f"the export that was fetched cannot be read back: {type(error).__name__}",
            where=place.url,
            advice="Remove it and run again",
        ) from None


def _higher(known: Any, column: pa.Array[Any]) -> Any:
    import pyarrow.compute as pc
    from pyarrow import types

    values = pc.drop_null(column)
    if types.is_floating(values.type):
        values = values.filter(pc.is_finite(values))
    found = pc.max(values).as_py()
    return known if found is None or (known is not None and known >= found) else found
