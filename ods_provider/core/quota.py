"""Quotas as values, read from response headers before anything else is decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ods_provider.core.times import iso, parse_reset, utc_now

_MOST_DIGITS = 40


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota as last seen; a part that the portal did not send is None.

    Args:
        limit: Calls per window. Python integers hold the 23-digit limits that some portals send (Q29).
        remaining: Calls left in the window.
        reset_at: When the window ends (aware UTC).
    """

    limit: int | None = None
    remaining: int | None = None
    reset_at: datetime | None = None

    def as_dict(self) -> dict[str, int | str | None]:
        """Return the quota as JSON values, ``reset_at`` in ISO 8601."""
        return {"limit": self.limit, "remaining": self.remaining, "reset_at": iso(self.reset_at)}


def read_quota(
    headers: Mapping[str, str], *, prefix: str = "x-ratelimit-", now: datetime | None = None
) -> Quota | None:
    """Return the quota in ``headers``, or None when they hold none.

    Absence says nothing: 400 and 404 never carry quota headers, and 429 may not (Q30).

    Args:
        headers: Response headers with case-insensitive lookup (Q64).
        prefix: ``x-ratelimit-`` for the portal's quota, ``x-ratelimit-dataset-`` for a dataset's own (Q31).
        now: The present moment, for a reset in seconds from it; None asks the clock.
    """
    limit, remaining, reset = (headers.get(prefix + part) for part in ("limit", "remaining", "reset"))
    if limit is None and remaining is None:
        return None
    return Quota(_integer(limit), _integer(remaining), parse_reset(reset, now or utc_now()))


def _integer(text: str | None) -> int | None:
    try:
        return int(text) if text is not None and len(text) <= _MOST_DIGITS else None
    except ValueError:
        return None


@dataclass(slots=True)
class QuotaBook:
    """What is known of a portal's quotas: its own and those of single datasets.

    Attributes:
        portal: The portal's quota as last seen, None before any answer carried one.
        datasets: Quotas of datasets that have their own.
        calls: That were made.
        above: The book that this is a part of.
    """

    portal: Quota | None = None
    datasets: dict[str, Quota] = field(default_factory=dict)
    calls: int = 0
    above: QuotaBook | None = field(default=None, repr=False)

    def part(self) -> QuotaBook:
        """Return a book of one piece of work, which counts its calls alone; what it sees is noted here, too."""
        return QuotaBook(self.portal, dict(self.datasets), above=self)

    def observe(self, headers: Mapping[str, str], dataset_id: str | None, *, now: datetime | None = None) -> bool:
        """Take note of the quotas in ``headers``; return whether there were any."""
        self.calls += 1
        if self.above is not None:
            self.above.observe(headers, dataset_id, now=now)
        portal = read_quota(headers, now=now)
        if portal:
            self.portal = portal
        own = read_quota(headers, prefix="x-ratelimit-dataset-", now=now) if dataset_id else None
        if own and dataset_id:
            self.datasets[dataset_id] = own
        return bool(portal or own)

    def tightest(self, dataset_id: str | None = None) -> Quota | None:
        """Return the quota with the fewest calls left among those that bind a call to ``dataset_id``."""
        known = [quota for quota in (self.portal, self.datasets.get(dataset_id or "")) if quota]
        return min(known, key=lambda quota: float("inf") if quota.remaining is None else quota.remaining, default=None)

    def reset_when_spent(self, dataset_id: str | None = None) -> datetime | None:
        """Return when the spent quota comes back; None when no quota is known to be spent."""
        spent = [
            quota.reset_at
            for quota in (self.portal, self.datasets.get(dataset_id or ""))
            if quota and quota.remaining == 0 and quota.reset_at
        ]
        # Both may be spent: the later reset is the one that lets a call through.
        return max(spent, default=None)
