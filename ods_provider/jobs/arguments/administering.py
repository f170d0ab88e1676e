"""The arguments of what runs a portal: harvests, and who sees a dataset."""

from __future__ import annotations

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.given import required, truth, whole_number
from ods_provider.jobs.arguments.kinds import Flag, Number, Seconds, Text, time_limit
from ods_provider.jobs.harvest import HarvestJob
from ods_provider.jobs.visibility import VisibilityJob


def harvest_job(
    *,
    harvester_id: Text,
    publish: Flag = True,
    max_errors: Number = 0,
    timeout: Seconds = None,
    dry_run: Flag = False,
) -> HarvestJob:
    """Return a harvest.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    return HarvestJob(
        required("harvester_id", harvester_id),
        publish=truth("publish", publish, default=True),
        max_errors=whole_number("max_errors", max_errors, default=0),
        timeout_s=time_limit(timeout),
        dry_run=truth("dry_run", dry_run, default=False),
    )


def visibility_job(
    *, dataset_id: Text, public: Flag = True, timeout: Seconds = None, dry_run: Flag = False
) -> VisibilityJob:
    """Return a change of who sees a dataset.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    return VisibilityJob(
        dataset_named(required("dataset_id", dataset_id)),
        public=truth("public", public, default=True),
        timeout_s=time_limit(timeout),
        dry_run=truth("dry_run", dry_run, default=False),
    )
