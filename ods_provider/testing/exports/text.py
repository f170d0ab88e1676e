"""Exports as text that streams: CSV, JSON, JSON lines, GeoJSON.

Source: Explore v2.1 export formats; Q38 (BOM), Q39 (separators), Q61 (geometry).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ods_provider.testing.encode import csv_row
from ods_provider.testing.exports.export import Export


def csv(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield CSV: ``;`` and a BOM unless said otherwise, CRLF always."""
    options = export.options
    delimiter = options["delimiter"]
    row = csv_row(
        export.columns,
        timezone=export.asked.timezone,
        delimiter=delimiter,
        list_separator=options["list_separator"],
        quote_all=options["quote_all"],
        base=export.base,
    )
    head = delimiter.join(_cell(name, delimiter, options["quote_all"]) for name in export.header())
    # Before the head, which begins the answer.
    rows = export.texts(cursor, row)
    yield (("\ufeff" if options["with_bom"] else "") + head + "\r\n").encode()
    for texts in rows:
        yield ("\r\n".join(texts) + "\r\n").encode()


def _cell(text: str, delimiter: str, quote_all: bool) -> str:
    if quote_all or any(mark in text for mark in (delimiter, '"', "\r", "\n")):
        return '"' + text.replace('"', '""') + '"'
    return text


def json(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield a bare array."""
    return enclosed("[", ", ", "]", export.texts(cursor, export.json_row()))


def jsonl(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield one object per line."""
    for texts in export.texts(cursor, export.json_row()):
        yield ("\n".join(texts) + "\n").encode()


def geojson(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield a FeatureCollection; another projection than 4326 is named in it (our reading)."""
    crs = "" if export.epsg == 4326 else f'"crs":{{"type":"name","properties":{{"name":"EPSG:{export.epsg}"}}}},'
    head = f'{{"type":"FeatureCollection",{crs}"features":['
    return enclosed(head, ",", "]}", export.texts(cursor, export.feature_row()))


def enclosed(before: str, between: str, after: str, texts: Iterator[list[str]]) -> Iterator[bytes]:
    """Yield texts with something before, between and after them."""
    first = True
    yield before.encode()
    for some in texts:
        yield (("" if first else between) + between.join(some)).encode()
        first = False
    yield after.encode()
