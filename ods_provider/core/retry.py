"""Whether to send a request again, and when. The sleeping itself belongs to the drivers.

One request may spend ``max_wait_s`` seconds on waiting in all. A wait that does not fit is never begun: the error goes
up at once, and a job turns it into a ``Wait``.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import tenacity

from ods_provider.core.errors import OdsError
from ods_provider.core.events import Emit, RetryScheduled
from ods_provider.core.times import seconds_until

FIRST_S = 0.5
CAP_S = 30.0


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How patient one request is.

    Args:
        max_retries: Times a request is sent again; 0 never retries.
        max_wait_s: Seconds that one request may sleep in place, all its waits together.
    """

    max_retries: int = 5
    max_wait_s: float = 60.0


def worth_retrying(error: BaseException) -> bool:
    """Return whether sending the same request again may help: only errors of ours that call themselves transient."""
    return isinstance(error, OdsError) and error.transient


def backoff_s(attempt: int, *, first_s: float = FIRST_S, cap_s: float = CAP_S) -> float:
    """Return the seconds to wait after the ``attempt``-th failure (from 1), before jitter."""
    return min(cap_s, first_s * 2.0 ** min(attempt - 1, 16))


def pause_s(error: OdsError, attempt: int, *, now: datetime, jitter: Callable[[], float] = random.random) -> float:
    """Return how long to wait before the next attempt.

    A moment that the portal named is honoured and never anticipated; otherwise the backoff with full-range jitter above
    its half, so that workers that failed together do not come back together.
    """
    retry_at = getattr(error, "retry_at", None)
    if retry_at is not None:
        return seconds_until(retry_at, now) + 0.25 + 0.75 * jitter()
    return backoff_s(attempt) * (0.5 + 0.5 * jitter())


def _policy(
    rules: RetryRules, *, now: Callable[[], datetime], emit: Emit, worth: Callable[[BaseException], bool]
) -> dict[str, Any]:
    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return pause_s(error, state.attempt_number, now=now()) if isinstance(error, OdsError) else 0.0

    def stop(state: tenacity.RetryCallState) -> bool:
        spent_s = state.idle_for + state.upcoming_sleep
        return state.attempt_number > rules.max_retries or spent_s > rules.max_wait_s

    def before_sleep(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, OdsError):
            emit(RetryScheduled(attempt=state.attempt_number, wait_s=state.upcoming_sleep, caused_by=error))

    return {
        "retry": tenacity.retry_if_exception(worth),
        "wait": wait,
        "stop": stop,
        "before_sleep": before_sleep,
        "reraise": True,
    }


def retrying(
    rules: RetryRules,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    emit: Emit,
    worth: Callable[[BaseException], bool] = worth_retrying,
) -> tenacity.Retrying:
    """Return tenacity's loop under our rules, for threads; ``worth`` narrows what is tried again."""
    return tenacity.Retrying(sleep=sleep, **_policy(rules, now=now, emit=emit, worth=worth))


def aretrying(
    rules: RetryRules,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]],
    emit: Emit,
    worth: Callable[[BaseException], bool] = worth_retrying,
) -> tenacity.AsyncRetrying:
    """Return the same loop for an event loop: it sleeps there, never in a thread."""
    return tenacity.AsyncRetrying(sleep=sleep, **_policy(rules, now=now, emit=emit, worth=worth))
