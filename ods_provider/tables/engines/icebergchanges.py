"""What a load does to the data files of an Iceberg table: which it writes, which go, and the rows that are counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ods_provider.tables.columns import arrow_schema
from ods_provider.tables.engines.icebergfiles import DataFiles
from ods_provider.tables.engines.icebergmerge import Merge
from ods_provider.tables.engines.icebergwords import aligned, before, within
from ods_provider.tables.load import Load
from ods_provider.tables.spool import Spool

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True)
class Change:
    """What becomes of the files and the rows of a table.

    Attributes:
        gone: Files that are no longer its own.
        inserted, updated, deleted: Rows.
    """

    gone: list[Any] = field(default_factory=list)
    inserted: int = 0
    updated: int = 0
    deleted: int = 0


def written(load: Load, spool: Spool, found: Any, files: DataFiles, check: Callable[[], None]) -> Change:
    """Write the files of a load, one file of the table in memory at a time.

    Args:
        load: What is to be done.
        spool: Its rows.
        found: The table as it stands; None where none does.
        files: Where they are written.
        check: Raises where the load was told to stop.
    """
    if load.mode == "merge":
        return _merged(load, spool, found, files, check)
    change = Change()
    if load.mode == "replace":
        change.gone = [task.file for task in found.scan().plan_files()] if found is not None else []
    elif found is not None and (load.window or load.widen):
        change = _kept(load, found, files, check)
    change.inserted = files.add(spool.read(arrow_schema(load.columns)), check)
    return change


def _kept(load: Load, found: Any, files: DataFiles, check: Callable[[], None]) -> Change:
    """Write anew the files of which rows make room, and with wider columns all of them."""
    change = Change()
    scan = found.scan() if load.widen or load.window is None else found.scan(row_filter=within(load.window))
    for task in scan.plan_files():
        check()
        standing = _rows(found, task, files)
        kept = standing.to_batches() if load.window is None else [before(b, load.window) for b in standing.to_batches()]
        dropped = standing.num_rows - sum(batch.num_rows for batch in kept)
        if dropped or load.widen:
            change.gone.append(task.file)
            change.deleted += dropped
            files.add(kept, check)
    return change


def _merged(load: Load, spool: Spool, found: Any, files: DataFiles, check: Callable[[], None]) -> Change:
    """Write anew the files in which a row changes or goes, and what is new into others."""
    change = Change()
    with Merge(load, spool) as merge:
        for task in found.scan().plan_files() if found is not None else ():
            check()
            met = merge.meet(_rows(found, task, files))
            missing = met.missing if load.delete_missing else 0
            if met.changed or missing or load.widen:
                change.gone.append(task.file)
                change.updated += met.changed
                change.deleted += missing
                files.add(merge.merged(), check)
        change.inserted = files.add(merge.inserted(), check)
    return change


def _rows(found: Any, task: Any, files: DataFiles) -> pa.Table:
    """Return the rows of a file of the table, with the columns that it will have."""
    import pyarrow as pa
    from pyiceberg.expressions import AlwaysTrue
    from pyiceberg.io.pyarrow import ArrowScan

    scan = ArrowScan(found.metadata, found.io, found.schema(), AlwaysTrue())
    return pa.Table.from_batches(aligned(scan.to_record_batches([task]), files.schema), files.schema)
