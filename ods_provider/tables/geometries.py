"""Shapes of any spelling, and as a table keeps them (Q23).

Read are GeoJSON, bare or as the geometry of a Feature, WKT, WKB, and GeoJSON as a struct. A geometry that is GeoJSON
already stays as it was written, to the digit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.formats.jsonvalid import best_reader
from ods_provider.core.strictjson import DECODER
from ods_provider.tables.arrow import Array, pa
from ods_provider.tables.jsontexts import read_json
from ods_provider.tables.portaltypes import is_bytes, is_text

_TYPES = frozenset(
    ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"]
)
_DECIMALS = 40  # at most, of a double in WKT: as few as say it exactly, which a small one needs many for
_BLANKS = " \t\n\r"


def shapely() -> Any:
    """Return the library that reads geometries.

    Raises:
        OdsConfigError: It is not installed.
    """
    try:
        import shapely as library
    except ImportError as error:
        raise OdsConfigError(
            f"places of this kind need a package more ({error})",
            advice="pip install 'ods-provider[sql]', or keep places as they are: geo=\"lonlat\"",
        ) from None
    return library


def numpy() -> Any:
    """Return the library that shapely's arrays are of; it comes with it.

    Raises:
        OdsConfigError: It is not installed.
    """
    shapely()
    import numpy as np

    return np


def read_shapes(array: Array, form: str) -> Array:
    """Return shapes as ``wkt``, ``geojson`` or ``wkb``.

    Raises:
        ValueError: A value is no geometry, or none that can be written so.
    """
    if is_bytes(array.type):
        return _written(shapely().from_wkb(array.to_pylist()), form)
    texts = array if is_text(array.type) else read_json(array)
    bare = [None if text is None else geometry_text(text) for text in texts.to_pylist()]
    return pa.array(bare, pa.string()) if form == "geojson" else _written(shapely().from_geojson(bare), form)


def _written(shapes: Any, form: str) -> Array:
    library = shapely()
    if form == "wkb":
        return pa.array(library.to_wkb(shapes, flavor="iso"), pa.binary())
    texts = library.to_wkt(shapes, rounding_precision=_DECIMALS) if form == "wkt" else library.to_geojson(shapes)
    return pa.array(texts, pa.string())


def geometry_text(text: str) -> str | None:
    """Return the GeoJSON geometry that a text holds, as it is written there; None for a Feature that has none.

    Raises:
        ValueError: It is no geometry.
    """
    if not text.lstrip(_BLANKS).startswith("{"):
        return str(shapely().to_geojson(shapely().from_wkt(text)))
    best_reader().expect_whole(text.encode())
    named, geometry, holds = _parts()(text)
    if named == "Feature" and geometry:
        return None if geometry == "null" else geometry_text(geometry)
    if named not in _TYPES or not holds:
        raise ValueError("it is no GeoJSON geometry")
    return text


Parts = tuple[str | None, str | None, bool]
"""Of an object of GeoJSON: its type, its geometry as it is written, and whether it has coordinates or geometries."""


@cache
def _parts() -> Callable[[str], Parts]:
    try:
        return msgspec_parts()
    except ImportError:
        return json_parts


def msgspec_parts() -> Callable[[str], Parts]:
    """Return what finds the parts fast.

    Raises:
        ImportError: msgspec is not installed.
    """
    import msgspec

    names = ("geometry", "coordinates", "geometries")
    shape: Any = msgspec.defstruct("Shape", [("type", Any, None), *((name, msgspec.Raw, None) for name in names)])
    decode = msgspec.json.Decoder(shape).decode

    def parts(text: str) -> Parts:
        found = decode(text)
        geometry = None if found.geometry is None else bytes(found.geometry).decode()
        return found.type, geometry, bool(found.coordinates or found.geometries)

    return parts


def json_parts(text: str) -> Parts:
    """Return the parts of an object of whole JSON."""
    found: dict[str, str] = {}
    at = _past(text, _past(text, 0) + 1)
    while text[at] != "}":
        name, at = DECODER.raw_decode(text, at)
        start = _past(text, _past(text, at) + 1)  # after the colon
        _, at = DECODER.raw_decode(text, start)
        found[name] = text[start:at]
        at = _past(text, at)
        if text[at] == ",":
            at = _past(text, at + 1)
    named = DECODER.decode(found.get("type", "null"))
    return named, found.get("geometry"), not found.keys().isdisjoint(("coordinates", "geometries"))


def _past(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at
