"""How often a job says how far it is, and how fast it is: one place, whatever is counted."""

from __future__ import annotations

import time
from dataclasses import dataclass

_RATED_FROM_S = 1.0  # before that a rate says nothing


@dataclass(slots=True)
class Pace:
    """What was said last, and since when the present part of the work is counted.

    A job may count several things one after the other, and may begin where an earlier run stopped: another unit or
    total, or a smaller number, begins anew, from the number that it begins with.

    Attributes:
        per_s: Units a second of the present part; None before that says something.
    """

    per_s: float | None = None
    _of: tuple[str, int | None] | None = None
    _first: int = 0
    _last: int = 0
    _began_at: float = 0.0
    _said_at: float = 0.0
    _said: int | None = None

    def is_time(self, done: int, total: int | None, unit: str, *, every_s: float) -> bool:
        """Return whether to say now how far the work is: not at once, not too often, and at its end once.

        Args:
            done: How far it is.
            total: Of how many; None where nobody knows.
            unit: What is counted.
            every_s: How often at most.
        """
        now = time.monotonic()
        if self._of != (unit, total) or done < self._last:
            # What is over at once needs no word on how far it is.
            self._of, self._first, self._began_at, self._said_at, self._said = (unit, total), done, now, now, None
        self._last = done
        if not (now - self._said_at >= every_s or done == total) or (done == total and done == self._said):
            return False
        self._said_at, self._said = now, done
        wall_s = now - self._began_at
        self.per_s = (done - self._first) / wall_s if wall_s >= _RATED_FROM_S and done > self._first else None
        return True
