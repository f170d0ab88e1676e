"""A load that is told to stop: how it learns of it between batches, and what it ends with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ods_provider.core.errors import OdsTableBusy

if TYPE_CHECKING:
    import pyarrow as pa


def was_stopped(where: str | None, *, confirming: bool = False) -> OdsTableBusy:
    """Return what a load that was stopped ends with, whatever its database made of it.

    Args:
        where: The table, or its database.
        confirming: Whether the database was just ending the transaction: nobody knows then which state it took.
    """
    if confirming:
        return OdsTableBusy(
            "The load was stopped while its database confirmed it; the table holds the old rows or the new ones",
            where=where,
            advice="Run it again: what is there already is not loaded twice",
        )
    return OdsTableBusy("The load was stopped; the table is as it was", where=where)


def until_stopped(rows: pa.RecordBatchReader, stopped: threading.Event, where: str | None) -> pa.RecordBatchReader:
    """Return the rows, with an error in place of the next batch once it is said to stop."""
    import pyarrow as pa

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            if stopped.is_set():
                raise was_stopped(where)
            yield batch

    return pa.RecordBatchReader.from_batches(rows.schema, batches())
