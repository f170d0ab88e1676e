"""Jobs in processes that are killed: forked from one that has imported all, so that a kill costs no start of Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

# Forks a process for each line that it reads, so that a kill costs no start of Python.
_NURSERY = """
import json, os, signal, sys, traceback
from pathlib import Path
from lab import API_KEY, Lab
from ods_provider.core.errors import OdsError
from ods_provider.core.outcome import Done
import ods_provider.transport.session, sqlite3, pendulum, fsspec.implementations.local
IMPORTS

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    given = json.loads(line)
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        continue
    try:
        lab = Lab(given["url"], Path(given["folder"]), api_key=API_KEY, max_retries=3)
        job = JOB
        try:
            ended = lab.run(job)
            told = {"done": ended.result} if isinstance(ended, Done) else {"wait": ended.reason}
        except OdsError as error:
            told = {"error": f"{type(error).__name__}: {error}", "transient": error.transient}
        part = Path(given["told"] + ".part")
        part.write_text(json.dumps(told))
        part.rename(given["told"])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)
"""


class Nursery:
    """Starts jobs as processes of their own.

    Args:
        url: The portal.
        folder: Where they keep their progress and tell how they ended.
        job: An expression that makes the job of ``given``.
        imports: What it needs, as code.
    """

    def __init__(self, url: str, folder: Path, job: str, *, imports: str) -> None:
        self._url, self._folder = url, folder
        self._code = _NURSERY.replace("IMPORTS", imports).replace("JOB", job)
        self._number = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._code],
            cwd=Path(__file__).parents[0],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.communicate()

    def start(self, **more: Any) -> tuple[int, Path]:
        """Start one, and return its number and where it will tell how it ended."""
        self._number += 1
        told = self._folder / f"told-{self._number}.json"
        given = {"url": self._url, "folder": str(self._folder), "told": str(told), **more}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline()), told


def is_there(pid: int) -> bool:
    """Return whether a process is at work."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(what: Any, pid: int) -> None:
    """Wait until ``what`` is so, or the process has ended."""
    end = time.monotonic() + 120
    while not what() and is_there(pid):
        assert time.monotonic() < end, "it neither goes on nor ends"
        time.sleep(0.001)
