"""Run jobs as the command line does, against any address, and keep everything that was said meanwhile."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.events import Event
from ods_provider.core.outcome import Done, Wait
from ods_provider.jobs.context import Job
from ods_provider.jobs.runner import run_job
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.manager import Plugins
from ods_provider.sinks.destination import Destination, destination
from ods_provider.stores.checkpoints import FolderStore

API_KEY = "k3y-that-nobody-may-read-0123456789"
PUSH_KEY = "pu5h-key-that-nobody-may-read-9876543210"


class Killed(BaseException):
    """What ends a run at once, as kill -9 does: nothing in between can take it for a failure of its own."""


class Lab:
    """A plugin that gives the connection and the stores, and listens; ``run`` runs a job under it.

    Args:
        url: The portal.
        folder: Where destinations and checkpoints of the tests lie.
        settings: The connection's extras, and ``api_key``.
    """

    def __init__(self, url: str, folder: Path, *, api_key: str | None = None, **settings: Any) -> None:
        self.url, self.folder, self.api_key = url, folder, api_key
        self.settings = {"timeout_s": 60, **settings}
        self.events: list[Event] = []
        self.filesystems: dict[str, Any] = {}
        self.scheduler = "cli"
        self.remembered: Mapping[str, Any] | None = None
        self.policy: Callable[[Wait], Wait] = lambda wait: wait
        self.plugins = Plugins({"lab": self}, entry_points=False)

    @hookimpl
    def ods_resolve_connection(self, ref: str) -> OdsConnection:
        return from_parts(host=self.url, password=self.api_key, extra=self.settings)

    @hookimpl
    def ods_checkpoint_store(self) -> FolderStore:
        return FolderStore(destination(self.checkpoints))

    @hookimpl
    def ods_open_destination(self, place: Any) -> Destination | None:
        protocol, _, path = str(place).partition("://")
        if protocol in self.filesystems:
            return Destination(self.filesystems[protocol], path, str(place))
        return None

    @hookimpl
    def ods_wait_policy(self, wait: Wait) -> Wait:
        return self.policy(wait)

    @hookimpl
    def ods_last_success(self) -> Mapping[str, Any] | None:
        return self.remembered

    @hookimpl
    def ods_job_event(self, event: Event) -> None:
        self.events.append(event)

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    def run(
        self,
        job: Job,
        *,
        name: str = "one",
        checkpoint: Mapping[str, Any] | None = None,
        cancel: threading.Event | None = None,
    ) -> Done | Wait:
        return run_job(
            job, scheduler=self.scheduler, native=name, plugins=self.plugins, checkpoint=checkpoint, cancel=cancel
        )

    def done(self, job: Job, **how: Any) -> Any:
        """The result of a job that ends without having to wait."""
        ended = self.run(job, **how)
        assert isinstance(ended, Done), ended
        return ended.result

    def ended(self, job: Job) -> Any:
        """The result of a job that waits for the portal as often as it takes: this machine may be busy."""
        end = time.monotonic() + 60
        while isinstance(ended := self.run(job), Wait):
            assert time.monotonic() < end, ended
            time.sleep(0.1)
        return ended.result

    @staticmethod
    def now() -> Any:
        return datetime.now(UTC)

    def heard(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def files(self, below: str = "out") -> list[str]:
        """Every file and folder below the destinations' folder, hidden ones too."""
        root = self.folder / below
        return sorted(str(path.relative_to(root)) for path in root.rglob("*")) if root.exists() else []


class Shelf(logging.Handler):
    """Keeps every log line of every logger, formatted, exceptions included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def assert_no_key(*texts: str) -> None:
    for text in texts:
        assert API_KEY not in text, text[:300]
        assert PUSH_KEY not in text, text[:300]


def told(error: BaseException) -> str:
    """Everything that an exception shows when it is logged with its traceback."""
    return "".join(traceback.format_exception(error)) + repr(error)
