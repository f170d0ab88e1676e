"""What jobs do, as metrics: `ODS_PROMETHEUS_PORT=9464` serves them, `ODS_PROMETHEUS_ADDR=0.0.0.0` to other machines.

One process has a port. Where several work on a machine (Celery, cron), set prometheus_client's own
PROMETHEUS_MULTIPROC_DIR and serve the folder from a process of yours.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime

from prometheus_client import Counter, Histogram, start_http_server

from ods_provider.core.events import JobDone, JobFailed, JobStarted, RequestSent, RetryScheduled, Waiting
from ods_provider.plugins.hookspecs import hookimpl

ODS_PLUGIN_API_REQUIRES = ">=1.1,<2"

# No run and no URL is a label: each new value is one more series for ever.
CALLS = Counter("ods_calls", "Calls that a portal answered.", ["dataset", "kind", "status"])
CALL_SECONDS = Histogram("ods_call_seconds", "Seconds until an answer began.", ["kind"])
RETRIES = Counter("ods_retries", "Calls that were sent again, by what had gone wrong.", ["error"])
ROWS = Counter("ods_rows", "Rows of jobs that are done.", ["job", "dataset"])
DONE = Counter("ods_jobs_done", "Jobs that are done.", ["job", "dataset"])
FAILURES = Counter("ods_failures", "Jobs that failed.", ["job", "dataset", "error"])
STOPPED = Counter("ods_jobs_stopped", "Jobs that were told to stop.", ["job", "dataset"])
WAITS = Counter("ods_waits", "Times that a job had to wait.", ["job", "dataset"])
WAIT_SECONDS = Counter("ods_wait_seconds", "Seconds that jobs were told to wait.", ["job", "dataset"])
_begun = {}

if port := os.environ.get("ODS_PROMETHEUS_PORT"):
    # Taken already: the plugin is named as broken, and the jobs run without it.
    start_http_server(int(port), addr=os.environ.get("ODS_PROMETHEUS_ADDR", "127.0.0.1"))


# [START listener]
@hookimpl
def ods_job_event(event, run):
    if isinstance(event, RequestSent):
        CALLS.labels(event.dataset_id or "", event.kind, str(event.status)).inc()
        CALL_SECONDS.labels(event.kind).observe(event.wait_s)
    elif isinstance(event, RetryScheduled):
        RETRIES.labels(type(event.caused_by).__name__).inc()
    elif isinstance(event, JobStarted):
        _begun[run.key] = (event.job, event.dataset_id or "")
    elif isinstance(event, Waiting):
        # The one event that can come without a JobStarted: a watch whose connection is not to be had for now.
        labels = _begun.pop(run.key, ("", ""))
        WAITS.labels(*labels).inc()
        WAIT_SECONDS.labels(*labels).inc(max(0.0, (event.until - datetime.now(UTC)).total_seconds()))
    elif isinstance(event, JobDone):
        labels = _begun.pop(run.key, ("", ""))
        DONE.labels(*labels).inc()
        ROWS.labels(*labels).inc(rows_of(event.result))
    elif isinstance(event, JobFailed):
        labels = _begun.pop(run.key, ("", ""))
        if isinstance(event.error, Exception):
            FAILURES.labels(*labels, type(event.error).__name__).inc()
        else:
            STOPPED.labels(*labels).inc()  # Suspended, a signal: nothing is wrong


def rows_of(result):
    """Return how many rows: an Outcome says so, and rows that were returned are a list."""
    if isinstance(result, Mapping):
        return 0 if result.get("unchanged") else result.get("rows") or 0
    return len(result) if isinstance(result, list) else 0


# [END listener]
