"""Run `ods` as its users do: in this process, as a process of its own, and on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ods_provider.cli import main

API_KEY, PUSH_KEY = "demo-key", "demo-push-key"
MEDIA = ("media", "landmark-photos", "photos", "--kind", "files")


@dataclass
class Ended:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def surroundings(tmp_path: Path, ods_portal: Any) -> dict[str, str]:
    """The environment of a command: the portal, and folders of its own."""
    return {
        "ODS_HOST": ods_portal.url,
        "ODS_API_KEY": API_KEY,
        "ODS_PUSH_API_KEY": PUSH_KEY,
        "ODS_MAX_WAIT_S": "0.1",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "ODS_CONFIG": "",
    }


@pytest.fixture
def ods(
    surroundings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Ended]]:
    """Run a command in this process, in an empty folder; no key may stand in what it says."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*arguments: str, input: str | None = None, secrets: tuple[str, ...] = (), **env: str) -> Ended:
        done = CliRunner().invoke(main, arguments, input=input, env=surroundings | env)
        for secret in (API_KEY, PUSH_KEY, *secrets):
            assert secret not in done.stdout + done.stderr, f"{secret} in the output"
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ended(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def start(surroundings: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command as a process of its own."""
    started: list[subprocess.Popen[str]] = []
    # A shell without job control has what it starts by `&` ignore Ctrl-C, and so does whatever that starts in turn.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def run(*arguments: str, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "ods_provider.cli", *arguments],
            env=os.environ | surroundings | env,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    signal.signal(signal.SIGINT, before)
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def files(portal):
    return [entry.path for entry in portal.requests if "/files/" in entry.path and entry.status == 200]


def stalled(portal, process, count=4):
    end = time.monotonic() + 120
    while sum("/files/" in entry.path and not entry.status for entry in portal.requests) < count:
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.02)
    time.sleep(0.2)


def on_a_terminal(arguments, surroundings, tmp_path, *, width=110, keys=()):
    """Run a command on a pseudo terminal and return its exit code and everything that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:  # the child: a terminal of its own, then the command
        os.chdir(tmp_path)
        env = os.environ | surroundings | {"TERM": "xterm-256color", "COLUMNS": str(width)}
        for name in ("NO_COLOR", "CI"):
            env.pop(name, None)
        os.execve(sys.executable, [sys.executable, "-m", "ods_provider.cli", *arguments], env)
    shown, end = b"", time.monotonic() + 120
    sent = list(keys)
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        if sent and sent[0][0] in shown:
            os.write(terminal, sent.pop(0)[1])
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode()


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
