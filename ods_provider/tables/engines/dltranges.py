"""Dates and moments that a database would change without a word, refused with their row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.columns import Column

if TYPE_CHECKING:
    import pyarrow as pa

# Source: ClickHouse's pages on Date32 and DateTime64: what lies outside becomes the nearest that does not.
_FIRST, _LAST = date(1900, 1, 1), date(2299, 12, 31)


def within_range(rows: pa.RecordBatchReader, columns: tuple[Column, ...]) -> pa.RecordBatchReader:
    """Return the rows, with an error in place of a batch that holds a date or moment that ClickHouse does not.

    Args:
        rows: Batches of ``columns``.
        columns: What they hold.
    """
    import pyarrow as pa

    dated = [(at, column) for at, column in enumerate(columns) if column.kind in {"date", "datetime"}]

    def batches() -> Iterator[pa.RecordBatch]:
        before = 0
        for batch in rows:
            for at, column in dated:
                _expect(batch.column(at), column, before)
            before += batch.num_rows
            yield batch

    return pa.RecordBatchReader.from_batches(rows.schema, batches())


def _expect(values: Any, column: Column, before: int) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    days = pc.cast(values, pa.date32(), safe=False)
    outside = pc.or_kleene(pc.less(days, pa.scalar(_FIRST)), pc.greater(days, pa.scalar(_LAST)))
    if pc.any(outside).as_py():
        at = pc.index(outside, True).as_py()
        raise OdsTableError(
            f"row {before + at + 1} holds {values[at].as_py().isoformat()}, and ClickHouse keeps dates of the years "
            f"{_FIRST.year} to {_LAST.year} only",
            where=f"column {column.name}",
            advice="Leave such rows out by where=, or load the field as text",
        )
