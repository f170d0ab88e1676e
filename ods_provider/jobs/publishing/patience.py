"""How the end of a portal's work is waited for: some seconds in place, and then in legs that come further apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ods_provider.core.outcome import Wait
from ods_provider.core.plans.automation.publications import pause_s
from ods_provider.core.times import parse_time
from ods_provider.jobs.context import JobContext

T = TypeVar("T")
IN_PLACE_S = 3.0
_FIRST_S = 0.1
_LONGEST_S = 60.0
_SHARE = 0.1  # of what the work has taken already, as a pause to the next look


def in_place(ctx: JobContext, look: Callable[[], T | None]) -> T | None:
    """Return what a look returns as soon as it is something; None where it is nothing for some seconds."""
    spent_s, looks = 0.0, 0
    while True:
        ctx.check()
        if (seen := look()) is not None:
            return seen
        pause = min(_FIRST_S * 2.0**looks, pause_s(looks))
        if spent_s + pause > IN_PLACE_S:
            return None
        ctx.client.terms.sleep(pause)
        spent_s, looks = spent_s + pause, looks + 1


def age_s(ctx: JobContext, began: Any) -> float:
    """Return how many seconds ago something began; 0 where that is not known."""
    moment: datetime | None = parse_time(began)
    return max((ctx.client.terms.now() - moment).total_seconds(), 0.0) if moment else 0.0


def later(
    ctx: JobContext,
    reason: str,
    *,
    began: Any,
    timeout_s: float | None = None,
    watching: Mapping[str, Any] | None = None,
) -> Wait:
    """Return the wait until the next look.

    Args:
        ctx: The job's.
        reason: One sentence.
        began: When the work began, ISO 8601.
        timeout_s: Seconds from there after which it is no longer waited for; None waits as long as it takes.
        watching: What a scheduler can look at by itself.
    """
    pause = min(max(pause_s(2), age_s(ctx, began) * _SHARE), _LONGEST_S)
    until = ctx.client.terms.now() + timedelta(seconds=pause)
    moment: datetime | None = parse_time(began)
    latest = moment + timedelta(seconds=timeout_s) if moment and timeout_s is not None else None
    return Wait(min(until, latest or until), reason, poll=True, watching=watching, latest=latest)
