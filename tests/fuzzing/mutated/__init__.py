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
from collections import Counter
from pathlib import Path
from typing import Any

SEED = os.environ.get("ODS_FUZZ_SEED") or "1"
MOST_MB = 400  # of which the largest answer that is taken in one piece holds nearly half while it is put together
MOST_THREADS = 20
_TESTS = Path(__file__).parents[2]


def start(
    *, operations: int, seed: str = SEED, first: int = 0, step: int = 1, kinds: bool = False
) -> subprocess.Popen[str]:
    """Begin a session in a process of its own; ``kinds`` takes every method and job in turn, in place of any."""
    numbers = ["--operations", str(operations), "--first", str(first), "--step", str(step)]
    words = [sys.executable, "-m", "fuzzing.mutated", "--seed", seed, *numbers, *(["--kinds"] if kinds else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_TESTS), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(
        words, env=environment, cwd=_TESTS.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def expect_whole(*sessions: subprocess.Popen[str]) -> Counter[str]:
    """Wait for sessions and return how often operations ended how, and which changes were made.

    Each operation that went wrong is told with how to repeat it.
    """
    ended = [(session, *session.communicate()) for session in sessions]
    lines = [[json.loads(line) for line in told.splitlines()] for _, told, _ in ended]
    wrong = [_shown(line) for told in lines for line in told if "repeat" in line]
    assert not wrong, "\n\n".join(wrong[:20])
    found: Counter[str] = Counter()
    for (session, _, log), told in zip(ended, lines, strict=True):
        assert session.returncode == 0, log[-4000:]
        summed = told[-1]
        print(summed)
        assert summed["grown_mb"] < MOST_MB, summed
        assert summed["threads"] < MOST_THREADS, summed
        found.update(summed["ends"] | summed["struck"])
    return found


def _shown(line: dict[str, Any]) -> str:
    blows = "\n  ".join(line.get("blows", ()))
    wrong = "\n".join(line["wrong"])
    return f"{line.get('operation')}\n  {blows}\n{wrong}\nRepeat it: {line['repeat']}"
