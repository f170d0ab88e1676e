"""OpenLineage's own provider writes its events to a file while the example DAGs run in Airflow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow_commands import COMMANDS, FOLDER, run

from ods_provider.testing.portal import LocalPortal

DAGS = Path(__file__).parent / "dags"
KEYS = ("lineage-key-81", "lineage-push-key-82")
# Functions of the examples that touch no portal: of these there is nothing to tell.
WITHOUT_DATA = {"ods_howto.readings", "ods_main_job.readings", "ods_nightly_look.load"}
Events = list[dict[str, Any]]


@dataclass
class Home:
    """Where commands of Airflow run, and where events are told."""

    path: Path
    database: str


@pytest.fixture(scope="module")
def home(database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("airflow"), database("commands"))


def events_of(home: Home, commands: list[list[str]], dags: Path = FOLDER) -> tuple[Events, str]:
    """Run commands of Airflow and return the events of their tasks, and all that was written."""
    told = home.path / "events.jsonl"
    told.unlink(missing_ok=True)
    transport = json.dumps({"type": "file", "log_file_path": str(told), "append": True})
    with LocalPortal(api_key=KEYS[0], push_key=KEYS[1]) as portal:
        given = json.dumps([(portal.airflow_uri, each) for each in commands])
        environ = {
            "AIRFLOW_CONN_ODS_DEFAULT": portal.airflow_uri,
            "AIRFLOW_CONN_ODS_ASSETS": portal.airflow_uri,
            "AIRFLOW__OPENLINEAGE__TRANSPORT": transport,
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": home.database,
        }
        done = run("-c", COMMANDS, given, home=home.path, **environ)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    written = told.read_text(encoding="utf-8")
    events = [json.loads(line) for line in written.splitlines()]
    return [each for each in events if "." in each["job"]["name"]], written + output


def of(events: Events, task: str, kind: str = "COMPLETE") -> dict[str, Any]:
    return next(each for each in events if each["job"]["name"] == task and each["eventType"] == kind)


def names(datasets: list[Mapping[str, Any]]) -> set[str]:
    return {each["name"] for each in datasets}


def test_every_task_of_the_examples_tells_what_it_reads_and_writes_and_no_key(home: Home, tmp_path: Path) -> None:
    for folder in ("/tmp/ods-nightly", "/tmp/ods-monitoring"):
        shutil.rmtree(folder, ignore_errors=True)
    commands = [
        ["dags", "test", "ods_howto", "--conf", json.dumps({"folder": str(tmp_path / "howto")})],
        ["dags", "test", "ods_nightly_look", "2026-01-01"],
        ["dags", "test", "ods_nightly_look", "2026-01-02"],
        ["dags", "test", "ods_monitoring", "2026-01-01"],
    ]
    events, written = events_of(home, commands)
    for folder in ("/tmp/ods-nightly", "/tmp/ods-monitoring"):
        shutil.rmtree(folder, ignore_errors=True)
    assert not [key for key in KEYS if key in written]

    ours = [each for each in events if each["job"]["name"] not in WITHOUT_DATA]
    # What a function will ask of a client is not known before it did.
    asked_in_python = {"ods_howto.corrected", "ods_howto.largest"}
    bare = {
        (each["eventType"], each["job"]["name"])
        for each in ours
        if not each["inputs"] + each["outputs"]
        and not (each["eventType"] == "START" and each["job"]["name"] in asked_in_python)
    }
    assert not bare
    assert {each["eventType"] for each in ours} == {"START", "COMPLETE"}

    parquet = of(events, "ods_howto.parquet")
    (read,), (file,) = parquet["inputs"], parquet["outputs"]
    assert (read["name"], file["namespace"], file["name"]) == (
        "world-capitals",
        "file",
        str(tmp_path / "howto/capitals.parquet"),
    )
    assert read["namespace"].startswith("ods://127.0.0.1:")
    facets = read["facets"]
    assert {"name", "population"} <= {each["name"] for each in facets["schema"]["fields"]}
    assert all(each["type"] for each in facets["schema"]["fields"])
    assert facets["version"]["datasetVersion"] == "2026-01-05T08:00:00+00:00"
    assert "Licence: " in facets["documentation"]["description"]
    assert facets["ownership"]["owners"][0]["type"] == "publisher"
    assert read["inputFacets"]["inputStatistics"]["rowCount"] == 110
    statistics = file["outputFacets"]["outputStatistics"]
    assert (statistics["rowCount"], statistics["size"]) == (110, (tmp_path / "howto/capitals.parquet").stat().st_size)
    came_from = file["facets"]["columnLineage"]["fields"]["population"]["inputFields"][0]
    assert (came_from["name"], came_from["field"]) == ("world-capitals", "population")
    assert set(of(events, "ods_howto.csv")["outputs"][0]["facets"]["columnLineage"]["fields"]) == {
        "name",
        "population",
        "coordinates",
    }

    table = of(events, "ods_howto.table")["outputs"][0]
    assert (table["name"], table["outputFacets"]["outputStatistics"]["rowCount"]) == ("capitals", 110)
    assert names(of(events, "ods_howto.push")["outputs"]) == {"live-readings"}
    assert names(of(events, "ods_howto.part")["outputs"]) == {str(tmp_path / "howto/capitals")}
    assert "columnLineage" not in of(events, "ods_howto.photos")["outputs"][0]["facets"]
    assert names(of(events, "ods_monitoring.datasets")["inputs"]) == {"monitoring/ods-datasets-monitoring"}
    assert "world-capitals" in names(of(events, "ods_howto.largest")["inputs"])
    assert not of(events, "ods_howto.parquet", "START")["outputs"]

    looks = [each for each in events if each["job"]["name"] == "ods_nightly_look.download"]
    loaded, skipped = [each for each in looks if each["eventType"] == "COMPLETE"]
    assert loaded["outputs"]
    assert not skipped["outputs"]
    assert names(skipped["inputs"]) == {"world-capitals"}


def test_a_failure_tells_why_and_an_asset_is_the_dataset_of_the_operators(home: Home, tmp_path: Path) -> None:
    command = ["dags", "test", "assets", "--conf", json.dumps({"folder": str(tmp_path)})]
    events, written = events_of(home, [command], DAGS)
    assert not [key for key in KEYS if key in written]
    failed = of(events, "assets.failed", "FAIL")
    assert names(failed["inputs"]) == {"no-such-dataset"}
    assert not failed["outputs"]
    assert "no-such-dataset does not exist" in failed["run"]["facets"]["errorMessage"]["message"]
    wrong = of(events, "assets.wrong", "FAIL")
    assert names(wrong["inputs"]) == {"world-capitals"}
    assert "if_moved" in wrong["run"]["facets"]["errorMessage"]["message"]
    assert "OpenLineage method failed" not in written
    pushed, asked = of(events, "assets.pushed")["outputs"][0], of(events, "assets.asked")["inputs"][0]
    assert pushed["name"] == "live-readings"
    assert asked["name"] == "world-capitals"
    assert pushed["namespace"] == asked["namespace"]
