"""Iceberg tables in its words: types, schemas, columns, and rows as a table takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.load import Load, StandingColumn, Window

if TYPE_CHECKING:
    import pyarrow as pa

_TYPES: dict[Kind, str] = {
    "int": "long", "double": "double", "decimal": "decimal(38, 9)", "bool": "boolean", "text": "string",
    "date": "date", "datetime": "timestamptz", "json": "string", "binary": "binary", "geometry": "binary",
}  # fmt: skip
_TAKES: dict[str, frozenset[Kind]] = {
    "long": frozenset({"int"}),
    "double": frozenset({"double"}),
    "decimal(38, 9)": frozenset({"decimal"}),
    "boolean": frozenset({"bool"}),
    "string": frozenset({"text", "json"}),
    "date": frozenset({"date"}),
    "timestamptz": frozenset({"datetime"}),
    "binary": frozenset({"binary", "geometry"}),
}


def shown(column: Column) -> str:
    """Return what Iceberg calls the type of a column."""
    return _TYPES[column.kind]


def type_of(column: Column) -> Any:
    """Return the type of a column."""
    from pyiceberg import types

    named = {
        "long": types.LongType, "double": types.DoubleType, "boolean": types.BooleanType, "string": types.StringType,
        "date": types.DateType, "timestamptz": types.TimestamptzType, "binary": types.BinaryType,
    }  # fmt: skip
    name = _TYPES[column.kind]
    return named[name]() if name in named else types.DecimalType(38, 9)


def schema_of(columns: tuple[Column, ...]) -> Any:
    """Return the schema of a new table."""
    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField

    fields = [
        NestedField(field_id=at, name=column.name, field_type=type_of(column), required=False, doc=column.comment)
        for at, column in enumerate(columns, 1)
    ]
    return Schema(*fields)


def standing_of(schema: Any) -> tuple[StandingColumn, ...]:
    """Return the columns of a table."""
    return tuple(
        StandingColumn(
            field.name, str(field.field_type), _TAKES.get(str(field.field_type), frozenset()), field.required
        )
        for field in schema.fields
    )


def evolve(transaction: Any, load: Load) -> None:
    """Give a table the columns that it lacks, and those that become wider.

    Iceberg has no way from a number to a text: such a column is another one of the same name and place, and every file
    is written anew with it.
    """
    if not load.add and not load.widen:
        return
    names = [field.name for field in transaction.table_metadata.schema().fields]
    with transaction.update_schema(allow_incompatible_changes=True) as update:
        for column in load.widen:
            update.delete_column((column.name,))
        for column in (*load.widen, *load.add):
            update.add_column((column.name,), type_of(column), doc=column.comment)
    if not load.widen:
        return
    # By itself: as long as both are known under one name, the old one would be moved.
    with transaction.update_schema() as update:
        for column in sorted(load.widen, key=lambda column: names.index(column.name)):
            if at := names.index(column.name):
                update.move_after((column.name,), (names[at - 1],))
            else:
                update.move_first((column.name,))


def aligned(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield batches with every column of a table, in its order and types; what they lack is null."""
    import pyarrow as pa

    for batch in batches:
        at = {name: place for place, name in enumerate(batch.schema.names)}
        columns = [
            batch.column(at[field.name]).cast(field.type) if field.name in at else pa.nulls(batch.num_rows, field.type)
            for field in schema
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def before(batch: pa.RecordBatch, window: Window) -> pa.RecordBatch:
    """Return the rows that make no room for those of a window."""
    from ods_provider.tables.arrow import pa as arrow
    from ods_provider.tables.arrow import pc

    cursor = batch.column(batch.schema.names.index(window.column))
    earlier: Any = pc.less(cursor, arrow.scalar(window.start, cursor.type))
    return batch.filter(pc.fill_null(earlier, False))


def within(window: Window) -> Any:
    """Return the condition under which a file may hold rows of a window."""
    from pyiceberg.expressions import GreaterThanOrEqual, IsNaN, IsNull, Or, Reference

    name = Reference(window.column)
    found = Or(GreaterThanOrEqual(name, window.start), IsNull(name))
    return Or(found, IsNaN(name)) if isinstance(window.start, float) else found
