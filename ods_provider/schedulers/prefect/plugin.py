"""Prefect as a plugin: who runs, with which connection, and who draws the artifacts. It imports Prefect late."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ods_provider.core.connection import OdsConnection
from ods_provider.core.events import Event, JobDone
from ods_provider.core.redact import Secret
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run, SchedulerAdapter
from ods_provider.schedulers.prefect.native import NAME, Native
from ods_provider.tables.target import Target
from ods_provider.tables.urls import target_of


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
def ods_table_target(place: Any, run: Run) -> Target | None:
    """Open the URL that a ``Secret`` block holds, or the one called ``secret/NAME``: no parameter shows a password."""
    if run.scheduler != NAME:
        return None
    from ods_provider.schedulers.prefect.destinations import url_of

    url = url_of(place)
    return target_of(url) if url is not None else None


@hookimpl
def ods_new_secret(secret: Secret, scheduler: str) -> None:
    """Mask a token that came up during a run."""
    if scheduler == NAME:
        from ods_provider.schedulers.prefect.masking import mask

        mask([secret])


@hookimpl
def ods_last_success(fingerprint: str, run: Run) -> Mapping[str, Any] | None:
    """Look it up in the variable of this flow."""
    if run.scheduler != NAME:
        return None
    from ods_provider.schedulers.prefect.updates import last_outcome

    return last_outcome(fingerprint)


@hookimpl
def ods_job_event(event: Event, run: Run) -> None:
    """Draw it, and remember what a later flow run will ask for."""
    if run.scheduler != NAME:
        return
    if isinstance(event, JobDone) and event.remember:
        from ods_provider.schedulers.prefect.updates import remember_outcome

        remember_outcome(event.result)
    if run.native.board is not None:
        run.native.board.hear(event)
