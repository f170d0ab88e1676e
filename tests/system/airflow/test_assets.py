"""Assets in a real Airflow: who waits for a dataset or a file runs when it was written, and is told of the result."""

from __future__ import annotations

from typing import Any

from airflow_daemons import wait_for
from side_by_side import beside


@beside
def test_declared_assets_start_those_who_wait_and_tell_them_the_result(given: Any) -> None:
    airflow, tmp_path, portal = given.airflow, given.tmp_path, given.portal_for("ods_assets")
    airflow.wait_for_dag("assets_read")
    run = airflow.trigger("assets", folder=str(tmp_path))
    # Of its tasks one asks for a dataset that is none, and one has an argument that is wrong.
    assert airflow.wait_for_end("assets", run) == "failed"
    states = {name: task["state"] for name, task in airflow.tasks("assets", run).items()}
    assert states == dict.fromkeys(states, "success") | {"failed": "failed", "wrong": "failed"}

    events = airflow.api("GET", "/assets/events?limit=100")["asset_events"]
    told = {event["source_task_id"]: event for event in events if event["source_dag_id"] == "assets"}
    assert set(told) == {"declared", "aliased", "pushed"}
    assert told["aliased"]["uri"] == f"file://{tmp_path}/aliased.csv"
    for name in ("declared", "aliased"):
        outcome, extra = airflow.xcom("assets", run, name), told[name]["extra"]
        assert all(extra[key] == outcome[key] for key in ("rows", "size_bytes", "sha256", "data_processed", "moved"))
    assert (told["pushed"]["name"], told["pushed"]["extra"]["rows"]) == ("ods://ods_assets@/live-readings", 1)

    def started() -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = airflow.api("GET", "/dags/assets_read/dagRuns")["dag_runs"]
        return runs

    (reader,) = wait_for("the consumer was started", started, timeout_s=240)
    assert airflow.wait_for_end("assets_read", reader["dag_run_id"]) == "success"
    (extra,) = airflow.xcom("assets_read", reader["dag_run_id"], "seen")
    assert extra["dataset_id"] == "live-readings"

    task = f"/dags/assets/dagRuns/{run}/taskInstances/declared"
    links = airflow.api("GET", f"{task}/links")["extra_links"]
    assert links["Dataset on the portal"] == f"{portal.url}/explore/dataset/world-capitals/"
    assert links["API query"].startswith(f"{portal.url}/api/explore/v2.1/catalog/datasets/world-capitals/exports/csv")
    assert portal.api_key not in str(links)
