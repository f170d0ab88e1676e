"""The example DAG: what parsing it costs, and a run of it in Airflow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

import ods_provider
from ods_provider.testing.portal import LocalPortal

FOLDER = Path(ods_provider.__file__).parent / "example_dags"

# What a DAG file must not load (Airflow itself brings pendulum, pluggy and tenacity along).
HEAVY = (
    "requests",
    "urllib3",
    "pyarrow",
    "fsspec",
    "duckdb",
    "ods_provider.client",
    "ods_provider.jobs",
    "ods_provider.plugins",
    "ods_provider.sinks",
    "ods_provider.transport",
)

PARSE = """
import json, socket, sys, warnings
from importlib import import_module, metadata
def refuse(*_):
    raise AssertionError("parsing a DAG reached for the network")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from airflow.sdk import DAG
import airflow.triggers.base
warnings.simplefilter("error")
before = set(sys.modules)
walked = []
whole = metadata.distributions
metadata.distributions = lambda *a, **k: walked.append(1) or whole(*a, **k)
modules = [import_module("ods_provider.example_dags." + name) for name in sys.argv[1:]]
dags = [value for module in modules for value in vars(module).values() if isinstance(value, DAG)]
found = {dag.dag_id: sorted(dag.task_ids) for dag in dags}
print(json.dumps({"dags": found, "walked": len(walked), "loaded": sorted(set(sys.modules) - before)}))
"""

# Several commands in one process: each would spend four seconds on starting.
COMMANDS = """
import json, os, sys
from airflow.__main__ import main
for connection, arguments in json.loads(sys.argv[1]):
    os.environ["AIRFLOW_CONN_PORTAL"] = connection
    sys.argv = ["airflow", *arguments]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    print(f"\\nexit code {code}\\n---", flush=True)
"""


def test_the_examples_are_parsed_without_connection_network_or_weight() -> None:
    names = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    environ = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW_CONN_")}
    command = [sys.executable, "-c", PARSE, *names]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert set(names) <= set(found["dags"])
    assert all(tasks for tasks in found["dags"].values())
    assert not found["walked"], "entry points were walked"
    heavy = [module for module in found["loaded"] if any(module == h or module.startswith(h + ".") for h in HEAVY)]
    assert not heavy


def run(*command: str, home: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    base = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "NO_PROXY": "127.0.0.1,localhost",
        "COLUMNS": "300",
    }
    command = (sys.executable, *command)
    return subprocess.run(command, env=base | settings | environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of Airflow with a database."""
    made = tmp_path_factory.mktemp("airflow")
    migrated = run("-m", "airflow", "db", "migrate", home=made)
    assert migrated.returncode == 0, migrated.stderr[-2000:]
    return made


def test_the_examples_of_the_pages_run_in_airflow_to_their_end(home: Path, tmp_path: Path) -> None:
    names = ("ods_howto", "ods_search_v1")
    with LocalPortal() as portal:
        commands = [
            (portal.airflow_uri, ["dags", "test", name, "--conf", json.dumps({"folder": str(tmp_path / name)})])
            for name in names
        ]
        done = run("-c", COMMANDS, json.dumps(commands), home=home, AIRFLOW_CONN_ODS_DEFAULT=portal.airflow_uri)
        readings = {row["sensor_id"] for row in portal.rows("live-readings")}
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert done.stdout.count("exit code 0") == 2, output[-3000:]
    assert all(re.search(rf"<DagRun {name} [^>]*> successful", output) for name in names), output[-3000:]
    assert {"CN", "EG", "IR"} <= readings
    made = {path.name for path in (tmp_path / "ods_howto").iterdir()}
    assert {"attachments", "capitals.csv", "capitals.jsonl", "capitals.parquet", "photos"} <= made
    table = (tmp_path / "ods_howto" / "capitals.csv").read_text(encoding="utf-8")
    assert table.startswith("\ufeffname;population;coordinates")


def test_the_main_job_runs_in_airflow_to_its_end_and_shows_no_key(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    with LocalPortal(api_key="main-job-key-71", push_key="main-job-push-key-72") as portal:
        conf = json.dumps({"cities": "world-capitals", "folder": str(folder)})
        command = ("-m", "airflow", "dags", "test", "ods_main_job", "--conf", conf)
        done = run(*command, home=home, AIRFLOW_CONN_ODS_DEFAULT=portal.airflow_uri)
        output = done.stdout + done.stderr
        assert done.returncode == 0, output[-3000:]
        assert "state=success" in output
        pushed = [row for row in portal.rows("live-readings") if row["sensor_id"].startswith("cities-")]
    assert len(pushed) == 10
    assert sorted(path.name for path in folder.iterdir()) == ["attachments", "cities.csv", "cities.parquet", "photos"]
    assert len((folder / "cities.csv").read_text(encoding="utf-8").splitlines()) == 111
    written = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    for key in (b"main-job-key-71", b"main-job-push-key-72"):
        assert key not in output.encode()
        assert not any(key in content for content in written), "in Airflow's home: database, logs or files"


def test_airflows_own_commands_list_the_provider_and_test_the_connection_both_ways(tmp_path: Path) -> None:
    with LocalPortal(api_key="command-key-73") as portal:
        test = ["connections", "test", "portal"]
        wrong = f"ods://:wrong-key-74@{portal.netloc}"
        commands = [(portal.airflow_uri, test), (wrong, test), ("", ["providers", "list", "-o", "plain"])]
        done = run("-c", COMMANDS, json.dumps(commands), home=tmp_path)
    assert done.returncode == 0, done.stderr
    good, bad, listed = done.stdout.split("---")[:3]
    assert "Connection success!" in good
    assert "exit code 0" in good
    assert "The provided API key is not valid" in bad
    # Before 3.3 Airflow's command said that it failed, and ended as if it had not.
    assert f"exit code {int(Version(version('apache-airflow')) >= Version('3.3'))}" in bad
    assert "ods-provider" in listed
    assert "key-7" not in done.stdout + done.stderr
