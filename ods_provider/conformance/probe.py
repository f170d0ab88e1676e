"""The suite's own plugin: it writes down what it hears, says when a job is in the middle, and kills when told to.

It runs in the process of the job, as any plugin does, and knows its orders from one folder.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ods_provider.core.events import Event, RequestSent
from ods_provider.core.outcome import Wait
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run

FOLDER = "ODS_CONFORMANCE_FOLDER"
EVENTS = "events.jsonl"
KILL = "kill-at"
MIDDLE = "tell-at"
PID = "pid"
_lock = threading.Lock()


@hookimpl
def ods_wait_policy(wait: Wait, run: Run) -> Wait:
    """Keep the wait as short as the portal allows: the usual spread of half a minute makes slow tests."""
    return replace(wait, until=wait.until + timedelta(seconds=0.1))


@hookimpl
def ods_job_event(event: Event, run: Run) -> None:
    """Write the event down, and do what is ordered for this moment."""
    folder = Path(os.environ[FOLDER])
    with _lock:
        with (folder / EVENTS).open("a") as file:
            file.write(json.dumps(_told(event, run)) + "\n")
        if isinstance(event, RequestSent) and event.status == 200:
            seen = [heard for heard in heard_in(folder) if heard["event"] == "RequestSent" and heard["status"] == 200]
            if _ordered(folder / KILL, seen):
                os.kill(os.getpid(), signal.SIGKILL)
            if _ordered(folder / MIDDLE, seen):
                (folder / PID).write_text(str(os.getpid()))


def heard_in(folder: Path) -> list[dict[str, Any]]:
    """Return the events written down in ``folder``, of all processes."""
    try:
        lines = (folder / EVENTS).read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def _told(event: Event, run: Run) -> dict[str, Any]:
    told: dict[str, Any] = {"event": type(event).__name__, "pid": os.getpid(), "at": time.time(), "key": run.key}
    if isinstance(event, RequestSent):
        told |= {"status": event.status, "url": event.url}
    # What a careless listener would log: keys are looked for in it.
    return told | {"repr": repr(event), "run": repr(run)}


def _ordered(order: Path, seen: list[dict[str, Any]]) -> bool:
    """Return whether the order's moment is now: ``<text in the URL> <how many>``. It is carried out once."""
    try:
        where, number = order.read_text().split()
    except FileNotFoundError:
        return False
    if sum(where in heard["url"] for heard in seen) < int(number):
        return False
    order.unlink()
    return True
