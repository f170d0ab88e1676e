"""Make the table in docs/load-types.md: an export of the local portal with a field of every type, made columns.

Usage: python docs/tools/load_types.py
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import requests

from ods_provider.core.schema import Dataset, Field
from ods_provider.tables.converting import Converter
from ods_provider.tables.engines.registry import engine_of
from ods_provider.tables.portaltypes import columns_of
from ods_provider.tables.types import TYPES, Dialect
from ods_provider.tables.urls import target_of
from ods_provider.testing.portal import LocalPortal

PAGE = Path(__file__).resolve().parents[1] / "load-types.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
# A shape is GeoJSON by default already.
GEO = {"geo_point_2d": ("lonlat", "wkt", "geojson", "postgis"), "geo_shape": ("lonlat", "wkt", "postgis")}
SHOWN = {"lonlat": "default", "wkt": 'geo="wkt"', "geojson": 'geo="geojson"', "postgis": 'geo="postgis"'}
# By dialect, an address that tells what the database can do.
ADDRESSES = {
    "postgres": "postgresql://h/d",
    "duckdb": "x.duckdb",
    "sqlite": "x.db",
    "mysql": "mysql://h/d",
    "snowflake": "snowflake://a/d",
    "bigquery": "bigquery://p/d",
}
DATABASES: dict[str, Dialect] = {
    "PostgreSQL": "postgres",
    "DuckDB": "duckdb",
    "SQLite": "sqlite",
    "MariaDB": "mysql",
    "Snowflake": "snowflake",
    "BigQuery": "bigquery",
}
_EXAMPLE_CHARS = 28


def table(url: str) -> str:
    """Return the table: a row for each column that a field of each type becomes, with a value as it arrives."""
    at = f"{url}/api/explore/v2.1/catalog/datasets/all-types"
    dataset = Dataset.from_json(requests.get(at, timeout=20).json())
    answer = requests.get(f"{at}/exports/parquet", params={"where": "number = 6"}, timeout=20)
    exported = pq.read_table(io.BytesIO(answer.content))
    heads = ["field type", "column of `f`", "a value, as it is staged", *DATABASES]
    lines = [heads, ["---"] * len(heads)]
    seen: set[str] = set()
    for field in dataset.fields:
        called = _called(field)
        if called not in seen:
            seen.add(called)
            for geo in GEO.get(field.type, ("lonlat",)):
                lines += _rows(field, called, geo, dataset, exported)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _called(field: Field) -> str:
    told = field.annotations.get("timeserie_precision")
    if field.multivalued:
        return f"{field.type}, several values"
    return f"{field.type}, to the {told}" if field.type == "date" and told != "day" else field.type


def _rows(field: Field, called: str, geo: Any, dataset: Dataset, exported: Any) -> list[list[str]]:
    one = exported.select([field.name])
    columns = columns_of(dataset.fields, one.schema, geo=geo)
    (batch,) = one.to_batches()
    values = Converter(dataset.fields, one.schema, columns).convert(batch).to_pylist()[0]
    way = f", {SHOWN[geo]}" if field.type in GEO else ""
    return [
        [
            called + way,
            f"`f{column.name.removeprefix(field.name)}`",
            _example(values[column.name]),
            *(_type(dialect, column.kind) for dialect in DATABASES.values()),
        ]
        for column in columns
    ]


def _type(dialect: Dialect, kind: Any) -> str:
    if kind == "geometry" and not engine_of(target_of(ADDRESSES[dialect]), "").can.geometry:
        return "refused"
    return TYPES[dialect][kind]


def _example(value: Any) -> str:
    text = value.isoformat() if hasattr(value, "isoformat") else value.hex() if isinstance(value, bytes) else str(value)
    text = " ".join(text.split()).replace("|", "\\|")
    return f"`{text[:_EXAMPLE_CHARS]}…`" if len(text) > _EXAMPLE_CHARS else f"`{text}`"


def filled(page: str, url: str) -> str:
    """Return the page with the table between its marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"the page has lost its marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table(url)}\n{END}{after}"


def main() -> None:
    """Start a portal, and write the table."""
    portal = LocalPortal()
    portal.start()
    try:
        PAGE.write_text(filled(PAGE.read_text(), portal.url))
    finally:
        portal.stop()


if __name__ == "__main__":
    main()
