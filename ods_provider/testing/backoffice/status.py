"""The status of a dataset, and which orders it takes.

Source: Automation API v1.0, status.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ods_provider.testing.backoffice.moments import moment, spelled

READY = ("idle", "error", "limit_reached")
# Under these inner names portals list what may be aborted.
ABORTABLE = ("processing_all_dataset_data", "processing_dataset", "processing_resource_records")


@dataclass
class Status:
    """Where a dataset is: the last word of its story, and the ones beside it.

    Attributes:
        since: Seconds since the epoch.
        next: What follows, where that is known.
    """

    since: float
    status: str = "idle"
    previous: str | None = None
    next: str | None = None
    is_published: bool = False
    message: str | None = None
    records_errors: list[dict[str, Any]] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)

    def move(self, status: str, at: float, *, following: str | None = None) -> None:
        """Go on to another status; it begins strictly later than the one before."""
        self.previous, self.status, self.next = self.status, status, following
        # To the millisecond, so that two orders within one second can be told apart.
        self.since = max(round(at, 3), round(self.since + 0.001, 3))
        if status == "queued":
            self.message, self.records_errors, self.params = None, [], {}

    def as_json(self, *, whole_seconds: bool = False) -> dict[str, Any]:
        """Return the status as the API shows it."""
        since = int(self.since) if whole_seconds else self.since
        return {
            "status": self.status,
            "since": spelled(moment(since)),
            "is_published": self.is_published,
            "previous": self.previous,
            "next": self.next,
            "message": self.message,
            "records_errors": self.records_errors if self.is_published else [],
            "params": self.params,
        }
