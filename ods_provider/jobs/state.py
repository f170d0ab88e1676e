"""What the portal said of a dataset at one moment, so that two moments can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ods_provider.core.schema import Dataset
from ods_provider.jobs.unchanged import digest_of


@dataclass(frozen=True, slots=True)
class State:
    """The dataset at one moment: rows that match the query, rows it holds in all, when it last changed; its schema."""

    matching: int | None
    records_count: int | None
    processed: datetime | None
    dataset: Dataset | None = field(default=None, compare=False, repr=False)

    def moved_to(self, after: State) -> bool:
        """Return whether the dataset was republished between the two."""
        return self.processed != after.processed or self.matching != after.matching

    @property
    def digest(self) -> str | None:
        """What tells this state from others; None where the portal does not say when the data changed."""
        return digest_of(self.processed, self.records_count, self.matching, self.dataset)
