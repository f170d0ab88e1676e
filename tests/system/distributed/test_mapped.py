"""A download by mapped tasks on two workers that share a folder, one of which is killed on the way."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from airflow_daemons import wait_for
from celery_workers import Distributed
from portal_process import PortalProcess

NAMES = ["{{ 7*7 }}", "{{ params.folder }}", "{% raw %}", 'a "quoted" one', "Zoë", "plain", "other", "last"]


@dataclass
class Killed:
    """A run whose worker was killed at one of its parts, and the instance of that part."""

    run: str
    part: dict[str, Any]
    folder: Path


@pytest.fixture(scope="module")
def rows(portal: PortalProcess) -> list[dict[str, Any]]:
    """What two datasets of ours hold, in names that look like what they are not."""
    portal.control("reset")
    made = [{"name": NAMES[number % len(NAMES)], "number": number} for number in range(160)]
    fields = {"name": "text", "number": "int"}
    for dataset_id in ("odd-names", "more-names"):
        portal.control(f"datasets/{dataset_id}", {"fields": fields, "rows": made}, method="PUT")
    return made


def clauses(portal: PortalProcess) -> Counter[str]:
    """Which part was asked for how often."""
    asked = (parse_qs(entry["query"]) for entry in portal.requests(holding="/odd-names/exports/"))
    return Counter(" and ".join(query["where"]) for query in asked)


@pytest.fixture(scope="module")
def killed(
    servers: Distributed, portal: PortalProcess, rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Killed:
    """Kill the worker that is at a part; nobody hears of that before it was silent for long enough."""
    servers.start_workers()
    portal.fault("stall", path="/odd-names/exports/", skip=1, times=1, seconds=600)
    folder = tmp_path_factory.mktemp("mapped")
    run = servers.trigger("mapped", folder=str(folder))

    def under_way() -> dict[str, Any] | None:
        # The part that gets no answer, once the other worker has gone on to parts behind it.
        of_part = servers.mapped("mapped", run, "part")
        running = sorted((each for each in of_part if each["state"] == "running"), key=lambda each: each["start_date"])
        done = [each for each in of_part if each["state"] == "success"]
        return running[0] if running and len(done) >= 3 else None

    stalled = wait_for("three parts are fetched and one is not", under_way, timeout_s=240)
    servers.kill_worker(servers.on_which(stalled["id"]))
    return Killed(run, stalled, folder)


def test_a_part_that_was_skipped_or_failed_keeps_the_others_from_being_committed(
    servers: Distributed, killed: Killed, tmp_path: Path
) -> None:
    # On the worker that is left, while the scheduler waits for a word of the other one.
    ways = {"skip": "skipped", "fail": "upstream_failed"}
    runs = {how: servers.trigger("lacking", folder=str(tmp_path / how), how=how) for how in ways}
    for how, run in runs.items():
        assert servers.wait_for_end("lacking", run, timeout_s=240) == "failed"
        assert servers.state("lacking", run, "whole") == ways[how]
        assert servers.state("lacking", run, "anyway") == "failed"
        assert "parts 1 are missing, of 3" in servers.log("lacking", run, "anyway")
        assert not (tmp_path / how / "names").exists()


def test_a_killed_worker_costs_the_part_that_it_was_at(
    servers: Distributed, portal: PortalProcess, killed: Killed, rows: list[dict[str, Any]]
) -> None:
    airflow, run, stalled = servers, killed.run, killed.part
    assert airflow.wait_for_end("mapped", run, timeout_s=240) == "success"

    parts = [each["part"] for each in airflow.xcom("mapped", run, "parts")]
    whole = airflow.xcom("mapped", run, "whole")
    assert (whole["rows"], whole["parts"], len(parts)) == (len(rows), len(parts), 7)
    folder = killed.folder / "names"
    found = [json.loads(line) for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    assert sorted(found, key=lambda row: row["number"]) == rows
    assert [path.name for path in killed.folder.iterdir()] == ["names"]
    # What was confirmed is not asked for again, and values that look like templates came as they were made.
    again = parts[stalled["map_index"]]["where"]
    assert clauses(portal) == Counter([*(part["where"] for part in parts), again])
    assert any("{{ 7*7 }}" in part["where"] for part in parts)
    instances = airflow.mapped("mapped", run, "part")
    assert [each["rendered_map_index"] for each in instances] == [f"{p['number']}: {p['label']}" for p in parts]
    assert [each["try_number"] for each in instances] == [1 + (part["where"] == again) for part in parts]
