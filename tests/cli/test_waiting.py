"""A quota that is used up ends a command with 75; the same command, run again, goes on where it stopped."""

from __future__ import annotations

import json
import time

import pytest

ROWS = ("records", "world-capitals", "--order-by", "geoname_id", "-o", "rows.jsonl")


def offsets(portal):
    return [
        entry.query.rpartition("offset=")[2]
        for entry in portal.requests
        if entry.status == 200 and "offset=" in entry.query
    ]


@pytest.fixture
def spent(ods_portal):
    """Two calls are left (the description and a page), then the quota is used up for a second."""
    ods_portal.set_quota(limit=2, remaining=2, reset_after_s=1.2)
    return ods_portal


def test_it_says_until_when_and_how_to_go_on(ods, spent, tmp_path):
    waits = ods(*ROWS)
    assert waits.code == 75
    assert waits.out == ""
    last = waits.err.splitlines()[-1]
    assert last.startswith("Waiting until 20") and "Too many requests" in last
    assert "Run the same command again after that, or with --wait" in last


def test_run_again_later_it_goes_on_and_asks_for_nothing_twice(ods, spent, tmp_path):
    assert ods(*ROWS).code == 75
    spent.set_quota(limit=100, remaining=100)
    assert ods(*ROWS, "--now").code == 0
    assert offsets(spent) == ["0", "100"]
    assert len((tmp_path / "here" / "rows.jsonl").read_text().splitlines()) == 110
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["rows.jsonl"]


def test_run_again_too_early_it_does_not_even_ask(ods, spent):
    first = ods(*ROWS)
    calls = len(spent.requests)
    again = ods(*ROWS)
    assert (again.code, len(spent.requests)) == (75, calls)
    assert again.err.splitlines()[-1] == first.err.splitlines()[-1]


def test_another_command_is_not_held_up_by_that(ods, spent):
    assert ods(*ROWS).code == 75
    spent.set_quota(limit=100, remaining=100)
    assert ods("records", "world-capitals", "-o", "rows.jsonl", "--order-by", "name").code == 0


def test_with_wait_it_blocks_until_it_can_go_on(ods, spent):
    began = time.monotonic()
    # The second window has one call as well: the one that is missing.
    done = ods(*ROWS, "--wait", "--json")
    assert done.code == 0
    assert done.json["rows"] == 110
    assert time.monotonic() - began > 1
    assert "Waiting until" in done.err
    assert offsets(spent) == ["0", "100"]


def test_a_wait_that_was_ended_leaves_nothing_behind(ods, spent, tmp_path):
    done = ods(*ROWS, "--wait")
    assert done.code == 0, done.err
    left = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert left == []


def test_for_machines_the_wait_is_json(ods, spent):
    ended = ods(*ROWS, "--json")
    told = json.loads(ended.err.splitlines()[-1])
    assert (ended.out, told["status"]) == ("", "waiting")
    assert set(told) == {"status", "until", "reason"}


def test_the_same_command_from_another_folder_is_another_job(ods, spent, tmp_path, monkeypatch):
    assert ods(*ROWS).code == 75
    spent.set_quota(limit=100, remaining=100)
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    assert ods(*ROWS).code == 0
    assert offsets(spent) == ["0", "0", "100"]


@pytest.mark.at_length
def test_the_same_command_twice_at_once_is_refused_with_the_other_s_number(start, ods_portal, ods):
    ods_portal.fault("stall", path="/records", seconds=30)
    first = start(*ROWS)
    while not ods_portal.requests:
        time.sleep(0.02)
        assert first.poll() is None
    second = start(*ROWS)
    out, err = second.communicate(timeout=60)
    assert second.returncode == 75
    assert err.strip().endswith(
        f"the same command is already running as process {first.pid}. Run it again when that has ended, or with --wait."
    )
    quiet = start(*ROWS, "--quiet")
    assert (*quiet.communicate(timeout=60), quiet.returncode) == ("", "", 75)
    machine = start(*ROWS, "--quiet", "--json")
    out, err = machine.communicate(timeout=60)
    told = {"status": "waiting", "until": None, "reason": f"the same command is already running as process {first.pid}"}
    assert (out, json.loads(err), machine.returncode) == ("", told, 75)
    other = start("records", "world-capitals", "--json", "--limit", "3")
    out, err = other.communicate(timeout=60)
    assert (other.returncode, len(out.splitlines())) == (0, 3)


@pytest.mark.at_length
def test_two_that_only_read_may_be_the_same(start, ods_portal):
    ods_portal.fault("stall", path="/records", seconds=1.5, times=2)
    both = [start("records", "world-capitals", "--json", "--select", "name") for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert len({json.loads(line)["name"] for line in out.splitlines()}) > 100
