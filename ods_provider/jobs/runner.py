"""Run a job under a scheduler: the one way in, for every face."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsError, OdsResponseError
from ods_provider.core.events import Emit, Event, JobDone, JobFailed, JobStarted, Waiting, ignore
from ods_provider.core.outcome import Done, Wait
from ods_provider.core.times import utc_now
from ods_provider.jobs.context import Job, JobContext, heed
from ods_provider.jobs.running.aims import aim_of
from ods_provider.jobs.running.waited import Waited
from ods_provider.jobs.watch import WatchJob
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
    hear: Emit = ignore,
    plugins: Plugins | None = None,
) -> Done | Wait:
    """Run ``job`` until it is done, must wait, or fails.

    Args:
        job: What to do.
        scheduler: Name of the scheduler, whose plugin gives the connection and the stores.
        native: The scheduler's own context.
        connection_ref: What the user called the connection.
        checkpoint: The ``Wait.checkpoint`` of an earlier run that this one continues: how long the work has waited.
        cancel: Set it to make the job stop at its next safe point, or within a second while it waits for the portal.
        hear: Hears what happens, as listeners do, and fails the job where it fails.
        plugins: For tests.

    Returns:
        ``Done`` with the result, or ``Wait`` with when to run the same job again.

    Raises:
        OdsError: The job failed; ``transient`` tells whether another try may help.
        Suspended: ``cancel`` was set.
    """
    plugins = plugins or default_plugins()
    run = plugins.run(scheduler, native, connection_ref=connection_ref)

    def emit(event: Event) -> None:
        hear(event)
        plugins.notify(event, run)

    try:
        connection = plugins.connection(connection_ref, scheduler, run)
    except OdsError as error:
        later = job.after(error) if isinstance(job, WatchJob) else None
        if later is None:
            raise
        emit(Waiting(later.until, later.reason))
        return later
    tokens = plugins.token_store(connection, scheduler)
    over = threading.Event()

    def told() -> None:
        if cancel is not None:
            heed(cancel)
        # A signal ends this thread; those that it began must not wait for the portal any longer either.
        heed(over)

    with OdsClient(connection, emit=emit, tokens=tokens, heed=told) as client:
        ctx = JobContext(client, run, plugins, emit, cancel or threading.Event())
        resumed = bool(checkpoint)
        emit(JobStarted(job.name, job.dataset_id, resumed, portal=connection.base_url, aim=aim_of(job)))
        try:
            with connection.face.speaking():
                result = _worked(job, ctx, Waited.of(checkpoint))
        except BaseException as error:
            over.set()
            emit(JobFailed(error))
            raise
        if isinstance(result, Wait):
            chosen = plugins.wait_policy(result, run)
            # A policy that makes a wait of its own need not know what travels with it.
            chosen = replace(chosen, checkpoint={**result.checkpoint, **chosen.checkpoint})
            emit(Waiting(chosen.until, chosen.reason))
            return chosen
        # A job that has nothing to do says so itself.
        done = result if isinstance(result, Done) else Done(result)
        asked_for = getattr(job, "always_remembered", False) or getattr(job, "if_unchanged", "fetch") != "fetch"
        emit(JobDone(done.result, remember=asked_for))
        return done


def _worked(job: Job, ctx: JobContext, waited: Waited) -> Any:
    """Return what the job returns, or the wait that its error asks for."""
    try:
        return job.work(ctx)
    except OdsResponseError as error:
        wait = waited.wait_for(error, longest_s=ctx.client.connection.max_quota_wait_s, now=utc_now())
        if wait is None:
            raise
        return wait


def explain(error: OdsError) -> str:
    """Return an error as one line for a scheduler's log: its class, and what it says."""
    return f"{type(error).__name__}: {error}"
