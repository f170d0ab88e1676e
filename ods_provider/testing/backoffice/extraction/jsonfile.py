"""JSON: a list of objects, one object a line, or a list within objects; and features of GeoJSON.

Source: Automation API v1.0, extractor parameters (json_root, json_object).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ods_provider.testing.backoffice.extraction.jsonstream import items
from ods_provider.testing.backoffice.extraction.raw import Raw, named, selected
from ods_provider.testing.backoffice.trouble import ExtractionError
from ods_provider.testing.schema import literal, quoted

_KINDS = {"BIGINT": "int", "UBIGINT": "int", "DOUBLE": "double", "BOOLEAN": "boolean", "VARCHAR": "words"}


def read(path: Path, params: Mapping[str, Any], scratch: Path, cursor: Any) -> Raw:
    """Return the records of a file.

    Args:
        path: The file, in UTF-8.
        params: Of the extractor.
        scratch: Where the records may be written one a line.
        cursor: A cursor of DuckDB.

    Raises:
        ExtractionError: It is no JSON, or holds no list of objects where told.
    """
    way = [part for part in str(params.get("json_root") or "").split(".") if part]
    if not way and _by_line(path):
        return lines(path, cursor)
    inner = [part for part in str(params.get("json_object") or "").split(".") if part]
    with path.open(encoding="utf-8-sig") as file:
        return written(_objects(items(file, way), inner), scratch / f"{path.stem}.jsonl", cursor)


def geojson(path: Path, scratch: Path, cursor: Any) -> Raw:
    """Return the features of a file: their properties, a field ``geo_shape``, and its centre as ``geo_point_2d``.

    Raises:
        ExtractionError: It is no collection of features.
    """
    with path.open(encoding="utf-8-sig") as file:
        features = items(file, ["features"])
        return written(map(_feature, features), scratch / f"{path.stem}.jsonl", cursor)


def written(records: Iterable[dict[str, Any]], target: Path, cursor: Any) -> Raw:
    """Write records one a line and return them as a source."""
    with target.open("w", encoding="utf-8") as made:
        for record in records:
            made.write(json.dumps(record, ensure_ascii=False) + "\n")
    return lines(target, cursor)


def lines(path: Path, cursor: Any) -> Raw:
    """Return a file of one object a line as a source.

    Raises:
        ExtractionError: A line is no object.
    """
    table = (
        f"read_json({literal(str(path))}, format='newline_delimited', maximum_depth=1, sample_size=-1, "
        "map_inference_threshold=-1, maximum_object_size=67108864)"
    )
    try:
        found = cursor.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()  # noqa: S608  a quoted path
    except Exception as error:
        raise ExtractionError(f"The file is not valid JSON: {str(error).splitlines()[0]}") from None
    names = [row[0] for row in found]
    if [name for name, kind, *_ in found if kind != "JSON"] or not names:
        raise ExtractionError("The file holds no objects")
    fields = named(names, _naturals(names, table, cursor))
    return Raw(selected(fields, [f"nullif({quoted(name)} ->> '$', '')" for name in names], table), fields)


def _naturals(names: list[str], table: str, cursor: Any) -> Iterator[str | None]:
    asked = ", ".join(f"list(DISTINCT json_type({quoted(name)}))" for name in names)
    some = f"(SELECT * FROM {table} LIMIT 10000)"  # noqa: S608  as above
    found = cursor.execute(f"SELECT {asked} FROM {some}").fetchone()  # noqa: S608  as above
    for kinds in found:
        told = {_KINDS.get(kind, "nested") for kind in kinds or () if kind not in (None, "NULL")}
        # Whole numbers and others together are numbers; any other mixture is read as text is.
        yield "double" if told == {"int", "double"} else told.pop() if len(told) == 1 else None


def _by_line(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = next((line for line in iter(lambda: file.readline(1 << 24), "") if line.strip()), "")
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _objects(found: Iterable[Any], inner: list[str]) -> Iterator[dict[str, Any]]:
    for item in found:
        for part in inner:
            item = item.get(part) if isinstance(item, dict) else None  # noqa: PLW2901  one way down
        if not isinstance(item, dict):
            raise ExtractionError("The list holds something that is no object")
        yield item


def _feature(feature: Any) -> dict[str, Any]:
    from shapely.geometry import shape

    if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
        raise ExtractionError("The collection holds something that is no feature")
    geometry, point = feature.get("geometry"), None
    if geometry:
        try:
            centre = shape(geometry).representative_point()
        except Exception as error:
            raise ExtractionError(f"A geometry cannot be read: {error}") from None
        point = {"lon": centre.x, "lat": centre.y}
    return {"geo_point_2d": point, "geo_shape": geometry, **(feature.get("properties") or {})}
