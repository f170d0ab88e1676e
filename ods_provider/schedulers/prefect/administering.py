"""The tasks that run a portal; their arguments are those of the operators."""

from __future__ import annotations

from typing import Any

from ods_provider.jobs.arguments import harvest_job, visibility_job
from ods_provider.schedulers.prefect.credentials import DEFAULT
from ods_provider.schedulers.prefect.tasking import Credentials, do, ods_task
from ods_provider.schedulers.prefect.waiting import WaitMode


@ods_task
def ods_harvest(
    harvester_id: str,
    *,
    publish: bool | str = True,
    max_errors: int | str = 0,
    credentials: Credentials = DEFAULT,
    timeout: float | str | None = None,
    dry_run: bool | str = False,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Start a harvester, publish what it found, and return the Outcome once each of its datasets is published."""
    return do(harvest_job, locals(), wait_mode=wait_mode, credentials=credentials)


@ods_task
def ods_visibility(
    dataset_id: str,
    public: bool | str = True,
    *,
    credentials: Credentials = DEFAULT,
    timeout: float | str | None = None,
    dry_run: bool | str = False,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Make a dataset public or restricted, and return the Outcome once a call without a key shows it."""
    return do(visibility_job, locals(), wait_mode=wait_mode, credentials=credentials)
