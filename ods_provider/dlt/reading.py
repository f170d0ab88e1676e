"""The rows of a dataset for dlt: exported, proven complete, converted, and only then handed over."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dlt

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.events import ignore
from ods_provider.core.odsql import identifier, literal
from ods_provider.core.schema import Field
from ods_provider.jobs.arguments.files import download_job
from ods_provider.jobs.context import JobContext
from ods_provider.plugins.manager import plugins
from ods_provider.plugins.run import Run
from ods_provider.tables.columns import Column
from ods_provider.tables.converting import Converter
from ods_provider.tables.load import Load, TableName
from ods_provider.tables.portaltypes import columns_of
from ods_provider.tables.spool import Spool
from ods_provider.tables.spooledkeys import check_spooled_key

# What dlt calls the kinds of columns.
_TYPES: dict[str, dict[str, Any]] = {
    "int": {"data_type": "bigint"},
    "double": {"data_type": "double"},
    "decimal": {"data_type": "decimal", "precision": 38, "scale": 9},
    "bool": {"data_type": "bool"},
    "text": {"data_type": "text"},
    "date": {"data_type": "date"},
    "datetime": {"data_type": "timestamp", "timezone": True, "precision": 6},
    "json": {"data_type": "json"},
    "binary": {"data_type": "binary"},
    "geometry": {"data_type": "binary"},
}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a dataset.

    Attributes:
        keyed: Whether its rows are told apart by a key.
    """

    url: str
    api_key: str | None = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    dataset_id: str
    cursor: str | None
    key: tuple[str, ...]
    keyed: bool
    where: str | None = None
    select: str | None = None
    refine: Mapping[str, Any] | None = None
    exclude: Mapping[str, Any] | None = None
    geo: Any = "lonlat"
    min_rows: int = 0


def read(wanted: Wanted, start: Any) -> Iterator[Any]:
    """Yield Arrow tables of the rows, the first with what dlt is to know of the columns.

    Args:
        wanted: What of which dataset.
        start: Lowest value of the cursor; None for all rows.

    Raises:
        OdsError: The rows are not whole, cannot be read without loss, or their key does not tell them apart. Nothing
            was handed over then.
    """
    folder = Path(tempfile.mkdtemp(prefix="ods-dlt-"))
    spool = Spool()
    try:
        columns, schema, key = _fetch(wanted, start, folder / "export.parquet", spool)
        if wanted.keyed:
            load = Load(TableName(wanted.dataset_id), columns, mode="merge", key=key)
            check_spooled_key(load, spool, schema)
        yield from _handed(columns, schema, key if wanted.keyed else (), spool)
    finally:
        spool.close()
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(wanted: Wanted, start: Any, path: Path, spool: Spool) -> tuple[tuple[Column, ...], Any, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with OdsClient(wanted.url, api_key=wanted.api_key, **wanted.settings) as client:
        fields = client.dataset(wanted.dataset_id).fields
        job = download_job(
            dataset_id=wanted.dataset_id,
            path=str(path),
            format="parquet",
            where=_where(wanted, start),
            select=wanted.select,
            refine=wanted.refine,
            exclude=wanted.exclude,
            # With a cursor only what is new is asked for, and that may be nothing.
            min_rows=wanted.min_rows if start is None else 0,
        )
        run = Run("dlt", path.parent.name, wanted.url, _LOG)
        job.work(JobContext(client, run, plugins(), ignore, threading.Event()))
    with pq.ParquetFile(path) as file:
        columns = columns_of(fields, file.schema_arrow, geo=wanted.geo)
        converter = Converter(fields, file.schema_arrow, columns, where=f"dataset {wanted.dataset_id}")
        batches = (
            converter.convert(batch)
            for group in range(file.num_row_groups)
            for batch in file.read_row_group(group).to_batches()
        )
        spool.fill(pa.RecordBatchReader.from_batches(converter.schema, batches))
    path.unlink()
    return columns, converter.schema, _key(wanted, fields, columns)


def _where(wanted: Wanted, start: Any) -> str | None:
    if start is None or wanted.cursor is None:
        return wanted.where
    if isinstance(start, str):
        start = datetime.fromisoformat(start)
    if isinstance(start, datetime):
        start = start if start.tzinfo else start.replace(tzinfo=UTC)
    elif not isinstance(start, (int, float, date)):
        start = start.isoformat()
    since = f"{identifier(wanted.cursor)} >= {literal(start)}"
    return f"({wanted.where}) AND {since}" if wanted.where else since


def _key(wanted: Wanted, fields: tuple[Field, ...], columns: tuple[Column, ...]) -> tuple[str, ...]:
    names = {column.name for column in columns}
    key = wanted.key or tuple(each.name for each in fields if each.annotations.get("id"))
    if wanted.keyed and (not key or not set(key) <= names):
        raise OdsConfigError(
            "a merge needs fields that tell rows apart"
            if not key
            else f"the key {', '.join(key)} is not among the columns",
            where=f"dataset {wanted.dataset_id}",
            advice="Name primary_key, or choose write_disposition='replace'",
        )
    return key


def _handed(columns: tuple[Column, ...], schema: Any, key: tuple[str, ...], spool: Spool) -> Iterator[Any]:
    import pyarrow as pa

    told: dict[str, Any] = {
        column.name: {"name": column.name, "nullable": True, **_TYPES[column.kind]}
        | ({"description": column.comment} if column.comment else {})
        for column in columns
    }
    hints = dlt.mark.make_hints(columns=told, primary_key=list(key) or None)
    # An empty one makes the table of a dataset without rows. Before others it would break dlt's incremental with a lag.
    tables = (pa.Table.from_batches([batch]) for batch in spool.read(schema))
    yield dlt.mark.with_hints(next(tables, schema.empty_table()), hints)
    yield from tables
