"""Every recipe of docs/recipes/index.md is run as it stands there, and shows what the page says that it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "recipes" / "index.md"
RECIPE = re.compile(r"^### … (.+?)\n(.+?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:<!-- shows: (.*?) -->)?", re.MULTILINE | re.DOTALL)
RECIPES = dict(RECIPE.findall(PAGE.read_text(encoding="utf-8")))
HOST = "http://127.0.0.1:8080"  # what the page's portal listens on


def test_there_are_twenty_and_each_has_something_to_run():
    assert len(RECIPES) >= 20
    assert all(BLOCK.search(told) for told in RECIPES.values())


@pytest.mark.at_length
@pytest.mark.parametrize("question", RECIPES)
def test_a_recipe_does_what_it_says(question, ods_portal, tmp_path):
    commands = {
        "HOME": str(tmp_path / "home"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ODS_HOST": ods_portal.url,
        "ODS_API_KEY": ods_portal.api_key,
        "ODS_PUSH_API_KEY": ods_portal.push_key,
        "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", ""),
    }
    for kind, text, shows in BLOCK.findall(RECIPES[question]):
        program = ["bash", "-ec"] if kind == "sh" else [sys.executable, "-c"]
        done = subprocess.run(
            [*program, text.replace(HOST, ods_portal.url)],
            cwd=tmp_path,
            env=commands,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert shows in done.stdout + done.stderr
        assert ods_portal.api_key not in done.stdout + done.stderr
