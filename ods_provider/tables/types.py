"""What databases call the kinds of columns, and which kinds a column that stands holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.load import StandingColumn

if TYPE_CHECKING:
    from sqlglot import exp

Dialect = Literal[
    "postgres", "duckdb", "sqlite", "mysql", "snowflake", "bigquery", "redshift", "tsql", "clickhouse", "databricks",
    "athena",
]  # fmt: skip
"""As sqlglot names them."""

# SQLite goes by the words in a type: TEXT keeps digits from becoming a float, which is what DECIMAL alone would do.
_NAMES: dict[Dialect, tuple[str, ...]] = {
    "postgres": ("BIGINT", "DOUBLE PRECISION", "NUMERIC(38, 9)", "BOOLEAN", "TEXT", "DATE", "TIMESTAMPTZ", "JSONB",
                 "BYTEA", "GEOMETRY(GEOMETRY, 4326)"),
    "duckdb": ("BIGINT", "DOUBLE", "DECIMAL(38, 9)", "BOOLEAN", "VARCHAR", "DATE", "TIMESTAMPTZ", "JSON",
               "BLOB", "GEOMETRY"),
    "sqlite": ("INTEGER", "REAL", "DECIMAL TEXT", "BOOLEAN", "TEXT", "DATE", "DATETIME", "JSON TEXT",
               "BLOB", "GEOMETRY BLOB"),
    "mysql": ("BIGINT", "DOUBLE", "DECIMAL(38, 9)", "BOOLEAN", "LONGTEXT", "DATE", "DATETIME(6)", "JSON",
              "LONGBLOB", "GEOMETRY"),
    "snowflake": ("BIGINT", "DOUBLE", "NUMBER(38, 9)", "BOOLEAN", "VARCHAR", "DATE", "TIMESTAMP_TZ", "VARIANT",
                  "BINARY", "GEOGRAPHY"),
    "bigquery": ("INT64", "FLOAT64", "NUMERIC", "BOOL", "STRING", "DATE", "TIMESTAMP", "JSON",
                 "BYTES", "GEOGRAPHY"),
    "redshift": ("BIGINT", "DOUBLE PRECISION", "DECIMAL(38, 9)", "BOOLEAN", "VARCHAR(65535)", "DATE", "TIMESTAMPTZ",
                 "VARCHAR(65535)", "VARBYTE(1024000)", "VARBYTE(1024000)"),
    "tsql": ("BIGINT", "FLOAT(53)", "DECIMAL(38, 9)", "BIT", "NVARCHAR(MAX)", "DATE", "DATETIMEOFFSET(6)",
             "NVARCHAR(MAX)", "VARBINARY(MAX)", "VARBINARY(MAX)"),
    "clickhouse": ("Nullable(Int64)", "Nullable(Float64)", "Nullable(Decimal(38, 9))", "Nullable(Bool)",
                   "Nullable(String)", "Nullable(Date32)", "Nullable(DateTime64(6, 'UTC'))", "Nullable(String)",
                   "Nullable(String)", "Nullable(String)"),
    "databricks": ("BIGINT", "DOUBLE", "DECIMAL(38, 9)", "BOOLEAN", "STRING", "DATE", "TIMESTAMP", "STRING",
                   "BINARY", "BINARY"),
    "athena": ("BIGINT", "DOUBLE", "DECIMAL(38, 9)", "BOOLEAN", "STRING", "DATE", "TIMESTAMP", "STRING",
               "BINARY", "BINARY"),
}  # fmt: skip
TYPES: Mapping[Dialect, Mapping[Kind, str]] = {
    dialect: dict(zip(get_args(Kind), names, strict=True)) for dialect, names in _NAMES.items()
}
"""What each kind is called where a table or a column is made."""

_INTEGERS = {"TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "INT128", "SMALLSERIAL", "SERIAL", "BIGSERIAL"}
_TEXTS = {"TEXT", "VARCHAR", "NVARCHAR", "TINYTEXT", "MEDIUMTEXT", "LONGTEXT"}
_BYTES = {"BINARY", "VARBINARY", "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB"}
_MOMENTS = {"TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ", "TIMESTAMPLTZ", "DATETIME", "DATETIME2"}
# Digits, and those after the point, of a DECIMAL that says neither. PostgreSQL's has no bound.
_DECIMALS: dict[Dialect, tuple[int, int]] = {
    "duckdb": (18, 3),
    "mysql": (10, 0),
    "snowflake": (38, 0),
    "bigquery": (38, 9),
}


def takes(type_name: str, dialect: Dialect) -> frozenset[Kind]:
    """Return the kinds that a column of this type holds without loss.

    A type that is too small for some values of a kind counts where the database refuses those instead of changing
    them, as it does with integers and texts that are too long.

    Args:
        type_name: As the database tells it.
        dialect: Whose type it is.
    """
    if dialect == "sqlite":
        return _sqlite_takes(type_name.upper())
    if dialect == "clickhouse":
        return _clickhouse_takes(type_name)
    from sqlglot import exp
    from sqlglot.errors import ParseError

    try:
        parsed = exp.DataType.build(type_name, dialect=dialect)
    except ParseError:
        return frozenset()
    if not isinstance(parsed.this, exp.DataType.Type):
        return frozenset()
    return frozenset(_parsed_takes(parsed, parsed.this.name, dialect))


def _parsed_takes(parsed: exp.DataType, name: str, dialect: Dialect) -> tuple[Kind, ...]:
    sizes = [int(each.name) for each in parsed.expressions if each.name.isdigit()]
    if dialect == "mysql" and name == "TINYINT" and sizes == [1]:
        return ("bool",)
    if dialect == "tsql" and name in {"BIT", "FLOAT"}:
        return ("bool",) if name == "BIT" else ("double",)
    if name in _INTEGERS:
        return ("int",)
    if name in {"DECIMAL", "BIGDECIMAL"}:
        return _decimal_takes(sizes, dialect)
    if name in _TEXTS:
        return ("text", "json")
    if name in _BYTES:
        # MySQL fills up a BINARY(n) with zeros.
        return () if dialect == "mysql" and name == "BINARY" else ("binary", "geometry")
    if name in _MOMENTS:
        digits = sizes[0] if sizes else 0 if dialect == "mysql" else 6
        return ("datetime",) if digits >= 6 else ()
    if name in {"GEOMETRY", "GEOGRAPHY"}:
        return ("geometry",)
    if name in {"JSON", "JSONB", "VARIANT"}:
        return ("json",)
    alone: dict[str, Kind] = {"DOUBLE": "double", "BOOLEAN": "bool", "DATE": "date"}
    return (alone[name],) if name in alone else ()


def _decimal_takes(sizes: list[int], dialect: Dialect) -> tuple[Kind, ...]:
    if not sizes and dialect not in _DECIMALS:
        return ("int", "decimal")
    digits, after = (sizes[0], sizes[1] if len(sizes) > 1 else 0) if sizes else _DECIMALS[dialect]
    held: list[Kind] = []
    if digits - after >= 19:
        held.append("int")
    if digits - after >= 29 and after >= 9:
        held.append("decimal")
    return tuple(held)


def _sqlite_takes(name: str) -> frozenset[Kind]:
    # In the order in which SQLite looks for these words (its page "Datatypes", section 3.1).
    if name.startswith("BOOL"):
        return frozenset({"bool"})
    if "INT" in name:
        return frozenset({"int", "bool"})
    if "CHAR" in name or "CLOB" in name or "TEXT" in name:
        own: dict[str, Kind] = {"DECIMAL TEXT": "decimal", "JSON TEXT": "json"}
        if name in own:
            return frozenset({own[name]})
        return frozenset({"text", "json", "decimal", "date", "datetime"})
    if not name:
        return frozenset(get_args(Kind))
    if "BLOB" in name:
        return frozenset({"binary", "geometry"})
    if "REAL" in name or "FLOA" in name or "DOUB" in name:
        return frozenset({"double"})
    if name == "DATE":
        return frozenset({"date"})
    return frozenset({"datetime"}) if name.startswith(("DATETIME", "TIMESTAMP")) else frozenset({"int"})


def _clickhouse_takes(name: str) -> frozenset[Kind]:
    # Smaller integers and Date do not count: it brings in what is too large for them changed, without a word.
    while wrapped := re.fullmatch(r"(?:Nullable|LowCardinality)\((.*)\)", name):
        name = wrapped[1]
    if moment := re.match(r"DateTime64\((\d)", name):
        return frozenset({"datetime"} if int(moment[1]) >= 6 else ())
    if decimal := re.fullmatch(r"Decimal\((\d+), (\d+)\)", name):
        return frozenset(_decimal_takes([int(decimal[1]), int(decimal[2])], "clickhouse"))
    held: dict[str, frozenset[Kind]] = {
        "Int64": frozenset({"int"}),
        "Int128": frozenset({"int"}),
        "Int256": frozenset({"int"}),
        "Float64": frozenset({"double"}),
        "Bool": frozenset({"bool"}),
        "Date32": frozenset({"date"}),
        "String": frozenset({"text", "json", "binary", "geometry"}),
    }
    return held.get(name, frozenset())


_PLAIN: Mapping[Kind, Kind] = {"json": "text", "geometry": "binary"}


def as_staged(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return the columns of a staging table: of JSON and geometries it holds what is in the batches."""
    return tuple(replace(column, kind=_PLAIN.get(column.kind, column.kind)) for column in columns)


def as_stored(columns: Iterable[Column], standing: Iterable[StandingColumn]) -> tuple[Column, ...]:
    """Return the columns with the kinds that the table holds them as: JSON may be a text there, a geometry bytes."""
    held = {each.name: each.takes for each in standing}
    return tuple(
        replace(column, kind=_PLAIN[column.kind])
        if column.kind in _PLAIN and _PLAIN[column.kind] in held.get(column.name, ())
        else column
        for column in columns
    )
