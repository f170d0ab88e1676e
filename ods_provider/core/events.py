"""What happens during a run, as values handed to whoever listens. No event holds a secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ods_provider.core.errors import OdsError
from ods_provider.core.quota import Quota
from ods_provider.core.schema import Dataset


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A job begins or goes on; ``resumed`` when a checkpoint was found."""

    job: str
    dataset_id: str | None
    resumed: bool


@dataclass(frozen=True, slots=True)
class DatasetDescribed:
    """The portal described the dataset that the job is about: its schema and its times."""

    dataset: Dataset


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request was answered: method, redacted URL, HTTP status, seconds until the headers were there."""

    method: str
    url: str
    status: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """The same request will be sent again after ``wait_s`` seconds; ``attempt`` counts those made, from 1."""

    attempt: int
    wait_s: float
    caused_by: OdsError


@dataclass(frozen=True, slots=True)
class QuotaSeen:
    """An answer carried quota headers; ``quota`` is the tightest that binds the call."""

    dataset_id: str | None
    quota: Quota


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` units (rows, files, pages, batches, bytes); total is None when it is not known."""

    done: int
    total: int | None
    unit: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The job stops here and asks to be run again at ``until``."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class JobDone:
    """The job is finished."""

    result: Any


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The job failed."""

    error: BaseException


Event = (
    JobStarted | DatasetDescribed | RequestSent | RetryScheduled | QuotaSeen | Progress | Waiting | JobDone | JobFailed
)
Emit = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing: the default."""
