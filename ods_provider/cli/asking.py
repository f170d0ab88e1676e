"""One question to the portal as a job, so that it has the retries, the waits and the events of all others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ods_provider.core.source import CATALOG, Source
from ods_provider.jobs.context import JobContext


@dataclass(frozen=True, slots=True)
class Ask:
    """A job of a single call.

    Args:
        name: What it is called in messages.
        dataset_id: The dataset it concerns, None for the whole portal.
        ask: Makes the call and returns the result.
        source: Which of the portal's sources it asks.
    """

    name: str
    dataset_id: str | None
    ask: Callable[[JobContext], Any]
    source: Source = CATALOG

    def work(self, ctx: JobContext) -> Any:
        """Return what the portal answered."""
        return self.ask(ctx.at(self.source))
