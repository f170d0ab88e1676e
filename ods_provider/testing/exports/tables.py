"""Exports as tables with types: Parquet and Excel."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from ods_provider.testing.encode import file_text
from ods_provider.testing.exports.export import ROWS_AT_ONCE, Export, pieces
from ods_provider.testing.odsql import OutputColumn


def parquet(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield a Parquet file; it is written whole first, since its index comes last."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # A relation's reader streams; that of an executed query would copy all rows first.
    reader = cursor.sql(export.select(_cells(export)), params=list(export.asked.compiled.params)).to_arrow_reader(
        50_000
    )
    fields = [field.with_name(name) for field, name in zip(reader.schema, export.header(), strict=False)]
    # Milliseconds in UTC, whatever the time zone of the query; what is finer is cut.
    stamp = pa.timestamp("ms", "UTC")
    schema = pa.schema([field.with_type(stamp) if pa.types.is_timestamp(field.type) else field for field in fields])
    with tempfile.TemporaryFile() as file:
        with pq.ParquetWriter(file, schema, compression=export.options["parquet_compression"]) as writer:
            for batch in reader:
                writer.write_batch(batch.rename_columns(schema.names).cast(schema, safe=False))
        yield from pieces(file)


def xlsx(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield an Excel workbook of one sheet."""
    import xlsxwriter

    running = cursor.execute(export.select(_cells(export)), list(export.asked.compiled.params))
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_urls": False})
        sheet = book.add_worksheet("Sheet1")
        sheet.write_row(0, 0, export.header())
        line = 0
        while found := running.fetchmany(ROWS_AT_ONCE):
            for row in found:
                line += 1
                for number, value in enumerate(row):
                    plain = _plain(value, export.columns[number])
                    if plain is not None:
                        sheet.write(line, number, plain)
                if not any(value is not None for value in row):
                    # A row without a value must still be a row.
                    sheet.write_blank(line, 0, None, book.add_format())
        book.close()
        yield from pieces(file)


def _cells(export: Export) -> str:
    """Return the SQL of all cells of a row, as DuckDB has them."""
    cells = [
        file_text(f"c{number}", export.base) + f" AS c{number}"
        if column.type == "file" and not column.multivalued
        else f"c{number}"
        for number, column in enumerate(export.columns)
    ]
    return ", ".join(cells) or "1"


def _plain(value: Any, column: OutputColumn) -> Any:
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    if column.type == "geo_point_2d" and isinstance(value, dict):
        return f"{value['lat']}, {value['lon']}"
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, default=str) if isinstance(value, dict) else value
