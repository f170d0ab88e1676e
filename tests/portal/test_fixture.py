"""The fixture ``ods_portal`` from a stranger's project, and what loading the plugin costs everybody else."""

import os
import subprocess
import sys

import pytest


def pytest_in(folder, text, *options):
    (folder / "test_mine.py").write_text(text)
    # Without the place of what was compiled, all of pytest would be compiled once more, and into the packages' folders.
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPYCACHEPREFIX") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=kept | {"HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.at_length
def test_a_foreign_project_has_the_fixture(tmp_path):
    done = pytest_in(
        tmp_path,
        """
import requests

def records(portal):
    return f"{portal.url}/api/explore/v2.1/catalog/datasets/world-capitals/records"

def test_rows(ods_portal):
    assert requests.get(records(ods_portal), params={"limit": 0}).json()["total_count"] == 110
    ods_portal.fault("status", times=None)
    ods_portal.touch("world-capitals", rows=5)

def test_each_test_begins_anew(ods_portal):
    assert ods_portal.requests == []
    assert requests.get(records(ods_portal), params={"limit": 0}).json()["total_count"] == 110
""",
        "-W",
        "error",
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_plugin_loads_nothing_but_pytest(tmp_path):
    done = pytest_in(
        tmp_path,
        """
import sys

def test_nothing_is_loaded():
    ours = {name for name in sys.modules if name.startswith("ods_provider")}
    assert ours == {"ods_provider", "ods_provider.testing", "ods_provider.testing.pytest_plugin"}
    assert not {"starlette", "uvicorn", "duckdb", "pyarrow", "requests", "airflow"} & set(sys.modules)
""",
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
