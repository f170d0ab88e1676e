"""Exports as shapefiles: a zip of one layer for each kind of shape.

Source: ESRI Shapefile Technical Description (1998), dBASE III tables; Q53: a portal writes 50,000 records at most.
"""

from __future__ import annotations

import json
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from ods_provider.testing.exports.export import Export, pieces
from ods_provider.testing.odsql import OutputColumn

MOST_RECORDS = 50_000
_KINDS = {"Point": 1, "LineString": 3, "MultiLineString": 3, "Polygon": 5, "MultiPolygon": 5, "MultiPoint": 8}
_LAYERS = {1: "point", 3: "line", 5: "polygon", 8: "multipoint"}
_PRJ = {
    4326: 'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]',
    3857: 'PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",'
    'SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Mercator_Auxiliary_Sphere"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],'
    'PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",0.0],PARAMETER["Auxiliary_Sphere_Type",0.0],'
    'UNIT["Meter",1.0]]',
}


def write(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield the archive; rows without a shape stand in the layer of points, as null shapes."""
    layers: dict[int, _Layer] = {}
    written = 0
    for features in export.features(cursor):
        for feature in features[: MOST_RECORDS - written]:
            kind = _KINDS[feature["geometry"]["type"]] if feature["geometry"] else 1
            if kind not in layers:
                layers[kind] = _Layer(kind, export.named())
            layers[kind].add(feature)
        written += len(features)
        if written >= MOST_RECORDS:
            break
    if not layers:
        layers[1] = _Layer(1, export.named())
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for kind, layer in layers.items():
                name = export.dataset_id if len(layers) == 1 else f"{export.dataset_id}-{_LAYERS[kind]}"
                layer.pack(archive, name, _PRJ[export.epsg])
        yield from pieces(file)


class _Layer:
    """One shapefile as it grows: shapes, their index, and the table beside them."""

    def __init__(self, kind: int, columns: tuple[OutputColumn, ...]) -> None:
        self._kind = kind
        self._columns = [(name, *_width(column), column.key) for name, column in _short_names(columns)]
        self._shapes, self._index, self._table = (tempfile.TemporaryFile() for _ in range(3))  # noqa: SIM115  closed when packed
        self._rows = 0
        self._words = 50
        self._box = [float("inf"), float("inf"), float("-inf"), float("-inf")]

    def add(self, feature: dict[str, Any]) -> None:
        """Add one row."""
        self._rows += 1
        shape = self._shape(feature["geometry"])
        self._index.write(struct.pack(">ii", self._words, len(shape) // 2))
        self._shapes.write(struct.pack(">ii", self._rows, len(shape) // 2) + shape)
        self._words += 4 + len(shape) // 2
        cells = (_cell(feature["properties"].get(key), kind, width) for _, kind, width, _, key in self._columns)
        self._table.write(b" " + b"".join(cells))

    def _shape(self, geometry: dict[str, Any] | None) -> bytes:
        if geometry is None:
            return struct.pack("<i", 0)
        at, kind = geometry["coordinates"], geometry["type"]
        if kind == "Point":
            self._widen([at])
            return struct.pack("<i2d", 1, *at)
        if kind == "MultiPoint":
            return struct.pack("<i4di", 8, *self._widen(at), len(at)) + _points(at)
        lines = {"LineString": [at], "Polygon": at, "MultiLineString": at}.get(kind) or [
            ring for one in at for ring in one
        ]
        points = [point for line in lines for point in line]
        starts = [sum(len(line) for line in lines[:number]) for number in range(len(lines))]
        head = struct.pack("<i4dii", self._kind, *self._widen(points), len(lines), len(points))
        return head + struct.pack(f"<{len(starts)}i", *starts) + _points(points)

    def _widen(self, points: list[list[float]]) -> list[float]:
        across, up = [point[0] for point in points], [point[1] for point in points]
        box = [min(across), min(up), max(across), max(up)]
        self._box = [
            min(self._box[0], box[0]),
            min(self._box[1], box[1]),
            max(self._box[2], box[2]),
            max(self._box[3], box[3]),
        ]
        return box

    def pack(self, archive: zipfile.ZipFile, name: str, projection: str) -> None:
        """Write the layer's files into the archive."""
        box = self._box if self._box[0] <= self._box[2] else [0.0] * 4
        index_words = 50 + 4 * self._rows
        for ending, words, body in (("shp", self._words, self._shapes), ("shx", index_words, self._index)):
            head = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, words) + struct.pack(
                "<2i8d", 1000, self._kind, *box, 0, 0, 0, 0
            )
            _put(archive, f"{name}.{ending}", head, body, b"")
        _put(archive, f"{name}.dbf", self._table_head(), self._table, b"\x1a")
        archive.writestr(f"{name}.prj", projection)
        archive.writestr(f"{name}.cpg", "UTF-8")

    def _table_head(self) -> bytes:
        fields = b"".join(
            struct.pack("<11sc4xBB14x", name.encode(), kind.encode(), width, decimals)
            for name, kind, width, decimals, _ in self._columns
        )
        row = 1 + sum(width for _, _, width, _, _ in self._columns)
        return struct.pack("<4BIHH20x", 3, 126, 1, 1, self._rows, 33 + len(fields), row) + fields + b"\r"


def _put(archive: zipfile.ZipFile, name: str, head: bytes, body: IO[bytes], end: bytes) -> None:
    with archive.open(name, "w") as member, body:
        member.write(head)
        for piece in pieces(body):
            member.write(piece)
        member.write(end)


def _points(points: list[list[float]]) -> bytes:
    return b"".join(struct.pack("<2d", *point[:2]) for point in points)


def _short_names(columns: tuple[OutputColumn, ...]) -> Iterator[tuple[str, OutputColumn]]:
    # A name in such a table holds ten letters: later ones that would be the same are numbered.
    taken: set[str] = set()
    for column in columns:
        if column.type in ("geo_point_2d", "geo_shape") and not column.multivalued:
            continue
        plain = "".join(char if char.isascii() and char.isalnum() else "_" for char in column.key)[:10]
        name, number = plain, 1
        while name in taken:
            name, number = f"{plain[:8]}_{number}", number + 1
        taken.add(name)
        yield name, column


def _width(column: OutputColumn) -> tuple[str, int, int]:
    kinds = {"int": ("N", 20, 0), "double": ("N", 24, 10), "boolean": ("L", 1, 0)}
    return ("C", 254, 0) if column.multivalued else kinds.get(column.type, ("C", 254, 0))


def _cell(value: Any, kind: str, width: int) -> bytes:
    if kind == "L":
        return b"?" if value is None else b"T" if value else b"F"
    if value is None:
        return b" " * width
    if kind == "N":
        text = str(value) if isinstance(value, int) else f"{value:.10f}"[:width]
        return text.rjust(width).encode()[:width]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Cut to the width without tearing a character.
    return text.encode()[:width].decode(errors="ignore").encode().ljust(width)
