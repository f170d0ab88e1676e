"""Delta tables in its words: types, fields, conditions, and the rows of a load with a table's columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from ods_provider.tables.columns import Column, Kind, arrow_schema
from ods_provider.tables.load import Load
from ods_provider.tables.spool import Spool

if TYPE_CHECKING:
    import pyarrow as pa

TYPES: dict[Kind, str] = {
    "int": "long", "double": "double", "decimal": "decimal(38,9)", "bool": "boolean", "text": "string",
    "date": "date", "datetime": "timestamp", "json": "string", "binary": "binary", "geometry": "binary",
}  # fmt: skip
TAKES: dict[str, frozenset[Kind]] = {
    "long": frozenset({"int"}),
    "double": frozenset({"double"}),
    "decimal(38,9)": frozenset({"decimal"}),
    "boolean": frozenset({"bool"}),
    "string": frozenset({"text", "json"}),
    "date": frozenset({"date"}),
    "timestamp": frozenset({"datetime"}),
    "binary": frozenset({"binary", "geometry"}),
}


def field(column: Column) -> Any:
    """Return a column as a table has it."""
    from deltalake import Field, schema

    metadata = {"comment": column.comment} if column.comment else {}
    return Field(column.name, schema.PrimitiveType(TYPES[column.kind]), nullable=True, metadata=metadata)


def aligned(spool: Spool, load: Load, found: Any) -> pa.RecordBatchReader:
    """Return the rows with every column of the table, in its order; a merge names those it means."""
    import pyarrow as pa

    rows = spool.read(arrow_schema(load.columns))
    if load.mode == "merge":
        return rows
    given = {column.name for column in load.columns}
    schema = pa.schema(
        [
            pa.field(field.name, rows.schema.field(field.name).type if field.name in given else pa.null())
            for field in found.schema().fields
        ]
    )

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            columns = [
                batch.column(field.name) if field.name in given else pa.nulls(batch.num_rows) for field in schema
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def type_name(kind: Any) -> str:
    """Return what Delta calls a type."""
    return str(getattr(kind, "type", kind))


def literal(value: Any) -> str:
    """Return a value as DataFusion, which reads conditions here, has it; a plain text of a moment has nanoseconds."""
    if isinstance(value, datetime):
        return f"arrow_cast('{value.astimezone(UTC).isoformat()}', 'Timestamp(Microsecond, Some(\"UTC\"))')"
    return f"CAST('{value.isoformat()}' AS DATE)" if isinstance(value, date) else repr(value)
