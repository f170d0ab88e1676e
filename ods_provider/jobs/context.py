"""What a job may use while it works."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol

from ods_provider.client import OdsClient
from ods_provider.core.checkpoint import CheckpointStore, Ledger
from ods_provider.core.events import Emit, Progress
from ods_provider.plugins.manager import Plugins
from ods_provider.plugins.run import Run
from ods_provider.sinks.destination import Destination
from ods_provider.stores.checkpoints import FolderStore


class Suspended(SystemExit):
    """The job was told to stop. It leaves no unfinished file, its confirmed units are kept, the next try goes on.

    A SystemExit, because schedulers let those through and try the task again.
    """


class Job(Protocol):
    """A piece of work with its arguments, validated already."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def dataset_id(self) -> str | None:
        """The dataset it concerns, None for the whole portal."""
        ...

    def work(self, ctx: JobContext) -> Any:
        """Do the work and return its result, or a ``Wait`` to be run again later; raise ``OdsError``."""
        ...


@dataclass(slots=True)
class JobContext:
    """A job's client, stores, destinations, and the means to say how far it is and to be stopped."""

    client: OdsClient
    run: Run
    plugins: Plugins
    emit: Emit
    cancel: threading.Event
    _said_at: float = 0.0

    @property
    def token(self) -> str:
        """Name of this run in temporary file names: the same at every try."""
        return hashlib.sha256(self.run.key.encode()).hexdigest()[:12]

    @property
    def calls(self) -> int:
        """Requests made so far."""
        return self.client.quota.calls

    def remaining(self, dataset_id: str | None) -> int | None:
        """Calls left, as last seen."""
        quota = self.client.quota.tightest(dataset_id)
        return quota.remaining if quota else None

    def destination(self, place: Any) -> Destination:
        """Open the destination that the user named."""
        return self.plugins.destination(place, self.run)

    def file(self, place: Any) -> Destination:
        """Open the destination that the user named for a file; a folder is refused before anything is asked for.

        Raises:
            OdsSinkError: A folder stands there.
        """
        found = self.destination(place)
        found.expect_file()
        return found

    def ledger(self, identity: str, *, beside: Destination | None = None) -> Ledger:
        """Open this job's confirmed units: beside its destination where there is one, else in the scheduler's store."""
        store: CheckpointStore
        if beside is not None:
            store = FolderStore(self.progress_folder(beside))
        else:
            store = self.plugins.checkpoint_store(self.run)
        return Ledger(store, identity)

    def progress_folder(self, beside: Destination) -> Destination:
        """Return the hidden folder of this job's progress, beside its destination."""
        return beside.sibling(f".{beside.name}.{self.token}.progress")

    def check(self) -> None:
        """Stop here if the job was told to.

        Raises:
            Suspended: It was.
        """
        if self.cancel.is_set():
            raise Suspended("stopped; progress is kept and the next try goes on")

    def progress(self, done: int, total: int | None, unit: str) -> None:
        """Say how far the job is; said on as often as the run's listeners want it, and at the end."""
        now = time.monotonic()
        if now - self._said_at >= self.run.progress_every_s or done == total:
            self._said_at = now
            self.emit(Progress(done, total, unit))
