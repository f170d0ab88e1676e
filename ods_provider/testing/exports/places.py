"""Exports of places: KML, GPX, OV2 and FlatGeobuf.

Source: Explore v2.1 export formats; GPX 1.1, KML 2.2, TomTom's OV2 records. A FlatGeobuf file is not written: what
comes begins as one does and holds nothing a reader could use.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ods_provider.testing.exports.export import Export

Geometry = dict[str, Any]
_FGB = b"fgb\x03fgb\x01" + bytes(56)


def kml(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield KML: a placemark for each row, its fields as extended data."""
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    for features in export.features(cursor):
        marks = []
        for feature in features:
            fields = "".join(
                f"<Data name={quoteattr(name)}><value>{xml_text(value)}</value></Data>"
                for name, value in feature["properties"].items()
                if value is not None
            )
            shape = _kml_shape(feature["geometry"])
            marks.append(f"<Placemark><ExtendedData>{fields}</ExtendedData>{shape}</Placemark>\n")
        yield "".join(marks).encode()
    yield b"</Document></kml>\n"


def _kml_shape(geometry: Geometry | None) -> str:
    if geometry is None:
        return ""
    kind, at = geometry["type"], geometry["coordinates"]
    if kind.startswith("Multi"):
        return (
            "<MultiGeometry>"
            + "".join(_kml_shape({"type": kind[5:], "coordinates": part}) for part in at)
            + "</MultiGeometry>"
        )
    if kind == "Polygon":
        sides = ["outerBoundaryIs", *["innerBoundaryIs"] * (len(at) - 1)]
        rings = (
            f"<{side}><LinearRing>{_kml_at(ring)}</LinearRing></{side}>" for side, ring in zip(sides, at, strict=True)
        )
        return f"<Polygon>{''.join(rings)}</Polygon>"
    return f"<{kind}>{_kml_at([at] if kind == 'Point' else at)}</{kind}>"


def _kml_at(points: list[list[float]]) -> str:
    return "<coordinates>" + " ".join(f"{point[0]},{point[1]}" for point in points) + "</coordinates>"


def gpx(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield GPX: a waypoint for each point, a track for each line or outline; rows without a place are left out."""
    yield (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<gpx version="1.1" creator="ods-provider" xmlns="http://www.topografix.com/GPX/1/1">'
    )
    for features in export.features(cursor):
        yield "".join(_gpx_mark(feature, export.options) for feature in features if feature["geometry"]).encode()
    yield b"</gpx>\n"


def _gpx_mark(feature: dict[str, Any], options: dict[str, Any]) -> str:
    fields = {name: value for name, value in feature["properties"].items() if value is not None}
    name = fields.get(options["name_field"])
    told = options["description_field_list"] or ([] if options["use_extension"] else list(fields))
    inside = f"<name>{xml_text(name)}</name>" if name is not None else ""
    if told:
        lines = "\n".join(f"{field}: {plain_text(fields[field])}" for field in told if field in fields)
        inside += f"<desc>{escape(lines)}</desc>"
    more = "".join(f"<{xml_name(field)}>{xml_text(value)}</{xml_name(field)}>" for field, value in fields.items())
    extension = f"<extensions>{more}</extensions>" if options["use_extension"] else ""
    return "".join(_gpx_shape(part, inside, extension) for part in _parts(feature["geometry"]))


def _gpx_shape(geometry: Geometry, inside: str, extension: str) -> str:
    kind, at = geometry["type"], geometry["coordinates"]
    if kind == "Point":
        return f'<wpt lat="{at[1]}" lon="{at[0]}">{inside}{extension}</wpt>\n'
    lines = at if kind == "Polygon" else [at]
    segments = "".join(
        "<trkseg>" + "".join(f'<trkpt lat="{point[1]}" lon="{point[0]}"/>' for point in line) + "</trkseg>"
        for line in lines
    )
    return f"<trk>{inside}{extension}{segments}</trk>\n"


def _parts(geometry: Geometry) -> Iterator[Geometry]:
    if geometry["type"].startswith("Multi"):
        yield from ({"type": geometry["type"][5:], "coordinates": part} for part in geometry["coordinates"])
    else:
        yield geometry


def ov2(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield OV2: a record of kind 2 for each point, named by its first text; other shapes are left out."""
    for features in export.features(cursor):
        made = b""
        for feature in features:
            if feature["geometry"] and feature["geometry"]["type"] == "Point":
                lon, lat = feature["geometry"]["coordinates"]
                texts = (value for value in feature["properties"].values() if isinstance(value, str))
                name = next(texts, "").encode() + b"\0"
                made += struct.pack("<BIii", 2, 13 + len(name), round(lon * 100_000), round(lat * 100_000)) + name
        yield made


def fgb(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield what begins as FlatGeobuf does."""
    cursor.execute(export.select("1"), list(export.asked.compiled.params)).fetchone()
    yield _FGB


def plain_text(value: Any) -> str:
    """Return a value as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def xml_text(value: Any) -> str:
    """Return a value as text in XML, without the characters that XML cannot hold."""
    return escape("".join(char for char in plain_text(value) if char >= " " or char in "\t\n\r"))


def xml_name(text: str) -> str:
    """Return a text as the name of an element."""
    made = "".join(char if char.isalnum() or char in "_-." else "_" for char in text)
    return made if made[:1].isalpha() or made[:1] == "_" else f"_{made}"
