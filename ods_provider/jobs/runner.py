"""Run a job under a scheduler: the one way in, for every face."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsError, OdsQuotaExceeded, OdsResponseError
from ods_provider.core.events import Event, JobDone, JobFailed, JobStarted, Waiting
from ods_provider.core.outcome import Done, Wait
from ods_provider.core.times import utc_now
from ods_provider.jobs.context import Job, JobContext, heed
from ods_provider.plugins.manager import Plugins
from ods_provider.plugins.manager import plugins as default_plugins


def run_job(
    job: Job,
    *,
    scheduler: str,
    native: Any = None,
    connection_ref: str = "ods_default",
    checkpoint: Mapping[str, Any] | None = None,
    cancel: threading.Event | None = None,
    plugins: Plugins | None = None,
) -> Done | Wait:
    """Run ``job`` until it is done, must wait, or fails.

    Args:
        job: What to do.
        scheduler: Name of the scheduler, whose plugin gives the connection and the stores.
        native: The scheduler's own context.
        connection_ref: What the user called the connection.
        checkpoint: The ``Wait.checkpoint`` of an earlier run that this one continues.
        cancel: Set it to make the job stop at its next safe point, or within a second while it waits for the portal.
        plugins: For tests.

    Returns:
        ``Done`` with the result, or ``Wait`` with when to run the same job again.

    Raises:
        OdsError: The job failed; ``transient`` tells whether another try may help.
        Suspended: ``cancel`` was set.
    """
    plugins = plugins or default_plugins()
    run = plugins.scheduler(scheduler).run(native, connection_ref=connection_ref)

    def emit(event: Event) -> None:
        plugins.notify(event, run)

    connection = plugins.connection(connection_ref, scheduler, run)
    tokens = plugins.token_store(connection, scheduler)
    # Without an event nobody can tell it to stop but a signal, which needs no slices.
    told = partial(heed, cancel) if cancel else None
    with OdsClient(connection, emit=emit, tokens=tokens, heed=told) as client:
        ctx = JobContext(client, run, plugins, emit, cancel or threading.Event(), dict(checkpoint or {}))
        emit(JobStarted(job.name, job.dataset_id, resumed=bool(checkpoint)))
        try:
            result = job.work(ctx)
        except OdsResponseError as error:
            result = _wait(error, ctx, now=utc_now())
            if result is None:
                emit(JobFailed(error))
                raise
        except BaseException as error:
            emit(JobFailed(error))
            raise
        if isinstance(result, Wait):
            chosen: Wait = plugins.wait_policy(result, run)
            emit(Waiting(chosen.until, chosen.reason))
            return chosen
        emit(JobDone(result))
        return Done(result)


def _wait(error: OdsResponseError, ctx: JobContext, *, now: datetime) -> Wait | None:
    """Return the wait that ``error`` asks for, or None when it asks for none.

    Raises:
        OdsQuotaExceeded: The portal asks for a longer wait than the connection accepts.
    """
    if not error.transient or error.retry_at is None or error.retry_at <= now:
        return None
    longest = timedelta(seconds=ctx.client.connection.max_quota_wait_s)
    if error.retry_at - now > longest:
        final = OdsQuotaExceeded(
            f"{error.what}; that is longer than max_quota_wait_s allows ({longest})",
            status=error.status,
            code=error.code,
            retry_at=error.retry_at,
            where=error.where,
            advice=f"Run it again after {error.retry_at.isoformat()}, or raise max_quota_wait_s",
            transient=False,
        )
        ctx.emit(JobFailed(final))
        raise final from None
    reason = f"{error.what}; the portal asks to come back at {error.retry_at.isoformat()}"
    return Wait(error.retry_at, reason, dict(ctx.state))


def explain(error: OdsError) -> str:
    """Return an error as one line for a scheduler's log: its class, and what it says."""
    return f"{type(error).__name__}: {error}"
