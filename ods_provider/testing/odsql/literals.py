"""Literals to values that are bound: texts, dates in a time zone, geometries, quantities."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ods_provider.testing.odsql.fields import OdsqlError, malformed

_DATE = re.compile(r"(\d{4})(?:[-/](\d{1,2}))?(?:[-/](\d{1,2}))?(?:[T ](.+))?\Z")
_METRES = {"mi": 1609.344, "yd": 0.9144, "ft": 0.3048, "m": 1.0, "cm": 0.01, "km": 1000.0, "mm": 0.001}
_UNITS = {
    "ms": "millisecond", "s": "second", "m": "minute", "h": "hour", "d": "day",
    "w": "week", "M": "month", "q": "quarter", "y": "year",
}  # fmt: skip


def text(token: str) -> str:
    """Return the text of a quoted literal; a backslash guards the quotes and itself."""
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def number(token: str) -> tuple[int | float, str]:
    """Return a number and its type: one without a point is whole, as far as the database holds such."""
    if "." in token or not -(2**127) < int(token) < 2**127:
        return float(token), "double"
    return int(token), "int"


def moment(token: str, zone: str, clause: str) -> datetime:
    """Return a date literal as naive UTC: without an offset it is in the query's time zone (Q13)."""
    inside = re.split(r"['\"]", token)[1].strip()
    found = _DATE.match(inside)
    if not found:
        raise malformed(f"Invalid date: {inside}", clause)
    year, month, day, rest = found.groups()
    try:
        made = datetime(int(year), int(month or 1), int(day or 1))  # noqa: DTZ001  the zone comes next
        if rest:
            spelled = rest.replace("Z", "+00:00")
            made = datetime.fromisoformat(f"{made.date().isoformat()}T{spelled}")
    except ValueError:
        raise malformed(f"Invalid date: {inside}", clause) from None
    aware = made if made.tzinfo else made.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC).replace(tzinfo=None)


def geometry(token: str, clause: str) -> str:
    """Return a geometry literal (WKT or GeoJSON, longitude first) as WKT."""
    import shapely

    inside = re.split(r"^geom\s*['\"]", token, flags=re.IGNORECASE)[1][:-1]
    try:
        if inside.lstrip().startswith("{"):
            return str(shapely.from_geojson(json.dumps(json.loads(inside))).wkt)
        return str(shapely.from_wkt(inside).wkt)
    except (shapely.errors.ShapelyError, ValueError, TypeError):
        raise malformed(f"Invalid geometry: {inside}", clause) from None


def metres(token: str, clause: str) -> float:
    """Return a distance such as ``10km`` in metres."""
    found = re.fullmatch(r"([\d.]+)\s*(\w+)", token)
    if not found or found[2] not in _METRES:
        raise malformed(f"Invalid distance: {token}", clause)
    return float(found[1]) * _METRES[found[2]]


def interval(token: str, clause: str) -> tuple[int, str]:
    """Return a step such as ``1 day`` as a number and a unit."""
    found = re.fullmatch(r"(\d+)\s*(\w+)", token)
    unit = _UNITS.get(found[2], found[2].rstrip("s").lower()) if found else ""
    if not found or unit not in _UNITS.values():
        raise malformed(f"Invalid interval: {token}", clause)
    size = int(found[1])
    if size != 1 and unit in ("week", "month", "quarter", "year"):
        raise malformed(f"Only an interval of 1 {unit} is possible", clause)
    return size, unit


def incompatible(kind: str, other: str) -> OdsqlError:
    """Return the refusal of a comparison between types (Q40)."""
    return OdsqlError(
        "IncompatibleTypesInComparisonFilter",
        f"Incompatible types in comparison filter: {kind} is not comparable with {other}.",
    )
