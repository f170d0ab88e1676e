"""The process in which dlt runs, as its parent holds it. One that has done its work waits a while for the next load.

To import dlt takes longer than a small load: a mirror of many datasets would wait for it once for each of them.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

_WAITS_S = 30.0  # until one without work ends by itself
COMMAND = (sys.executable, "-m", "ods_provider.tables.engines.dltchild", str(_WAITS_S))
_GRACE_S = 5.0  # between asking the process to end and ending it
_LOOK_S = 0.5  # a signal for this process is heard while it waits
_ANSWER_BYTES = 64_000_000
_NOISE_BYTES = 2_000


class Process:
    """A process that answers lines with lines.

    Args:
        command: What is run.
    """

    def __init__(self, command: tuple[str, ...]) -> None:
        self._made_as = (command, os.getpid(), dict(os.environ), Path.cwd())
        self._ending = threading.Lock()
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        self._held = b""
        self._told = 0
        self._since_s = 0.0
        # Its session is its own, so that a signal for our group is not one for it.
        self._popen = subprocess.Popen(  # noqa: S603  our own module, by this very Python
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._noise, start_new_session=True
        )

    @property
    def pid(self) -> int:
        """Its id."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._popen.poll() is None

    def send(self, line: bytes) -> None:
        """Hand it a line; one that has ended is known by its answer."""
        assert self._popen.stdin is not None
        with suppress(BrokenPipeError):
            self._popen.stdin.write(line + b"\n")
            self._popen.stdin.flush()

    def receive(self) -> bytes | None:
        """Return its next line, None where it has ended.

        Raises:
            ValueError: The line has no end.
        """
        assert self._popen.stdout is not None
        handle = self._popen.stdout.fileno()
        while b"\n" not in self._held:
            ready, _, _ = select.select([handle], [], [], _LOOK_S)
            if not ready:
                continue
            piece = os.read(handle, 65_536)
            if not piece:
                return None
            self._held += piece
            if len(self._held) > _ANSWER_BYTES:
                raise ValueError("a line without an end")
        line, _, self._held = self._held.partition(b"\n")
        return line

    def last_words(self) -> tuple[int, str]:
        """Return the code with which it ended, and the last line that it wrote for people since it was taken."""
        code = self._popen.wait()
        size = self._noise.seek(0, os.SEEK_END)
        self._noise.seek(max(self._told, size - _NOISE_BYTES))
        lines = self._noise.read().decode(errors="replace").strip().splitlines()
        return code, lines[-1] if lines else ""

    def end(self) -> None:
        """End it; from any thread, any number of times."""
        with self._ending:
            if self._popen.poll() is not None:
                return
            self._popen.send_signal(signal.SIGTERM)
            try:
                self._popen.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()

    def close(self) -> None:
        """End it, and close what leads to it."""
        self.end()
        self._shut()

    def fits(self, command: tuple[str, ...]) -> bool:
        """Return whether it is as a new one would be, and will be there for a while."""
        waited_s = time.monotonic() - self._since_s
        return self._made_as == (command, os.getpid(), dict(os.environ), Path.cwd()) and (
            waited_s < _WAITS_S / 2 and self.running and not self._held
        )

    def rest(self) -> None:
        """Note that it waits from now on, and that what it has said so far is no matter of whoever takes it next."""
        self._since_s = time.monotonic()
        self._told = self._noise.seek(0, os.SEEK_END)

    def _shut(self) -> None:
        for stream in (self._popen.stdin, self._popen.stdout, self._noise):
            with suppress(OSError):
                assert stream is not None
                stream.close()

    def forget(self) -> None:
        """Let go of it in a process that was forked from its parent."""
        self._shut()
        self._popen.returncode = 0  # it is nobody's here


class _Waiting:
    """The one process that waits for work; what more there is ends with its load."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: Process | None = None

    def take(self, command: tuple[str, ...]) -> Process:
        with self._lock:
            found, self._process = self._process, None
        if found is not None and found.fits(command):
            return found
        if found is not None:
            found.close()
        return Process(command)

    def give_back(self, process: Process) -> None:
        process.rest()
        with self._lock:
            older, self._process = self._process, process
        if older is not None:
            older.close()

    def end(self) -> None:
        with self._lock:
            found, self._process = self._process, None
        if found is not None:
            found.close()

    def forget(self) -> None:
        self._lock = threading.Lock()  # another thread may have held it in that moment
        found, self._process = self._process, None
        if found is not None:
            found.forget()


_waiting = _Waiting()
take, give_back = _waiting.take, _waiting.give_back
atexit.register(_waiting.end)
os.register_at_fork(after_in_child=_waiting.forget)
