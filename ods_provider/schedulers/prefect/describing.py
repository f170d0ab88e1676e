"""The task that changes metadata; its arguments are those of ``OdsMetadataOperator``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.jobs.arguments import metadata_job
from ods_provider.schedulers.prefect.credentials import DEFAULT
from ods_provider.schedulers.prefect.tasking import Credentials, do, ods_task
from ods_provider.schedulers.prefect.waiting import WaitMode


@ods_task
def ods_metadata(
    dataset_id: str,
    metadata: Mapping[str, Any] | str | None = None,
    *,
    coverage_of: str | None = None,
    publish: str | None = "metadata",
    override: bool | str = False,
    credentials: Credentials = DEFAULT,
    timeout: float | str | None = None,
    dry_run: bool | str = False,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Set values of a dataset's metadata (``default.title``), only those that differ, publish, return the Outcome."""
    return do(metadata_job, locals(), wait_mode=wait_mode, credentials=credentials)
