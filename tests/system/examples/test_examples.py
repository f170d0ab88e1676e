"""The example DAGs, run in Airflow to their end."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from airflow_commands import COMMANDS, run

from ods_provider.testing.portal import LocalPortal


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
