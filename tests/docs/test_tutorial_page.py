"""docs/tutorial.md, line by line, in a folder and an Airflow of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("airflow")

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:<!-- shows: (.*?) -->)?", re.MULTILINE | re.DOTALL)
HOST = "http://127.0.0.1:8080"  # what the page's portal listens on
AGAIN = "\nexport -p > environment\n"  # what one line sets the next ones find


@pytest.mark.at_length
def test_the_tutorial_does_what_it_says(ods_portal, tmp_path):
    environment = {
        "HOME": str(tmp_path / "home"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", ""),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    (tmp_path / "environment").write_text("")
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) >= 7
    for kind, text, shows in blocks:
        if kind == "python":
            file = tmp_path / re.match(r"# (\S+)", text)[1]
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            continue
        done = subprocess.run(
            ["bash", "-ec", f". ./environment\n{text.replace(HOST, ods_portal.url)}{AGAIN}"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert shows in done.stdout + done.stderr, done.stdout + done.stderr
        assert ods_portal.api_key not in done.stdout.replace(environment["HOME"], "") + done.stderr
