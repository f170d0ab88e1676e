"""How a wait is spent under Prefect: in a flow run that begins later, in the same one begun again, or held.

- ``continue``: the flow run ends, Completed under the name Waiting, and its deployment's next one is scheduled for the
  moment, with the same parameters. Only public API; the process is free. Whoever waits for the flow run sees it end too
  early, so that it is the default of top-level deployments only.
- ``retry``: the flow run itself is given back as AwaitingRetry, and its deployment's worker begins it again at the
  moment. The process is free, and the run keeps its identity.
- ``hold``: the process sleeps. The only way without a deployment, and where no task of ours can end the flow run: it
  was called as a function (``.fn``).

A task cannot end its flow run by returning. So it returns a state of its own making, named Waiting, and a hook on that
state, which runs once the task run is on record, tells the API and raises ``Pause``: Prefect's engine then leaves the
process with the state that the signal carries. A task gets the hook when it has to wait: Prefect logs two lines of each
hook that it runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas import State
from prefect.client.schemas.responses import SetStateStatus
from prefect.context import FlowRunContext, TaskRunContext
from prefect.deployments import run_deployment
from prefect.exceptions import Pause
from prefect.runtime import flow_run as runtime
from prefect.states import AwaitingRetry, Completed
from prefect.transactions import get_transaction

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.outcome import Wait
from ods_provider.core.times import utc_now

WaitMode = Literal["auto", "continue", "retry", "hold"]
WAITING = "Waiting"
TAG = "ods-run:"
_waits: dict[UUID, tuple[Wait, str]] = {}


def wait_mode_named(value: Any) -> WaitMode:
    """Return the mode.

    Raises:
        OdsConfigError: There is none of that name.
    """
    for mode in get_args(WaitMode):
        if value == mode:
            chosen: WaitMode = mode
            return chosen
    raise OdsConfigError(
        f"wait_mode={value!r} is not known", where="argument wait_mode", advice=f"Use {', '.join(get_args(WaitMode))}"
    )


def origin() -> str | None:
    """Return the id of the flow run in which this work began, however many continue it; None outside a flow."""
    run = flow_run()
    if run is None:
        return None
    if run.parent_task_run_id is not None:
        # Begun again, the root keeps its id, and a subflow does not.
        with get_client(sync_client=True) as client:
            run = client.read_flow_run(UUID(str(runtime.root_flow_run_id)))
    return next((tag.removeprefix(TAG) for tag in run.tags if tag.startswith(TAG)), str(run.id))


def way(mode: WaitMode) -> Literal["continue", "retry", "hold"]:
    """Return how this run can wait.

    Raises:
        OdsConfigError: The mode that was asked for ends this flow run, and something keeps it from being ended.
    """
    if mode == "hold":
        return "hold"
    kept = _obstacle()
    if mode == "auto":
        run = flow_run()
        # A subflow has no process of its own that could be freed.
        return "continue" if kept is None and run is not None and run.parent_task_run_id is None else "hold"
    if kept is not None:
        raise OdsConfigError(
            f"wait_mode={mode!r} needs {kept.needs}",
            where="argument wait_mode",
            advice=f"{kept.advice}, or use wait_mode='auto', which holds the process where it must",
        )
    return mode


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """What keeps a flow run from being ended: why the process is held, what is missing, and what to do."""

    because: str
    needs: str
    advice: str


_NO_DEPLOYMENT = _Obstacle(
    "this flow run has no deployment that could go on then", "a flow run of a deployment", "Serve or deploy the flow"
)
_NO_TASK = _Obstacle(
    "nothing here can end this flow run: the task was called as a function",
    "a task run of this task",
    "Call the task itself instead of .fn",
)
_ours: set[tuple[str, str]] = set()


def may_wait(function: Callable[..., Any]) -> None:
    """Let task runs of a function end their flow run: it returns what its job returned, a wait included."""
    _ours.add(_name(function))


def _name(function: Callable[..., Any]) -> tuple[str, str]:
    # Prefect hands copies of functions to its task runs.
    return function.__module__, function.__qualname__


def _obstacle() -> _Obstacle | None:
    run = flow_run()
    # A task that Prefect serves by itself has no flow run.
    if run is None or run.deployment_id is None:
        return _NO_DEPLOYMENT
    context = TaskRunContext.get()
    # A task of somebody else would go on with a state where it wants rows.
    return None if context is not None and _name(context.task.fn) in _ours else _NO_TASK


def suspended(wait: Wait, how: str) -> State[Any]:
    """Return the state that ends this task run; the hook ``leave`` then ends the flow run."""
    run = TaskRunContext.get()
    assert run is not None  # way() has seen it
    _waits[run.task_run.id] = (wait, how)
    if leave not in run.task.on_completion_hooks:
        run.task.on_completion_hooks = [*run.task.on_completion_hooks, leave]
    transaction = get_transaction()
    if transaction is not None:
        # Nothing is finished that the next flow run could take from the cache.
        transaction.write_on_commit = False
    return Completed(name=WAITING, message=_said(wait))


def leave(task: Any, task_run: Any, state: State[Any]) -> None:
    """End the flow run, in the way that was chosen, when its task run ended as Waiting: a hook on completion."""
    found = _waits.pop(task_run.id, None)
    if state.name != WAITING or found is None:
        return
    wait, how = found
    run_id = task_run.flow_run_id
    ended = (
        _continued(run_id, wait) if how == "continue" else AwaitingRetry(scheduled_time=_due(wait), message=_said(wait))
    )
    with get_client(sync_client=True) as client:
        answer = client.set_flow_run_state(run_id, ended, force=ended.is_final())
    if answer.status != SetStateStatus.ACCEPT or answer.state is None:
        raise RuntimeError(f"Prefect refused the state {ended.name} of flow run {run_id}: {answer.details!r}")
    ended.id, ended.timestamp, ended.state_details = answer.state.id, answer.state.timestamp, answer.state.state_details
    raise Pause(_said(wait), state=ended)


def _continued(run_id: UUID, wait: Wait) -> State[Any]:
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
    tags = run.tags if any(tag.startswith(TAG) for tag in run.tags) else [*run.tags, f"{TAG}{run.id}"]
    following: Any = run_deployment(
        run.deployment_id,  # type: ignore[arg-type]  # way() has seen it
        parameters=run.parameters,
        scheduled_time=_due(wait),
        timeout=0,
        as_subflow=False,
        tags=tags,
        # Two tasks of one flow run may wait at the same time; one run continues both.
        idempotency_key=f"ods-continues-{run.id}-{run.run_count}",
        job_variables=run.job_variables or None,
    )
    return Completed(name=WAITING, message=f"{_said(wait)} It goes on in the flow run {following.name}.")


def hold(wait: Wait, log: Any, *, now: Callable[[], datetime] = utc_now) -> None:
    """Sleep in this process until the wait is over, in slices, and say so first."""
    kept = _obstacle()
    log.warning(
        "Holding this process until %s, because %s.%s",
        wait.until.isoformat(timespec="seconds"),
        kept.because if kept is not None else "that was asked for, or this is a subflow",
        f" To free it: {kept.advice}." if kept is not None else "",
    )
    while (left_s := (wait.until - now()).total_seconds()) > 0:
        time.sleep(min(left_s, 5.0))


def flow_run() -> Any:
    """Return the flow run of this thread, None outside one."""
    context = FlowRunContext.get()
    return context.flow_run if context is not None else None


def _due(wait: Wait) -> datetime:
    # Prefect's server rounds the time that is left to whole seconds, and would begin up to half a second early.
    return wait.until + timedelta(seconds=0.5)


def _said(wait: Wait) -> str:
    return f"Waiting until {wait.until.isoformat(timespec='seconds')}: {wait.reason}."
