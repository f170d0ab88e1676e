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
EARTH_RADIUS_M = 6_378_137.0  # of Web Mercator's sphere
MOST_NORTH = 85.06  # where its map ends
RELATIONS = ("intersects", "disjoint", "within")


def register_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Make functions known to a database that it has none of its own for.

    ``ods_relates(relation, shape, other)`` on WKT or GeoJSON, ``ods_hull(lons, lats)`` to GeoJSON, and
    ``ods_mercator(geojson)``, which gives coordinates in EPSG 3857.
    """
    connection.create_function("ods_relates", _relates, ["VARCHAR", "VARCHAR", "VARCHAR"], "BOOLEAN")
    connection.create_function("ods_hull", _hull, ["DOUBLE[]", "DOUBLE[]"], "VARCHAR")
    connection.create_function("ods_mercator", _mercator, ["VARCHAR"], "VARCHAR")


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


def _hull(lons: list[float], lats: list[float]) -> str:
    import shapely

    return str(shapely.to_geojson(shapely.MultiPoint(list(zip(lons, lats, strict=True))).convex_hull))


def _mercator(shape: str) -> str:
    import numpy as np
    import shapely

    def moved(degrees: Any) -> Any:
        lat = np.radians(np.clip(degrees[:, 1], -MOST_NORTH, MOST_NORTH))
        return np.column_stack((np.radians(degrees[:, 0]), np.log(np.tan(np.pi / 4 + lat / 2)))) * EARTH_RADIUS_M

    return str(shapely.to_geojson(shapely.transform(shapely.from_geojson(shape), moved)))


def cluster(field: Sql, zoom: float, radius: float = 40, *, clause: str) -> Sql:
    """Return the group of points that lie together on a map.

    Documented: the arguments (a geo_point_2d field, a zoom from 0 to 25, a radius of 40 pixels) and that it stands in
    ``group_by``. Our reading: the map is Web Mercator in tiles of 256 pixels, points are together that lie in one
    square of ``radius`` pixels, and the key is an object of the hull of the points (``cluster``, a Feature), their
    mean (``cluster_centroid``) and their number (``count``).
    """
    if field.kind != "geo_point_2d":
        raise malformed("geo_cluster only supports geo_point_2d fields", clause)
    if zoom != int(zoom) or not 0 <= zoom <= 25 or radius <= 0:
        raise malformed("geo_cluster takes a zoom from 0 to 25 and a radius above 0", clause)
    side = 256 * 2 ** int(zoom) / radius
    lon, lat = f"{field.text}.lon", f"{field.text}.lat"
    held = f"radians(greatest(least({lat}, {MOST_NORTH}), -{MOST_NORTH}))"
    across = f"floor(({lon} + 180) / 360 * {side})"
    down = f"floor((0.5 - ln(tan(pi() / 4 + {held} / 2)) / (2 * pi())) * {side})"
    hull = f"ods_hull(list({lon}), list({lat}))"
    feature = f"json_object('type', 'Feature', 'geometry', {hull}::JSON, 'properties', json_object())"
    middle = f"json_object('lon', avg({lon}), 'lat', avg({lat}))"
    told = f"json_object('cluster', {feature}, 'cluster_centroid', {middle}, 'count', count(*))"
    shown = f"CASE WHEN any_value({lon}) IS NOT NULL THEN {told} END"
    square = f"CASE WHEN {lon} IS NOT NULL THEN {across}::BIGINT || '/' || {down}::BIGINT END"
    return Sql(square, field.params, "json_blob", shown=shown)


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
