"""Points of any spelling, and as a table keeps them (Q22).

Read are: a struct of ``lon`` and ``lat``; a list, latitude first, as Search v1 writes it (GeoArrow: longitude first);
WKB; and texts: ``lat, lon``, GeoJSON, an object of ``lon`` and ``lat``, WKT. An empty point of WKB or WKT is null.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

from ods_provider.core.strictjson import DECODER
from ods_provider.tables.arrow import Array, pa, pc
from ods_provider.tables.geometries import numpy, shapely
from ods_provider.tables.portaltypes import is_bytes, is_list

Axes = tuple[Array, Array]
"""Longitudes and latitudes; both null where there is no point."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PAIR = rf"^\s*\[?\s*(?P<lat>{_NUMBER})\s*,\s*(?P<lon>{_NUMBER})\s*\]?\s*$"
_WKT = re.compile(rf"(?:SRID=4326;)?\s*POINT\s*\(\s*({_NUMBER})\s+({_NUMBER})\s*\)", re.IGNORECASE)
_AXES = (("lon", "lat"), ("longitude", "latitude"), ("x", "y"))


def read_points(array: Array, *, longitude_first: bool = False) -> Axes:
    """Return the longitudes and the latitudes.

    Args:
        array: In any of the spellings.
        longitude_first: Whether lists are: GeoArrow's.

    Raises:
        ValueError: A value is no point.
    """
    type_: Any = array.type
    if pa.types.is_null(type_):
        return array.cast(pa.float64()), array.cast(pa.float64())
    if pa.types.is_struct(type_):
        return _of_struct(array)
    if is_list(type_):
        return _of_list(array, longitude_first)
    return _of_wkb(array) if is_bytes(type_) else _of_text(array)


def written_points(lon: Array, lat: Array, form: str) -> Array:
    """Return points as ``wkt``, ``geojson`` or ``wkb``.

    Raises:
        ValueError: A point lacks an axis, or one is no number that these have.
    """
    if pc.any(pc.xor(pc.is_valid(lon), pc.is_valid(lat))).as_py():
        raise ValueError("a point has both a longitude and a latitude")
    if not all(pc.all(pc.is_finite(axis)).as_py() in (True, None) for axis in (lon, lat)):
        raise ValueError("a coordinate is no number")
    if form == "wkb":
        return _wkb(lon, lat)
    before, between, after = ("POINT (", " ", ")") if form == "wkt" else ('{"type":"Point","coordinates":[', ",", "]}")
    texts = (before, lon.cast(pa.string()), between, lat.cast(pa.string()), after)
    return pc.binary_join_element_wise(*texts, "")


def _wkb(lon: Array, lat: Array) -> Array:
    points = numpy().zeros(len(lon), [("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
    points["order"], points["type"] = 1, 1
    points["x"], points["y"] = (axis.fill_null(0).to_numpy(zero_copy_only=False) for axis in (lon, lat))
    size = points.dtype.itemsize
    whole = pa.Array.from_buffers(pa.binary(size), len(lon), [None, pa.py_buffer(points.tobytes())])
    return pc.if_else(lon.is_valid(), whole.cast(pa.binary()), pa.scalar(None, pa.binary()))


def _of_struct(array: Any) -> Axes:
    names = {array.type.field(number).name.lower(): number for number in range(array.type.num_fields)}
    for lon, lat in _AXES:
        if lon in names and lat in names:
            parts = array.flatten()  # with the nulls of the struct itself
            return parts[names[lon]].cast(pa.float64()), parts[names[lat]].cast(pa.float64())
    raise ValueError("an object of other members than lon and lat is no point")


def _of_list(array: Any, longitude_first: bool) -> Axes:
    lengths = pc.list_value_length(array)
    if pc.any(pc.not_equal(lengths, 2)).as_py():
        raise ValueError("a point has two coordinates")
    if not pc.any(pc.is_valid(array)).as_py():
        return pa.nulls(len(array), pa.float64()), pa.nulls(len(array), pa.float64())
    first, second = (pc.list_element(array, place).cast(pa.float64()) for place in (0, 1))
    if longitude_first:
        return first, second
    if pc.any(pc.greater(pc.abs(first), 90.0)).as_py():
        raise ValueError("a list is read latitude first, and this is no latitude")
    return second, first


def _of_wkb(array: Array) -> Axes:
    library = shapely()
    points = library.from_wkb(numpy().array(array.to_pylist(), dtype=object))
    if any(point is not None and point.geom_type != "Point" for point in points):
        raise ValueError("it is another geometry than a point")
    points[library.is_empty(points)] = None
    missing = pa.array(library.is_missing(points))
    nothing = pa.scalar(None, pa.float64())
    lon, lat = (pa.array(axis(points), pa.float64()) for axis in (library.get_x, library.get_y))
    return pc.if_else(missing, nothing, lon), pc.if_else(missing, nothing, lat)


def _of_text(array: Array) -> Axes:
    pairs: Any = pc.extract_regex(array, _PAIR)
    found = pairs.is_valid()
    if pc.sum(found).as_py() in (len(array) - array.null_count, None):
        lat, lon = (pc.struct_field(pairs, axis) for axis in ("lat", "lon"))
        # "" stands where nothing was found.
        lat, lon = (pc.if_else(found, axis, pa.scalar(None, pa.string())) for axis in (lat, lon))
        return _cast(lon), _cast(lat)
    points = [_point(text) for text in array.to_pylist()]
    lons, lats = ([point and point[number] for point in points] for number in (0, 1))
    return pa.array(lons, pa.float64()), pa.array(lats, pa.float64())


def _cast(texts: Array) -> Array:
    return pc.replace_substring_regex(texts, r"^\+", "").cast(pa.float64())


def _point(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    if pair := re.match(_PAIR, text):
        return float(pair["lon"]), float(pair["lat"])
    if named := _WKT.fullmatch(text.strip()):
        return float(named[1]), float(named[2])
    if text.strip().upper().endswith("POINT EMPTY"):
        return None
    try:
        return _of_json(DECODER.decode(text))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError("it is no point") from None


def _of_json(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    if value.get("type") == "Feature":
        return _of_json(value["geometry"])
    if value.get("type") == "Point":
        pair = value["coordinates"][:2]
    else:
        folded = {name.lower(): member for name, member in value.items()}
        pair = next([folded[lon], folded[lat]] for lon, lat in _AXES if lon in folded and lat in folded)
    lon, lat = map(float, pair)
    if not (isfinite(lon) and isfinite(lat)):
        raise ValueError("no numbers")
    return lon, lat
