"""Changes of metadata that are killed and lose answers, at points that nobody chose: what was set becomes public, once.

Each round sets values of its own. Its process is killed once or twice, after a number of calls that is drawn, and
answers are lost on the way; then it is run until it says that it is done.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from effort import effort
from nursery import Nursery, is_there, until
from publishing_desk import Desk

from ods_provider.testing.portal import LocalPortal

SEED = int(os.environ.get("ODS_STORM_SEED", "20261127"))
KILLS = effort(3, at_length=20)
_POINTS = 12  # calls that an untroubled change makes
PLACES = (("PUT", "/metadata/"), ("GET", "/metadata/"), ("POST", "/publish_metadata/"), ("GET", "/status/"))
_JOB = "metadata_job(dataset_id='trees', metadata=given['values'], coverage_of='planted')"


@pytest.mark.at_length
def test_killed_changes_and_lost_answers_leave_all_values_public_and_no_order_twice(
    desk: Desk, portal: LocalPortal, tmp_path: Path
) -> None:
    drawn = random.Random(SEED)
    kills = losses = rounds = orders = 0
    said: list[str] = []
    with Nursery(portal.url, tmp_path, _JOB, imports="from ods_provider.jobs.arguments import metadata_job") as nursery:
        while kills < KILLS:
            rounds += 1
            last = f"2024-01-{rounds % 28 + 1:02}"
            portal.add_dataset("trees", {"planted": "date"}, [{"planted": "2020-01-01"}, {"planted": last}])
            values = {
                "default.title": f"Trees {rounds}",
                "default.keyword": [f"k{rounds}"],
                "dcat.creator": f"{rounds}",
            }
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
            faults = [("lost" if place == "/publish_metadata/" else kind, way, place) for kind, way, place in faults]
            for kind, method, place in faults:
                portal.fault(kind, path=place, method=method, skip=drawn.randint(0, 2))
            losses += len(faults)
            for _ in range(drawn.randint(1, 2)):
                pid, told = nursery.start(values=values)
                point, begun = drawn.randint(1, _POINTS), len(portal.requests)
                until(lambda begun=begun, point=point: len(portal.requests) >= begun + point, pid)
                time.sleep(drawn.choice([0.0, 0.0, 0.01, 0.03]))
                if not told.exists() and is_there(pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        kills += 1
                until(lambda: False, pid)
            _finished(nursery, values, said)
            portal.office.settle()
            with desk.client() as client:
                metas = client.dataset("trees").metas
            trail = [f"{call.method} {call.path.rsplit('/', 2)[1]} {call.status}" for call in portal.requests]
            about = f"round {rounds}, {faults}: {trail}, {said[-2:]}"
            assert (metas["default"]["title"], metas["default"]["keyword"]) == (f"Trees {rounds}", [f"k{rounds}"]), (
                about
            )
            assert metas["dcat"]["temporal_coverage_end"] == f"{last}T00:00:00Z", about
            given = [call.status for call in portal.requests if call.path.endswith("/publish_metadata/")]
            carried_out = sum(status < 300 for status in given)  # 0 where nobody heard of it
            orders += carried_out
            assert (carried_out, given.count(400)) == (1, 0), about
            portal.clear_faults()
    print(f"{rounds} changes, {kills} kills, {losses} lost answers, {orders} orders; {said}")


def _finished(nursery: Nursery, values: Any, said: list[str]) -> None:
    """Run it until it says that it is done."""
    for _ in range(8):
        pid, told = nursery.start(values=values)
        until(told.exists, pid)
        ended = json.loads(told.read_text())
        if "done" in ended:
            return
        said.append(str(ended)[:400])
        assert ended.get("transient", True), ended
    raise AssertionError(said)
