"""Dates in a query: any precision, each the span it covers, and ``#now``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ods_provider.testing.search_v1.refusal import bad

_DATE = re.compile(r"(\d{4})(?:[-/](\d{1,2}))?(?:[-/](\d{1,2}))?(?:T(.+))?\Z")
_ABSOLUTE = ("year", "month", "day", "hour", "minute", "second", "microsecond")
_RELATIVE = ("weeks", "days", "hours", "minutes", "seconds", "microseconds")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def span(text: str, zone: str) -> tuple[datetime, datetime]:
    """Return the first instant of a date and the first after it, in naive UTC.

    Args:
        text: ``2013``, ``2013/02``, ``2013-02-11`` or ``2013-02-11T08:30:00``, with an offset or in ``zone``.
        zone: IANA name.
    """
    found = _DATE.match(text)
    if not found:
        raise bad(f"Invalid date: {text}")
    try:
        year, month, day, rest = found.groups()
        start = datetime(int(year), int(month or 1), int(day or 1))  # noqa: DTZ001  the zone comes next
        if rest:
            start = datetime.fromisoformat(f"{start:%Y-%m-%d}T{rest.replace('Z', '+00:00')}")
            end = start + timedelta(seconds=1 if rest.count(":") > 1 else 60)
        elif day:
            end = start + timedelta(days=1)
        elif month:
            end = (start + timedelta(days=32)).replace(day=1)
        else:
            end = start.replace(year=start.year + 1)
    except (ValueError, OverflowError):
        raise bad(f"Invalid date: {text}") from None
    return _utc(start, zone), _utc(end, zone)


def _utc(moment: datetime, zone: str) -> datetime:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC).replace(tzinfo=None)


def now(settings: Iterable[tuple[str, str, int]], zone: str) -> datetime:
    """Return the present moment, moved, in naive UTC.

    Args:
        settings: Name, value, and the count of ``weekday=MO(2)`` (1 otherwise): singular names set, plural ones add.
        zone: IANA name in which they are meant.
    """
    moment = datetime.now(ZoneInfo(zone))
    for name, value, count in settings:
        try:
            moment = _moved(moment, name, value, count)
        except (ValueError, OverflowError):
            raise bad(f"Invalid value for #now: {name}={value}") from None
    return moment.astimezone(UTC).replace(tzinfo=None)


def _moved(moment: datetime, name: str, value: str, count: int) -> datetime:
    if name == "weekday":
        return _weekday(moment, _WEEKDAYS.index(value) if value in _WEEKDAYS else int(value), count)
    amount = int(value)
    if name in _ABSOLUTE:
        return moment.replace(**{name: amount})  # type: ignore[arg-type]  # whole numbers
    if name in _RELATIVE:
        return moment + timedelta(**{name: amount})
    if name in ("years", "months"):
        total = moment.year * 12 + moment.month - 1 + amount * (12 if name == "years" else 1)
        first = moment.replace(day=1, year=total // 12, month=total % 12 + 1)
        last_day = ((first + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
        return first.replace(day=min(moment.day, last_day))
    raise ValueError(name)


def _weekday(moment: datetime, weekday: int, count: int) -> datetime:
    if not 0 <= weekday <= 6 or count == 0:
        raise ValueError(weekday)
    if count > 0:
        return moment + timedelta(days=(weekday - moment.weekday()) % 7 + 7 * (count - 1))
    return moment - timedelta(days=(moment.weekday() - weekday) % 7 + 7 * (-count - 1))
