"""The terminal as a plugin: it gives the run its name and its connection, and hears its events, like any other."""

from __future__ import annotations

import logging
from typing import Any

from ods_provider.cli.connecting import SCHEDULER
from ods_provider.cli.display import Display
from ods_provider.core.connection import OdsConnection
from ods_provider.core.events import Event
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run, SchedulerAdapter

NAME = "ods-provider:terminal"
log = logging.getLogger("ods_provider.cli.run")


class Terminal:
    """The adapter of the command line, with something to show what happens on.

    Args:
        display: Where progress is shown.
    """

    name = SCHEDULER

    def __init__(self, display: Display) -> None:
        self._display = display
        self.connection: OdsConnection | None = None

    def run(self, native: Any, *, connection_ref: str) -> Run:
        """Return the run named by ``native``, a text that is the same for the same command."""
        every_s = self._display.every_s
        return Run(SCHEDULER, f"cli-{native}", connection_ref, log, native, progress_every_s=every_s)

    @hookimpl
    def ods_get_scheduler(self, name: str) -> SchedulerAdapter | None:
        """Serve the command line."""
        return self if name == SCHEDULER else None

    @hookimpl
    def ods_resolve_connection(self, scheduler: str) -> OdsConnection | None:
        """Give the connection that the command line named; None while that is being found out."""
        return self.connection if scheduler == SCHEDULER else None

    @hookimpl
    def ods_job_event(self, event: Event) -> None:
        """Show it."""
        self._display.show(event)
