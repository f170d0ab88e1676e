"""The smallest adapter: a plugin for a scheduler that is a process, and a loop that starts it again.

A process ends with 0 (done), 75 (come back later), 143 (stopped) or 1 (failed). Copy it and put your scheduler in.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from ods_provider.conformance.work import Ran, Work
from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.errors import OdsError
from ods_provider.core.outcome import Wait
from ods_provider.jobs.context import Suspended
from ods_provider.jobs.runner import explain, run_job
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run, SchedulerAdapter

NAME = "reference"
WORK_FILE = "ODS_REFERENCE_WORK"
DONE, FAILED, WAITING, STOPPED = 0, 1, 75, 143


# The plugin: who we are, and how our users' connections are looked up. The rest has answers already.


class Scheduler:
    """The adapter of this scheduler."""

    name = NAME

    def run(self, native: Any, *, connection_ref: str) -> Run:
        """Return the run of a work's name, which is the same at every try."""
        return Run(NAME, f"reference-{native}", connection_ref, logging.getLogger("reference"), native)


@hookimpl
def ods_get_scheduler(name: str) -> SchedulerAdapter | None:
    """Serve this scheduler."""
    return Scheduler() if name == NAME else None


@hookimpl
def ods_resolve_connection(ref: str, scheduler: str) -> OdsConnection | None:
    """Read the connection from the file in which this scheduler keeps it."""
    if scheduler != NAME:
        return None
    work = Work.from_json(Path(os.environ[WORK_FILE]).read_text())
    return from_parts(host=work.host, password=work.api_key, extra=work.extra, where=ref)


# One try, in a process of its own


def main() -> int:
    """Run the work once; print the result, or when to come back."""
    logging.basicConfig(level=logging.DEBUG)
    work = Work.from_json(Path(os.environ[WORK_FILE]).read_text())
    cancel = threading.Event()

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        cancel.set()
        # Only an exception ends a read that waits for the portal.
        raise Suspended("stopped; progress is kept and the next try goes on")

    signal.signal(signal.SIGTERM, stop)
    try:
        ended = run_job(work.make_job(), scheduler=NAME, native=work.name, cancel=cancel)
    except OdsError as error:
        print(explain(error), file=sys.stderr)  # noqa: T201  what this process says is its answer
        return FAILED
    except Suspended:
        return STOPPED
    if isinstance(ended, Wait):
        print(json.dumps({"until": ended.until.isoformat(), "reason": ended.reason}))  # noqa: T201
        return WAITING
    print(json.dumps(ended.result))  # noqa: T201
    return DONE


# The scheduler itself: it waits, and no process does


class Reference:
    """Mixed into ``AdapterSuite``: run a work to its end, one process per try."""

    timeout_s: float

    def run(self, work: Work) -> Ran:
        """See ``AdapterSuite.run``."""
        give_up = time.monotonic() + self.timeout_s
        with tempfile.TemporaryDirectory() as private:  # only its owner may look inside
            file = Path(private) / "work.json"
            file.write_text(work.to_json())
            said = ""
            while True:
                ended = subprocess.run(  # noqa: S603  our own interpreter
                    [sys.executable, "-m", __name__],
                    env={
                        **os.environ,
                        **work.environ,
                        "ODS_PLUGINS": f"{work.environ['ODS_PLUGINS']} {__name__}",
                        WORK_FILE: str(file),
                    },
                    capture_output=True,
                    text=True,
                    timeout=max(1.0, give_up - time.monotonic()),
                    check=False,
                )
                said += ended.stderr + ended.stdout
                if ended.returncode == DONE:
                    return Ran("done", json.loads(ended.stdout), said)
                if ended.returncode != WAITING:
                    return Ran("stopped" if ended.returncode == STOPPED else "failed", None, said)
                self.sleep_until(datetime.fromisoformat(json.loads(ended.stdout)["until"]))

    def sleep_until(self, until: datetime) -> None:
        """Wait, in whatever way costs this scheduler nothing."""
        time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))


if __name__ == "__main__":
    sys.exit(main())
