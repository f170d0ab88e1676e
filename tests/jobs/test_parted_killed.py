"""kill -9 at any moment of a download over many streams: no row is lost, no confirmed part is asked for again."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import duckdb
import pytest
from effort import effort
from lab import Lab

from ods_provider.core.outcome import Wait
from ods_provider.jobs.arguments import download_job
from ods_provider.jobs.parts.assembling import MANIFEST
from ods_provider.testing.portal import LocalPortal

ROWS, PARTS, KILLS = 12_345, 16, 3
KINDS = effort(
    [("csv", "file"), ("parquet", "folder")], at_length=list(product(("csv", "jsonl", "parquet"), ("file", "folder")))
)
ROUNDS = effort(1, at_length=3)  # of each kind: 54 kills at length
_CHILD = """
import json, sys
from pathlib import Path
from lab import API_KEY, Lab
from ods_provider.jobs.arguments import download_job

url, folder, given = sys.argv[1:]
lab = Lab(url, Path(folder), api_key=API_KEY)
print("begun", flush=True)
lab.run(download_job(**json.loads(given)))
"""


def given(out: Path, format: str, layout: str) -> dict[str, Any]:
    name = f"rows.{format}" if layout == "file" else "rows"
    how = {"format": format, "layout": layout, "parallel": PARTS, "partition_by": "id"}
    return {"dataset_id": "synthetic-rows", "path": str(out / name), **how}


def confirmed(out: Path) -> set[str]:
    """Return the clauses of the parts that are confirmed in the folder of progress, if there is one."""
    (folder,) = list(out.glob(".*.progress")) or [None]
    if folder is None or not (folder / "plan.json").exists():
        return set()
    plan = {
        f"done-{number:05d}": where for number, where, *_ in json.loads((folder / "plan.json").read_bytes())["parts"]
    }
    return {plan[path.stem] for path in folder.glob("done-*.json")}


def asked(portal: LocalPortal) -> list[str]:
    return [parse_qs(call.query)["where"][-1] for call in portal.requests if "/exports/" in call.path]


def killed(lab: Lab, how: dict[str, Any], after_s: float) -> bool:
    """Run the download in another process, kill it after a while, and return whether it was still at work."""
    command = [sys.executable, "-c", _CHILD, lab.url, str(lab.folder), json.dumps(how)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begun\n"
        time.sleep(after_s)
        working = child.poll() is None
        child.kill()
    return working


def expect_all(out: Path, format: str, layout: str) -> None:
    """Check that every row is there once, and nothing beside."""
    if layout == "folder":
        names = [f"part-{number:05d}.{format}" for number in range(PARTS + 1)]
        assert sorted(path.name for path in (out / "rows").iterdir()) == [MANIFEST, *names]
    source = out / (f"rows.{format}" if layout == "file" else f"rows/*.{format}")
    reader = {"csv": "read_csv", "parquet": "read_parquet"}.get(format, "read_json_auto")
    found = duckdb.sql(f"SELECT count(*), count(DISTINCT id), min(id), max(id) FROM {reader}('{source}')").fetchall()
    assert found == [(ROWS, ROWS, 0, ROWS - 1)]
    assert len(list(out.iterdir())) == 1


@pytest.mark.at_length(but=1)
@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.parametrize(("format", "layout"), KINDS)
def test_kills_at_random_moments_lose_nothing_and_cost_no_confirmed_part(
    lab: Lab, portal: LocalPortal, out: Path, format: str, layout: str, seed: int
) -> None:
    chance = random.Random(f"{format} {layout} {seed}")
    how = given(out, format, layout)
    for _ in range(effort(2, at_length=KILLS)):
        portal.fault("stall", path="/exports/", seconds=0.2, times=PARTS, after_bytes=1000)
        before = confirmed(out)
        portal.requests.clear()
        killed(lab, how, chance.uniform(0.05, 0.8))
        assert not before & set(asked(portal))
    portal.clear_faults()
    before = confirmed(out)
    portal.requests.clear()
    assert lab.done(download_job(**how))["rows"] == ROWS
    assert not before & set(asked(portal))
    expect_all(out, format, layout)


@pytest.mark.at_length
@pytest.mark.parametrize(("format", "layout"), [("csv", "file"), ("parquet", "folder")])
def test_a_quota_that_runs_out_three_times_costs_no_confirmed_part(
    lab: Lab, portal: LocalPortal, out: Path, format: str, layout: str
) -> None:
    lab.settings["max_wait_s"] = 1
    how = given(out, format, layout)
    for refused in (12, 6, 2):
        portal.fault("quota", path="/exports/", times=refused, reset_in_s=600)
        before = confirmed(out)
        portal.requests.clear()
        assert isinstance(lab.run(download_job(**how)), Wait)
        portal.clear_faults()
        assert not before & set(asked(portal))
        # Those that had begun by then are here.
        assert len(confirmed(out)) >= len(before)
    before = confirmed(out)
    portal.requests.clear()
    assert lab.done(download_job(**how))["rows"] == ROWS
    assert sorted(asked(portal)) == sorted(set(asked(portal)) - before)
    assert len(list(out.iterdir())) == 1
