"""How a trigger polls: patient with what passes, quiet while a quota is spent, and clear about what will not pass."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)
# Not the same second in every triggerer of the world.
_PHASE = random.random()
_TOLD_EVERY_S = 600.0


async def poll(
    look: Callable[[], Awaitable[T]], *, every_s: float, answered: bool, says: Callable[[T], str] | None = None
) -> AsyncGenerator[T]:
    """Yield what ``look`` returns, every ``every_s`` seconds, for ever.

    The moments are the same for everybody in this process who polls as often, so that their looks can be put together;
    the first one is now.

    What only delays is logged and skipped; a spent quota is waited for until the portal's own reset.

    Args:
        look: What is looked at.
        every_s: Seconds between two looks.
        answered: Whether the portal is known to be one, from a look before these.
        says: What a look that ended nothing is called in the log, in a sentence without a final stop.

    Raises:
        OdsError: One that no waiting cures.
    """
    from ods_provider.core.errors import OdsError
    from ods_provider.core.patience import next_look, pace_s, patient_with

    every_s = pace_s(every_s)
    telling = Telling()
    while True:
        now = datetime.now(UTC)
        until = now + timedelta(seconds=_to_next_beat(now.timestamp(), every_s))
        try:
            seen = await look()
        except OdsError as error:
            if not patient_with(error, answered=answered):
                raise
            named = getattr(error, "retry_at", None)
            if named is not None:
                until = max(until, next_look(now, every_s=every_s, named=named))
            log.warning("Looking again at %s: %s", until.isoformat(timespec="seconds"), error)
        else:
            answered = True
            yield seen
            # Whoever has what he waits for asks for no more, and says so himself.
            if says is not None:
                telling.tell(says(seen), until)
        await sleep_until(until)


def _to_next_beat(now_s: float, every_s: float) -> float:
    """Return the seconds to the next common moment, which is at least half an interval away."""
    left_s = every_s - (now_s + _PHASE * every_s) % every_s
    return left_s if left_s >= every_s / 2 else left_s + every_s


class Telling:
    """What a trigger sees at its looks, in its task's log: at the first, when it changes, and every ten minutes."""

    def __init__(self) -> None:
        self._last: tuple[str, float] = ("", 0.0)

    def tell(self, seen: str, next_at: datetime) -> None:
        """Say what was seen, unless that was said just before.

        Args:
            seen: One sentence without a final stop.
            next_at: When it looks again, aware.
        """
        last, at_s = self._last
        now_s = time.monotonic()
        if seen != last or now_s - at_s >= _TOLD_EVERY_S:
            self._last = seen, now_s
            log.info("%s. Looking again at %s", seen, next_at.isoformat(timespec="seconds"))


async def sleep_until(moment: datetime) -> None:
    """Sleep until ``moment``, in slices, so that a clock that is set right meanwhile is noticed."""
    # ASYNC110: the condition is the clock, there is no event to wait for.
    while (left_s := (moment - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110
        await asyncio.sleep(min(left_s, 60.0))


def failed(error: Exception) -> dict[str, object]:
    """Return the event of an error that no waiting cures; another try of the task may still be worth it."""
    from ods_provider.core.errors import OdsError, passes
    from ods_provider.core.faces import AIRFLOW

    if isinstance(error, OdsError):
        AIRFLOW.retold(error)
    else:
        log.error("This should not have happened", exc_info=error)
    return {"status": "failed", "error": f"{type(error).__name__}: {error}", "transient": passes(error)}
