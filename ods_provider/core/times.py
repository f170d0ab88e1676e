"""Portal times, in the several spellings that portals use, as aware UTC datetimes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

_SECONDS_FROM = 100_000_000  # a smaller number is a year, or nothing: as an epoch it would lie in the early seventies
_MILLISECONDS_FROM = 100_000_000_000  # an epoch this large is in milliseconds: in seconds it would be the year 5138


def parse_time(text: str | float | datetime | None) -> datetime | None:
    """Return the moment that ``text`` names as aware UTC, or None when it names none.

    Args:
        text: An epoch in seconds or milliseconds, ``2026-08-18 00:00:00+00:00`` with a space, any ISO 8601 form, or a
            datetime. A time without an offset is taken as UTC.

    Source: Q28; 429 bodies spell it ``2026-09-01T00:00:00Z``.
    """
    if isinstance(text, datetime):
        return (text if text.tzinfo else text.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return None
    try:
        return _from_epoch(float(text))
    except (ValueError, OverflowError, OSError):
        pass
    # Imported late: a DAG file that only names an operator must not pay for a date parser.
    import pendulum

    try:
        # exact=True would give dates and durations too; here everything becomes a moment.
        moment: datetime = pendulum.parser.parse(str(text).strip(), tz="UTC", exact=False)  # type: ignore[assignment]
        # A plain datetime: a subclass would leak into pickles and into schedulers that serialise by exact type.
        return datetime.fromtimestamp(moment.timestamp(), UTC)
    except (ValueError, OverflowError, AttributeError):  # ParserError is a ValueError; a duration has no timestamp
        return None


def _from_epoch(seconds: float) -> datetime:
    if not seconds >= _SECONDS_FROM:
        raise ValueError("no epoch")
    if seconds >= _MILLISECONDS_FROM:
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC)


def http_date(text: str | None) -> datetime | None:
    """Return the moment of a header such as ``Date`` as aware UTC, or None when it names none."""
    try:
        return parse_time(parsedate_to_datetime(text)) if text else None
    except (ValueError, TypeError, LookupError, OverflowError):  # a date as nobody writes it
        return None


def iso(moment: datetime | date | None) -> str | None:
    """Return ``moment`` as ISO 8601 text, or None."""
    return moment.isoformat() if moment is not None else None


def utc_now() -> datetime:
    """Return the present moment as aware UTC: the default clock wherever one can be passed in."""
    return datetime.now(UTC)


def seconds_until(moment: datetime, now: datetime) -> float:
    """Return the seconds from ``now`` to ``moment``, never negative."""
    return max(timedelta(0), moment - now).total_seconds()
