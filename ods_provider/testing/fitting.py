"""Values as fields hold them: what is pushed is made to fit, and what does not fit is lost without a word (Q20)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from ods_provider.testing.schema import Column, DatasetState


def fitted(state: DatasetState, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with every field of the dataset: unknown keys are dropped, missing ones are null."""
    return {column.name: _cell(column, row.get(column.name)) for column in state.columns}


def _cell(column: Column, value: Any) -> Any:
    if value is None:
        return None
    make = _MAKERS[column.type]
    try:
        if column.multivalued:
            parts = value if isinstance(value, list) else str(value).split(column.annotations["multivalued"])
            return [make(part) for part in parts] or None
        return make(value)
    except (ValueError, TypeError, KeyError, ArithmeticError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _int(value: Any) -> int:
    whole = int(value)
    if not -(2**63) <= whole < 2**63:
        raise ValueError("beyond 64 bits")
    return whole


def _boolean(value: Any) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]


def _date(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    # A date may be cut to its year or month.
    return date.fromisoformat(text[:10] if len(text) > 7 else f"{text}-01-01"[:10]).isoformat()


def _datetime(value: Any) -> str:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None).isoformat()


def _point(value: Any) -> dict[str, float]:
    if isinstance(value, dict):
        return {"lon": float(value["lon"]), "lat": float(value["lat"])}
    # Latitude comes first in both spellings (Q22).
    lat, lon = value.split(",") if isinstance(value, str) else value
    return {"lon": float(lon), "lat": float(lat)}


def _shape(value: Any) -> str:
    shape = json.loads(value) if isinstance(value, str) else value
    geometry = shape["geometry"] if shape["type"] == "Feature" else shape
    return json.dumps({"type": geometry["type"], "coordinates": geometry["coordinates"]})


def _blob(value: Any) -> str:
    return json.dumps(json.loads(value) if isinstance(value, str) else value, ensure_ascii=False)


_MAKERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "int": _int,
    "double": float,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "geo_point_2d": _point,
    "geo_shape": _shape,
    "json_blob": _blob,
    "file": _blob,
}
