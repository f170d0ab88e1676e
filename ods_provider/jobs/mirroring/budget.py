"""How many calls a run of a mirror may make: the quota as last seen, less what is left to others."""

from __future__ import annotations

from dataclasses import dataclass

from ods_provider.core.counting import counted
from ods_provider.core.quota import Quota

_RESERVED_SHARE = 10  # of the limit, where nobody says how much


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend.

    Attributes:
        calls: Calls that it may make from here on; None for any number.
        reserve: Calls of the quota that it leaves to others.
        why: Why it may make no more, for people.
    """

    calls: int | None
    reserve: int
    why: str

    @classmethod
    def of(cls, quota: Quota | None, *, reserve: int | None, max_calls: int | None, spent: int) -> Budget:
        """Return the budget of a run.

        Args:
            quota: The portal's as last seen.
            reserve: Calls to leave; None leaves a tenth of the quota.
            max_calls: Calls that the run may make in all.
            spent: Calls that it made so far.
        """
        kept = reserve if reserve is not None else ((quota.limit or 0) // _RESERVED_SHARE if quota else 0)
        own = None if max_calls is None else max(0, max_calls - spent)
        left = None if quota is None or quota.remaining is None else max(0, quota.remaining - kept)
        if own is not None and (left is None or own <= left):
            return cls(own, kept, f"max_calls allows {counted(own, 'calls')} more")
        seen = (
            "no calls that are known" if quota is None or quota.remaining is None else counted(quota.remaining, "calls")
        )
        return cls(left, kept, f"the quota has {seen} left, {kept:,} of them reserved")

    def fits(self, cost: int) -> int | None:
        """Return how many pieces of work of that many calls it lets through; None for all."""
        return None if self.calls is None else self.calls // cost
