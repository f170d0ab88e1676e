"""Values as the portal writes them, as SQL: DuckDB makes the text, so that a million rows stream.

Source: Explore v2.1, values per field type; Q13, Q14, Q21 to Q23.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ods_provider.testing.odsql import OutputColumn
from ods_provider.testing.odsql.sql import iso
from ods_provider.testing.schema import quoted

_NEVER_QUOTED = frozenset(("int", "double", "boolean", "date", "datetime"))  # they hold no delimiter that there is


def sql_text(value: str) -> str:
    """Return a text as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def moment(cell: str, timezone: str) -> str:
    """Return a UTC timestamp as ISO 8601 text in ``timezone``, with its offset."""
    if timezone.upper() in ("UTC", "ETC/UTC", "GMT"):
        return f"{iso(cell)} || '+00:00'"
    local = f"timezone({sql_text(timezone)}, timezone('UTC', {cell}))"
    minutes = f"date_diff('minute', {cell}, {local})"
    sign = f"CASE WHEN {minutes} < 0 THEN '-' ELSE '+' END"
    offset = f"printf('%02d:%02d', abs({minutes}) // 60, abs({minutes}) % 60)"
    return f"{iso(local)} || {sign} || {offset}"


def day(cell: str, precision: str | None) -> str:
    """Return a date as text, cut to its precision."""
    return f"strftime({cell}, '{ {'year': '%Y', 'month': '%Y-%m'}.get(precision or '', '%Y-%m-%d') }')"


def json_value(cell: str, column: OutputColumn, *, timezone: str, base: str) -> str:
    """Return a cell as a SQL value that ``to_json`` writes as Explore v2.1 does."""
    if column.multivalued:
        return cell
    if column.type == "datetime":
        return moment(cell, timezone)
    if column.type == "date":
        return day(cell, column.precision)
    if column.type == "geo_shape":
        # A Feature in JSON, a bare geometry elsewhere (Q23).
        return f"""('{{"type":"Feature","geometry":' || {cell} || ',"properties":{{}}}}')::JSON"""
    if column.type == "file":
        return f"{file_text(cell, base)}::JSON"
    if column.type == "json_blob":
        return f"{cell}::JSON"
    return cell


def file_text(cell: str, base: str) -> str:
    """Return the SQL of a file's JSON text with the portal's address in it."""
    return f"replace({cell}, '{{base}}', {sql_text(base)})"


def json_row(columns: Sequence[OutputColumn], *, timezone: str, base: str) -> str:
    """Return the SQL of one row as a JSON object; the cells are named ``c0``, ``c1`` and so on."""
    return json_object(
        (column.key, json_value(f"c{number}", column, timezone=timezone, base=base))
        for number, column in enumerate(columns)
    )


def json_object(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the SQL of a JSON object of names and cells; a struct would not hold both ``a`` and ``A``."""
    parts = [f"{sql_text(name)}, {cell}" for name, cell in pairs]
    return f"json_object({', '.join(parts)})::VARCHAR"


def csv_text(cell: str, column: OutputColumn, *, timezone: str, list_separator: str, base: str) -> str:
    """Return a cell as CSV text, unquoted."""
    if column.multivalued:
        # A value that holds the separator cannot be told apart any more (Q21): so it is on the portal.
        return f"array_to_string({cell}, {sql_text(list_separator)})"
    if column.type == "geo_point_2d":
        return f"({cell}.lat::VARCHAR || ', ' || {cell}.lon::VARCHAR)"
    if column.type == "geo_shape":
        return cell
    if column.type in ("datetime", "date", "file"):
        return f"({json_value(cell, column, timezone=timezone, base=base)})::VARCHAR"
    return f"{cell}::VARCHAR"


def csv_row(
    columns: Sequence[OutputColumn],
    *,
    timezone: str,
    delimiter: str,
    list_separator: str,
    quote_all: bool,
    base: str,
) -> str:
    """Return the SQL of one CSV line without its end; quotes are doubled, line breaks stay inside quotes (Q39)."""
    separator = r"\t" if delimiter == "\t" else delimiter
    special = rf'["\r\n{separator}]'
    cells = []
    for number, column in enumerate(columns):
        text = csv_text(f"c{number}", column, timezone=timezone, list_separator=list_separator, base=base)
        text = f"coalesce({text}, '')"
        if column.type in _NEVER_QUOTED and not column.multivalued and not quote_all:
            cells.append(text)
            continue
        inside = f"""'"' || replace({text}, '"', '""') || '"'"""
        cells.append(
            f"({inside})"
            if quote_all
            else f"CASE WHEN regexp_matches({text}, {sql_text(special)}) THEN {inside} ELSE {text} END"
        )
    return f" || {sql_text(delimiter)} || ".join(cells) if cells else "''"


def geometry_column(columns: Sequence[OutputColumn]) -> int | None:
    """Return the number of the column that gives a feature its geometry: a shape before a point."""
    for kind in ("geo_shape", "geo_point_2d"):
        for number, column in enumerate(columns):
            if column.type == kind and not column.multivalued:
                return number
    return None


def feature_row(columns: Sequence[OutputColumn], *, timezone: str, base: str, epsg: int = 4326) -> str:
    """Return the SQL of one row as a GeoJSON feature, in EPSG 4326 or 3857."""
    chosen = geometry_column(columns)
    geometry = "NULL"
    if chosen is not None and columns[chosen].type == "geo_shape":
        geometry = f"c{chosen}"
    elif chosen is not None:
        geometry = (
            f'CASE WHEN c{chosen} IS NOT NULL THEN \'{{"type":"Point","coordinates":[\' || '
            f"c{chosen}.lon::VARCHAR || ',' || c{chosen}.lat::VARCHAR || ']}}' END"
        )
    if epsg == 3857 and chosen is not None:
        geometry = f"ods_mercator({geometry})"
    properties = json_object(
        (column.key, json_value(f"c{number}", column, timezone=timezone, base=base))
        for number, column in enumerate(columns)
        if number != chosen
    )
    head = """'{"type":"Feature","geometry":'"""
    return f"""{head} || coalesce({geometry}, 'null') || ',"properties":' || {properties} || '}}'"""


def renamed(sql: str, columns: Sequence[OutputColumn]) -> str:
    """Return a query whose cells are named by number: result keys may be any text."""
    names = ", ".join(quoted(f"c{number}") for number in range(len(columns)))
    return f"({sql}) AS cells({names})"
