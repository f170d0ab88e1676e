"""From when to when a dataset's records reach, as values of its metadata: two texts, by one aggregate call.

A day is that of the dataset's own time zone (``default.timezone``), from midnight to midnight: portals keep moments.

Source: Explore v2.1, records (min, max, count); Automation API v1.0, temporal_coverage_start and _end.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsNotFound
from ods_provider.core.metavalues import instant
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.odsql import identifier
from ods_provider.core.plans.records import count_of, page
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset, Field
from ods_provider.core.times import parse_time
from ods_provider.jobs.context import JobContext

START, END = "dcat.temporal_coverage_start", "dcat.temporal_coverage_end"
_MOMENTS = ("date", "datetime")
_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def coverage(ctx: JobContext, dataset_id: str, name: str) -> dict[str, datetime | date]:
    """Return the first and the last moment of a field: days of a field of days, moments of one of moments.

    Two calls: the dataset is described, and aggregated once.

    Args:
        ctx: The job's.
        dataset_id: As Explore calls it.
        name: Which field.

    Raises:
        OdsConfigError: There is no such field, or it holds no dates.
        OdsIncomplete: No record has a value of it.
        OdsNotFound: Nothing of the dataset is published.
    """
    try:
        field = _field(ctx.client.schema(dataset_id), name)
    except OdsNotFound as error:
        raise OdsNotFound(
            error.what,
            status=error.status,
            where=f"values of {name} in {dataset_id}",
            advice="It is read from the published records: publish the dataset first, or check that the key may see it",
        ) from None
    of = identifier(field.name)
    query = Query(select=f"min({of}) as ods_least, max({of}) as ods_most, count({of}) as ods_held")
    rows = ctx.client.run(page(dataset_id, query, limit=1)).rows
    row: Mapping[str, Any] = rows[0] if rows else {}
    first, last = row.get("ods_least"), row.get("ods_most")
    if not count_of(row, "ods_held") or first is None or last is None:
        raise OdsIncomplete(
            f"no record has a value of {field.name}, so nothing says from when to when they reach",
            where=f"values of {field.name} in {dataset_id}",
            advice="Nothing was changed. Check that the dataset is not empty",
        )
    if field.type == "date":
        return {START: _day(str(first)), END: _day(str(last), latest=True)}
    return {START: _moment(str(first)), END: _moment(str(last), up=True)}


def spelled(value: datetime | date, described: str | None, timezone: Any) -> str:
    """Return an end of a coverage as the portal keeps it.

    Args:
        value: A day, or a moment.
        described: ``date`` where the portal says that the field holds days; else it holds moments.
        timezone: Of the dataset, as its metadata name it; UTC where they name none, or one that is not known here.
    """
    zone = _zone(timezone)
    if isinstance(value, datetime):
        return value.astimezone(zone).date().isoformat() if described == "date" else instant(value)
    if described == "date":
        return value.isoformat()
    return instant(datetime(value.year, value.month, value.day, tzinfo=zone))


def _field(dataset: Dataset, name: str) -> Field:
    by_name = {field.name: field for field in dataset.fields}
    dates = [field.name for field in dataset.fields if field.type in _MOMENTS]
    instead = f"Fields of dates are {', '.join(dates)}" if dates else "It has no field of dates"
    if name not in by_name:
        near = nearest(name, by_name)
        raise OdsConfigError(
            f"{dataset.dataset_id} has no field {name!r}",
            where="argument coverage_of",
            advice=f"Did you mean {listed(near)}? {instead}" if near else instead,
        )
    if by_name[name].type not in _MOMENTS:
        raise OdsConfigError(
            f"{name!r} of {dataset.dataset_id} is of type {by_name[name].type}, and says no time",
            where="argument coverage_of",
            advice=instead,
        )
    return by_name[name]


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(name or "UTC"))
    except (ValueError, OSError, LookupError):  # ZoneInfoNotFoundError is a KeyError
        return ZoneInfo("UTC")


def _day(text: str, *, latest: bool = False) -> date:
    """Return a day; of a field of years or of months the first one, or the last."""
    found = _DAY.match(text)
    if found is None:
        raise _no_time(text)
    year, month, day = (int(part or 0) for part in found.groups())
    month = month or (12 if latest else 1)
    return date(year, month, day or (calendar.monthrange(year, month)[1] if latest else 1))


def _moment(text: str, *, up: bool = False) -> datetime:
    """Return a moment to the second, as portals keep it, so that it is the same the next time."""
    moment = parse_time(text)
    if moment is None:
        raise _no_time(text)
    whole = moment.replace(microsecond=0)
    return whole + timedelta(seconds=1) if up and whole != moment else whole


def _no_time(text: str) -> OdsIncomplete:
    return OdsIncomplete(f"the portal gives {text[:40]!r}, which is no time", where="the ends of the coverage")
