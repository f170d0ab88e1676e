"""CeleryExecutor, PostgreSQL, Redis and two workers: the example DAG, and a wait that ends on another worker."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import redis as redis_client
from celery_workers import WORKERS, Distributed
from portal_process import PortalProcess


def test_work_is_done_on_both_workers(airflow: Distributed) -> None:
    run = airflow.trigger("many")
    assert airflow.wait_for_end("many", run, timeout_s=240) == "success"
    instances = [task["id"] for task in airflow.tasks("many", run).values()]
    done = {name: [i for i in instances if airflow.ran(name, task_instance=i)] for name in WORKERS}
    assert all(done.values()), done
    assert all(len(airflow.xcom("many", run, f"rows_{number}")) == 110 for number in range(6))


def test_the_example_dag_runs(airflow: Distributed, portal: PortalProcess, tmp_path: Path) -> None:
    run = airflow.trigger("ods_main_job", cities="world-capitals", folder=str(tmp_path))
    assert airflow.wait_for_end("ods_main_job", run, timeout_s=400) == "success"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["attachments", "cities.csv", "cities.parquet", "photos"]
    assert len([row for row in portal.rows("live-readings") if row["sensor_id"].startswith("cities-")]) == 10


def test_a_wait_ends_on_another_worker_which_goes_on_where_the_first_one_stopped(
    airflow: Distributed, portal: PortalProcess, tmp_path: Path
) -> None:
    portal.control("reset")
    portal.fault("quota", path="/files/", skip=15, times=1, reset_in_s=75)
    run = airflow.trigger("wait", folder=str(tmp_path))
    airflow.wait_for_state("wait", run, "photos", "deferred")
    instance = airflow.tasks("wait", run)["photos"]["id"]
    first = airflow.on_which(instance)
    other = next(name for name in WORKERS if name != first)
    airflow.stop_worker(first)
    assert airflow.wait_for_end("wait", run, timeout_s=240) == "success"
    assert airflow.ran(other, task_instance=instance)
    assert airflow.xcom("wait", run, "photos")["files"] == 40
    asked = [entry["path"] for entry in portal.requests(holding="/files/", status=200)]
    assert len(asked) == len(set(asked)) == 40


def test_no_key_stands_anywhere(servers: Distributed, portal: PortalProcess, broker: str) -> None:
    client = redis_client.Redis.from_url(broker)
    queued = [client.dump(key) or b"" for key in client.keys("*")]
    client.close()
    forms = [form.encode() for key in (portal.api_key, portal.push_key) for form in (key, quote(key, safe=""))]
    for where, content in (*servers.kept(), *servers.tables(), ("the broker", json.dumps(str(queued)).encode())):
        assert not any(form in content for form in forms), f"a key stands in {where}"
