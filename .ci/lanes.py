r"""Run commands side by side, each one's output in one piece when it ends; what fails is run once more.

Standard input names them, ``name: shell command`` a line; they begin in that order. A second try finds
``ODS_ONCE_MORE`` in its environment, and may leave out what has passed. What a command leaves running is ended. The
end tells each one's time and pytest's last line, and the exit code is 1 where a command failed at last.

    printf '%s\n' 'lint: make lint' 'tests: make test' | python .ci/lanes.py --lanes 2
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

import psutil

_MARK = "ODS_CI_COMMAND"  # in the environment of all that a command starts, however far it moves away
_AGAIN = "ODS_ONCE_MORE"  # in the environment of a second try, which may leave out what has passed
_CLOSING = re.compile(r"^(?:=+ )?(\d+ (?:passed|failed|skipped|error)\b.* in [\d.]+s.*?)(?: =+)?$", re.MULTILINE)
LEAVE_S = 10.0  # what ends by itself shortly after its parent is not left behind


@dataclass
class Job:
    """One command, and what became of it."""

    name: str
    command: str
    tries: int = 0
    seconds: float = 0.0
    passed: bool = False
    closing: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        how = "FAILED" if not self.passed else "passed" if self.tries == 1 else "passed at the second try"
        said = f": {', '.join(self.closing)}" if self.closing else ""
        return f"{self.name} {how} in {self.seconds:.0f} s{said}"


class Lanes:
    """Lanes that take one job after the other.

    Args:
        jobs: What is to be run.
        limit_s: The most that a job may take; it is ended then, and has failed.
        log: Folder of the outputs.
    """

    def __init__(self, jobs: list[Job], *, limit_s: float, log: Path) -> None:
        self.jobs = jobs
        self._limit_s, self._log = limit_s, log
        self._waiting: SimpleQueue[Job] = SimpleQueue()
        self._printing = threading.Lock()
        self._marks: set[str] = set()
        self._stopped = threading.Event()
        for job in jobs:
            self._waiting.put(job)

    def run(self, lanes: int) -> None:
        """Return when every job has ended."""
        threads = [threading.Thread(target=self._lane, daemon=True) for _ in range(lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)  # a signal is handled between two of these

    def stop(self) -> None:
        """Begin nothing more, and end what runs."""
        self._stopped.set()
        for mark in list(self._marks):
            _end(_marked(mark))

    def _lane(self) -> None:
        with contextlib.suppress(Empty):
            while not self._stopped.is_set():
                job = self._waiting.get_nowait()
                try:
                    self._try(job)
                    # What takes long to fail would take the time of all that waits behind it.
                    if not job.passed and job.seconds < self._limit_s / 2 and not self._stopped.is_set():
                        self._try(job)
                except Exception as error:  # a lane that ends early would leave jobs undone and nobody would know
                    job.passed = False
                    self._say(f"== {job.name} could not be run: {error!r}")

    def _try(self, job: Job) -> None:
        job.tries += 1
        output = self._log / f"{re.sub(r'[^A-Za-z0-9.]+', '-', job.name)}-{job.tries}.log"
        mark = secrets.token_hex(8)
        self._marks.add(mark)
        environ = os.environ | {_MARK: mark} | ({_AGAIN: "1"} if job.tries > 1 else {})
        began = time.monotonic()
        with output.open("wb") as log:
            process = subprocess.Popen(
                ["bash", "-c", job.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environ,
                start_new_session=True,
            )
            if self._stopped.is_set():
                _end(_marked(mark))
            try:
                code: int | str = process.wait(self._limit_s)
            except subprocess.TimeoutExpired:
                code = f"no end after {self._limit_s:.0f} s"
                _end(_marked(mark))
                process.wait()
        left = _left_behind(mark)
        self._marks.discard(mark)
        job.seconds = time.monotonic() - began
        job.passed = code == 0
        text = output.read_text(encoding="utf-8", errors="replace")
        job.closing = _CLOSING.findall(text)
        again = "; once more" if not job.passed and job.tries == 1 and job.seconds < self._limit_s / 2 else ""
        ended = "passed" if job.passed else f"FAILED ({code}){again}"
        self._say(f"\n== {job.name}", text.rstrip(), *left, f"== {job.name} {ended}, {job.seconds:.0f} s")

    def _say(self, *lines: str) -> None:
        with self._printing:
            print(*lines, sep="\n", flush=True)


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(_MARK) == mark:
                yield process


def _end(processes: Iterator[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _left_behind(mark: str) -> list[str]:
    """End what a command left running, and say what that was."""
    until = time.monotonic() + LEAVE_S
    while (left := list(_marked(mark))) and time.monotonic() < until:
        time.sleep(0.2)
    said = []
    for process in left:
        with contextlib.suppress(psutil.Error):
            said.append(f"== left running, and ended now: {process.pid} {' '.join(process.cmdline())[:200]}")
            process.kill()
    return said


def _read(lines: Iterator[str]) -> list[Job]:
    jobs = []
    for line in lines:
        name, _, command = (part.strip() for part in line.partition(": "))
        if not name or not command:
            raise SystemExit(f"This line names no command: {line!r}. Write: name: command")
        jobs.append(Job(name, command))
    return jobs


def main() -> int:
    """Run the commands of standard input and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lanes", type=int, default=2, help="how many run at once")
    parser.add_argument("--limit-s", type=float, default=2100.0, help="the most that one may take")
    given = parser.parse_args()
    jobs = _read(iter(sys.stdin))
    with tempfile.TemporaryDirectory(prefix="ods-lanes-") as log:
        lanes = Lanes(jobs, limit_s=given.limit_s, log=Path(log))

        def stop(number: int, frame: FrameType | None) -> None:
            lanes.stop()
            raise SystemExit(128 + number)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        lanes.run(given.lanes)
    print("", *jobs, sep="\n", flush=True)
    return 0 if all(job.passed for job in jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
