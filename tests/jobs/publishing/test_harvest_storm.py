"""Harvests that are killed and lose answers, at points that nobody chose: started once, published once, and told right.

Each round harvests what another portal has by then. Its process is killed once or twice, after a number of calls that
is drawn, and answers are lost on the way; then it is run until it says that it is done.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from effort import effort
from nursery import Nursery, is_there, until
from publishing_desk import Desk

from ods_provider.testing.portal import LocalPortal

SEED = int(os.environ.get("ODS_STORM_SEED", "20261127"))
KILLS = effort(4, at_length=40)
_POINTS = 18  # calls that an untroubled harvest makes
PLACES = (
    ("POST", "/start/"),
    ("POST", "/publish/"),
    ("GET", "/harvesters/lakes/"),
    ("GET", "/harvesters/lakes/datasets/"),
    ("GET", "/status/"),
)
_JOB = "harvest_job(harvester_id='lakes')"


def _remote(name: str, rows: int) -> dict[str, Any]:
    metadata = {"default": {"title": name, "language": "en"}}
    return {"dataset_id": name, "metadata": metadata, "rows": [{"n": number} for number in range(rows)]}


@pytest.mark.at_length
def test_killed_harvests_and_lost_answers_publish_all_and_order_nothing_twice(
    desk: Desk, portal: LocalPortal, tmp_path: Path
) -> None:
    drawn = random.Random(SEED)
    kills = losses = rounds = 0
    counts: Counter[str] = Counter()
    said: list[str] = []
    with Nursery(portal.url, tmp_path, _JOB, imports="from ods_provider.jobs.arguments import harvest_job") as nursery:
        while kills < KILLS:
            rounds += 1
            names = [f"lake-{number}" for number in range(drawn.randint(1, 7))]
            portal.office.add_harvester(
                "Lakes", datasets=[_remote(name, rounds) for name in names], delete_missing_datasets=True
            )
            portal.office.switch(
                queued_s=drawn.choice([0.0, 0.05]),
                processing_s=drawn.choice([0.0, 0.1, 0.4]),
                stale_idle=drawn.choice([0, 0, 1]),
            )
            portal.requests.clear()
            faults = [
                (drawn.choice(("lost", "drop", "status")), *drawn.choice(PLACES)) for _ in range(drawn.randint(0, 2))
            ]
            # An order without an answer was carried out, so that it can be counted.
            faults = [("lost" if way == "POST" else kind, way, place) for kind, way, place in faults]
            for kind, method, place in faults:
                portal.fault(kind, path=place, method=method, skip=0 if method == "POST" else drawn.randint(0, 2))
            losses += len(faults)
            ended = 0
            for _ in range(drawn.randint(1, 2)):
                pid, told = nursery.start()
                point, begun = drawn.randint(1, _POINTS), len(portal.requests)
                until(lambda begun=begun, point=point: len(portal.requests) >= begun + point, pid)
                time.sleep(drawn.choice([0.0, 0.0, 0.01, 0.03]))
                if not told.exists() and is_there(pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        kills += 1
                until(lambda: False, pid)
                # One that was at its end, told or not, keeps nothing: who comes next wants another harvest.
                ended += not desk.lab.checkpoints.exists() and _orders(portal)["publish"] > ended
            result = _finished(nursery, said)
            portal.office.settle()
            trail = [f"{call.method} {call.path.rsplit('/', 2)[1]} {call.status}" for call in portal.requests]
            about = f"round {rounds}, {faults}: {trail}, {said[-2:]}"
            assert result["published"] == result["attached"] == len(names), about
            assert all(len(portal.rows(name)) == rounds for name in names), about
            given = _orders(portal)
            counts["started twice"] += max(given["start"] - ended - 1, 0)
            counts["published twice"] += max(given["publish"] - ended - 1, 0)
            counts["refused"] += sum(
                call.status == 400 for call in portal.requests if call.path.endswith(("/start/", "/publish/"))
            )
            assert max(given.values()) <= ended + 1, about
            portal.clear_faults()
    print(f"{rounds} harvests, {kills} kills, {losses} lost answers: {dict(counts)} {said}")
    assert not any(counts.values())


def _orders(portal: LocalPortal) -> Counter[str]:
    given = [call for call in list(portal.requests) if call.method == "POST" and call.status < 300]
    return Counter(call.path.rsplit("/", 2)[1] for call in given if "/harvesters/" in call.path)


def _finished(nursery: Nursery, said: list[str]) -> dict[str, Any]:
    """Run it until it says that it is done."""
    for _ in range(12):
        pid, told = nursery.start()
        until(told.exists, pid)
        ended = json.loads(told.read_text())
        if "done" in ended:
            found: dict[str, Any] = ended["done"]
            return found
        said.append(str(ended)[:400])
        assert ended.get("transient", True), ended
    raise AssertionError(said)
