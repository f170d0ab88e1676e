"""Run a deployment to the end of its chain of flow runs, and collect all that can be read of it."""

import json
import time
from typing import Any
from uuid import UUID

from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterTags,
    LogFilter,
    LogFilterFlowRunId,
    Operator,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun

from ods_provider.schedulers.prefect.waiting import TAG, WAITING


def chain(client: Any, first: UUID) -> list[FlowRun]:
    """Return the flow run and those that continue it, in their order."""
    it_and_those = FlowRunFilter(
        operator=Operator.or_,
        id=FlowRunFilterId(any_=[first]),
        tags=FlowRunFilterTags(all_=[f"{TAG}{first}"]),
    )
    found = client.read_flow_runs(flow_run_filter=it_and_those)
    return sorted(found, key=lambda run: (run.id != first, run.created))


def ended(client: Any, first: UUID, *, crashed_ends: bool = True, timeout_s: float = 180) -> list[FlowRun]:
    """Wait until the last flow run of the chain is final, and return the chain."""
    give_up = time.monotonic() + timeout_s
    while time.monotonic() < give_up:
        runs = chain(client, first)
        last = runs[-1].state
        if last is not None and last.is_final() and last.name != WAITING and (crashed_ends or not last.is_crashed()):
            return runs
        time.sleep(1)  # the server spends more on being asked than on a short flow run
    raise TimeoutError(f"{[(run.name, run.state_name) for run in chain(client, first)]}")


def readable(client: Any, runs: list[FlowRun]) -> str:
    """Return all that Prefect's API and UI show of flow runs: states, parameters, logs, task runs, artifacts."""
    texts = []
    for run in runs:
        texts.append(repr(run) + run.model_dump_json())
        logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id])), limit=200)
        texts += [f"{line.name} {line.message}" for line in logs]
        tasks = client.read_task_runs(task_run_filter=TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=[run.id])))
        texts += [task.model_dump_json() for task in tasks]
        texts += [json.dumps(artifact.model_dump(mode="json")) for artifact in artifacts(client, run.id)]
    return "\n".join(texts)


def artifacts(client: Any, run_id: UUID) -> list[Any]:
    """Return the artifacts of a flow run."""
    return client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id])))
