"""docs/airflow-running.md: its DAGs are parsed by Airflow and run, and its commands too, in an Airflow of their own."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from airflow_commands import COMMANDS, run

from ods_provider.testing.portal import LocalPortal

pytest.importorskip("airflow")

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
DAGS, COMMAND_LINES = EXAMPLES / "airflow_running.py", EXAMPLES / "airflow_running.sh"
BLOCK = re.compile(r"^# \[START (\w+)\]\n(.*?)^# \[END \1\]$", re.MULTILINE | re.DOTALL)
HOST, KEY = "data.example.org", "YOUR-API-KEY"
LAKE = "/tmp/ods-running"

NEW_FILES = "SELECT value FROM xcom WHERE task_id = 'new_files' AND key = 'return_value' ORDER BY timestamp"

# Airflow's own look at the file, and events as it hands them to a task: one of a watcher, two of a task.
PARSE = """
import json, sys
from types import SimpleNamespace as Event
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Asset
bag = DagBag(sys.argv[1], bundle_name="docs")
assert not bag.import_errors, bag.import_errors
both = bag.dags["ods_both"]
events = {
    Asset("ods://c@/cities"): [Event(extra={"payload": {"data_processed": "a"}, "from_trigger": True})],
    Asset("ods://c@/trees"): [Event(extra={"data_processed": each}) for each in "bc"],
}
print(json.dumps({
    "tasks": {dag_id: sorted(dag.task_ids) for dag_id, dag in bag.dags.items()},
    "waits for": sorted(asset.uri for asset in both.timetable.asset_condition.objects),
    "watched": sorted(len(asset.watchers) for asset in both.timetable.asset_condition.objects),
    "moved": both.get_task("what_moved").python_callable(events),
}))
"""


@pytest.mark.at_length
def test_airflow_reads_the_dags_of_the_page(tmp_path: Path) -> None:
    done = run("-c", PARSE, str(DAGS), home=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["tasks"] == {
        "ods_days": ["day"],
        "ods_many": ["each", "found", "new_files"],
        "ods_limits": ["whole"],
        "ods_both": ["capitals", "what_moved"],
    }
    assert found["waits for"] == ["ods://ods_default@/landmark-photos", "ods://ods_default@/world-capitals"]
    assert found["watched"] == [1, 1]
    assert sorted(found["moved"].values()) == [["a"], ["b", "c"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands are typed: the page's DAGs in ``dags``, and an Airflow in ``home``."""
    made = tmp_path_factory.mktemp("running")
    (made / "dags").mkdir()
    text = DAGS.read_text(encoding="utf-8")
    # The examples write into a folder of the machine, which two runs of these tests would share; two datasets are many.
    for said, meant in ((LAKE, str(made / "lake")), ("limit=1024", "limit=2")):
        assert said in text
        text = text.replace(said, meant)
    (made / "dags" / DAGS.name).write_text(text)
    migrated = run("-m", "airflow", "db", "migrate", home=made / "home")
    assert migrated.returncode == 0, migrated.stderr[-2000:]
    return made


@pytest.fixture(scope="module")
def portal() -> Iterator[LocalPortal]:
    with LocalPortal() as started:
        yield started


def asked(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "home" / "airflow.db")) as database:
        return database.execute(query).fetchall()


def rows(warehouse: Path) -> int:
    with closing(sqlite3.connect(warehouse)) as database:
        return int(database.execute("SELECT count(*) FROM readings").fetchone()[0])


@pytest.mark.at_length
def test_the_commands_of_the_page_do_what_it_says(folder: Path, portal: LocalPortal) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")} | {
        "AIRFLOW_HOME": str(folder / "home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "NO_PROXY": "127.0.0.1,localhost",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }

    def typed(text: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", text.replace(HOST, portal.url).replace(KEY, portal.api_key)],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    blocks = dict(BLOCK.findall(COMMAND_LINES.read_text(encoding="utf-8")))
    typed("airflow dags reserialize")
    typed(blocks.pop("pools"))
    assert asked(folder, "SELECT slots, include_deferred FROM slot_pool WHERE pool = 'ods_portal'") == [(8, 0)]
    typed(blocks.pop("backfill"))
    runs = (
        "SELECT run_type, substr(data_interval_start, 1, 13), state FROM dag_run WHERE dag_id = 'ods_days' ORDER BY 2"
    )
    made = [("backfill", f"2026-01-0{day} 03", "queued") for day in (5, 6)]
    assert asked(folder, runs) == made
    with closing(sqlite3.connect(folder / "home" / "airflow.db")) as database, database:
        database.execute("UPDATE task_instance SET state = 'failed'")
        database.execute("UPDATE dag_run SET state = 'failed'")
    typed(blocks.pop("clear"))
    assert asked(folder, runs) == made
    assert asked(folder, "SELECT DISTINCT state FROM task_instance") == [(None,)]
    assert "Connection success!" in typed(blocks.pop("secrets"))
    assert not blocks


@pytest.mark.at_length
def test_the_dags_of_the_page_run_with_the_keys_of_a_secrets_backend(folder: Path, portal: LocalPortal) -> None:
    warehouse, connections = folder / "warehouse.db", folder / "connections.json"
    known = {
        "ods_default": {"conn_type": "ods", "host": portal.url, "password": portal.api_key},
        "warehouse": {"conn_type": "sqlite", "host": str(warehouse)},
    }

    def tested(*dags: tuple[str, ...]) -> None:
        commands = [(portal.airflow_uri, ["dags", "test", *dag]) for dag in dags]
        done = run(
            "-c",
            COMMANDS,
            json.dumps(commands),
            home=folder / "home",
            AIRFLOW__CORE__DAGS_FOLDER=str(folder / "dags"),
            AIRFLOW__SECRETS__BACKEND="airflow.secrets.local_filesystem.LocalFilesystemBackend",
            AIRFLOW__SECRETS__BACKEND_KWARGS=json.dumps({"connections_file_path": str(connections)}),
        )
        output = done.stdout + done.stderr
        assert all(re.search(rf"<DagRun {dag[0]} [^>]*> successful", output) for dag in dags), output[-5000:]

    def new_files() -> list[list[str]]:
        return [json.loads(value) for (value,) in asked(folder, NEW_FILES)]

    connections.write_text(json.dumps(known))
    # The day of the readings, and that day once more.
    tested(("ods_days", "2026-01-07"), ("ods_days", "2026-01-07T01:00:00"), ("ods_many", "2026-01-01"))
    assert rows(warehouse) == len(portal.rows("live-readings")) == 3
    files = [str(folder / "lake" / f"{name}.parquet") for name in ("all-types", "camera-shots")]
    assert new_files() == [files]
    assert {entry.auth for entry in portal.requests} == {"apikey"}

    # The next night the key is another one (none at all, which can be told apart), and one dataset has moved.
    known["ods_default"]["password"] = ""
    connections.write_text(json.dumps(known))
    portal.touch("camera-shots")
    before = len(portal.requests)
    tested(("ods_many", "2026-01-02"), ("ods_limits", "2026-01-02"), ("ods_both",))
    assert new_files() == [files, files[1:]]
    assert {entry.auth for entry in portal.requests[before:]} == {None}
    assert (folder / "lake" / "capitals.parquet").exists()
    assert len(list((folder / "lake").glob("*-*-*/capitals.parquet"))) == 1
