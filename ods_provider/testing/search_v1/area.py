"""Where records lie: circles, polygons, boxes and other shapes. Latitude comes first here, but for WKT and GeoJSON.

Source: Search API v1.0, geofilter parameters and functions; Q22.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

import shapely

from ods_provider.testing.odsql import Field, OdsqlError
from ods_provider.testing.odsql import geometry as shapes
from ods_provider.testing.odsql.sql import Sql, bound, glue
from ods_provider.testing.search_v1 import fulltext
from ods_provider.testing.search_v1.refusal import bad

GEO = ("geo_point_2d", "geo_shape")


def geo_field(fields: Iterable[Field]) -> Field:
    """Return the field that says where a record is: a point before a shape."""
    found = [field for kind in GEO for field in fields if field.type == kind]
    if not found:
        raise bad("This dataset has no geographic field")
    return found[0]


def filters(given: Mapping[str, list[str]], fields: Mapping[str, Field]) -> list[Sql]:
    """Return the conditions of the ``geofilter.*`` parameters."""
    made = {"distance": circle, "polygon": polygon, "bbox": box}
    kept = []
    for name, values in given.items():
        if name not in made:
            raise bad(f"Unknown geofilter: {name}")
        field = geo_field(list(fields.values()))
        kept += [made[name](field, value) for value in values]
    return kept


def _numbers(text: str, count: int, what: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise bad(f"Invalid value for {what}: {text}")
    return numbers


def circle(field: Field, text: str) -> Sql:
    """Return whether a record lies within ``latitude,longitude,metres``."""
    lat, lon, metres = _numbers(text, 3, "geofilter.distance")
    if field.type == "geo_shape":
        # Good enough for a test: a degree of latitude is 111 km.
        return _relates("intersects", field, shapely.Point(lon, lat).buffer(metres / 111_320).wkt)
    try:
        away = shapes.distance(fulltext.cell(field), f"POINT({lon} {lat})", "geofilter.distance")
    except OdsqlError as error:
        raise bad(error.message) from None
    return glue("coalesce({} <= {}, false)", away, bound(metres, "double"))


def polygon(field: Field, text: str) -> Sql:
    """Return whether a record lies in ``(lat,lon),(lat,lon),…``."""
    corners = re.findall(r"\(\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*\)", text)
    if len(corners) < 3:
        raise bad(f"Invalid value for geofilter.polygon: {text}")
    return _relates("intersects", field, shapely.Polygon([(float(lon), float(lat)) for lat, lon in corners]).wkt)


def box(field: Field, text: str) -> Sql:
    """Return whether a record lies in ``lat1,lon1,lat2,lon2``."""
    lat1, lon1, lat2, lon2 = _numbers(text, 4, "geofilter.bbox")
    return _relates(
        "intersects", field, shapely.box(min(lon1, lon2), min(lat1, lat2), max(lon1, lon2), max(lat1, lat2)).wkt
    )


def geometry(field: Field, text: str, relation: str) -> Sql:
    """Return how a record relates to a shape in WKT or GeoJSON, longitude first."""
    try:
        made = shapely.from_geojson(json.dumps(json.loads(text))) if text[:1] == "{" else shapely.from_wkt(text)
    except (shapely.errors.ShapelyError, ValueError):
        raise bad(f"Invalid geometry: {text[:200]}") from None
    if relation.lower() not in shapes.RELATIONS:
        raise bad(f"Unknown relation: {relation}")
    return _relates(relation.lower(), field, made.wkt)


def _relates(relation: str, field: Field, wkt: str) -> Sql:
    try:
        return shapes.relates(relation, fulltext.cell(field), wkt, "geofilter")
    except OdsqlError as error:
        raise bad(error.message) from None
