"""The lanes of `.ci/run`: a failure is never lost, whatever runs beside it, and nothing stays behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

LANES = Path(__file__).parents[2] / ".ci" / "lanes.py"
# The same tests may run beside these, in another environment: their commands are told from ours.
LONG_S = f"98765.{os.getpid()}"


def begin(*jobs: str, lanes: int = 2, limit_s: float = 300) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, LANES, f"--lanes={lanes}", f"--limit-s={limit_s}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin
    process.stdin.write("\n".join(jobs))
    process.stdin.close()
    process.stdin = None
    return process


def run(*jobs: str, lanes: int = 2, limit_s: float = 300) -> tuple[int, str]:
    process = begin(*jobs, lanes=lanes, limit_s=limit_s)
    said, _ = process.communicate(timeout=120)
    # How long each took is the machine's affair.
    return process.returncode, re.sub(r"\d+ s(?=:|$)", "N s", said, flags=re.MULTILINE)


def running(part: str) -> int:
    found = 0
    for process in psutil.process_iter():
        try:
            found += process.cmdline() == ["sleep", part]
        except psutil.Error:
            continue
    return found


def gone(part: str) -> bool:
    until = time.monotonic() + 60
    while running(part) and time.monotonic() < until:
        time.sleep(0.05)
    return not running(part)


def test_all_that_pass_is_a_pass_and_pytests_closing_lines_are_told_again():
    code, said = run("one: echo first; echo '== 3 passed, 1 skipped in 0.52s =='", "two: echo '5 passed in 1.00s'")
    assert code == 0
    assert "one passed in N s: 3 passed, 1 skipped in 0.52s" in said.splitlines()
    assert "two passed in N s: 5 passed in 1.00s" in said.splitlines()


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_one_that_fails_twice_fails_all_is_named_and_the_others_are_run(lanes):
    code, said = run("good: true", "bad: echo why; exit 3", "last: echo here", lanes=lanes)
    assert code == 1
    assert said.count("why") == 2
    assert "== bad FAILED (3); once more, N s" in said and "== bad FAILED (3), N s" in said
    closing = said.splitlines()[-3:]
    assert closing == ["good passed in N s", "bad FAILED in N s", "last passed in N s"]


def test_one_that_passes_at_the_second_try_says_so(tmp_path):
    code, said = run(f"shaky: test -e {tmp_path}/mark || {{ touch {tmp_path}/mark; exit 1; }}")
    assert code == 0
    assert said.splitlines()[-1] == "shaky passed at the second try in N s"


def test_the_second_try_is_told_that_it_is_one():
    code, said = run('told: test -n "$ODS_ONCE_MORE"')
    assert code == 0
    assert said.splitlines()[-1] == "told passed at the second try in N s"


def test_a_command_that_is_not_there_is_a_failure():
    code, said = run("nothing: /no/such/program", "fine: true")
    assert code == 1
    assert "nothing FAILED in N s" in said


@pytest.mark.parametrize("line", ["empty:", "empty: ", ": true", "words"])
def test_a_line_that_names_no_command_is_refused_before_anything_runs(line, tmp_path):
    code, said = run(f"first: touch {tmp_path}/ran", line)
    assert (code, "names no command" in said, list(tmp_path.iterdir())) == (1, True, [])


def test_outputs_are_never_mixed():
    talk = "for i in 1 2 3 4 5; do echo {0} $i; sleep 0.05; done"
    _, said = run(f"a: {talk.format('alpha')}", f"b: {talk.format('beta')}")
    spoken = [line.split()[0] for line in said.splitlines() if line.startswith(("alpha", "beta"))]
    assert spoken in (["alpha"] * 5 + ["beta"] * 5, ["beta"] * 5 + ["alpha"] * 5)


def test_lanes_are_side_by_side(tmp_path):
    # Each waits for the other: one after the other they would wait for ever.
    meet = "touch {0}/{1}; until test -e {0}/{2}; do sleep 0.05; done"
    code, _ = run(f"a: {meet.format(tmp_path, 'a', 'b')}", f"b: {meet.format(tmp_path, 'b', 'a')}", limit_s=60)
    assert code == 0


def test_what_takes_too_long_is_ended_and_has_failed():
    code, said = run(f"slow: sleep {LONG_S}4", limit_s=1)
    assert code == 1
    assert "slow FAILED (no end after 1 s)" in said
    assert gone(f"{LONG_S}4")


@pytest.mark.at_length
def test_a_daemon_that_is_left_behind_is_named_and_ended():
    code, said = run(f"leaves: setsid sleep {LONG_S}3 & true")
    assert code == 0
    assert "== left running, and ended now" in said and f"sleep {LONG_S}3" in said
    assert gone(f"{LONG_S}3")


def test_whoever_ends_it_ends_all_that_it_started():
    process = begin(f"a: setsid sleep {LONG_S}2 & sleep {LONG_S}2", f"b: sleep {LONG_S}2")
    until = time.monotonic() + 60
    # All three of them: one that begins while the others are being ended is another matter.
    while running(f"{LONG_S}2") < 3 and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert gone(f"{LONG_S}2")
