"""The flows that the tests serve: one file, loaded by Prefect's runner in a process for every flow run."""

import asyncio
import importlib.util
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any

from prefect import flow, task, unmapped
from prefect.runner import Runner

from ods_provider.schedulers.prefect import ods_assemble, ods_download, ods_media, ods_partition, ods_search

# The hook that the docs show, from where they show it.
_spec = importlib.util.spec_from_file_location(
    "prefect_flow", Path(__file__).parents[3] / "docs" / "examples" / "prefect_flow.py"
)
example = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(example)


@flow(log_prints=True, persist_result=True)
def one_task(
    job: str,
    arguments: dict[str, Any],
    credentials: str,
    wait_mode: str = "auto",
    environ: dict[str, str] | None = None,
) -> Any:
    """Run one task of ours, as a user's flow would, with more variables in the environment of its process."""
    os.environ.update(environ or {})
    task = {"media": ods_media, "search": ods_search}[job]
    return task(**arguments, credentials=credentials, wait_mode=wait_mode)


@flow(persist_result=True, on_crashed=[example.begin_again])
def stubborn(
    job: str,
    arguments: dict[str, Any],
    credentials: str,
    wait_mode: str = "auto",
    environ: dict[str, str] | None = None,
) -> Any:
    """The same, begun again when its process dies."""
    return one_task.fn(job, arguments, credentials, wait_mode, environ)


@flow(persist_result=True)
def two_tasks(path: str, credentials: str, wait_mode: str = "auto") -> Any:
    """A task that is finished before another one must wait."""
    rows = ods_search("world-capitals", credentials=credentials, order_by="geoname_id", limit=5)
    files = ods_media("landmark-photos", path, kind="files", credentials=credentials, parallel=1, wait_mode=wait_mode)
    return {"rows": len(rows), "files": files["files"]}


@flow(persist_result=True)
def side_by_side(path: str, credentials: str) -> Any:
    """Two tasks at the same time, of which both must wait."""
    asked = {"kind": "files", "credentials": credentials, "parallel": 1}
    running = [ods_media.submit("landmark-photos", f"{path}/{side}", **asked) for side in ("left", "right")]
    return [future.result()["files"] for future in running]


@flow(persist_result=True, retries=1, retry_delay_seconds=0)
def in_parts(path: str, credentials: Any, mapped: bool = False, layout: str = "folder") -> Any:
    """A download whose parts are task runs, and which Prefect tries again once."""
    asked = {"parts": 4, "partition_by": "id", "format": "jsonl", "layout": layout}
    parts = ods_partition("synthetic-rows", path, credentials=credentials, **asked)
    if mapped:
        columns = {name: [part[name] for part in parts] for name in parts[0]}
        fetched = ods_download.map(**columns, credentials=unmapped(credentials))
    else:
        fetched = [ods_download.submit(**part, credentials=credentials) for part in parts]
    # Not the futures themselves: Prefect would leave the task out where one has failed, and the flow would go on.
    return ods_assemble([each.result() for each in fetched], min_rows=520, credentials=credentials)


@task
def of_ones_own(**asked: Any) -> Any:
    """A task of the user's that calls ours as a function."""
    return ods_search.fn(**asked)["rows"]


@flow(persist_result=True)
def as_a_function(how: str, path: str, credentials: str, wait_mode: str = "auto") -> Any:
    """Calls from which no task run of ours ends the flow run."""
    asked = {
        "dataset_id": "synthetic-rows",
        "order_by": "id",
        "path": path,
        "credentials": credentials,
        "wait_mode": wait_mode,
    }
    if how == "in a task of one's own":
        return of_ones_own(**asked)
    return ods_search.fn(**asked)["rows"]


@flow(persist_result=True)
def with_a_hook(path: str, credentials: str) -> Any:
    """A hook of the user's, as the page says."""
    own = ods_search.with_options(on_completion=[_heard])
    return own("synthetic-rows", order_by="id", path=path, credentials=credentials)["rows"]


def _heard(task: Any, task_run: Any, state: Any) -> None:
    print(f"a hook of one's own heard {state.name}")


EVERY = (one_task, stubborn, two_tasks, side_by_side, in_parts, as_a_function, with_a_hook)


def together(name: str) -> None:
    """Serve every flow from one runner, as deployments of one name.

    A process spends seconds of a processor on importing Prefect before it does anything. So flow runs fork from one
    that has done that, as processes of multiprocessing do from Python 3.14 on; each imports what is ours by itself.
    """
    context = multiprocessing.get_context
    multiprocessing.set_forkserver_preload(["prefect.flow_engine"])
    # Prefect asks for "spawn" by its name.
    multiprocessing.get_context = lambda method=None: context("forkserver" if method == "spawn" else method)
    runner = Runner(name=name)
    for each in EVERY:
        runner.add_flow(each, name=name)
    print("Every flow is being served.", flush=True)
    asyncio.run(runner.start())


if __name__ == "__main__":
    name, alone = sys.argv[1], sys.argv[2:]
    if alone:
        {flow.fn.__name__: flow for flow in EVERY}[alone[0]].serve(name=name)
    else:
        together(name)
