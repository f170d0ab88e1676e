"""Exports: the formats of a dataset, each with its media type, its file's ending, and what it needs of a dataset.

Source: Explore v2.1 export formats; Q9, Q10, Q38, Q39, Q61.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ods_provider.testing.exports import ical, places, shapefile, tables, text, triples
from ods_provider.testing.exports.export import Export

__all__ = ["FORMATS", "Export", "Format", "offered"]

Write = Callable[[Export, Any], Iterator[bytes]]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        write: Makes the file's bytes, some at a time.
        media_type: Of the answer.
        ending: Of the file's name, where it is not the format's own.
        needs: What a dataset must have for it to be offered: ``geo``, ``calendar``, or nothing.
        packed: Whether the file is compressed by itself, so that it is not gzipped on its way.
    """

    write: Write
    media_type: str
    ending: str | None = None
    needs: str | None = None
    packed: bool = False


FORMATS = {
    "csv": Format(text.csv, "text/csv; charset=utf-8"),
    "json": Format(text.json, "application/json; charset=utf-8"),
    "jsonl": Format(text.jsonl, "application/x-ndjson; charset=utf-8"),
    "geojson": Format(text.geojson, "application/geo+json; charset=utf-8", needs="geo"),
    "parquet": Format(tables.parquet, "application/vnd.apache.parquet"),
    "xlsx": Format(tables.xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", packed=True),
    "shp": Format(shapefile.write, "application/zip", ending="zip", needs="geo", packed=True),
    "kml": Format(places.kml, "application/vnd.google-earth.kml+xml", needs="geo"),
    "gpx": Format(places.gpx, "application/gpx+xml", needs="geo"),
    "fgb": Format(places.fgb, "application/octet-stream; charset=utf-8", needs="geo", packed=True),
    "ov2": Format(places.ov2, "application/octet-stream", needs="geo"),
    "n3": Format(triples.n3, "text/n3; charset=utf-8"),
    "turtle": Format(triples.n3, "text/turtle; charset=utf-8", ending="ttl"),
    "rdfxml": Format(triples.rdfxml, "application/rdf+xml; charset=utf-8", ending="rdf"),
    "jsonld": Format(triples.jsonld, "application/ld+json; charset=utf-8"),
    "ical": Format(ical.write, "text/calendar; charset=utf-8", ending="ics", needs="calendar"),
}


def offered(features: list[str]) -> list[str]:
    """Return the formats of a dataset with these features."""
    return [name for name, format in FORMATS.items() if format.needs is None or format.needs in features]
