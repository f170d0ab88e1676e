"""kill -9 at any moment of a sync: the next try ends with what the file holds, and no accepted batch is sent again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab import Lab

from ods_provider.jobs.arguments import sync_job
from ods_provider.testing.portal import LocalPortal

FIELDS = {"id": {"type": "int", "annotations": {"id": True}}, "name": "text"}
STANDING, WANTED = range(30), range(10, 50)
KILLS = 25
_CHILD = """
import sys
from pathlib import Path
from lab import API_KEY, PUSH_KEY, Lab
from ods_provider.jobs.arguments import sync_job

url, folder, path = sys.argv[1:]
lab = Lab(url, Path(folder), api_key=API_KEY, push_api_key=PUSH_KEY)
print("begun", flush=True)
lab.run(sync_job(dataset_id="stock", resource_id="live", path=path, max_delete="100%"))
"""


def rows(numbers: range, *, changed: bool = False) -> list[dict[str, Any]]:
    return [{"id": n, "name": f"{'new' if changed else 'old'} {n} " + "x" * 900_000} for n in numbers]


@pytest.fixture
def path(portal: LocalPortal, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of rows that fill five to a call: forty to push, ten to delete."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    portal.add_dataset("stock", FIELDS, rows(STANDING), resource="live")
    found = out / "stock.jsonl"
    found.write_text("".join(json.dumps(row) + "\n" for row in rows(WANTED, changed=True)))
    return found


def begun(lab: Lab, path: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _CHILD, lab.url, str(lab.folder), str(path)]
    child = subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, env=dict(os.environ))
    assert child.stdout is not None
    assert child.stdout.readline() == b"begun\n"
    return child


def end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def accepted(portal: LocalPortal, action: str) -> int:
    return sum(f"/live/{action}/" in call.path and call.status == 200 for call in portal.requests)


def finished(lab: Lab, path: Path) -> dict[str, Any]:
    result: dict[str, Any] = lab.done(
        sync_job(dataset_id="stock", resource_id="live", path=str(path), max_delete="100%")
    )
    return result


def expect_whole(portal: LocalPortal, lab: Lab) -> None:
    assert sorted((row["id"], row["name"][:6]) for row in portal.rows("stock")) == [(n, f"new {n}") for n in WANTED]
    assert not lab.checkpoints.exists()
    assert not list((lab.folder / "state").rglob("*.jsonl"))


@pytest.mark.parametrize("action", ["push", pytest.param("delete", marks=pytest.mark.at_length)])
def test_a_killed_sync_goes_on_and_sends_no_accepted_batch_again(
    lab: Lab, portal: LocalPortal, path: Path, action: str
) -> None:
    portal.fault("stall", path=f"/live/{action}/", seconds=0.2, times=None)
    child = begun(lab, path)

    def is_time() -> bool:
        return (
            accepted(portal, "push") >= 3
            if action == "push"
            else accepted(portal, "push") == 8 and (lab.checkpoints / "sent.json").exists()
        )

    _await(child, is_time)
    end(child)
    portal.clear_faults()
    exports = sum("/exports/" in call.path for call in portal.requests)
    result = finished(lab, path)
    told = [result[name] for name in ("new", "changed", "gone", "pushed", "deleted", "confirmed")]
    assert told == [20, 20, 10, 40, 10, 50]
    # The interrupted one may be sent twice; the plan stands, so that nothing is fetched for it again.
    assert accepted(portal, "push") - 8 in (0, 1)
    assert accepted(portal, "delete") - 2 in (0, 1)
    assert sum("/exports/" in call.path for call in portal.requests) == exports
    expect_whole(portal, lab)


@pytest.mark.at_length
def test_kills_at_random_moments_end_with_what_the_file_holds(lab: Lab, portal: LocalPortal, path: Path) -> None:
    chance = random.Random(12)
    portal.fault("stall", path="/live/", seconds=0.05, times=None)
    done = 0
    for number in range(KILLS):
        if number % 5 == 4:
            portal.fault("lost", path="/live/")
        child = begun(lab, path)
        time.sleep(chance.uniform(0.1, 2.5))
        done += child.poll() is not None
        end(child)
        # Rows of the file never go, and no row is there that neither side has.
        ids = [row["id"] for row in portal.rows("stock")]
        assert len(ids) == len(set(ids)) and set(ids) <= set(STANDING) | set(WANTED)
        assert {n for n in STANDING if n in WANTED} <= set(ids)
        if done:
            break
    portal.clear_faults()
    finished(lab, path)
    expect_whole(portal, lab)


def _await(child: subprocess.Popen[bytes], when: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not when():
        assert child.poll() is None and time.monotonic() < until, "the job ended before it could be killed"
        time.sleep(0.005)
