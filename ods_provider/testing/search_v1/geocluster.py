"""Clusters of points on a grid, each with its hull, and the box around all of them.

Source: Search API v1.0, geo clustering; Q22 (latitude first, but in GeoJSON).
"""

from __future__ import annotations

import json
from typing import Any

import shapely

from ods_provider.testing.schema import quoted
from ods_provider.testing.search_v1 import area
from ods_provider.testing.search_v1.analyze import series_of
from ods_provider.testing.search_v1.filters import Rows
from ods_provider.testing.search_v1.parameters import Parameters
from ods_provider.testing.search_v1.refusal import bad

MOST_PRECISION = 29
_TILE_PIXELS = 256
_DISTANCE_PIXELS = 50


def clusters(cursor: Any, parameters: Parameters, rows: Rows) -> dict[str, Any]:
    """Return the clusters of the rows.

    Raises:
        V1Refusal: 400.
    """
    if not parameters.one("clusterprecision"):
        raise bad("Parameter clusterprecision is missing")
    precision, fineness = parameters.number("clusterprecision", 0), parameters.number("shapeprecision", 0)
    mode = parameters.one("clustermode", "polygon")
    if mode not in ("polygon", "heatmap") or not 0 <= precision + fineness <= MOST_PRECISION:
        raise bad(f"clusterprecision + shapeprecision must not exceed {MOST_PRECISION}, clustermode is {mode}")
    step = 360 / 2**precision * parameters.number("clusterdistance", _DISTANCE_PIXELS) / _TILE_PIXELS
    series = series_of(parameters, rows)
    cell = _point_cell(rows)
    aggregates = "".join(f", {made.text}" for made in series.values())
    sql = (
        f"SELECT avg({cell}.lat), avg({cell}.lon), count(*), list([{cell}.lon, {cell}.lat]){aggregates} "  # noqa: S608
        f"FROM {rows.source.text} WHERE {cell} IS NOT NULL "
        f"GROUP BY floor({cell}.lat / {step}), floor({cell}.lon / {step}) ORDER BY 3, 1, 2"
    )
    params = [value for made in series.values() for value in made.params] + list(rows.source.params)
    outline = mode == "polygon" and parameters.flag("return_polygons", default=True)
    found = [
        _cluster(row, list(series), step / 2**fineness if fineness else 0.0, outline)
        for row in cursor.execute(sql, params).fetchall()
    ]
    counts = [cluster["count"] for cluster in found]
    return {
        "clusters": found,
        "count": {"max": max(counts, default=0), "min": min(counts, default=0)},
        "series": {name: _extremes([cluster["series"].get(name) for cluster in found]) for name in series},
        "clusterprecision": precision,
    }


def _point_cell(rows: Rows) -> str:
    field = area.geo_field(rows.fields.values())
    if field.type != "geo_point_2d":
        raise bad("Clusters need a geo_point_2d field")
    return quoted(field.name)


def _cluster(row: tuple[Any, ...], series: list[str], tolerance: float, outline: bool) -> dict[str, Any]:
    lat, lon, count, points, *values = row
    made = {
        "cluster_center": [lat, lon],
        "count": count,
        "series": {name: value for name, value in zip(series, values, strict=True) if value is not None},
    }
    if outline:
        hull = shapely.MultiPoint(points).convex_hull.simplify(tolerance)
        made["cluster"] = json.loads(shapely.to_geojson(hull))
    return made


def _extremes(values: list[Any]) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    return {"max": max(known), "min": min(known)} if known else {}


def bounding_box(cursor: Any, rows: Rows) -> dict[str, Any]:
    """Return the box around the rows (west, south, east, north) and how many there are.

    Source: recorded by a third party; the vendor does not document it.
    """
    cell = _point_cell(rows)
    ends = ", ".join(f"{how}({cell}.{axis})" for how in ("min", "max") for axis in ("lon", "lat"))
    sql = f"SELECT count(*), {ends} FROM {rows.source.text} WHERE {cell} IS NOT NULL"  # noqa: S608
    count, *box = cursor.execute(sql, list(rows.source.params)).fetchone()
    return {"count": count, "bbox": box if count else [], "geometries": {"Point": count} if count else {}}
