"""Jobs of portals under APScheduler 3: one that must wait is put off to that moment, and holds no thread until then.

    scheduler = BackgroundScheduler()
    ods_apscheduler.use(scheduler)
    ods_apscheduler.add("cities", "download", CronTrigger(hour=2), dataset_id="cities", path="/srv/cities.csv")
    scheduler.start()
    …
    ods_apscheduler.stop()

Listeners of APScheduler (`EVENT_JOB_EXECUTED`) get as `retval` a `Wait` while the work is not over, then `Done`. Work
without a trigger is done once, and tried again after what passes; in a job store that lasts it outlives `kill -9`.
"""

import json
import logging
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from apscheduler.jobstores.base import JobLookupError
from apscheduler.triggers.interval import IntervalTrigger
from apscheduler.util import undefined

from ods_provider.core.connection import from_parts
from ods_provider.core.outcome import Wait
from ods_provider.errors import OdsError
from ods_provider.jobs import arguments
from ods_provider.jobs.runner import run_job
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run

ODS_PLUGIN_API_REQUIRES = ">=1.1,<2"
NAME = "apscheduler"
AGAIN_MIN = 10
# What job stores keep must be found again by its name in another process: the scheduler cannot be among it.
_used = {}
_stopping = threading.Event()


# [START hooks]
class APScheduler:
    """The adapter: the run's name is the work's, the same at every turn of it."""

    name = NAME

    def run(self, native, *, connection_ref):
        return Run(NAME, f"{NAME}/{native}", connection_ref, logging.getLogger("apscheduler.ods"), native)


@hookimpl
def ods_get_scheduler(name):
    return APScheduler() if name == NAME else None


@hookimpl
def ods_resolve_connection(ref, scheduler):
    """Read `{"city": {"host": …, "api_key": …}}`, any other setting of a connection beside them."""
    if scheduler != NAME:
        return None
    kept = json.loads(Path(os.environ["ODS_APSCHEDULER_CONNECTIONS"]).read_text()).get(ref)
    if kept is None:
        return None
    return from_parts(host=kept.pop("host"), password=kept.pop("api_key", None), extra=kept, where=f"connection {ref}")


# [END hooks]


def use(scheduler):
    """Let the jobs of this process run under ``scheduler``; call it before the scheduler starts."""
    _used["scheduler"] = scheduler
    _stopping.clear()


def stop():
    """End the scheduler; what works now stops within a second, and its next try goes on."""
    _stopping.set()
    # Waiting for its threads would keep its job stores locked, which they need to put work off.
    _used["scheduler"].shutdown(wait=False)


# [START turn]
def add(name, kind, trigger=None, /, *, connection="ods_default", **given):
    """Add the work ``name``: ``kind`` is download, search, load, …, and ``given`` are the arguments of its operator."""
    getattr(arguments, f"{kind}_job")(**given)  # what is wrong with them is said here, not at night
    told = {"name": name, "kind": kind, "connection": connection, "given": given, "once": trigger is None}
    return _add(told, trigger, datetime.now(UTC) if trigger is None else undefined)


def turn(name, kind, connection, given, once, checkpoint=None):
    """Work until it is done, must wait, or fails. Job stores keep the arguments: they are plain values."""
    told = {"name": name, "kind": kind, "connection": connection, "given": given, "once": once}
    job = getattr(arguments, f"{kind}_job")(**given)
    how = {"connection_ref": connection, "checkpoint": checkpoint, "cancel": _stopping}
    try:
        ended = run_job(job, scheduler=NAME, native=name, **how)
    except OdsError as error:
        _over(told, again=error.transient)
        raise
    if isinstance(ended, Wait):
        waiting = told | {"checkpoint": dict(ended.checkpoint)}
        # The very job is moved: its trigger goes on from there, and no second one meets the same progress meanwhile.
        if not _change(name, kwargs=waiting, next_run_time=ended.until):
            _add(waiting | {"once": True}, None, ended.until)  # of a trigger that has no next time
    else:
        _over(told)
    return ended


def _over(told, *, again=False):
    """Forget the work that was to be done once, and of any other how long it has waited."""
    if told["once"] and not again:
        try:
            _used["scheduler"].remove_job(told["name"])
        except JobLookupError:
            pass
    else:
        _change(told["name"], kwargs=told)


def _change(name, **changes):
    try:
        return _used["scheduler"].modify_job(name, **changes)
    except JobLookupError:
        return None


def _add(told, trigger, first):
    how = {"id": told["name"], "name": told["name"], "replace_existing": True, "next_run_time": first}
    # Late is better than never: a moment that passed while no process ran is made up for, once.
    how |= {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
    return _used["scheduler"].add_job(turn, trigger or IntervalTrigger(minutes=AGAIN_MIN), kwargs=told, **how)


# [END turn]
