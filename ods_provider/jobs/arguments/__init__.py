"""What users type, as jobs: one builder for each job, which operators, tasks, ops, assets and commands all call.

Here stands once what each argument may look like, what it means when it is not given (``core.given``), that an empty
text never widens the work, and that ``v1`` excludes the words of the other API. A builder takes every argument as
people and templates write it: text where a number is meant, JSON or Python's spelling where a mapping is. Its signature
is the list of the job's arguments; the faces follow it, and ``tests/faces.py`` holds them to it.
"""

from __future__ import annotations

from ods_provider.jobs.arguments.administering import harvest_job, visibility_job
from ods_provider.jobs.arguments.describing import metadata_job
from ods_provider.jobs.arguments.files import download_job, media_job
from ods_provider.jobs.arguments.loads import load_job
from ods_provider.jobs.arguments.mirrors import mirror_batch_job, mirror_job, mirror_plan_job, mirror_report_job
from ods_provider.jobs.arguments.publishing import publish_file_job, publish_job
from ods_provider.jobs.arguments.realtime import push_job, sync_job, watch_job
from ods_provider.jobs.arguments.rows import analysis_job, search_job
from ods_provider.jobs.arguments.spread import assemble_job, partition_job

__all__ = [
    "analysis_job",
    "assemble_job",
    "download_job",
    "harvest_job",
    "load_job",
    "media_job",
    "metadata_job",
    "mirror_batch_job",
    "mirror_job",
    "mirror_plan_job",
    "mirror_report_job",
    "partition_job",
    "publish_file_job",
    "publish_job",
    "push_job",
    "search_job",
    "sync_job",
    "visibility_job",
    "watch_job",
]
