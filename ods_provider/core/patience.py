"""Who waits is patient: with what, and until when, for sensors, triggers and watches of every scheduler."""

from __future__ import annotations

from datetime import datetime, timedelta

from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsError, OdsNotAPortal, passes

SHORTEST_S = 1.0
LONGEST_S = 86_400.0


def patient_with(error: OdsError, *, answered: bool) -> bool:
    """Return whether who waits looks again after ``error``, instead of giving up.

    A spent quota, a portal or a vault that is down for a while only delay what is waited for. A web page in place of
    data does so where the portal has answered before: it is being maintained. Where it never has, the host is a wrong
    one, and a connection that is missing must be seen by somebody.

    Args:
        error: What the look ended with.
        answered: Whether this portal is known to be one, from an earlier look.
    """
    if isinstance(error, OdsConfigError):
        return False
    return passes(error) or (answered and _is_page(error))


def _is_page(error: OdsError) -> bool:
    # A login page comes with 200; what refuses a key is no page.
    return isinstance(error, OdsNotAPortal) or (isinstance(error, OdsAuthError) and error.status < 400)


def pace_s(every_s: float) -> float:
    """Return the seconds between two looks: those that were asked for, and one where none are."""
    return every_s if every_s > 0 else SHORTEST_S


def next_look(now: datetime, *, every_s: float, named: datetime | None = None) -> datetime:
    """Return when to look again.

    Args:
        now: The present moment.
        every_s: Seconds between two looks.
        named: The moment that the portal names: not anticipated, and not believed where it is more than a day away.
    """
    soonest = now + timedelta(seconds=pace_s(every_s))
    if named is None:
        return soonest
    return min(max(soonest, named), max(soonest, now + timedelta(seconds=LONGEST_S)))
