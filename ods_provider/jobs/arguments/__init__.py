"""What users type, as jobs: one builder for each job, which operators, tasks, ops, assets and commands all call.

Here stands once what each argument may look like, what it means when it is not given (``core.given``), that an empty
text never widens the work, and that ``v1`` excludes the words of the other API. A builder takes every argument as
people and templates write it: text where a number is meant, JSON or Python's spelling where a mapping is. Its signature
is the list of the job's arguments; the faces follow it, and ``tests/faces.py`` holds them to it.
"""

from __future__ import annotations

from ods_provider.jobs.arguments.files import download_job, media_job
from ods_provider.jobs.arguments.realtime import push_job, watch_job
from ods_provider.jobs.arguments.rows import analysis_job, search_job

__all__ = ["analysis_job", "download_job", "media_job", "push_job", "search_job", "watch_job"]
