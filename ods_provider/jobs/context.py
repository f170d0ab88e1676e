"""What a job may use while it works."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

from ods_provider.client.source import SourceClient
from ods_provider.core.checkpoint import CheckpointStore, Ledger, Valid
from ods_provider.core.events import Emit, Progress
from ods_provider.core.source import Source, named, source_told
from ods_provider.jobs.running.pace import Pace
from ods_provider.plugins.manager import Plugins
from ods_provider.plugins.run import Run
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.litter import WEEK, sweep
from ods_provider.stores.checkpoints import FolderStore


class Suspended(SystemExit):
    """The job was told to stop. It leaves no unfinished file, its confirmed units are kept, the next try goes on.

    A SystemExit, because schedulers let those through and try the task again.
    """


def heed(cancel: threading.Event) -> None:
    """Stop here if ``cancel`` is set.

    Raises:
        Suspended: It is.
    """
    if cancel.is_set():
        raise Suspended("stopped; progress is kept and the next try goes on")


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

    client: SourceClient
    run: Run
    plugins: Plugins
    emit: Emit
    cancel: threading.Event
    streams: int = 1  # that the job reads at the same time
    _pace: Pace = field(default_factory=Pace)
    _tidied: set[str] = field(default_factory=set)

    def at(self, source: Source) -> JobContext:
        """Return the same with a client that asks that source of the portal."""
        return self if source == self.client.source else replace(self, client=self.client.at(source))

    @property
    def source_told(self) -> dict[str, str]:
        """What an Outcome says of the source beside its dataset."""
        return source_told(self.client.source)

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
        quota = self.client.quota.tightest(named(self.client.source, dataset_id) if dataset_id else None)
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
        # Beside what a link leads to: there the parts are.
        self.tidy(found.behind_links().above())
        return found

    def ledger(self, identity: str, *, beside: Destination | None = None, valid: Valid | None = None) -> Ledger:
        """Open this job's confirmed units: beside its destination where there is one, else in the scheduler's store.

        Args:
            identity: The job's fingerprint.
            beside: The file, in whose folder they are kept.
            valid: Whether the job can read a unit that an earlier try kept.
        """
        store: CheckpointStore
        if beside is not None:
            store = self.folder_store(beside)
        else:
            store = self.plugins.checkpoint_store(self.run)
            if isinstance(store, FolderStore):
                store.sweep(now=self.client.terms.now(), older=self._forgotten_after)
        return Ledger(store, identity, valid)

    def tidy(self, folder: Destination) -> None:
        """Remove what killed runs left in a folder, once."""
        if folder.path not in self._tidied:
            self._tidied.add(folder.path)
            sweep(folder, now=self.client.terms.now(), older=self._forgotten_after, ours=self.token)

    @property
    def _forgotten_after(self) -> timedelta:
        """A week, or longer where a run may wait longer for its quota."""
        return max(WEEK, timedelta(seconds=self.client.connection.max_quota_wait_s, days=1))

    def folder_store(self, beside: Destination) -> FolderStore:
        """Return the store of this job's progress in a hidden folder beside its destination."""
        self.tidy(beside.above())
        # Whoever may only write to a bucket gets its file, without progress.
        needed = beside.can.folders
        return FolderStore(self.progress_folder(beside), needed=needed)

    def progress_folder(self, beside: Destination) -> Destination:
        """Return the hidden folder beside its destination in which this job's progress lies."""
        return beside.sibling(f".{beside.name}.{self.token}.progress")

    def check(self) -> None:
        """Stop here if the job was told to.

        Raises:
            Suspended: It was.
        """
        heed(self.cancel)

    def progress(self, done: int, total: int | None, unit: str, *, size_bytes: int | None = None) -> None:
        """Say how far the job is; said on as often as the run's listeners want it, and at the end."""
        if self._pace.is_time(done, total, unit, every_s=self.run.progress_every_s):
            self.emit(Progress(done, total, unit, size_bytes, self._pace.per_s))
