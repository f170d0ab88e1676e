"""The script that docs/cron-and-luigi.md shows, run as cron runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "docs" / "examples" / "cities-cron.sh"


def test_it_follows_the_portal_and_says_nothing_while_there_is_no_news(ods_portal, surroundings, tmp_path):
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "FOLDER": str(tmp_path), "DATASET": "world-capitals"}

    def run(**more: str) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", SCRIPT], env=surroundings | env | more, capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    def exports() -> int:
        return sum("/exports/" in entry.path for entry in ods_portal.requests)

    assert run() == (0, "")
    kept = json.loads((tmp_path / "cities.json").read_text())
    assert (kept["rows"], kept["verified"], exports()) == (110, "counted", 1)
    assert run() == (0, "")
    assert exports() == 1
    ods_portal.touch("world-capitals", rows=1)
    # However soon after the last one, a run sees what is there now.
    assert run() == (0, "")
    assert exports() == 2
    assert json.loads((tmp_path / "cities.json").read_text())["rows"] == 111
    ods_portal.set_quota(limit=5, remaining=0, reset_in_s=3600)
    assert run(XDG_STATE_HOME=str(tmp_path / "third")) == (0, "")
    code, said = run(DATASET="nope", XDG_STATE_HOME=str(tmp_path / "fourth"), ODS_API_KEY="")
    assert "demo-key" not in said
    ods_portal.set_quota(limit=5000, remaining=5000)
    code, said = run(DATASET="nope", XDG_STATE_HOME=str(tmp_path / "fifth"))
    assert code == 1 and "nope does not exist" in said
    assert json.loads((tmp_path / "cities.json").read_text())["rows"] == 111
