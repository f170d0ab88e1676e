"""Prefect as a plugin: who runs, with which connection, and who draws the artifacts. It imports Prefect late."""

from __future__ import annotations

import logging

from ods_provider.core.connection import OdsConnection
from ods_provider.core.events import Event
from ods_provider.core.redact import Secret
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run, SchedulerAdapter
from ods_provider.schedulers.prefect.native import NAME, Native


class Prefect:
    """The adapter: a run is one task call, however many flow runs it takes."""

    name = NAME

    def run(self, native: Native, *, connection_ref: str) -> Run:
        """Return the run of a task call."""
        log: logging.Logger = native.log  # a LoggerAdapter, which logs the same
        return Run(NAME, f"{NAME}/{native.key}", connection_ref, log, native)


@hookimpl
def ods_get_scheduler(name: str) -> SchedulerAdapter | None:
    """Serve Prefect."""
    return Prefect() if name == NAME else None


@hookimpl
def ods_resolve_connection(ref: str, scheduler: str, run: Run | None) -> OdsConnection | None:
    """Take the connection from the task's credentials, else from the block of that name; mask its secrets in logs."""
    if scheduler != NAME:
        return None
    from ods_provider.schedulers.prefect.credentials import OdsCredentials
    from ods_provider.schedulers.prefect.masking import mask

    given = run.native.credentials if run is not None else None
    credentials = OdsCredentials.named(ref) if given is None else given
    connection: OdsConnection = credentials.connection()
    mask(connection.secrets())
    return connection


@hookimpl
def ods_new_secret(secret: Secret, scheduler: str) -> None:
    """Mask a token that came up during a run."""
    if scheduler == NAME:
        from ods_provider.schedulers.prefect.masking import mask

        mask([secret])


@hookimpl
def ods_job_event(event: Event, run: Run) -> None:
    """Draw it."""
    if run.scheduler == NAME and run.native.board is not None:
        run.native.board.hear(event)
