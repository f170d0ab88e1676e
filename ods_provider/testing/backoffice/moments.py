"""The clock of the back office, and how it spells a moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]


def moment(at: float) -> datetime:
    """Return seconds since the epoch as a moment, to the millisecond, which is as fine as portals tell it."""
    return datetime.fromtimestamp(round(at, 3), UTC)


def spelled(at: datetime) -> str:
    """Return a moment as this API spells it, ``2026-02-06T15:13:13Z``; with its part of a second where it has one."""
    fine = "milliseconds" if at.microsecond else "seconds"
    return at.astimezone(UTC).isoformat(timespec=fine).replace("+00:00", "Z")
