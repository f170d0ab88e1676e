"""A real scheduler and a real triggerer, and portals that behave badly.

The last test of the folder searches everything that the others left for their keys.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from airflow_daemons import Airflow, wait_for
from portal_process import PortalProcess
from side_by_side import beside

StartPortal = Callable[..., PortalProcess]


def talking_to(portal: PortalProcess) -> list[int]:
    """The processes that hold a connection to the portal."""
    return [
        line.pid
        for line in psutil.net_connections(kind="tcp")
        if line.raddr and line.raddr.port == portal.port and line.pid and line.status == psutil.CONN_ESTABLISHED
        if line.pid not in (os.getpid(), portal.pid)
    ]


def worker_of(portal: PortalProcess) -> int:
    # To look at all connections of the machine costs much: the portal knows when it is worth it.
    def look() -> list[int]:
        return talking_to(portal) if portal.requests() else []

    return wait_for("a worker talks to the portal", look, timeout_s=240, pause_s=0.1)[0]


def files_asked(portal: PortalProcess) -> Counter[str]:
    return Counter(entry["path"] for entry in portal.requests(holding="/files/", status=200))


def rows_of(path: Path) -> list[int]:
    with path.open(newline="", encoding="utf-8") as file:
        return [int(row["id"]) for row in csv.DictReader(file)]


def test_the_connection_form_is_offered_with_its_fields(airflow: Airflow) -> None:
    offered = airflow.api("GET", "/connections/hook_meta", root="/ui")
    (ours,) = [entry for entry in offered if entry["connection_type"] == "ods"]
    assert ours["hook_name"] == "Opendatasoft portal"
    assert ours["standard_fields"]["password"]["title"] == "API key"
    assert ours["extra_fields"]["push_api_key"]["schema"]["format"] == "password"
    assert {"auth", "timeout_s", "max_wait_s", "verify", "allowed_hosts"} <= set(ours["extra_fields"])


def test_the_api_server_tests_a_connection(airflow: Airflow, portal_for: StartPortal) -> None:
    portal = portal_for("ods_tested")
    body = {"connection_id": "ods_tested", "conn_type": "ods", "host": portal.url}
    good = airflow.api("POST", "/connections/test", body | {"password": portal.api_key})
    assert good["status"]
    assert "was sent and not refused" in good["message"]
    bad = airflow.api("POST", "/connections/test", body | {"password": "not-the-key"})
    assert not bad["status"]
    assert "is not valid" in bad["message"]


def test_a_quota_that_returns_in_5_seconds_is_waited_for_in_place(airflow: Airflow, portal_for: StartPortal) -> None:
    portal = portal_for("ods_short")
    portal.fault("quota", reset_in_s=5)
    run = airflow.trigger("search", connection="ods_short")
    assert airflow.wait_for_end("search", run) == "success"
    assert len(airflow.xcom("search", run, "rows")) == 110
    assert "DEFERRED" not in airflow.log("search", run, "rows")
    refused, answered = portal.requests()[:2]
    assert (refused["status"], answered["status"]) == (429, 200)
    assert 4 < answered["at"] - refused["at"] < 12


@beside
def test_a_quota_that_returns_in_90_seconds_frees_the_slot_until_then(given: Any) -> None:
    airflow = given.airflow
    portal = given.portal_for("ods_long")
    portal.fault("quota", path="/files/", skip=10, times=1, reset_in_s=90)
    # The portal's own quota is spent as well, as it would be: whoever asks too early is refused again.
    folder = given.tmp_path / "photos"
    run = airflow.trigger("one_slot", connection="ods_long", folder=str(folder))
    airflow.wait_for_state("one_slot", run, "photos", "deferred")
    refused_at = portal.requests(status=429)[0]["at"]
    portal.control("quota", {"limit": 100_000, "remaining": 0, "reset_in_s": 90 - (time.time() - refused_at)})

    # The slot: the other task, which could not have it before, has it now, while the first one waits.
    airflow.wait_for_state("one_slot", run, "other", "success", timeout_s=240)
    assert airflow.state("one_slot", run, "photos") == "deferred"
    assert not talking_to(portal)

    assert airflow.wait_for_end("one_slot", run) == "success"
    tasks = airflow.tasks("one_slot", run)
    assert tasks["photos"]["try_number"] == 1
    times = {name: datetime.fromisoformat(tasks[name]["start_date"]) for name in ("photos", "other")}
    assert times["photos"] < times["other"] < datetime.fromisoformat(tasks["photos"]["end_date"])
    assert airflow.xcom("one_slot", run, "photos")["files"] == 40
    again_at = min(entry["at"] for entry in portal.requests() if entry["at"] > refused_at + 10)
    assert timedelta(seconds=89) < timedelta(seconds=again_at - refused_at) < timedelta(seconds=150)
    asked = files_asked(portal)
    assert len(asked) == 40
    assert set(asked.values()) == {1}, "confirmed files were asked for again"


@beside
def test_a_portal_that_dies_in_the_middle_of_an_export_and_comes_back(given: Any) -> None:
    airflow = given.airflow
    portal = given.portal_for("ods_dying", "--synthetic-rows=60000", max_retries=2)
    portal.fault("throttle", path="/exports/", bytes_per_s=300_000, times=None)
    path = given.tmp_path / "rows.csv"
    run = airflow.trigger("download", connection="ods_dying", folder=str(given.tmp_path))
    worker_of(portal)
    wait_for("the export is under way", lambda: portal.requests(holding="/exports/"), timeout_s=240, pause_s=0.1)
    time.sleep(1)
    portal.kill()
    time.sleep(6)
    assert not path.exists()
    portal.start()
    assert airflow.wait_for_end("download", run) == "success"
    assert sorted(rows_of(path)) == list(range(60_000))
    assert airflow.xcom("download", run, "file")["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [entry.name for entry in given.tmp_path.iterdir() if entry.is_file()] == ["rows.csv"]


@beside
def test_a_stream_that_is_cut_is_fetched_again(given: Any) -> None:
    airflow = given.airflow
    portal = given.portal_for("ods_cut", "--synthetic-rows=20000")
    portal.fault("cut", path="/exports/", after_bytes=200_000, times=2)
    portal.fault("short_rows", path="/exports/", rows=7)
    run = airflow.trigger("download", connection="ods_cut", folder=str(given.tmp_path))
    assert airflow.wait_for_end("download", run) == "success"
    assert sorted(rows_of(given.tmp_path / "rows.csv")) == list(range(20_000))
    # Two cuts in one try of the task; the export that was short of seven rows cost it one of its own tries.
    assert len(portal.requests(holding="/exports/")) == 4
    assert airflow.tasks("download", run)["file"]["try_number"] == 2
    assert "the file holds 19,993 rows where the portal counts 20,000" in airflow.log("download", run, "file")


@beside
def test_html_instead_of_data_fails_clearly_and_at_once(given: Any) -> None:
    airflow = given.airflow
    portal = given.portal_for("ods_html")
    portal.fault("html", times=None)
    run = airflow.trigger("search", connection="ods_html")
    assert airflow.wait_for_end("search", run) == "failed"
    assert airflow.tasks("search", run)["rows"]["try_number"] == 1, "retried, although no retry can help"
    assert "OdsNotAPortal: The answer is a web page, not data" in airflow.log("search", run, "rows")
    assert len(portal.requests()) == 1


def killed_on_the_way(given: Any, conn_id: str, sign: signal.Signals) -> None:
    airflow, portal = given.airflow, given.portal_for(conn_id)
    portal.fault("stall", path="/files/", skip=12, times=4, seconds=600)
    folder = given.tmp_path / conn_id
    run = airflow.trigger("media", connection=conn_id, folder=str(folder))
    worker = worker_of(portal)
    wait_for("it stands still", lambda: len(portal.requests(holding="/files/")) >= 16, timeout_s=240)
    time.sleep(0.5)
    confirmed = set(files_asked(portal))
    os.kill(worker, sign)
    portal.clear_faults()
    assert airflow.wait_for_end("media", run) == "success"
    assert airflow.tasks("media", run)["photos"]["try_number"] == 2
    assert len(list(folder.glob("*.png"))) == 40
    assert {path.name for path in folder.glob(".*")} == set()
    asked = files_asked(portal)
    assert len(asked) == 40
    assert len(confirmed) == 12
    assert {asked[path] for path in confirmed} == {1}, "confirmed files were asked for again"


@beside
def test_a_task_that_is_killed_goes_on_in_its_next_try(given: Any) -> None:
    killed_on_the_way(given, "ods_killed", signal.SIGKILL)


@beside
def test_a_task_that_is_told_to_end_goes_on_in_its_next_try(given: Any) -> None:
    killed_on_the_way(given, "ods_ended", signal.SIGTERM)


@beside
def test_a_sensor_waits_in_the_triggerer_and_remembers_between_runs(given: Any) -> None:
    airflow = given.airflow
    portal = given.portal_for("ods_update")
    first = airflow.trigger("wait_for_update", connection="ods_update")
    assert airflow.wait_for_end("wait_for_update", first) == "success"
    recorded = airflow.xcom("wait_for_update", first, "updated")
    second = airflow.trigger("wait_for_update", connection="ods_update")
    airflow.wait_for_state("wait_for_update", second, "updated", "deferred")
    airflow.wait_until_left("wait_for_update", second, "updated")
    time.sleep(3)
    assert airflow.state("wait_for_update", second, "updated") == "deferred"
    portal.touch("world-capitals", rows=1)
    assert airflow.wait_for_end("wait_for_update", second) == "success"
    seen = airflow.xcom("wait_for_update", second, "updated")
    assert datetime.fromisoformat(seen["data_processed"]) > datetime.fromisoformat(recorded["data_processed"])
    assert seen["records_count"] == recorded["records_count"] + 1
    # Airflow keeps the results of both; what counts is the newer one.
    third = airflow.trigger("wait_for_update", connection="ods_update")
    airflow.wait_for_state("wait_for_update", third, "updated", "deferred")
    airflow.wait_until_left("wait_for_update", third, "updated")
    portal.touch("world-capitals", rows=1)
    assert airflow.wait_for_end("wait_for_update", third) == "success"
    latest = airflow.xcom("wait_for_update", third, "updated")
    assert latest["records_count"] == seen["records_count"] + 1


@beside
def test_without_a_triggerer_tasks_are_rescheduled(given: Any) -> None:
    airflow = given.airflow
    portal = given.portal_for("ods_rescheduled", max_wait_s=1)
    first = airflow.trigger("wait_rescheduled", connection="ods_rescheduled", folder=str(given.tmp_path / "one"))
    assert airflow.wait_for_end("wait_rescheduled", first) == "success"
    portal.fault("quota", path="/files/", skip=10, times=1, reset_in_s=40)
    second = airflow.trigger("wait_rescheduled", connection="ods_rescheduled", folder=str(given.tmp_path / "two"))
    for task_id in ("photos", "updated"):
        airflow.wait_for_state("wait_rescheduled", second, task_id, "up_for_reschedule")
    portal.touch("world-capitals")
    assert airflow.wait_for_end("wait_rescheduled", second) == "success"
    assert set(files_asked(portal).values()) == {2}, "each file once in each of the two runs"


@beside
def test_a_quota_sensor_waits_for_the_reset(given: Any) -> None:
    airflow = given.airflow
    portal = given.portal_for("ods_quota")
    portal.control("quota", {"limit": 100, "remaining": 20, "reset_in_s": 40})
    run = airflow.trigger("wait_for_quota", connection="ods_quota")
    airflow.wait_for_state("wait_for_quota", run, "quota", "deferred")
    assert airflow.wait_for_end("wait_for_quota", run) == "success"
    assert airflow.xcom("wait_for_quota", run, "quota")["remaining"] > 50
    assert len(portal.requests()) <= 4


def test_a_dataset_that_is_updated_starts_a_dag(airflow: Airflow, portal_for: StartPortal, alone: None) -> None:
    # The watcher runs since the DAGs were parsed, without a connection: it looks again until there is one.
    portal = portal_for("ods_watched")
    airflow.wait_for_dag("on_update")
    runs: Callable[[], Any] = lambda: airflow.api("GET", "/dags/on_update/dagRuns")["dag_runs"]  # noqa: E731
    wait_for("the watcher has looked", lambda: len(portal.requests()) >= 2, timeout_s=240)
    assert not runs(), "the first look is no update"
    airflow.trigger("push", connection="ods_watched")
    (run,) = wait_for("the DAG is started", runs, timeout_s=240)
    assert run["run_type"] == "asset_triggered"
    assert run["logical_date"] is None
    assert airflow.wait_for_end("on_update", run["dag_run_id"]) == "success"
    (told,) = airflow.xcom("on_update", run["dag_run_id"], "told")
    assert (told["dataset_id"], told["records_count"]) == ("live-readings", 4)

    # An update that nobody could see, because the triggerer was down, is told when it is back.
    airflow.stop("triggerer")
    portal.touch("live-readings", rows=1)
    airflow.start("triggerer")
    wait_for("the DAG is started again", lambda: len(runs()) == 2, timeout_s=240)


def test_so_many_failed_runs_in_a_row_are_tolerated(airflow: Airflow, portal_for: StartPortal) -> None:
    portal = portal_for("ods_flaky", max_retries=0)

    def night(state: str, *, of_the_run: str) -> str:
        run = airflow.trigger("flaky", connection="ods_flaky")
        assert airflow.wait_for_end("flaky", run) == of_the_run
        assert airflow.state("flaky", run, "rows") == state
        return airflow.log("flaky", run, "rows")

    def counted() -> list[str]:
        return [each["key"] for each in airflow.api("GET", "/variables")["variables"]]

    portal.fault("status", path="/records", status=503, times=2)
    told = night("skipped", of_the_run="success")
    assert "Failure 1 of 1 in a row that max_failures tolerates" in told and "Traceback" not in told
    assert counted() == ["ods_failures.flaky.rows"]
    assert "Failure 2 in a row, and max_failures=1 are tolerated" in night("failed", of_the_run="failed")
    night("success", of_the_run="success")
    assert counted() == []
    portal.fault("status", path="/records", status=503)
    night("skipped", of_the_run="success")


def test_each_instance_of_a_mapped_task_is_tolerated_for_itself(
    airflow: Airflow, portal_for: StartPortal, tmp_path: Path
) -> None:
    portal = portal_for("ods_flaky_each", max_retries=0)
    portal.fault("status", path="/landmark-photos", status=503, times=None)
    for of_the_run, dead in (("success", "skipped"), ("failed", "failed")):
        run = airflow.trigger("flaky_each", connection="ods_flaky_each", folder=str(tmp_path))
        assert airflow.wait_for_end("flaky_each", run) == of_the_run
        states = {each["map_index"]: each["state"] for each in airflow.mapped("flaky_each", run, "each")}
        assert states == {0: "success", 1: dead}


@beside
def test_a_push_that_fails_in_every_way_shows_no_key(given: Any) -> None:
    airflow = given.airflow
    portal = given.portal_for("ods_push", max_retries=0)
    for kind in ("drop", "bare_429", "status"):
        portal.fault(kind, path="/push/")
    portal.fault("redirect", path="/push/", location="http://127.0.0.1:9/elsewhere/")
    run = airflow.trigger("push", connection="ods_push")
    assert airflow.wait_for_end("push", run) == "failed"
    log = airflow.log("push", run, "push")
    for said in ("OdsTransportError", "OdsQuotaExceeded", "OdsServerError", "OdsNotAPortal"):
        assert said in log


def test_no_key_stands_anywhere(airflow: Airflow, keys: list[str], alone: None) -> None:
    assert len(keys) > 20
    forms = {form.encode() for key in keys for form in (key, quote(key, safe=""))}
    forms |= {base64.b64encode(key.encode()) for key in keys}
    looked = 0
    for where, content in (*airflow.kept(), *airflow.tables()):
        looked += len(content)
        leaked = [form for form in forms if form in content]
        assert not leaked, f"{len(leaked)} keys stand in {where}"
    assert looked > 1_000_000
