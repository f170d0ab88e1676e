"""kill -9 at any moment of a load: the table is the old one or the new one, and nothing is fetched or kept twice."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import duckdb
import pytest
from effort import effort
from lab import Lab

from ods_provider.jobs.arguments import load_job
from ods_provider.jobs.context import Job
from ods_provider.testing.portal import LocalPortal

DATASET, OLD, NEW, PARTS = "synthetic-rows", 5_000, 12_345, 8
KILLS = effort(3, at_length=20)  # of each database
_CHILD = """
import json, sys
from pathlib import Path
from lab import API_KEY, Lab
from ods_provider.jobs.arguments import load_job

url, folder, given = sys.argv[1:]
lab = Lab(url, Path(folder), api_key=API_KEY)
print("begun", flush=True)
lab.run(load_job(**json.loads(given)))
"""


def standing(place: Path) -> tuple[list[tuple[int, int, int]], set[str]]:
    """Return how many rows the table holds, how many of them differ, and their highest id; and all tables."""
    told = "SELECT count(*), count(DISTINCT id), max(id) FROM s"
    if place.suffix == ".duckdb":
        with duckdb.connect(str(place)) as connection:
            names = connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()
            return connection.sql(told).fetchall(), {name for (name,) in names}
    with closing(sqlite3.connect(place)) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return connection.execute(told).fetchall(), {name for (name,) in names}


def confirmed(staging: Path) -> set[str]:
    """Return the clauses of the parts that are confirmed, those of a whole export included."""
    found: set[str] = set()
    for plan in staging.rglob("plan.json"):
        clauses = {f"done-{number:05d}": where for number, where, *_ in json.loads(plan.read_bytes())["parts"]}
        found |= {clauses[path.stem] for path in plan.parent.glob("done-*.json")}
    return found


def asked(portal: LocalPortal) -> list[str]:
    return [parse_qs(call.query)["where"][-1] for call in portal.requests if "/exports/" in call.path]


def killed(lab: Lab, given: dict[str, Any], after_s: float) -> None:
    command = [sys.executable, "-c", _CHILD, lab.url, str(lab.folder), json.dumps(given)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begun\n"
        time.sleep(after_s)
        child.kill()


@pytest.mark.at_length
@pytest.mark.parametrize("name", ["city.duckdb", "city.db"])
def test_kills_at_random_moments_leave_the_old_table_or_the_new_one(
    lab: Lab, portal: LocalPortal, tmp_path: Path, name: str
) -> None:
    place, staging = tmp_path / name, tmp_path / "staging"
    given: dict[str, Any] = {"dataset_id": DATASET, "table": "s", "staging": str(staging)}
    given |= {"destination": f"{'duckdb' if name.endswith('duckdb') else 'sqlite'}:///{place}"}

    def job(**more: Any) -> Job:
        return load_job(**given, **more)

    lab.done(job(where=f"id < {OLD}"), name="old")
    old, tables = standing(place)
    assert old == [(OLD, OLD, OLD - 1)]
    chance = random.Random(name)
    how = {"parallel": PARTS, "partition_by": "id"}
    whole = [(NEW, NEW, NEW - 1)]
    seen = []
    for number in range(KILLS):
        # A third of them are slowed down on the portal's side, so that some end while rows come, others later.
        portal.clear_faults()
        if number % 3 == 0:
            portal.fault("stall", path="/exports/", seconds=0.3, times=PARTS, after_bytes=1000)
        before = confirmed(staging)
        fetched = bool(list(staging.glob("*/rows.parquet/*.parquet")))
        portal.requests.clear()
        killed(lab, given | how, chance.uniform(0.1, 3.0))
        assert not before & set(asked(portal))
        assert not fetched or not asked(portal) or standing(place)[0] == whole
        now, left = standing(place)
        assert now in (old, whole) and left == tables, (number, now, left)
        seen.append(now)
    assert seen == sorted(seen)  # never back
    portal.clear_faults()
    before = confirmed(staging)
    portal.requests.clear()
    done = lab.done(job(**how))
    assert (done["rows"], done["table_rows"]) == (NEW, NEW)
    assert not before & set(asked(portal))
    assert standing(place) == (whole, tables)
    assert list(staging.rglob("*.parquet")) == [] and list(staging.iterdir()) == []
