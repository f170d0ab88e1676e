"""What a killed command leaves in the user's state folder: nothing, or for a week at most."""

from __future__ import annotations

import fcntl
import json
import os
import select
import stat
import time

import pytest

from ods_provider.cli.locking import locked

KEY = "0123456789abcdef"


@pytest.mark.at_length
def test_a_command_killed_while_it_prints_leaves_no_rows_behind(start, ods_portal, tmp_path):
    process = start("records", "world-capitals", "--json")
    # As small as a pipe can be, so that the command waits in the middle of its rows for somebody to read them.
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4_096)
    assert select.select([process.stdout], [], [], 60)[0]
    spool = tmp_path / "state" / "ods-provider" / "spool"
    assert list(spool.iterdir()) == []
    process.kill()
    process.wait()
    assert list(spool.iterdir()) == []
    assert stat.S_IMODE(spool.stat().st_mode) == 0o700


def test_spools_parts_progress_and_locks_of_killed_commands_go_after_a_week(ods, tmp_path):
    state = tmp_path / "state" / "ods-provider"
    old, new = [], []
    for days, paths in ((8, old), (6, new)):
        for name in (
            f"spool/{KEY}.jsonl",
            f"spool/{KEY}-{4711 + days}.jsonl",
            f"spool/.{KEY}.jsonl.{'a' * 11}{days}.part",
            f"spool/.{KEY}.jsonl.{'b' * 11}{days}.progress/page-0000.json",
            f"locks/{KEY[:-1]}{days}.lock",
        ):
            path = state / (name if name != f"spool/{KEY}.jsonl" else f"spool/{KEY[:-1]}{days}.jsonl")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}\n")
            paths.append(path)
            when = time.time() - days * 86_400
            for touched in (path, path.parent) if "progress" in name else (path,):
                os.utime(touched, (when, when))
    held = state / "locks" / "held.lock"
    with locked(held, wait=False):
        os.utime(held, (0, 0))
        assert len(ods("records", "world-capitals", "--json", "--select", "name").rows) == 110
        assert held.exists()
    assert [path.name for path in old if path.exists()] == []
    assert [path.name for path in new if not path.exists()] == []


def test_a_wait_that_another_release_kept_is_forgotten(ods, ods_portal, tmp_path):
    ods_portal.set_quota(remaining=0, reset_in_s=3_600)
    assert ods("records", "world-capitals", "--json").code == 75
    ods_portal.set_quota(remaining=1_000, reset_in_s=3_600)
    kept = [path for path in (tmp_path / "state").rglob("*.json") if path.name == "wait.json"]
    assert len(kept) == 1
    for strange in ({"until": "2099-01-01T00:00:00+00:00"}, {"until": 3, "reason": "x"}, [1], "x", {"reason": "x"}):
        kept[0].parent.mkdir(parents=True, exist_ok=True)
        kept[0].write_text(json.dumps(strange))
        assert len(ods("records", "world-capitals", "--json").rows) == 110
