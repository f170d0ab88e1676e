"""What these tests convert with: a field, an array as an export may hold it, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ods_provider.core.schema import Field
from ods_provider.tables.converting import Converter
from ods_provider.tables.portaltypes import columns_of


def field(type: str, name: str = "f", **annotations: Any) -> Field:
    return Field(name, type, annotations=annotations)


def converted(fields: list[Field], table: pa.Table, geo: Any = "lonlat") -> pa.Table:
    columns = columns_of(fields, table.schema, geo=geo)
    converter = Converter(fields, table.schema, columns, where="dataset d")
    return pa.Table.from_batches([converter.convert(batch) for batch in table.to_batches()], converter.schema)


def became(described: Field | None, array: pa.Array, geo: Any = "lonlat") -> dict[str, list[Any]]:
    """Values by column, after the array came through the export as the only column ``f``."""
    table = converted([described] if described else [], pa.table({"f": array}), geo)
    table.validate(full=True)
    return table.to_pydict()
