"""``ods watch`` waits for what the portal itself calls newer, and for nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time

import pytest

THEN = "2026-01-05T08:00:00+00:00"  # when every dataset of the small portal was processed


def looks(portal, least):
    end = time.monotonic() + 60
    while len(portal.requests) < least:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_look_ends_with_0_when_there_is_an_update_and_tells_it(ods, ods_portal):
    ods_portal.touch("world-capitals")
    found = ods("watch", "world-capitals", "--look", "--since", THEN, "--json")
    assert found.code == 0
    assert found.json["data_processed"] > THEN
    assert found.json["records_count"] == 110
    assert len(ods_portal.requests) == 1


def test_a_look_ends_with_75_when_there_is_none_and_the_next_one_looks_again(ods, ods_portal, tmp_path):
    look = ("watch", "world-capitals", "--look", "--since", THEN)
    none = ods(*look)
    assert (none.code, none.out) == (75, "")
    assert "world-capitals has not been updated since" in none.err
    assert "Run it again after that, or without --look." in none.err
    assert ods(*look).code == 75
    assert len(ods_portal.requests) == 2
    assert not [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    ods_portal.touch("world-capitals")
    assert ods(*look).code == 0


def test_a_look_does_not_ask_before_the_time_that_the_portal_named_but_with_now(ods, ods_portal):
    look = ("watch", "world-capitals", "--look", "--since", THEN)
    ods_portal.set_quota(limit=5, remaining=0, reset_in_s=3600)
    assert ods(*look).code == 75
    calls = len(ods_portal.requests)
    early = ods(*look)
    assert (early.code, len(ods_portal.requests)) == (75, calls)
    assert "Too many requests" in early.err
    ods_portal.set_quota(limit=5, remaining=5)
    assert "has not been updated" in ods(*look, "--now").err
    assert len(ods_portal.requests) == calls + 1
    # The portal has answered: what it named before counts no more.
    ods_portal.touch("world-capitals")
    assert ods(*look).code == 0


@pytest.mark.at_length
def test_the_example_of_the_help_goes_on_after_a_wait(ods, ods_portal, surroundings, tmp_path):
    help = ods("watch", "--help").out
    script = re.search(r"^ +(ods watch cities .*?)\n *\n", help, re.MULTILINE | re.DOTALL)[1]
    script = script.replace(" cities ", " world-capitals ")
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "ods").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ods_provider.cli "$@"\n')
    # What `jq -r '.data_processed // empty' FILE` prints, where jq itself may not be installed.
    (scripts / "jq").write_text(
        f'#!{sys.executable}\nimport json, sys\nassert sys.argv[1:3] == ["-r", ".data_processed // empty"]\n'
        "print(json.load(open(sys.argv[3])).get('data_processed') or '')\n"
    )
    for name in ("ods", "jq"):
        (scripts / name).chmod(0o755)

    def run():
        env = surroundings | {"PATH": f"{scripts}:/usr/bin:/bin"}
        return subprocess.run(["sh", "-c", script], env=env, cwd=tmp_path, check=False, timeout=60).returncode

    ods_portal.set_quota(limit=1, remaining=1, reset_in_s=3600)
    assert run() == 75, "the look was the last call; the download waits"
    ods_portal.set_quota(limit=100, remaining=100)
    shutil.rmtree(tmp_path / "state")
    assert run() == 0
    assert json.loads((tmp_path / "cities.json").read_text())["rows"] == 110
    assert run() == 75
    ods_portal.touch("world-capitals", rows=1)
    assert run() == 0
    assert json.loads((tmp_path / "cities.json").read_text())["rows"] == 111


def test_who_knows_of_nothing_takes_what_is_there_for_an_update(ods):
    found = ods("watch", "world-capitals", "--look", "--since", "")
    assert (found.code, found.out) == (0, f"{THEN}  world-capitals  110 records\n")


def test_a_look_needs_to_know_since_when(ods):
    refused = ods("watch", "world-capitals", "--look")
    assert (refused.code, "--since" in refused.err) == (2, True)


def test_a_time_that_is_none_costs_no_call(ods, ods_portal):
    assert ods("watch", "world-capitals", "--look", "--since", "yesterday").code == 2
    assert not ods_portal.requests


def test_it_waits_for_one_update(start, ods_portal):
    waiting = start("watch", "world-capitals", "--once", "--every", "0.2")
    looks(ods_portal, 3)
    assert waiting.poll() is None
    ods_portal.touch("world-capitals", rows=2)
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    assert out.endswith("world-capitals  112 records\n") and out.count("\n") == 1
    # The reason is told once, however often it looks.
    assert err.count("has not been updated since") == 1


@pytest.mark.at_length
def test_it_prints_update_after_update_until_it_is_stopped(start, ods_portal):
    watching = start("watch", "world-capitals", "--every", "0.2", "--json")
    looks(ods_portal, 2)
    seen = []
    for _ in range(2):
        ods_portal.touch("world-capitals", rows=1)
        seen.append(json.loads(watching.stdout.readline())["records_count"])
    assert seen == [111, 112]
    watching.terminate()
    _, err = watching.communicate(timeout=60)
    assert watching.returncode == 143
    assert err.splitlines()[-1] == "Stopped by SIGTERM."
