"""A job in a task run: run it, wait as Prefect can, and never do again what this flow has done."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from prefect.client.schemas import State
from prefect.context import TaskRunContext
from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger
from prefect.states import Cancelled
from prefect.transactions import get_transaction

from ods_provider.core.checkpoint import CheckpointStore, fingerprint
from ods_provider.core.errors import OdsError
from ods_provider.core.outcome import Done
from ods_provider.core.source import telling_apart
from ods_provider.jobs.context import Job
from ods_provider.jobs.ends import Heard
from ods_provider.jobs.runner import run_job
from ods_provider.plugins.manager import plugins
from ods_provider.schedulers.prefect.artifacts import Board
from ods_provider.schedulers.prefect.assets import tell
from ods_provider.schedulers.prefect.credentials import OdsCredentials, expect_credentials
from ods_provider.schedulers.prefect.native import NAME, Native
from ods_provider.schedulers.prefect.waiting import WaitMode, flow_run, hold, origin, suspended, wait_mode_named, way

SKIPPED = "Skipped"
_CHECKPOINT = "checkpoint"
_CALLS_KEPT = 10_000


def advance(job: Job, *, credentials: OdsCredentials | str, wait_mode: WaitMode, **arguments: Any) -> Any:
    """Run the job until it is done, or until this flow run must end.

    Args:
        job: What to do.
        credentials: The block, or its name.
        wait_mode: See ``waiting``.
        arguments: What the task was called with: they name the work, so that a later flow run finds its progress.

    Returns:
        The job's result; or a state named Waiting, after which the flow run ends; or one named Skipped.

    Raises:
        OdsError: The job failed.
    """
    mode = wait_mode_named(wait_mode)
    credentials = expect_credentials(credentials)
    native = _native(job, credentials, arguments)
    ref = credentials if isinstance(credentials, str) else credentials.ref
    store = _travelling(native, ref)
    checkpoint: Mapping[str, Any] | None = store.load().get(_CHECKPOINT)
    heard = Heard()
    while True:
        try:
            ended = run_job(job, scheduler=NAME, native=native, connection_ref=ref, checkpoint=checkpoint, hear=heard)
        except OdsError:
            # Whoever tries it again begins a new wait.
            _forget(store, checkpoint)
            raise
        if isinstance(ended, Done):
            _forget(store, checkpoint)
            if ended.skipped is not None:
                return _skipped(ended.skipped)
            tell(job, heard, ended.result, plugins().run(NAME, native, connection_ref=ref))
            return ended.result
        if ended.checkpoint:
            store.save(_CHECKPOINT, dict(ended.checkpoint))
        else:
            # A look that was answered: the waits before it are over.
            _forget(store, checkpoint)
        checkpoint = ended.checkpoint
        how = way(mode)
        if how != "hold":
            return suspended(ended, how)
        hold(ended, native.log)


def _skipped(why: str) -> State[Any]:
    """Return the state of a task that had nothing to do: whatever takes it, or waits for it, does not run either.

    It is a cancelled one: what is completed lets others run, and what failed is tried again.
    """
    transaction = get_transaction()
    if transaction is not None:
        # There is no result that a retry of the flow could take from the cache.
        transaction.write_on_commit = False
    return Cancelled(name=SKIPPED, message=f"Skipped: {why}.")


def _forget(store: CheckpointStore, checkpoint: Mapping[str, Any] | None) -> None:
    if checkpoint:
        store.clear()


def worth_retrying(task: Any, task_run: Any, state: Any) -> bool:
    """Return whether Prefect shall retry a failed task: not where no retry can help. A ``retry_condition_fn``."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, OdsError) or error.transient


def same_call(context: TaskRunContext, parameters: Mapping[str, Any]) -> str | None:
    """Return the name of this call, the same in every flow run that continues this one: a ``cache_key_fn``.

    A task that is finished is not run again when another one of its flow had to wait, or when the flow is retried.
    """
    began_in = origin()
    if began_in is None:
        return None
    name = fingerprint(began_in=began_in, task=context.task.name, given=named(parameters))
    return f"ods-{name}-{_earlier_calls(name, context.task_run.id)}"


_calls: OrderedDict[str, list[UUID]] = OrderedDict()
_calls_guard = threading.Lock()


def _earlier_calls(name: str, task_run_id: UUID) -> int:
    """Return how many calls like this one came before it in this attempt of the flow: it may search twice."""
    run = flow_run()
    with _calls_guard:
        seen = _calls.setdefault(f"{run.id} {run.run_count} {name}", [])
        while len(_calls) > _CALLS_KEPT:
            _calls.popitem(last=False)
        if task_run_id not in seen:
            seen.append(task_run_id)
        return seen.index(task_run_id)


def named(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what names a piece of work: all arguments but who asks and how it waits."""
    # A key that was renewed meanwhile makes no other work, and keys are no part of names.
    kept = {name: value for name, value in arguments.items() if name not in ("credentials", "wait_mode")}
    return telling_apart(kept)


def _native(job: Job, credentials: OdsCredentials | str, arguments: Mapping[str, Any]) -> Native:
    given = None if isinstance(credentials, str) else credentials
    name = f"{job.name}/{fingerprint(**arguments)}"
    try:
        log: Any = get_run_logger()
    except MissingContextError:
        # Called as a plain function, which is how tests of flows do it.
        return Native(name, logging.getLogger("ods_provider"), given)
    return Native(f"{origin() or 'no-flow'}/{name}", log, given, Board(job.name, job.dataset_id, _into(job)))


def _into(job: Any) -> str | None:
    table, format = getattr(job, "table", None), getattr(job, "format", None)
    return str(table) if table is not None else getattr(format, "name", None)


def _travelling(native: Native, ref: str) -> CheckpointStore:
    """Return the store of the small state that goes from one flow run to the next."""
    run = plugins().run(NAME, native, connection_ref=ref)
    return plugins().checkpoint_store(replace(run, key=f"{run.key}/wait"))
