"""Quotas that count down and come back, and the headers and bodies that tell of them.

Source: Explore v2.1 quota headers and errors; Q28 to Q34, Q55.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any, Literal, get_args

Spelling = Literal["live", "epoch"]
WINDOWS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0, "month": 30 * 86_400.0}


def next_midnight() -> float:
    """Return the next midnight UTC, when daily quotas come back."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).timestamp()


@dataclass
class Quota:
    """One quota: ``limit`` calls per ``unit``, ``remaining`` left until ``reset_at`` (seconds since the epoch).

    With ``reset_after_s`` the window ends that long after its last call was used, whenever that is: for tests that
    cannot know how long a scheduler takes to begin.
    """

    limit: int
    remaining: int
    reset_at: float
    unit: str = "day"
    spelling: Spelling = "live"
    reset_after_s: float | None = None

    def spend(self) -> None:
        """Use one call."""
        self.remaining -= 1
        if self.reset_after_s is not None and self.remaining == 0:
            self.reset_at = time.time() + self.reset_after_s

    def refresh(self) -> None:
        """Begin a new window when the old one has ended."""
        if time.time() >= self.reset_at:
            self.remaining = self.limit
            self.reset_at = next_midnight() if self.unit == "day" else time.time() + WINDOWS_S.get(self.unit, 86_400.0)

    def told(self) -> dict[str, Any]:
        """Return its state now, as JSON knows it; ``reset_at`` is None until a call begins the next window."""
        ended = time.time() >= self.reset_at
        return {
            "limit": self.limit,
            "remaining": self.limit if ended else self.remaining,
            "unit": self.unit,
            "reset_at": None if ended else datetime.fromtimestamp(int(self.reset_at), UTC).isoformat(),
        }

    def headers(self, infix: str = "") -> list[tuple[bytes, bytes]]:
        """Return the three headers; the reset in the spelling that every live portal uses, or as the docs promise."""
        moment = datetime.fromtimestamp(int(self.reset_at), UTC)
        reset = str(int(self.reset_at)) if self.spelling == "epoch" else moment.strftime("%Y-%m-%d %H:%M:%S+00:00")
        values = (("Limit", self.limit), ("Remaining", self.remaining), ("Reset", reset))
        return [(f"X-RateLimit-{infix}{name}".encode(), str(value).encode()) for name, value in values]


def exceeded(*, reset_at: float, call_limit: int, unit: str = "day", errorcode: int = 10002) -> dict[str, Any]:
    """Return the body of a 429, which has an envelope of its own (Q34)."""
    texts = {
        10002: "Too many requests on the domain. Please contact the domain administrator.",
        10005: "You have exceeded the requests limit for anonymous users.",
    }
    moment = datetime.fromtimestamp(reset_at, UTC)
    # Rounded up: whoever comes back at that second must find the window begun.
    moment = (moment + timedelta(microseconds=999_999)).replace(microsecond=0)
    return {
        "errorcode": errorcode,
        "reset_time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "limit_time_unit": unit,
        "call_limit": call_limit,
        "error": texts.get(errorcode, texts[10002]),
    }


class Quotas:
    """The portal's quota and those of single datasets.

    Args:
        limit: Calls per day of the portal's quota; None states no quota at all.
        datasets: Quotas of single datasets: calls, and the unit of their window.
        spelling: How the time of the reset is told.
    """

    def __init__(
        self,
        limit: int | None,
        *,
        datasets: Mapping[str, tuple[int, str]] | None = None,
        spelling: Spelling = "live",
    ) -> None:
        self._limit = limit
        self._of_datasets = dict(datasets or {})
        self._spelling: Spelling = spelling
        self.portal: Quota | None = None
        self.datasets: dict[str, Quota] = {}
        self.reset()

    def reset(self) -> None:
        """Go back to the start."""
        self.portal = None
        self.datasets = {}
        if self._limit is not None:
            self.set(limit=self._limit)
        for dataset_id, (limit, unit) in self._of_datasets.items():
            self.set(
                limit=limit, unit=unit, reset_in_s=None if unit == "day" else WINDOWS_S[unit], dataset_id=dataset_id
            )

    def set(
        self,
        *,
        limit: int | None = None,
        remaining: int | None = None,
        reset_in_s: float | None = None,
        unit: str = "day",
        dataset_id: str | None = None,
        reset_spelling: Spelling | None = None,
        reset_after_s: float | None = None,
    ) -> None:
        """Set the portal's quota, or a dataset's own; what is left out keeps its value."""
        if unit not in WINDOWS_S:
            raise ValueError(f"no unit {unit!r}; there are {', '.join(WINDOWS_S)}")
        if reset_spelling is not None and reset_spelling not in get_args(Spelling):
            raise ValueError(f"no spelling {reset_spelling!r}; there are {', '.join(get_args(Spelling))}")
        for name, value in (("limit", limit), ("remaining", remaining), ("reset_in_s", reset_in_s)):
            if isinstance(value, bool) or not isinstance(value, (int, float, NoneType)):
                raise TypeError(f"{name} must be a number, not {value!r}")
        old = self.portal if dataset_id is None else self.datasets.get(dataset_id)
        size = limit if limit is not None else (old.limit if old else 100_000)
        made = Quota(
            limit=size,
            remaining=remaining if remaining is not None else size,
            reset_at=time.time() + reset_in_s if reset_in_s is not None else (old.reset_at if old else next_midnight()),
            unit=unit,
            spelling=reset_spelling or self._spelling,
            reset_after_s=reset_after_s,
        )
        if dataset_id is None:
            self.portal = made
        else:
            self.datasets[dataset_id] = made

    def told(self) -> dict[str, Any]:
        """Return the state of all quotas, as JSON knows it."""
        portal = self.portal and self.portal.told()
        return {"portal": portal, "datasets": {name: quota.told() for name, quota in self.datasets.items()}}

    def binding(self, dataset_id: str | None) -> list[Quota]:
        """Return the quotas that a call to ``dataset_id`` counts in, refreshed."""
        found = [quota for quota in (self.portal, self.datasets.get(dataset_id or "")) if quota]
        for quota in found:
            quota.refresh()
        return found

    def headers(self, dataset_id: str | None) -> list[tuple[bytes, bytes]]:
        """Return the headers of a successful call."""
        own = self.datasets.get(dataset_id or "")
        return (self.portal.headers() if self.portal else []) + (own.headers("dataset-") if own else [])
