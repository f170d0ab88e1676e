"""A value of a file, and the same value as the portal shows it, in one form: what is equal must look equal.

A file says ``5``, ``"5"`` or ``5.0``; a moment stands in any zone; a point is a dict, a pair or a text. Each becomes
the JSON that is pushed, and what a portal shows goes through the same functions, so that a row that was pushed and read
back is never taken for a changed one. What does not fit its field is refused: the portal would lose it without a word
(Q20), and the row would be "changed" for ever.

Source: Q14 (dates), Q15 (64 bits), Q21 (several values), Q22 (points), Q23 (shapes), Q26 (moments without a zone).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faithful import Unfaithful, faithful
from ods_provider.core.given import shown, truth
from ods_provider.core.schema import Field
from ods_provider.core.times import parse_time

Make = Callable[[Any], Any]
"""Makes JSON of a value that is not None; raises ``Unfit``."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,400}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_NUMBER_CHARS = 400
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(.*)", re.DOTALL)
_MIDNIGHT = re.compile(r"(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?)?")
_LEAST, _MOST = -(2**63), 2**63 - 1
_UTC_CHARS = len("2026-01-05T08:00:00+00:00")
_PRECISION = {"year": 4, "month": 7}


class Unfit(ValueError):
    """A value is none of its field's type."""


def maker(field: Field) -> Make:
    """Return what makes the pushed form of a field's values; an empty text is no value."""
    if field.multivalued:
        separator = field.annotations.get("multivalued")
        return lambda value: _several(value, separator if isinstance(separator, str) and separator else None)
    return _MAKERS.get(field.type, _text)


def shown_maker(field: Field) -> Make:
    """Return what makes the same form of values that a portal shows."""
    if field.type == "date" and not field.multivalued:
        return lambda value: value  # it may be a year or a month, which says how precisely it is kept (Q14)
    return maker(field)


def lenient(make: Make) -> Make:
    """Return the same for a value that may be none of its field's type: it stays as it is."""

    def made(value: Any) -> Any:
        try:
            return make(value)
        except (Unfit, Unfaithful):
            return value

    return made


def cutter(field: Field) -> Make | None:
    """Return what makes the compared form of the pushed one, None where they are the same.

    A portal shows a date as precisely as its field is, and holds moments to the millisecond.
    """
    if field.multivalued:
        return None
    if field.type == "date":
        chars = _PRECISION.get(str(field.annotations.get("timeserie_precision")))
        return None if chars is None else lambda value: value[:chars] if isinstance(value, str) else value
    return _to_milliseconds if field.type == "datetime" else None


def _text(value: Any) -> str | None:
    if type(value) is str:
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                faithful(value)  # which says what is wrong with it
        return value or None
    plain = faithful(value)
    if isinstance(plain, str):
        return plain or None
    return json.dumps(plain, ensure_ascii=False)


def _several(value: Any, separator: str | None) -> list[str] | None:
    plain = faithful(value)
    if isinstance(plain, list):
        items = [item for item in map(_text, (each for each in plain if each is not None)) if item]
    else:
        items = [_text(plain) or ""]
    # Whether a mark inside an item parts it, only the portal knows: either way it reads the same here.
    parts = [part.strip() for item in items for part in (item.split(separator) if separator else [item])]
    return [part for part in parts if part] or None


def _int(value: Any) -> int | None:
    if type(value) is not int:
        if isinstance(value, bool):
            raise Unfit(f"{value} is no whole number")
        plain = faithful(value)
        if isinstance(plain, str):
            said = plain.strip()
            if not said:
                return None
            plain = int(said) if _WHOLE.fullmatch(said) else _decimal(said)
        if not isinstance(plain, (int, float, Decimal)):
            raise Unfit(f"{shown(value)} is no whole number")
        number = Decimal(plain)
        if number != number.to_integral_value():
            raise Unfit(f"{shown(value)} is no whole number")
        # The integer of 1e999 would take a while to write down.
        value = int(number) if _LEAST <= number <= _MOST else _MOST + 1
    whole: int = value
    if not _LEAST <= whole <= _MOST:
        raise Unfit("the number is beyond 64 bits")
    return whole


def _double(value: Any) -> float | None:
    kind = type(value)
    if kind is str:
        said = value.strip()
        if not said:
            return None
        if len(said) > _NUMBER_CHARS or not _NUMBER.fullmatch(said):
            raise Unfit(f"{shown(value)} is no number")
        made = float(said)
    elif kind is float:
        made = value
    elif kind is bool:
        raise Unfit(f"{value} is no number")
    else:
        plain = value if kind is int else faithful(value)
        if isinstance(plain, str):
            return _double(plain)
        if type(plain) not in (int, float):
            raise Unfit(f"{shown(value)} is no number")
        try:
            made = float(plain)
        except OverflowError:
            made = float("inf")
        if made != plain:
            raise Unfit(f"{shown(value)} has more digits than a double holds")
    if not isfinite(made):
        raise Unfit(f"{shown(value)} is no finite number")
    return made or 0.0  # not -0.0


def _decimal(said: str) -> Decimal:
    if len(said) > _NUMBER_CHARS or not _NUMBER.fullmatch(said):
        raise Unfit(f"{shown(said)} is no whole number")
    number = Decimal(said)
    # A quotient of more digits than a context holds is an error of its own.
    return number if abs(number) <= _MOST + 1 else Decimal(_MOST) + 1


def _boolean(value: Any) -> bool | None:
    if type(value) is bool:
        return value
    plain = faithful(value)
    if isinstance(plain, str) and not plain.strip():
        return None
    if isinstance(plain, (str, int)) or plain in (0.0, 1.0):
        try:
            return truth("value", int(plain) if isinstance(plain, float) else plain)
        except OdsConfigError:
            pass
    raise Unfit(f"{shown(value)} is neither true nor false")


def _date(value: Any) -> str | None:
    plain = faithful(value)
    if type(plain) is int:
        plain = str(plain)  # the year of a portal's export, or of a spreadsheet
    if not isinstance(plain, str):
        raise Unfit(f"{shown(value)} is no date")
    said = plain.strip()
    if not said:
        return None
    found = _DATE.fullmatch(said)
    if found is None or (found[4] and not (found[3] and _MIDNIGHT.fullmatch(found[4]))):
        raise Unfit(f"{shown(plain)} is no date of the form 2026-01-31")
    told = f"{found[1]}-{found[2] or '01'}-{found[3] or '01'}"
    try:
        date.fromisoformat(told)
    except ValueError:
        raise Unfit(f"{shown(plain)} is no date") from None
    return told


def _datetime(value: Any) -> str | None:
    plain = value if type(value) is str else faithful(value)
    said = plain.strip() if isinstance(plain, str) else plain
    if said == "":
        return None
    moment: datetime | None = None
    if isinstance(said, str):
        try:
            moment = datetime.fromisoformat(said)
        except ValueError:
            moment = parse_time(said)
        else:
            if len(said) == _UTC_CHARS and said.endswith("+00:00") and said[10] == "T":
                return said
    elif not isinstance(said, bool) and isinstance(said, (int, float)):
        moment = parse_time(said)
    if moment is None:
        raise Unfit(f"{shown(plain)} is no moment of the form 2026-01-31T08:00:00+00:00")
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except OverflowError:
        raise Unfit(f"{shown(plain)} is beyond the years that there are") from None


def _to_milliseconds(value: Any) -> Any:
    # What is longer has six digits of a second: 2026-01-05T08:00:00.123456+00:00
    if not isinstance(value, str) or len(value) <= _UTC_CHARS or not value.endswith("+00:00"):
        return value
    return f"{value[:23].rstrip('0').rstrip('.')}+00:00"


def _point(value: Any) -> dict[str, float] | None:
    plain = faithful(value)
    if isinstance(plain, str):
        if not plain.strip():
            return None
        plain = _parsed(plain) if plain.lstrip().startswith(("{", "[")) else plain.split(",")
    try:
        if isinstance(plain, Mapping) and "coordinates" in plain:
            lon, lat = plain["coordinates"][:2]
        elif isinstance(plain, Mapping):
            lon, lat = plain["lon"], plain["lat"]
        else:
            # Latitude comes first in both spellings (Q22).
            lat, lon = plain
        made = {"lon": _double(lon), "lat": _double(lat)}
    except (KeyError, TypeError, ValueError):
        raise Unfit(f"{shown(value)} is no point, such as {{'lon': 8.5, 'lat': 47.4}} or '47.4, 8.5'") from None
    if None in made.values() or not (abs(made["lat"] or 0) <= 90 and abs(made["lon"] or 0) <= 180):
        raise Unfit(f"{shown(value)} is no point on earth")
    return made  # type: ignore[return-value]  # None was just refused


def _shape(value: Any) -> dict[str, Any] | None:
    plain = faithful(value)
    if isinstance(plain, str):
        if not plain.strip():
            return None
        plain = _parsed(plain)
    if isinstance(plain, Mapping) and plain.get("type") == "Feature":
        plain = plain.get("geometry")
        if plain is None:
            return None
    inside = ("geometries", "coordinates")
    held = [name for name in inside if isinstance(plain, Mapping) and isinstance(plain.get(name), list)]
    if not held or not isinstance(plain.get("type"), str):
        raise Unfit(f"{shown(value)} is no geometry of GeoJSON")
    return {"type": plain["type"], held[0]: _numbers(plain[held[0]])}


def _json(value: Any) -> Any:
    plain = faithful(value)
    if isinstance(plain, str):
        if not plain.strip():
            return None
        plain = _parsed(plain)
    return _numbers(plain)


def _parsed(said: str) -> Any:
    try:
        return faithful(json.loads(said))
    except (ValueError, RecursionError):
        raise Unfit(f"{shown(said)} is no JSON") from None


def _numbers(value: Any) -> Any:
    """Return nested values with names in one order, and 1.0 as 1: JSON does not tell them apart."""
    if isinstance(value, Mapping):
        return {name: _numbers(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


_MAKERS: dict[str, Make] = {
    "text": _text,
    "int": _int,
    "double": _double,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "geo_point_2d": _point,
    "geo_shape": _shape,
    "json_blob": _json,
}
