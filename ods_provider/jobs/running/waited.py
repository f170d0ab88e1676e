"""How long one piece of work has waited for its portal: ``max_quota_wait_s`` bounds the sum, however many waits it is.

The sum travels in ``Wait.checkpoint``, which every scheduler gives back when it runs the job again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ods_provider.core.errors import OdsResponseError, OdsWaitTooLong
from ods_provider.core.faces import setting
from ods_provider.core.outcome import Wait

SHORT_S = 60.0
MOST_S = 3600.0
_SECONDS, _IN_VAIN = "waited_s", "waits_in_vain"


@dataclass(frozen=True, slots=True)
class Waited:
    """What is behind a piece of work.

    Attributes:
        seconds: The sum of its waits.
        in_vain: How many short waits came one after the other: the portal's word did not hold.
    """

    seconds: float = 0.0
    in_vain: int = 0

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any] | None) -> Waited:
        """Read it from the checkpoint of the wait before, None for work that has not waited yet."""
        seconds, in_vain = ((checkpoint or {}).get(name) for name in (_SECONDS, _IN_VAIN))
        return cls(
            float(seconds) if isinstance(seconds, int | float) and seconds > 0 else 0.0,
            in_vain if isinstance(in_vain, int) and in_vain > 0 else 0,
        )

    def wait_for(self, error: OdsResponseError, *, longest_s: float, now: datetime) -> Wait | None:
        """Return the wait that ``error`` asks for, or None when it asks for none.

        A moment that lies within a minute could have been waited for in place, and was: after such waits in vain the
        next ones grow, so that "come back in a second", said for ever, costs dozens of tries and not thousands.

        Args:
            error: What the job ended with.
            longest_s: Seconds that all waits may take together.
            now: The present moment.

        Raises:
            OdsWaitTooLong: They would take longer.
        """
        if not error.transient or error.retry_at is None or error.retry_at <= now:
            return None
        asked_s, left_s = (error.retry_at - now).total_seconds(), longest_s - self.seconds
        if asked_s > left_s:
            raise self._too_long(error, longest_s) from None
        in_vain = self.in_vain + 1 if asked_s < SHORT_S else 0
        least_s = min(2.0 ** min(self.in_vain, 16), MOST_S, left_s) if in_vain and self.in_vain else 0.0
        until = max(error.retry_at, now + timedelta(seconds=least_s))
        spent_s = self.seconds + (until - now).total_seconds()
        reason = f"{error.what}; the portal asks to come back at {error.retry_at.isoformat()}"
        return Wait(until, reason, {_SECONDS: round(spent_s, 3), _IN_VAIN: in_vain})

    def _too_long(self, error: OdsResponseError, longest_s: float) -> OdsWaitTooLong:
        assert error.retry_at is not None  # wait_for() has seen it
        behind = f", with the {self.seconds:,.0f} s of the waits so far," if self.seconds else ""
        return OdsWaitTooLong(
            f"{error.what}; to wait for it takes{behind} longer than max_quota_wait_s allows ({longest_s:,.0f} s)",
            status=error.status,
            code=error.code,
            retry_at=error.retry_at,
            where=error.where,
            advice=f"Run it again after {error.retry_at.isoformat()}, or raise {setting('max_quota_wait_s')}",
        )
