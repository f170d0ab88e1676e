"""What happens during a run, as values handed to whoever listens. No event holds a secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ods_provider.core.errors import OdsError
from ods_provider.core.quota import Quota
from ods_provider.core.schema import Dataset
from ods_provider.core.source import CATALOG, Source


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A job begins or goes on at the portal with that base URL; ``resumed`` when a checkpoint was found.

    ``aim`` says in words what is asked for: the format or table, and the query.
    """

    job: str
    dataset_id: str | None
    resumed: bool
    portal: str = ""
    aim: str = ""


@dataclass(frozen=True, slots=True)
class DatasetDescribed:
    """The portal described a dataset that the job asked about: its schema and its times; and where it is kept."""

    dataset: Dataset
    source: Source = CATALOG


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request was answered: method, redacted URL, HTTP status, seconds until the headers were there.

    ``kind`` is the request's (``push`` writes, whatever its method), ``dataset_id`` the dataset that it names, which is
    called ``monitoring/…`` where it is kept there.
    """

    method: str
    url: str
    status: int
    wait_s: float
    kind: str = "api"
    dataset_id: str | None = None

    @property
    def writes(self) -> bool:
        """Whether the call asked for something to be changed on the portal."""
        return self.kind == "push" or (self.kind != "token" and self.method != "GET")


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
class Partitioned:
    """A query was cut into ``parts`` by ``field``, ``done`` of which are here already.

    ``field`` is None for one stream; ``calls`` were made to find out, and ``tried`` tells what was not taken, and why.
    """

    field: str | None
    parts: int
    calls: int
    done: int
    tried: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` units (rows, files, pages, batches, bytes); total is None when it is not known.

    ``size_bytes`` is how much came of it, ``per_s`` how many units a second since this part of the work began; None
    where they tell nothing.
    """

    done: int
    total: int | None
    unit: str
    size_bytes: int | None = None
    per_s: float | None = None


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step of the job is over, in words such as ``Staged``: the rows it was about, and how many seconds it took."""

    step: str
    rows: int | None
    wall_s: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something of the work that people should know, in a sentence: a column that was added, a name that changed."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The job stops here and asks to be run again at ``until``."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class JobDone:
    """The job is finished; ``remember`` where a later run of the same work will ask for this Outcome."""

    result: Any
    remember: bool = False


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The job failed."""

    error: BaseException


Event = (
    JobStarted
    | DatasetDescribed
    | RequestSent
    | RetryScheduled
    | QuotaSeen
    | Partitioned
    | Progress
    | StepDone
    | Noticed
    | Waiting
    | JobDone
    | JobFailed
)
Emit = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing: the default."""
