"""Records as version 1 writes them, as SQL: nulls are left out, points are ``[lat, lon]``, the geometry stands beside.

Source: Search API v1.0, record object; Q17, Q22, Q23.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from ods_provider.testing.encode import day, moment, sql_text
from ods_provider.testing.odsql import Field
from ods_provider.testing.schema import Column, DatasetState, quoted


def separator(column: Column) -> str:
    """Return what stands between the values of a cell."""
    return str(column.annotations.get("multivalued") or ",")


def json_cell(column: Column, zone: str) -> str:
    """Return a cell as JSON text."""
    cell = quoted(column.name)
    field = column.for_queries()
    if column.multivalued:
        return f"to_json(array_to_string({cell}, {sql_text(separator(column))}))::VARCHAR"
    if column.type == "geo_point_2d":
        return f"('[' || {cell}.lat::VARCHAR || ', ' || {cell}.lon::VARCHAR || ']')"
    if column.type in ("geo_shape", "json_blob"):
        return cell
    if column.type == "file":
        # The same object as in Explore, without an address (Q: values per field type).
        return f"json_merge_patch({cell}::JSON, '{{\"url\": null}}'::JSON)::VARCHAR"
    return f"to_json({scalar(field, zone)})::VARCHAR"


def scalar(field: Field, zone: str) -> str:
    """Return a plain cell as SQL: dates as text."""
    cell = quoted(field.name)
    if field.type == "datetime":
        return moment(cell, zone)
    return day(cell, field.precision) if field.type == "date" else cell


def geometry(columns: Sequence[Column]) -> str | None:
    """Return the geometry of a record as GeoJSON text, longitude first; None where there is no such column."""
    for kind in ("geo_point_2d", "geo_shape"):
        for column in columns:
            if column.type == kind and not column.multivalued:
                cell = quoted(column.name)
                if kind == "geo_shape":
                    return cell
                inside = f"{cell}.lon::VARCHAR || ', ' || {cell}.lat::VARCHAR"
                return f"""('{{"type": "Point", "coordinates": [' || {inside} || ']}}')"""
    return None


def fields_object(columns: Sequence[Column], zone: str) -> str:
    """Return the fields of a record as a JSON object; concat_ws leaves the nulls out (Q17)."""
    parts = [
        f"CASE WHEN {quoted(column.name)} IS NOT NULL THEN "
        f"{sql_text(json.dumps(column.name) + ': ')} || {json_cell(column, zone)} END"
        for column in columns
    ]
    return f"('{{' || concat_ws(', ', {', '.join(parts) or 'NULL'}) || '}}')"


def record(state: DatasetState, columns: Sequence[Column], zone: str) -> str:
    """Return the SQL of one record as JSON text.

    Args:
        state: The dataset.
        columns: The fields that were asked for; the geometry comes whether it was or not.
        zone: IANA name.
    """
    head = sql_text(f'{{"datasetid": {json.dumps(state.dataset_id)}, "recordid": "')
    stamp = sql_text(f', "record_timestamp": "{_stamp(state.data_processed)}"}}')
    shape = geometry(state.columns)
    beside = f" || coalesce(', \"geometry\": ' || {shape}, '')" if shape else ""
    return f'{head} || "$id" || \'", "fields": \' || {fields_object(columns, zone)}{beside} || {stamp}'


def feature(state: DatasetState, columns: Sequence[Column], zone: str) -> str:
    """Return the SQL of one record as a GeoJSON feature."""
    shape = geometry(state.columns)
    where = f"coalesce({shape}, 'null')" if shape else "'null'"
    properties = fields_object(columns, zone)
    return f"""'{{"type": "Feature", "geometry": ' || {where} || ', "properties": ' || {properties} || '}}'"""


def csv_line(columns: Sequence[Column], zone: str, delimiter: str) -> str:
    """Return the SQL of one CSV line without its end: empty cells for nulls, points as ``lat,lon``."""
    cells = []
    for column in columns:
        cell = quoted(column.name)
        text = f"{scalar(column.for_queries(), zone)}::VARCHAR"
        if column.multivalued:
            text = f"array_to_string({cell}, {sql_text(separator(column))})"
        elif column.type == "geo_point_2d":
            text = f"({cell}.lat::VARCHAR || ',' || {cell}.lon::VARCHAR)"
        elif column.type == "file":
            text = f"json_extract_string({cell}, '$.id')"
        text = f"coalesce({text}, '')"
        special = sql_text('["\r\n' + ("\\t" if delimiter == "\t" else delimiter) + "]")
        inside = f"""'"' || replace({text}, '"', '""') || '"'"""
        cells.append(f"CASE WHEN regexp_matches({text}, {special}) THEN {inside} ELSE {text} END")
    return f" || {sql_text(delimiter)} || ".join(cells) or "''"


def csv_cell(text: str, delimiter: str) -> str:
    """Return a header cell, quoted where it must be."""
    if any(mark in text for mark in (delimiter, '"', "\r", "\n")):
        return '"' + text.replace('"', '""') + '"'
    return text


def _stamp(moment: datetime) -> str:
    # As recent bodies have it: in UTC, with as many digits of the second as there are.
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".") + "Z"
