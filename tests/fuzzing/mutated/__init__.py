"""Answers of the local portal that are changed on their way to the client, for every method and every job.

A proxy stands between the client and the portal, on real sockets. It keeps the portal's right answers to an operation,
and then gives them out again with something changed: the status line, a header, the length, the body, a value of the
JSON (``heads``, ``bodies``, ``values``). The operation must end with an ``OdsError`` that is fit to be shown and holds
no key, with a ``Wait``, or with the right result; in bounded time and memory. ``mutations`` says when nobody can tell a
changed answer from a right one; then the result's type counts alone.

Every operation is known by a seed and a number, and repeated alone by ``python -m fuzzing.mutated``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SEED = os.environ.get("ODS_FUZZ_SEED") or "1"
MOST_MB = 300
_TESTS = Path(__file__).parents[2]


def start(*, operations: int, seed: str = SEED, first: int = 0, step: int = 1) -> subprocess.Popen[str]:
    """Begin a session in a process of its own."""
    numbers = ["--operations", str(operations), "--first", str(first), "--step", str(step)]
    words = [sys.executable, "-m", "fuzzing.mutated", "--seed", seed, *numbers]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_TESTS), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(
        words, env=environment, cwd=_TESTS.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def expect_whole(session: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a session and return how its operations ended; each that went wrong is told with how to repeat it."""
    told, log = session.communicate()
    lines = [json.loads(line) for line in told.splitlines()]
    wrong = [line for line in lines if "repeat" in line]
    assert not wrong, "\n\n".join(_shown(line) for line in wrong[:10])
    assert session.returncode == 0, log[-4000:]
    summed: dict[str, Any] = lines[-1]
    assert summed["grown_mb"] < MOST_MB, summed
    assert summed["threads"] < 20, summed
    return summed


def _shown(line: dict[str, Any]) -> str:
    blows = "\n  ".join(line.get("blows", ()))
    wrong = "\n".join(line["wrong"])
    return f"{line.get('operation')}\n  {blows}\n{wrong}\nRepeat it: {line['repeat']}"
