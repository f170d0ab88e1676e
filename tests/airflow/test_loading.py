"""``OdsLoadOperator`` as a task: destinations by connection, waits, skips, kills, and no password anywhere."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from airflow_task import Runs, context_of, events_of, resume_task, revived, run_task

from ods_provider.jobs.context import Suspended
from ods_provider.operators.load import OdsLoadOperator
from ods_provider.testing.portal import LocalPortal

PASSWORD = "w4rehouse-pa55word@/:?"
Warehouse = Callable[..., None]


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch, connect: Any, tmp_path: Path) -> Warehouse:
    """Set the connection ``warehouse``."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def to(**parts: Any) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(parts))

    return to


def load(**given: Any) -> OdsLoadOperator:
    return OdsLoadOperator(
        **{"task_id": "t", "dataset_id": "world-capitals", "table": "capitals", "destination": "warehouse"} | given
    )


def exports(portal: LocalPortal) -> int:
    return sum("/exports/" in entry.path for entry in portal.requests)


@pytest.mark.parametrize(("kind", "ending"), [("sqlite", "db"), ("duckdb", "duckdb")])
@pytest.mark.parametrize("part", ["host", "schema"])
def test_a_connection_is_a_destination(warehouse: Warehouse, tmp_path: Path, kind: str, ending: str, part: str) -> None:
    path = tmp_path / f"the city's 100%.{ending}"
    warehouse(conn_type=kind, password=PASSWORD, **{part: str(path)})
    told = run_task(load())
    assert json.loads(json.dumps(told)) == told
    assert (told["path"], told["table_rows"]) == (f"{kind}:///{path}/capitals", 110)
    opened: Any = duckdb.connect(str(path)) if kind == "duckdb" else sqlite3.connect(path)
    assert opened.execute("SELECT count(*) FROM capitals").fetchall() == [(110,)]
    opened.close()


def test_a_connection_may_be_a_uri(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CITY", f"sqlite:///{tmp_path}/city.db")
    assert run_task(load(destination="city"))["path"] == f"sqlite:///{tmp_path}/city.db/capitals"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (None, "there is no connection 'warehouse' (argument destination)"),
        ({"conn_type": "http", "host": "h"}, "a connection of type 'http' leads to nothing that a load goes to"),
        ({"conn_type": "postgress", "host": "h"}, "Perhaps 'postgres' is meant"),
        ({"conn_type": "sqlite"}, "names no path (its host) (connection warehouse)"),
        ({"conn_type": "postgres", "host": "h"}, "names no database (its schema)"),
        ({"conn_type": "sqlite", "host": "/no/folder/city.db"}, "folder"),
    ],
)
def test_a_connection_that_leads_nowhere_is_named_before_anything_is_asked_for(
    warehouse: Warehouse, ods_portal: LocalPortal, parts: Any, said: str
) -> None:
    if parts is not None:
        warehouse(login="loader", password=PASSWORD, **parts)
    with pytest.raises(Exception, match=r".") as failed:
        run_task(load())
    assert said in str(failed.value), failed.value
    assert PASSWORD not in str(failed.value)
    assert not ods_portal.requests


def test_no_password_is_in_a_log_a_template_or_an_xcom(
    warehouse: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse(conn_type="sqlite", host=str(tmp_path / "city.db"), login="loader", password=PASSWORD)
    task = load(destination="{{ params.where }}", table="capitals_{{ params.day }}")
    context = context_of(task, params={"where": "warehouse", "day": 3})
    with caplog.at_level(logging.DEBUG):
        told = run_task(task, context)
    assert told["table"] == "capitals_3"
    rendered = repr({name: getattr(task, name) for name in task.template_fields})
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for text in (caplog.text, json.dumps(told), rendered, repr(context["task_state_store"].kept)):
        assert PASSWORD not in text
    assert not any(PASSWORD.encode() in content for content in kept)
    steps = [record.getMessage() for record in caplog.records if record.name == "airflow.task"]
    assert any("Staged" in step and "110 rows" in step for step in steps), steps
    assert any("Replaced" in step and "110 rows in the table now" in step for step in steps), steps


@pytest.mark.at_length
def test_a_quota_defers_and_what_was_fetched_is_not_asked_for_again(
    warehouse: Warehouse, ods_portal: LocalPortal, tmp_path: Path
) -> None:
    ods_portal.add_dataset("many", fields={"id": "int"}, rows=[{"id": number} for number in range(400)])
    warehouse(conn_type="duckdb", host=str(tmp_path / "city.duckdb"))
    task = load(dataset_id="many", table="many", parallel=4, partition_by="id")
    context = context_of(task)
    ods_portal.fault("quota", path="/exports/", skip=2, times=1, reset_in_s=3600)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    ods_portal.clear_faults()
    before = exports(ods_portal)
    trigger: Any = revived(deferred.value.trigger)
    trigger.until = datetime.now(UTC)
    told = resume_task(task, context, deferred.value, events_of(trigger)[0])
    assert told["table_rows"] == 400
    assert exports(ods_portal) - before < 5


def test_what_did_not_change_is_skipped_once_a_run_succeeded(
    warehouse: Warehouse, ods_portal: LocalPortal, tmp_path: Path
) -> None:
    warehouse(conn_type="sqlite", host=str(tmp_path / "city.db"))
    task, runs = load(if_unchanged="skip"), Runs()
    assert runs.run(task, day=1)["unchanged"] is False
    # That run did not succeed: what follows was not run for it.
    assert runs.succeed(task, day=2)["unchanged"] is True
    with pytest.raises(AirflowSkipException, match="world-capitals has not changed since"):
        runs.run(task, day=3)
    assert exports(ods_portal) == 1


def test_a_kill_while_the_database_waits_ends_within_seconds_and_the_next_try_fetches_nothing(
    warehouse: Warehouse, ods_portal: LocalPortal, tmp_path: Path
) -> None:
    """As Airflow ends a task: SIGTERM reaches its handler, which calls ``on_kill``."""
    path = tmp_path / "city.db"
    warehouse(conn_type="sqlite", host=str(path))
    task = load()
    context = context_of(task)
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE other (id INTEGER)")
    holder.execute("BEGIN IMMEDIATE")
    before = signal.signal(signal.SIGTERM, lambda *_: task.on_kill())
    staging = tmp_path / "state" / "ods-provider" / "staging"
    killed_at: list[float] = []

    def kill_once_it_is_here() -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end and not list(staging.rglob("rows.parquet")):
            time.sleep(0.05)
        time.sleep(0.5)
        killed_at.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=kill_once_it_is_here)
    thread.start()
    try:
        with pytest.raises(Suspended):
            run_task(task, context)
        # The database would have waited for a minute, and a driver lets no signal through.
        assert time.monotonic() - killed_at[0] < 30
    finally:
        thread.join()
        signal.signal(signal.SIGTERM, before)
        holder.execute("ROLLBACK")
        holder.close()
    assert exports(ods_portal) == 1
    assert run_task(task, context)["table_rows"] == 110
    assert exports(ods_portal) == 1


def test_a_column_that_is_frozen_fails_the_task_for_good(
    warehouse: Warehouse, ods_portal: LocalPortal, tmp_path: Path
) -> None:
    warehouse(conn_type="sqlite", host=str(tmp_path / "city.db"))
    with pytest.raises(AirflowFailException, match="population is expected to be text"):
        run_task(load(expect="{'population': 'text'}"))
    assert exports(ods_portal) == 0
