"""Portal times, in the several spellings that portals use, as aware UTC datetimes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

_SECONDS_FROM = 100_000_000  # a smaller number is a year, or nothing: as an epoch it would lie in the early seventies
_MILLISECONDS_FROM = 100_000_000_000  # an epoch this large is in milliseconds: in seconds it would be the year 5138
_COMPACT = {12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}  # as an epoch in milliseconds: before 2002, or after 2286
_LONGEST_CHARS = 100  # of a moment, in any spelling
_SECONDS_DIGITS = 7  # up to 115 days; with one more it may be a date without dashes
_CENTURIES = ("19", "20", "21")


def parse_time(text: str | float | datetime | None) -> datetime | None:
    """Return the moment that ``text`` names as aware UTC, or None when it names none.

    Args:
        text: An epoch in seconds or milliseconds, ``2026-08-18 00:00:00+00:00`` with a space, any ISO 8601 form
            (``202608180000`` too), or a datetime. A time without an offset is taken as UTC.

    Source: Q28; 429 bodies spell it ``2026-09-01T00:00:00Z``.
    """
    if isinstance(text, datetime):
        return (text if text.tzinfo else text.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return None
    text = str(text).strip()
    if len(text) > _LONGEST_CHARS or (len(text) == 4 and text.isdigit() and not text.startswith(_CENTURIES)):
        return None
    if not any(sign.isdigit() for sign in text):  # "now" is a moment to the parser, and none that a portal names
        return None
    if compact := _compact(text):
        return compact
    try:
        return _from_epoch(float(text))
    except (ValueError, OverflowError, OSError):
        pass
    # Imported late: a DAG file that only names an operator must not pay for a date parser.
    import pendulum

    try:
        # exact=True would give dates and durations too; here everything becomes a moment.
        moment: datetime = pendulum.parser.parse(text, tz="UTC", exact=False)  # type: ignore[assignment]
        # A plain datetime: a subclass would leak into pickles and into schedulers that serialise by exact type.
        return datetime.fromtimestamp(moment.timestamp(), UTC)
    except (ValueError, OverflowError, AttributeError):  # ParserError is a ValueError; a duration has no timestamp
        return None


def parse_reset(text: str | float | None, now: datetime) -> datetime | None:
    """Return when a quota returns: a moment in any of the spellings above, or so many seconds from ``now``.

    Source: Q28; proxies in front of portals send seconds, as in the IETF's draft on RateLimit headers.
    """
    said = str(text if text is not None else "").strip()
    whole, _, part = said.partition(".")
    if whole.isascii() and whole.isdigit() and len(whole) <= _SECONDS_DIGITS and (not part or part.isdecimal()):
        return now + timedelta(seconds=int(whole))
    return parse_time(said)


def _compact(text: str) -> datetime | None:
    form = _COMPACT.get(len(text))
    if form is None or not (text.isascii() and text.isdigit() and text.startswith(_CENTURIES)):
        return None
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:  # a month 13: an epoch after all
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
        return parse_time(parsedate_to_datetime(text)) if text and len(text) <= _LONGEST_CHARS else None
    except (ValueError, TypeError, LookupError, OverflowError):  # a date as nobody writes it
        return None


def iso(moment: datetime | date | None) -> str | None:
    """Return ``moment`` as ISO 8601 text, or None."""
    return moment.isoformat() if moment is not None else None


def seconds_between(then: str | None, now: datetime | None) -> float | None:
    """Return the seconds from a moment as a portal spelled it to another; None if either is missing."""
    began = parse_time(then)
    return (now - began).total_seconds() if began is not None and now is not None else None


def utc_now() -> datetime:
    """Return the present moment as aware UTC: the default clock wherever one can be passed in."""
    return datetime.now(UTC)


def seconds_until(moment: datetime, now: datetime) -> float:
    """Return the seconds from ``now`` to ``moment``, never negative."""
    return max(timedelta(0), moment - now).total_seconds()
