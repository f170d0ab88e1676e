"""Rows with Python's own types, told from the dataset's schema.

| field type | Python |
|---|---|
| int | int, 64 bits and more (Q15) |
| double | float |
| date | ``datetime.date`` where the precision is the day; ``"2020"`` and ``"1984-12"`` stay as they are (Q14) |
| datetime | aware ``datetime.datetime``; one without an offset is UTC (Q26) |
| geo_point_2d | ``{"lon": float, "lat": float}``, however it was spelled (Q22) |
| several values | list |
| others | as the portal's JSON has them |

A value that does not fit its type stays as it came: nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from ods_provider.core.schema import Dataset, Field

Row = dict[str, Any]
Convert = Callable[[Any], Any]
_DAY_CHARS = len("2020-01-31")
_CATALOGUE_TIMES = ("modified", "data_processed", "metadata_processed")
_DCAT_TIMES = ("created", "issued")


def typing_of(dataset: Dataset) -> Callable[[list[Row]], list[Row]]:
    """Return what gives rows of ``dataset`` their types, in place; keys that are no fields stay as they are."""
    plan = [(field.name, converter) for field in dataset.fields if (converter := _converter(field))]

    def typed(rows: list[Row]) -> list[Row]:
        for name, convert in plan:
            for row in rows:
                value = row.get(name)
                if value is not None:
                    row[name] = convert(value)
        return rows

    return typed


def _converter(field: Field) -> Convert | None:
    one = _one(field)
    if field.multivalued:
        separator = field.annotations.get("multivalued")
        return lambda value: _several(value, separator, one)
    return one


def _one(field: Field) -> Convert | None:
    if field.type == "date":
        precision = field.annotations.get("timeserie_precision")
        return None if precision in ("year", "month") else _date
    return {"datetime": _datetime, "geo_point_2d": _point, "double": _double}.get(field.type)


def _several(value: Any, separator: Any, convert: Convert | None) -> list[Any]:
    if isinstance(value, str) and isinstance(separator, str) and separator:
        value = value.split(separator)
    items = value if isinstance(value, list) else [value]
    return [convert(item) for item in items] if convert else items


def _date(value: Any) -> Any:
    try:
        return date.fromisoformat(value) if len(value) == _DAY_CHARS else value
    except (TypeError, ValueError):
        return value


def _datetime(value: Any) -> Any:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _double(value: Any) -> Any:
    try:
        return float(value) if type(value) is int else value
    except OverflowError:
        return value


def _point(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    try:
        lat, lon = (float(part) for part in (value.split(",") if isinstance(value, str) else value))
    except (TypeError, ValueError, OverflowError):
        return value
    return {"lon": lon, "lat": lat}


def typed_datasets(rows: list[Row]) -> list[Row]:
    """Give catalogue rows aware datetimes, in place: whole dataset objects, or what a select left of them."""
    for row in rows:
        metas = row.get("metas")
        if isinstance(metas, dict):
            _times(metas.get("default"), _CATALOGUE_TIMES)
            _times(metas.get("dcat"), _DCAT_TIMES)
        _times(row, (*_CATALOGUE_TIMES, *(f"default.{name}" for name in _CATALOGUE_TIMES)))
    return rows


def _times(row: Any, names: Iterable[str]) -> None:
    if isinstance(row, dict):
        for name in names:
            if row.get(name) is not None:
                row[name] = _datetime(row[name])
