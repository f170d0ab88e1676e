"""What a load does about the columns of its table: found out before anything is fetched, and again with the export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ods_provider.core.schema import Dataset
from ods_provider.jobs.keys import key_of
from ods_provider.tables.changes import Changes, Rules, compared, expected
from ods_provider.tables.converting import Converter
from ods_provider.tables.keyed import VALID_FROM, VALID_TO
from ods_provider.tables.load import StandingColumn
from ods_provider.tables.names import Naming
from ods_provider.tables.portaltypes import columns_of, foreseen

if TYPE_CHECKING:
    import pyarrow as pa

    from ods_provider.jobs.loading.order import LoadOrder
    from ods_provider.tables.engine import Abilities


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """The columns of a load.

    Attributes:
        changes: What is staged, and what the table gets.
        key: The key's columns.
        cursor: The cursor's column, None for none.
        convert: Makes a batch of these columns of one of the export's.
        told: What people are told, a sentence each.
    """

    changes: Changes
    key: tuple[str, ...]
    cursor: str | None
    convert: Callable[[pa.RecordBatch], pa.RecordBatch]
    told: tuple[str, ...]


def planned(
    job: LoadOrder,
    dataset: Dataset,
    exported: Any,
    standing: tuple[StandingColumn, ...] | None,
    can: Abilities,
) -> ColumnPlan:
    """Return what is done about the columns.

    Args:
        job: What is wanted.
        dataset: The portal's description.
        exported: The schema of the export.
        standing: The table's columns, None where no table stands.
        can: What the database can do.

    Raises:
        OdsColumnsChanged: They differ in a way that the job does not allow.
        OdsConfigError: The key is none.
    """
    history = frozenset({VALID_FROM.name, VALID_TO.name}) if job.mode == "scd2" else frozenset()
    naming = Naming(can.longest_name, can.folds_case, history | can.taken)
    columns = columns_of(dataset.fields, exported, geo=job.geo, naming=naming)
    key = key_of(job.mode, job.key, dataset)
    rules = Rules(
        columns=job.columns,
        fixed=frozenset({*key, *((job.cursor.field,) if job.cursor else ())}),
        replaces=job.mode == "replace",
        folds_case=can.folds_case,
        ours=history,
    )
    if job.expect is not None:
        columns = expected(columns, dataset.fields, job.expect, rules, where=f"dataset {dataset.dataset_id}")
    changes = compared(columns, standing, rules, where=f"table {job.table}")
    named = {column.field: column.name for column in changes.columns}
    converter = Converter(dataset.fields, exported, changes.columns, where=f"dataset {dataset.dataset_id}")
    return ColumnPlan(
        changes,
        tuple(named[name] for name in key),
        named[job.cursor.field] if job.cursor else None,
        converter.convert,
        (*map(str, naming.told(columns)), *changes.told),
    )


def expect_loadable(
    job: LoadOrder, dataset: Dataset, standing: tuple[StandingColumn, ...] | None, can: Abilities
) -> None:
    """Refuse before anything is fetched what can be refused by the portal's description alone.

    Raises:
        OdsColumnsChanged: As ``planned``.
        OdsConfigError: As ``planned``.
    """
    query = job.download.query
    exported = foreseen(dataset.fields)
    # What a select computes, and types that nobody knows, are seen in the export.
    if query.select is None and query.group_by is None and exported is not None:
        planned(job, dataset, exported, standing, can)
