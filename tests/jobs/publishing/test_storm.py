"""Publications that are killed and that lose answers, at points that nobody chose: what is public stays whole.

Each round publishes a file of its own. Its process is killed once or twice, after a number of calls that is drawn, and
answers are lost on the way; then it is run until it says that it is done. Meanwhile somebody reads the dataset all the
time, and must always see the rows of one file, the earlier or the later one.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from effort import effort
from lab import API_KEY, Lab
from nursery import Nursery, is_there, until
from publishing_desk import Desk

from ods_provider.testing.portal import LocalPortal

SEED = int(os.environ.get("ODS_STORM_SEED", "20261127"))
KILLS = effort(6, at_length=60)
READ = "/records"
_POINTS = 16  # calls that an untroubled publication makes
LOSSES = ("lost", "drop", "status")
PLACES = (
    ("POST", "/files/"),
    ("PUT", "/resources/"),
    ("POST", "/publish/"),
    ("GET", "/status/"),
    ("GET", "/processors/"),
)
# How the portal ends the first run of some rounds: with nothing new, or with rows of which some are not whole.
BAD_ENDS: tuple[dict[str, Any], ...] = (
    {"status": "error", "message": "The file cannot be read"},
    {"records_errors": [{"record_id": "1", "field_uid": "n", "message": "Cannot convert"}]},
)
_JOB = "PublishFileJob('mine', given['path'], max_drop=None, lag_s=60.0)"
_IMPORTS = """
from ods_provider.jobs.publishfile import PublishFileJob
import ods_provider.jobs.publishing.leg
"""


def _calls(portal: LocalPortal) -> list[Any]:
    """The calls that are none of the reader's."""
    return [call for call in list(portal.requests) if not call.path.endswith(READ)]


class Reader(threading.Thread):
    """Reads the dataset all the time, and notes what is none of the files that may be there."""

    def __init__(self, portal: LocalPortal) -> None:
        super().__init__(daemon=True)
        url = f"{portal.url}/api/explore/v2.1/catalog/datasets/mine{READ}?limit=100&select=name"
        self._call = Request(url, headers={"Authorization": f"Apikey {API_KEY}"})
        self.may: list[set[str]] = []
        self.wrong: list[Any] = []
        self.looks = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.005):
            allowed = list(self.may)
            try:
                with urlopen(self._call, timeout=60) as answer:
                    found = {row["name"] for row in json.load(answer)["results"]}
            except OSError as error:
                self.wrong.append(repr(error))
                continue
            self.looks += 1
            if found not in allowed and found not in self.may:
                self.wrong.append(sorted(found)[:3])


@pytest.mark.at_length
def test_killed_publications_and_lost_answers_leave_one_whole_file(
    desk: Desk, lab: Lab, portal: LocalPortal, tmp_path: Path
) -> None:
    drawn = random.Random(SEED)
    names = {"a", "b", "c"}
    resource = desk.publish(desk.file())["resource"]
    reader = Reader(portal)
    reader.may = [names]
    reader.start()
    kills = losses = rounds = 0
    counts: Counter[str] = Counter()
    said: list[str] = []
    with Nursery(portal.url, tmp_path, _JOB, imports=_IMPORTS) as nursery:
        while kills < KILLS:
            rounds += 1
            new = {f"r{rounds}-{number}" for number in range(drawn.randint(1, 30))}
            path = desk.file(f"{rounds}.csv", "name;n\n" + "".join(f"{name};{rounds}\n" for name in sorted(new)))
            portal.office.switch(
                queued_s=drawn.choice([0.0, 0.05]),
                processing_s=drawn.choice([0.0, 0.1, 0.4]),
                explore_lag_s=drawn.choice([0.0, 0.0, 0.2]),
                stale_idle=drawn.choice([0, 0, 1]),
            )
            reader.may = [names, new]
            portal.requests.clear()
            bad = drawn.choice(BAD_ENDS) if drawn.random() < 0.25 else None
            if bad:
                portal.office.outcome(dataset_id="mine", **bad)
            faults = [(drawn.choice(LOSSES), *drawn.choice(PLACES)) for _ in range(drawn.randint(0, 2))]
            # An order without an answer was carried out, so that it can be counted.
            faults = [("lost" if each == ("drop", "POST", "/publish/") else each[0], *each[1:]) for each in faults]
            for kind, method, place in faults:
                portal.fault(kind, path=place, method=method, skip=drawn.randint(0, 2))
            losses += len(faults)
            for _ in range(drawn.randint(1, 2)):
                pid, told = nursery.start(path=str(path))
                point, pause = drawn.randint(1, _POINTS), drawn.choice([0.0, 0.0, 0.01, 0.03])
                begun = len(_calls(portal))
                until(lambda begun=begun, point=point: len(_calls(portal)) >= begun + point, pid)
                time.sleep(pause)
                if not told.exists() and is_there(pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        kills += 1
                until(lambda: False, pid)
            result = _finished(nursery, path, said)
            portal.office.settle()
            if result is None:
                assert bad, said
                counts["failed"] += 1
                new = names
            else:
                assert (result["rows"], result["resource"]) == (len(new), resource), result
            trail = [f"{call.method} {call.path.rsplit('/', 2)[1]} {call.status}" for call in _calls(portal)]
            about = f"round {rounds}, {bad}, {portal.office.switches.stale_idle}, {faults}: {trail}, {said[-2:]}"
            assert {row["name"] for row in portal.rows("mine")} == new, about
            assert len(desk.resources()) == 1
            posts = Counter(
                call.path.rsplit("/", 2)[1] for call in _calls(portal) if call.method == "POST" and call.status < 300
            )
            # Where nobody heard of a failure another one follows, and rows that were public are taken back by one.
            counts["published twice"] += max(posts["publish"] - (3 if bad else 1), 0)
            counts["resources"] += posts["resources"]
            counts["uploaded"] += posts["files"]
            if posts["publish"] > (3 if bad else 1):
                said.append(about)
            portal.clear_faults()
            names = new
    reader.over.set()
    reader.join()
    print(f"{rounds} files, {kills} kills, {losses} lost answers, {reader.looks} reads: {dict(counts)} {said}")
    assert reader.wrong == []
    assert reader.looks > rounds
    assert (counts["published twice"], counts["resources"]) == (0, 0)
    # A file may be sent again where nobody heard that it came: it is used by nothing.
    assert counts["uploaded"] <= rounds + kills + losses


def _finished(nursery: Nursery, path: Path, said: list[str]) -> dict[str, Any] | None:
    """Run it until it says what came of it; None where the portal could not do it, and the earlier file is back."""
    for _ in range(8):
        pid, told = nursery.start(path=str(path))
        until(told.exists, pid)
        ended = json.loads(told.read_text())
        if "done" in ended:
            found: dict[str, Any] = ended["done"]
            return found
        said.append(str(ended)[:400])
        if "OdsPublicationFailed" in ended.get("error", ""):
            return None
        assert ended.get("transient", True), ended
    raise AssertionError(said)
