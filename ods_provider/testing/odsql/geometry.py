"""Geometry in SQL: distances as arithmetic, relations between shapes through shapely.

Source: ODSQL reference, geographic predicates. DuckDB's spatial extension is not used: it cannot be had offline.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ods_provider.testing.odsql.fields import malformed
from ods_provider.testing.odsql.sql import Sql

if TYPE_CHECKING:
    import duckdb

_EARTH_DIAMETER_M = 12_742_017.6
RELATIONS = ("intersects", "disjoint", "within")


def register_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``ods_relates(relation, shape, other)`` known to a database; shapes are WKT or GeoJSON."""
    connection.create_function("ods_relates", _relates, ["VARCHAR", "VARCHAR", "VARCHAR"], "BOOLEAN")


def _relates(relation: str, shape: str, other: str) -> bool:
    import shapely

    left = shapely.from_geojson(shape) if shape.startswith("{") else shapely.from_wkt(shape)
    return bool(getattr(left, relation)(_prepared(other)))


@lru_cache(maxsize=64)
def _prepared(text: str) -> Any:
    import shapely

    made = shapely.from_wkt(text)
    shapely.prepare(made)
    return made


def distance(field: Sql, wkt: str, clause: str) -> Sql:
    """Return the great-circle distance in metres between a point field and a point literal."""
    import shapely

    point = shapely.from_wkt(wkt)
    if point.geom_type != "Point" or field.kind != "geo_point_2d":
        raise malformed("distance needs a geo_point_2d field and a POINT", clause)
    cell = field.text
    text = (
        f"({_EARTH_DIAMETER_M} * asin(sqrt(pow(sin(radians(? - {cell}.lat) / 2), 2)"
        f" + cos(radians({cell}.lat)) * cos(radians(?)) * pow(sin(radians(? - {cell}.lon) / 2), 2))))"
    )
    return Sql(text, (point.y, point.y, point.x), "double")


def relates(relation: str, field: Sql, wkt: str, clause: str) -> Sql:
    """Return whether a geometry field intersects, is disjoint from, or lies within a geometry."""
    if field.kind == "geo_point_2d":
        shape = f"'POINT(' || {field.text}.lon || ' ' || {field.text}.lat || ')'"
    elif field.kind == "geo_shape":
        shape = field.text
    else:
        raise malformed(f"{relation} only supports geographic fields", clause)
    return Sql(f"coalesce(ods_relates(?, {shape}, ?), false)", (relation, wkt), "boolean")


def in_box(field: Sql, corners: tuple[float, ...], clause: str) -> Sql:
    """Return whether a point lies in a box given as lat1, lon1, lat2, lon2: latitude first."""
    if field.kind != "geo_point_2d" or len(corners) != 4:
        raise malformed("in_bbox needs a geo_point_2d field and four numbers", clause)
    lat1, lon1, lat2, lon2 = corners
    cell = field.text
    text = f"coalesce({cell}.lat BETWEEN ? AND ? AND {cell}.lon BETWEEN ? AND ?, false)"
    return Sql(text, (min(lat1, lat2), max(lat1, lat2), min(lon1, lon2), max(lon1, lon2)), "boolean")


def envelope(field: Sql, clause: str) -> Sql:
    """Return the box around all points, as a GeoJSON polygon."""
    if field.kind != "geo_point_2d":
        raise malformed("envelope only supports geo_point_2d fields", clause)
    cell = field.text
    west, east, south, north = (f"{how}({cell}.{axis})" for axis in ("lon", "lat") for how in ("min", "max"))
    corners = ((west, north), (east, north), (east, south), (west, south), (west, north))
    ring = " || ',' || ".join(f"'[' || {x} || ',' || {y} || ']'" for x, y in corners)
    return Sql(f"""('{{"type":"Polygon","coordinates":[[' || {ring} || ']]}}')""", (), "geo_shape", aggregate=True)
