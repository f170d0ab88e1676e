"""What a field's type makes of text, as SQL: a value, or null where the text does not fit.

Source: Automation API v1.0, field types; values that do not fit are empty cells and errors of records. ``fitting`` says
the same of what is pushed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ods_provider.testing.odsql.sql import iso
from ods_provider.testing.schema import SQL_TYPES, Column, literal, quoted

_WHOLE = r"^\s*[+-]?\d{1,19}(\.0+)?\s*$"
_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_DAY = r"^\s*\d{4}-\d{1,2}-\d{1,2}"
_MONTH = r"^\s*\d{4}-\d{1,2}\s*$"
_YEAR = r"^\s*\d{4}\s*$"
_OFFSET = r":\d\d.*([zZ]|[+-]\d\d:?\d\d)\s*$"
_POINT = r"^\s*[+-]?\d+(\.\d+)?\s*,\s*[+-]?\d+(\.\d+)?\s*$"


def _matches(cell: str, pattern: str) -> str:
    return f"regexp_matches({cell}, {literal(pattern)})"


def _int(cell: str) -> str:
    return f"CASE WHEN {_matches(cell, _WHOLE)} THEN TRY_CAST(split_part(trim({cell}), '.', 1) AS BIGINT) END"


def _double(cell: str) -> str:
    return f"CASE WHEN {_matches(cell, _NUMBER)} THEN TRY_CAST(trim({cell}) AS DOUBLE) END"


def _boolean(cell: str) -> str:
    word = f"lower(trim({cell}))"
    return f"CASE WHEN {word} IN ('true', '1') THEN true WHEN {word} IN ('false', '0') THEN false END"


def _date(cell: str) -> str:
    return (
        f"CASE WHEN {_matches(cell, _DAY)} THEN TRY_CAST(regexp_extract(trim({cell}), '^[0-9-]+') AS DATE) "
        f"WHEN {_matches(cell, _MONTH)} THEN TRY_CAST(trim({cell}) || '-01' AS DATE) "
        f"WHEN {_matches(cell, _YEAR)} THEN TRY_CAST(trim({cell}) || '-01-01' AS DATE) END"
    )


def _datetime(cell: str) -> str:
    zoned = f"timezone('UTC', TRY_CAST(trim({cell}) AS TIMESTAMPTZ))"
    return (
        f"CASE WHEN NOT {_matches(cell, _DAY)} THEN NULL "
        f"WHEN {_matches(cell, _OFFSET)} THEN {zoned} ELSE TRY_CAST(trim({cell}) AS TIMESTAMP) END"
    )


def _place(lon: str, lat: str) -> str:
    lon, lat = f"TRY_CAST({lon} AS DOUBLE)", f"TRY_CAST({lat} AS DOUBLE)"
    return f"CASE WHEN {lon} IS NOT NULL AND {lat} IS NOT NULL THEN struct_pack(lon := {lon}, lat := {lat}) END"


def _point(cell: str) -> str:
    # Latitude comes first in text and in lists (Q22).
    told = f"TRY_CAST({cell} AS JSON)"
    written = _place(f"split_part({cell}, ',', 2)", f"split_part({cell}, ',', 1)")
    named = _place(f"({told} ->> '$.lon')", f"({told} ->> '$.lat')")
    listed = _place(f"({told} ->> '$[1]')", f"({told} ->> '$[0]')")
    return (
        f"CASE WHEN {_matches(cell, _POINT)} THEN {written} "
        f"WHEN json_type({told}, '$.lon') IS NOT NULL AND json_type({told}, '$.lat') IS NOT NULL THEN {named} "
        f"WHEN json_type({told}) = 'ARRAY' AND json_array_length({told}) = 2 THEN {listed} END"
    )


def _shape(cell: str) -> str:
    told = f"TRY_CAST({cell} AS JSON)"
    inner = f"CASE WHEN {told} ->> '$.type' = 'Feature' THEN {told} -> '$.geometry' ELSE {told} END"
    whole = f"json_object('type', ({inner}) -> '$.type', 'coordinates', ({inner}) -> '$.coordinates')::VARCHAR"
    return f"CASE WHEN json_type(({inner}) -> '$.coordinates') = 'ARRAY' THEN {whole} END"


def _json(cell: str) -> str:
    return f"TRY_CAST({cell} AS JSON)::VARCHAR"


_CASTS: Mapping[str, Callable[[str], str]] = {
    "text": lambda cell: cell,
    "int": _int,
    "double": _double,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "geo_point_2d": _point,
    "geo_shape": _shape,
    "json_blob": _json,
    "file": _json,
}


def cast(cell: str, column: Column) -> str:
    """Return the SQL of a cell's value in its field.

    Args:
        cell: SQL of a text.
        column: The field; ``multivalued`` holds the separator.
    """
    make = _CASTS[column.type]
    if not column.multivalued:
        return make(cell)
    separator = literal(str(column.annotations["multivalued"]))
    # A list of a JSON file needs no separator.
    parts = (
        f"CASE WHEN json_type(TRY_CAST({cell} AS JSON)) = 'ARRAY' THEN json_extract_string({cell}, '$[*]') "
        f"WHEN {cell} IS NOT NULL THEN string_split({cell}, {separator}) END"
    )
    return f"list_transform({parts}, lambda part: {make('part')})::{column.sql_type}"


def unfit(cell: str, value: str) -> str:
    """Return the SQL of whether a text was lost in its field."""
    return f"({cell} IS NOT NULL AND trim({cell}) <> '' AND {value} IS NULL)"


def record_id(columns: list[Column]) -> str:
    """Return the SQL of a record's id, as ``store.record_id`` makes it of a pushed record."""
    ids = [column for column in columns if "id" in column.annotations] or columns
    parts = " || ', ' || ".join(f"coalesce({_spelled(column)}, 'null')" for column in ids)
    return f"sha1('[' || {parts} || ']')"


def _spelled(column: Column) -> str:
    cell = quoted(column.name)
    if not column.multivalued and column.type == "datetime":
        return f"to_json({iso(cell)})::VARCHAR"
    if not column.multivalued and column.type == "double":
        return f"{cell}::VARCHAR"
    return f"to_json({cell})::VARCHAR"


def known(type_: Any) -> bool:
    """Return whether a field can have this type."""
    return type_ in SQL_TYPES
