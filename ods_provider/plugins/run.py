"""One run of one job, as plugins see it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Run:
    """Who runs a job, for whom, under which name.

    Attributes:
        scheduler: Name of the scheduler (``airflow``, ``cli``).
        key: Stable name of this run across retries and resumes.
        connection_ref: What the user called the connection.
        log: Where the scheduler's users read.
        native: The scheduler's own context, for its adapter alone.
        progress_every_s: How often the job says at most how far it is: a log wants it seldom, a terminal often.
    """

    scheduler: str
    key: str
    connection_ref: str
    log: logging.Logger
    native: Any = field(default=None, repr=False)
    progress_every_s: float = 5.0


class SchedulerAdapter(Protocol):
    """What a scheduler's plugin gives: its name, and a ``Run`` made of its own context."""

    name: str

    def run(self, native: Any, *, connection_ref: str) -> Run:
        """Return the run that ``native`` (the scheduler's context object) stands for."""
        ...
