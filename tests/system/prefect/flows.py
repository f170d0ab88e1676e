"""The flows that the tests serve: one file, loaded by Prefect's runner in a process for every flow run."""

import sys
from typing import Any

from prefect import flow

from ods_provider.schedulers.prefect import ods_media, ods_search


@flow(log_prints=True, persist_result=True)
def one_task(job: str, arguments: dict[str, Any], credentials: str, wait_mode: str = "auto") -> Any:
    """Run one task of ours, as a user's flow would."""
    task = {"media": ods_media, "search": ods_search}[job]
    return task(**arguments, credentials=credentials, wait_mode=wait_mode)


@flow(persist_result=True)
def two_tasks(path: str, credentials: str, wait_mode: str = "auto") -> Any:
    """A task that is finished before another one must wait."""
    rows = ods_search("world-capitals", credentials=credentials, order_by="geoname_id", limit=5)
    files = ods_media("landmark-photos", path, kind="files", credentials=credentials, parallel=1, wait_mode=wait_mode)
    return {"rows": len(rows), "files": files["files"]}


if __name__ == "__main__":
    {"one_task": one_task, "two_tasks": two_tasks}[sys.argv[1]].serve(name=sys.argv[2])
