"""``--if-unchanged``: what an earlier run of the command wrote is kept, or the command is skipped and says so."""

from __future__ import annotations

import json

import pytest


def exports(portal):
    return sum("/exports/" in entry.path for entry in portal.requests)


def test_keep_leaves_the_file_and_ends_well(ods, ods_portal, tmp_path):
    command = ("download", "world-capitals", "c.csv", "--if-unchanged", "keep")
    assert ods(*command).code == 0
    again = ods(*command)
    assert (again.code, exports(ods_portal)) == (0, 1)
    assert "110 rows" in again.out and ", unchanged, 2 calls" in again.out
    assert ods(*command, "--json").json["unchanged"] is True
    ods_portal.touch("world-capitals", rows=1)
    assert "111 rows" in ods(*command).out


def test_skip_says_so_in_one_line_and_ends_with_3(ods, ods_portal):
    command = ("download", "world-capitals", "c.csv", "--if-unchanged", "skip", "--quiet")
    assert ods(*command).code == 0
    again = ods(*command[:-1])
    assert (again.code, again.out, exports(ods_portal)) == (3, "", 1)
    assert again.err.startswith(
        "Skipped: world-capitals has not changed since 2026-01-05T08:00:00+00:00 and was loaded"
    )
    assert again.err.count("\n") == 1
    assert (ods(*command).code, ods(*command).err) == (3, "")
    told = ods(*command, "--json")
    assert (told.code, told.json["unchanged"], told.json["rows"]) == (3, True, 110)


def test_a_path_that_is_new_every_night_is_known_by_the_last_success(ods, ods_portal, tmp_path):
    for day in (1, 2):
        told = ods("download", "world-capitals", f"2026-01-0{day}.csv", "--if-unchanged", "keep", "--json").json
        assert told["path"] == str(tmp_path / "here" / "2026-01-01.csv")
    assert exports(ods_portal) == 1
    (kept,) = (tmp_path / "state" / "ods-provider" / "last").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert json.loads(kept.read_text())["sha256"] == told["sha256"]


def test_a_command_that_does_not_ask_is_remembered_by_nobody(ods, tmp_path):
    assert ods("download", "world-capitals", "c.csv").code == 0
    assert not (tmp_path / "state" / "ods-provider" / "last").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("records", "world-capitals", "-o", "r.jsonl"),
        ("media", "landmark-photos", "photos"),
    ],
    ids=lambda command: command[0],
)
def test_records_in_a_file_and_media_do_the_same(ods, command):
    assert [ods(*command, "--if-unchanged", "skip").code for _ in range(2)] == [0, 3]


def test_a_state_folder_that_takes_nothing_only_costs_the_memory(ods, tmp_path):
    folder = tmp_path / "state" / "ods-provider"
    folder.mkdir(parents=True)
    (folder / "last").write_text("no folder")
    command = ("download", "world-capitals", "c.csv", "--if-unchanged", "skip")
    assert [ods(*command).code for _ in range(2)] == [0, 0]
    assert json.loads(ods(*command, "--json").out)["unchanged"] is True
