"""What an order does once it is its turn: begun, committed when its time is up, and then shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Done:
    """What a run that went well says of itself."""

    status: str = "idle"
    records_errors: list[dict[str, Any]] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)


class Work:
    """One order; this one has nothing to read: it is done as soon as it is begun.

    Args:
        commit: Changes the dataset.
        show: Changes what Explore shows.
    """

    def __init__(self, commit: Callable[[], None], show: Callable[[], None]) -> None:
        self.commit = commit
        self.show = show
        self.done = Done()
        self.failed: str | None = None

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to read."""
        return True

    def begin(self) -> None:
        """Begin to read."""

    def stop(self) -> None:
        """Stop reading."""

    def wait(self) -> None:
        """Wait until nothing is read any more."""

    def halve(self) -> None:
        """Keep what was read until the order to stop: half of it, since that is as good as any part."""

    def discard(self) -> None:
        """Forget what was read."""


class Failing(Work):
    """An order that cannot succeed, which shows once it is its turn.

    Args:
        why: What the status says.
    """

    def __init__(self, why: str) -> None:
        super().__init__(lambda: None, lambda: None)
        self.failed = why
