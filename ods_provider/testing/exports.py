"""Exports: rows as a file, streamed in constant memory, without a Content-Length.

Source: Explore v2.1 export formats; Q9, Q10, Q38, Q39.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import IO, Any

from ods_provider.testing.encode import csv_row, feature_row, json_row, renamed
from ods_provider.testing.errors import bad_parameter
from ods_provider.testing.odsql import OutputColumn
from ods_provider.testing.querying import Asked

ROWS_AT_ONCE = 2_000
PIECE = 65_536

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "jsonl": "application/x-ndjson; charset=utf-8",
    "geojson": "application/geo+json; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
GEO = {"geojson"}


@dataclass(frozen=True)
class Export:
    """One export to be made.

    Attributes:
        limit: Rows at most; -1 means all.
        labels: What headers show instead of names, empty without ``use_labels``.
        options: Parameters of the format's own.
    """

    asked: Asked
    limit: int
    base: str
    labels: dict[str, str]
    options: dict[str, Any]

    @property
    def columns(self) -> tuple[OutputColumn, ...]:
        """The columns of the file."""
        return self.asked.compiled.columns

    def header(self) -> list[str]:
        """The names that the file shows."""
        return [self.labels.get(column.key, column.key) for column in self.columns]

    def select(self, row: str) -> str:
        """The SQL that gives ``row`` for every row."""
        bound = "" if self.limit < 0 else f" LIMIT {self.limit}"
        return f"SELECT {row} FROM {renamed(self.asked.compiled.sql, self.columns)}{bound}"  # noqa: S608

    def texts(self, cursor: Any, row: str) -> Iterator[list[str]]:
        """Yield the rows as text, some at a time."""
        running = cursor.execute(self.select(row), list(self.asked.compiled.params))
        while found := running.fetchmany(ROWS_AT_ONCE):
            yield [text for (text,) in found]


def offered(has_geometry: bool) -> list[str]:
    """Return the formats of a dataset; geographic ones only where there is a geometry."""
    return [name for name in MEDIA_TYPES if has_geometry or name not in GEO]


def stream(name: str, export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield the bytes of an export in the format ``name``."""
    return _WRITERS[name](export, cursor)


def _csv(export: Export, cursor: Any) -> Iterator[bytes]:
    options = export.options
    delimiter = options["delimiter"]
    row = csv_row(
        export.columns,
        timezone=export.asked.timezone,
        delimiter=delimiter,
        list_separator=options["list_separator"],
        quote_all=options["quote_all"],
        base=export.base,
    )
    head = delimiter.join(_cell(name, delimiter, options["quote_all"]) for name in export.header())
    yield (("\ufeff" if options["with_bom"] else "") + head + "\r\n").encode()
    for texts in export.texts(cursor, row):
        yield ("\r\n".join(texts) + "\r\n").encode()


def _cell(text: str, delimiter: str, quote_all: bool) -> str:
    if quote_all or any(mark in text for mark in (delimiter, '"', "\r", "\n")):
        return '"' + text.replace('"', '""') + '"'
    return text


def _renamed_columns(export: Export) -> tuple[OutputColumn, ...]:
    return tuple(
        OutputColumn(name, column.type, column.multivalued, column.precision)
        for name, column in zip(export.header(), export.columns, strict=True)
    )


def _enclosed(before: str, between: str, after: str, texts: Iterator[list[str]]) -> Iterator[bytes]:
    first = True
    yield before.encode()
    for some in texts:
        yield (("" if first else between) + between.join(some)).encode()
        first = False
    yield after.encode()


def _json(export: Export, cursor: Any) -> Iterator[bytes]:
    row = json_row(_renamed_columns(export), timezone=export.asked.timezone, base=export.base)
    return _enclosed("[", ", ", "]", export.texts(cursor, row))


def _jsonl(export: Export, cursor: Any) -> Iterator[bytes]:
    row = json_row(_renamed_columns(export), timezone=export.asked.timezone, base=export.base)
    for texts in export.texts(cursor, row):
        yield ("\n".join(texts) + "\n").encode()


def _geojson(export: Export, cursor: Any) -> Iterator[bytes]:
    row = feature_row(_renamed_columns(export), timezone=export.asked.timezone, base=export.base)
    return _enclosed('{"type":"FeatureCollection","features":[', ",", "]}", export.texts(cursor, row))


def _parquet(export: Export, cursor: Any) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = ", ".join(_parquet_cell(number, column) for number, column in enumerate(export.columns)) or "1"
    reader = cursor.sql(export.select(cells), params=list(export.asked.compiled.params)).to_arrow_reader(50_000)
    schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, export.header(), strict=False)])
    with tempfile.TemporaryFile() as file:
        with pq.ParquetWriter(file, schema, compression=export.options["parquet_compression"]) as writer:
            for batch in reader:
                writer.write_batch(batch.rename_columns(schema.names))
        yield from _file(file)


def _parquet_cell(number: int, column: OutputColumn) -> str:
    cell = f"c{number}"
    if column.type == "datetime" and not column.multivalued:
        # Milliseconds, in UTC, whatever the time zone of the query.
        return f"CAST({cell} AS TIMESTAMP_MS) AS {cell}"
    return cell


def _xlsx(export: Export, cursor: Any) -> Iterator[bytes]:
    import xlsxwriter

    running = cursor.execute(
        export.select(", ".join(f"c{number}" for number in range(len(export.columns))) or "1"),
        list(export.asked.compiled.params),
    )
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
        yield from _file(file)


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


def _file(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


_WRITERS: dict[str, Callable[[Export, Any], Iterator[bytes]]] = {
    "csv": _csv,
    "json": _json,
    "jsonl": _jsonl,
    "geojson": _geojson,
    "parquet": _parquet,
    "xlsx": _xlsx,
}


def delimiter(given: str | None) -> str:
    """Return the CSV delimiter, ``;`` unless said."""
    chosen = {None: ";", "\\t": "\t"}.get(given, given)
    if chosen not in (";", ",", "\t", "|"):
        raise bad_parameter(
            f"Invalid value for delimiter API parameter: {given} was found but one of ; , \\t | is expected."
        )
    return str(chosen)
