"""An Airflow whose tasks run on two Celery workers, which can be stopped, killed and started again."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import psutil
from airflow_daemons import Airflow, free_port, wait_for

WORKERS = ("one", "two")


def _worker(name: str) -> str:
    return f"celery worker --celery-hostname={name} --concurrency=1 --pid={name}.pid --without-gossip --without-mingle"


class Distributed(Airflow):
    """An Airflow whose tasks run on two workers."""

    def start_workers(self) -> None:
        """Start the workers that do not run, and wait until they are ready."""
        missing = {name: self._times_ready(name) for name in WORKERS if _worker(name) not in self._processes}
        for name in missing:
            (self.home / f"{name}.pid").unlink(missing_ok=True)
            # Each serves its logs on a port of its own, as they share a machine here.
            self.start(_worker(name), AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=str(free_port()))
        for name, before in missing.items():
            wait_for(f"worker {name} is ready", lambda n=name, b=before: self._times_ready(n) > b, timeout_s=240)  # type: ignore[misc]

    def stop_worker(self, name: str) -> None:
        """End a worker as an administrator does."""
        self.stop(_worker(name))

    def kill_worker(self, name: str) -> None:
        """End a worker and all its children as a power cut does: none of them says a word to anybody."""
        process = self._processes.pop(_worker(name))
        # A task leads a group of its own, so that the worker's group is not all of them.
        every = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for each in every:
            with suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGKILL)
        process.wait()

    def log_of(self, name: str) -> str:
        return self.server_log(_worker(name)).read_text(errors="replace")

    def _times_ready(self, name: str) -> int:
        return self.log_of(name).count(" ready.") if self.server_log(_worker(name)).exists() else 0

    def ran(self, name: str, *, task_instance: str) -> bool:
        """Whether a worker has begun this task instance."""
        return task_instance in self.log_of(name)

    def on_which(self, task_instance: str) -> str:
        """Return the worker that has begun this task instance."""
        (name,) = [name for name in WORKERS if self.ran(name, task_instance=task_instance)]
        return name
