"""The example DAGs, run in Airflow to their end."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from airflow_commands import COMMANDS, run

from ods_provider import OdsClient
from ods_provider.testing.portal import LocalPortal


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of Airflow with a database."""
    made = tmp_path_factory.mktemp("airflow")
    migrated = run("-m", "airflow", "db", "migrate", home=made)
    assert migrated.returncode == 0, migrated.stderr[-2000:]
    return made


def test_the_examples_of_the_pages_run_in_airflow_to_their_end(home: Path, tmp_path: Path) -> None:
    names = ("ods_howto", "ods_search_v1", "ods_flaky")
    with LocalPortal() as portal:
        commands = [
            (portal.airflow_uri, ["dags", "test", name, "--conf", json.dumps({"folder": str(tmp_path / name)})])
            for name in names
        ]
        done = run("-c", COMMANDS, json.dumps(commands), home=home, AIRFLOW_CONN_ODS_DEFAULT=portal.airflow_uri)
        readings = {row["sensor_id"] for row in portal.rows("live-readings")}
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert done.stdout.count("exit code 0") == len(names), output[-3000:]
    assert all(re.search(rf"<DagRun {name} [^>]*> successful", output) for name in names), output[-3000:]
    assert {"CN", "EG", "IR"} <= readings
    made = {path.name for path in (tmp_path / "ods_howto").iterdir()}
    assert (tmp_path / "ods_flaky" / "readings.parquet").exists()
    assert {"attachments", "capitals.csv", "capitals.jsonl", "capitals.parquet", "photos", "city.duckdb"} <= made
    with duckdb.connect(str(tmp_path / "ods_howto" / "city.duckdb")) as city:
        assert city.execute("SELECT count(*) FROM capitals").fetchall() == [(110,)]
        assert city.execute("SELECT count(*) > 0 FROM readings").fetchall() == [(True,)]
    table = (tmp_path / "ods_howto" / "capitals.csv").read_text(encoding="utf-8")
    assert table.startswith("\ufeffname;population;coordinates")


def test_the_nightly_dags_run_in_airflow_and_their_second_night_fetches_nothing(home: Path) -> None:
    shutil.rmtree("/tmp/ods-nightly", ignore_errors=True)
    with LocalPortal() as portal:
        dates = ("2026-01-01", "2026-01-02")
        commands = [(portal.airflow_uri, ["dags", "test", "ods_nightly_look", date]) for date in dates]
        commands.append((portal.airflow_uri, ["dags", "test", "ods_nightly", "2026-01-01"]))
        done = run("-c", COMMANDS, json.dumps(commands), home=home, AIRFLOW_CONN_ODS_DEFAULT=portal.airflow_uri)
        exports = sum("/exports/" in entry.path for entry in portal.requests)
    shutil.rmtree("/tmp/ods-nightly", ignore_errors=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert "has not changed since" in output, output[-3000:]
    assert exports == 2, output[-3000:]


def test_the_archive_of_a_portal_s_use_runs_in_airflow_to_its_end(home: Path) -> None:
    shutil.rmtree("/tmp/ods-monitoring", ignore_errors=True)
    with LocalPortal() as portal:
        commands = [(portal.airflow_uri, ["dags", "test", "ods_monitoring", "2026-01-01"])]
        done = run("-c", COMMANDS, json.dumps(commands), home=home, AIRFLOW_CONN_ODS_DEFAULT=portal.airflow_uri)
        asked = {entry.path.split("/")[4] for entry in portal.requests}
    written = sorted(
        str(path.relative_to("/tmp/ods-monitoring")) for path in Path("/tmp/ods-monitoring").rglob("*.parquet")
    )
    shutil.rmtree("/tmp/ods-monitoring", ignore_errors=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert "successful" in output, output[-3000:]
    assert asked == {"monitoring"}
    assert [Path(path).parent.name for path in written] == ["calls", "calls", "datasets"], written


def test_the_tables_of_a_warehouse_and_of_a_portal_s_use_are_loaded_two_nights(home: Path, tmp_path: Path) -> None:
    archive, warehouse = Path("/tmp/ods-monitoring.duckdb"), tmp_path / "warehouse.db"
    archive.unlink(missing_ok=True)
    connection = json.dumps({"conn_type": "sqlite", "host": str(warehouse), "password": "warehouse-password-75"})
    with LocalPortal() as portal:
        commands = [
            (portal.airflow_uri, ["dags", "test", name, date])
            for date in ("2026-01-01", "2026-01-02")
            for name in ("ods_warehouse", "ods_monitoring_tables")
        ]
        environ = {"AIRFLOW_CONN_ODS_DEFAULT": portal.airflow_uri, "AIRFLOW_CONN_WAREHOUSE": connection}
        done = run("-c", COMMANDS, json.dumps(commands), home=home, **environ)
    output = done.stdout + done.stderr
    assert output.count("successful") >= 4, output[-3000:]
    assert "warehouse-password-75" not in output
    with closing(sqlite3.connect(warehouse)) as opened:
        assert opened.execute("SELECT count(*) FROM capitals").fetchall() == [(110,)]
        ended = opened.execute("SELECT count(*) FROM landmarks WHERE valid_to IS NOT NULL").fetchall()
        assert ended == [(0,)]
    with duckdb.connect(str(archive)) as opened:
        count, calls = opened.execute("SELECT count(*), count(DISTINCT timestamp) FROM calls").fetchall()[0]
        columns = {name for (name,) in opened.execute("SELECT column_name FROM duckdb_columns()").fetchall()}
        once = opened.execute("SELECT count(*) FROM datasets WHERE valid_to IS NULL GROUP BY dataset_id").fetchall()
    archive.unlink()
    assert count > 0 and calls > 0
    assert not columns & {"user_ip_addr", "geo_coordinates", "user_agent", "query_text"}
    assert set(once) == {(1,)}


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


def test_the_coverage_of_every_night_and_the_licence_of_all_datasets_are_set_once(home: Path) -> None:
    names = ["ods_publish_coverage", "ods_publish_coverage", "ods_publish_licence", "ods_publish_licence"]
    with LocalPortal() as portal:
        commands = [
            (portal.airflow_uri, ["dags", "test", name, f"2026-01-0{number}"]) for number, name in enumerate(names, 1)
        ]
        done = run("-c", COMMANDS, json.dumps(commands), home=home, AIRFLOW_CONN_ODS_DEFAULT=portal.airflow_uri)
        orders = sum(call.path.endswith("/publish_metadata/") for call in portal.requests)
        with OdsClient(portal.url, api_key=portal.api_key) as client:
            metas = {row["dataset_id"]: row["metas"] for row in client.datasets()}
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert output.count("successful") >= 4, output[-3000:]
    assert {each["default"]["license"] for each in metas.values()} == {"ODbL"}
    for name in ("world-capitals", "live-readings"):
        assert metas[name]["dcat"]["temporal_coverage_start"] < metas[name]["dcat"]["temporal_coverage_end"]
    # Two that have a coverage, and all of them with a licence: the second night changed nothing.
    assert orders == 2 + len(metas)


def test_an_embargo_ends_at_its_time_and_a_harvest_is_public_in_the_morning(home: Path) -> None:
    conf = json.dumps({"dataset": "world-capitals", "at": "2026-01-01T09:00:00+01:00"})
    with LocalPortal(api_key="embargo-key-75") as portal:
        with OdsClient(portal.url, api_key="embargo-key-75") as client:
            client.automation.datasets.update("world-capitals", is_restricted=True)
            client.automation.datasets.wait(client.automation.datasets.publish("world-capitals"))
        runs = [["ods_embargo", "2026-01-01", "--conf", conf], ["ods_harvest", "2026-01-02"]]
        commands = [(portal.airflow_uri, ["dags", "test", *each]) for each in runs]
        done = run("-c", COMMANDS, json.dumps(commands), home=home, AIRFLOW_CONN_ODS_DEFAULT=portal.airflow_uri)
        with OdsClient(portal.url) as anybody:
            seen = {row["dataset_id"] for row in anybody.datasets()}
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert output.count("successful") >= 2, output[-3000:]
    assert {"world-capitals", "town-gardens", "town-benches"} <= seen
    assert "embargo-key-75" not in output


def test_a_dataset_that_came_is_published_as_another_and_only_once(home: Path) -> None:
    shutil.rmtree("/tmp/ods-publish", ignore_errors=True)
    with LocalPortal() as portal:
        runs = [["ods_publish", "2026-01-01"], ["ods_publish", "2026-01-02"], ["ods_publish_many", "2026-01-02"]]
        commands = [(portal.airflow_uri, ["dags", "test", *each]) for each in runs]
        done = run("-c", COMMANDS, json.dumps(commands), home=home, AIRFLOW_CONN_ODS_DEFAULT=portal.airflow_uri)
        rows = portal.rows("large-cities")
        orders = [call.path.rsplit("/", 2)[1] for call in portal.requests if call.path.endswith(("h/", "a/"))]
    shutil.rmtree("/tmp/ods-publish", ignore_errors=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert output.count("successful") >= 3, output[-3000:]
    assert len(rows) > 10
    assert min(row["population"] for row in rows) > 1_000_000
    assert (orders.count("publish"), orders.count("publish_metadata")) == (1, 1), orders


MANY = """
from airflow.sdk import DAG, task

from ods_provider.operators.download import OdsDownloadOperator

with DAG("many", schedule=None, params={"ids": []}):

    @task
    def wanted(*, params):
        return params["ids"]

    OdsDownloadOperator.partial(
        task_id="each", path="FOLDER/{{ task.dataset_id }}-{{ ds }}.csv", if_unchanged="skip"
    ).expand(dataset_id=wanted())
"""


def test_one_dataset_more_in_a_list_makes_none_of_the_others_fetch_anew(home: Path, tmp_path: Path) -> None:
    dags, lake = tmp_path / "dags", tmp_path / "lake"
    dags.mkdir()
    (dags / "many.py").write_text(MANY.replace("FOLDER", str(lake)))
    nights = {
        "2026-01-01": ["landmark-photos", "world-capitals"],
        "2026-01-02": ["all-types", "landmark-photos", "world-capitals"],
    }
    with LocalPortal() as portal:
        commands = [
            (portal.airflow_uri, ["dags", "test", "many", night, "--conf", json.dumps({"ids": ids})])
            for night, ids in nights.items()
        ]
        settings = {"AIRFLOW_CONN_ODS_DEFAULT": portal.airflow_uri, "AIRFLOW__CORE__DAGS_FOLDER": str(dags)}
        done = run("-c", COMMANDS, json.dumps(commands), home=home, **settings)
    assert done.stdout.count("exit code 0") == 2, (done.stdout + done.stderr)[-3000:]
    assert sorted(path.name for path in lake.glob("*.csv")) == [
        "all-types-2026-01-02.csv",
        "landmark-photos-2026-01-01.csv",
        "world-capitals-2026-01-01.csv",
    ]
