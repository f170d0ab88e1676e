"""CeleryExecutor, PostgreSQL, Redis and two workers: the example DAG, and a wait that ends on another worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
import redis as redis_client
from airflow_daemons import Airflow, free_port, wait_for
from portal_process import PortalProcess
from services import postgresql, redis

import ods_provider

WORKERS = ("one", "two")
EXAMPLES = Path(ods_provider.__file__).parent / "example_dags"
DAG = """
from airflow.sdk import DAG
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.search import OdsSearchOperator

with DAG("wait", schedule=None, params={"folder": "/nowhere"}):
    OdsMediaOperator(
        task_id="photos", dataset_id="landmark-photos", path="{{ params.folder }}", kind="files", parallel=1
    )

with DAG("many", schedule=None):
    for number in range(6):
        OdsSearchOperator(task_id=f"rows_{number}", dataset_id="world-capitals", select="name")
"""


def worker(name: str) -> str:
    return f"celery worker --celery-hostname={name} --concurrency=1 --pid={name}.pid --without-gossip --without-mingle"


class Distributed(Airflow):
    """An Airflow whose tasks run on two workers."""

    def start_worker(self, name: str) -> None:
        # Each serves its logs on a port of its own, as they share a machine here.
        self.start(worker(name), AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=str(free_port()))

    def log_of(self, name: str) -> str:
        return self.server_log(worker(name)).read_text(errors="replace")

    def ran(self, name: str, *, task_instance: str) -> bool:
        """Whether a worker has begun this task instance."""
        return task_instance in self.log_of(name)


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with redis() as url:
        yield url


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalProcess]:
    with PortalProcess(tmp_path_factory.mktemp("portal")) as portal:
        yield portal


@pytest.fixture(scope="module")
def airflow(broker: str, portal: PortalProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distributed]:
    home, dags = tmp_path_factory.mktemp("airflow"), tmp_path_factory.mktemp("dags")
    (dags / "two_workers.py").write_text(DAG)
    (dags / "ods_main_job.py").write_text((EXAMPLES / "ods_main_job.py").read_text())
    with ExitStack() as stack:
        database = stack.enter_context(postgresql())
        running = Distributed(
            home,
            dags,
            database=database,
            AIRFLOW__CORE__EXECUTOR="CeleryExecutor",
            AIRFLOW__CELERY__BROKER_URL=broker,
            AIRFLOW__CELERY__RESULT_BACKEND=f"db+{database}",
            AIRFLOW__CELERY__WORKER_ENABLE_REMOTE_CONTROL="True",
        )
        stack.enter_context(running)
        running.connect("ods_default", portal)
        for name in WORKERS:
            running.start_worker(name)
        for name in WORKERS:
            wait_for(f"worker {name} is ready", lambda n=name: " ready." in running.log_of(n), timeout_s=240)  # type: ignore[misc]
        yield running


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
    (first,) = [name for name in WORKERS if airflow.ran(name, task_instance=instance)]
    other = next(name for name in WORKERS if name != first)
    airflow.stop(worker(first))
    assert airflow.wait_for_end("wait", run, timeout_s=240) == "success"
    assert airflow.ran(other, task_instance=instance)
    assert airflow.xcom("wait", run, "photos")["files"] == 40
    asked = [entry["path"] for entry in portal.requests(holding="/files/", status=200)]
    assert len(asked) == len(set(asked)) == 40


def test_no_key_stands_anywhere(airflow: Distributed, portal: PortalProcess, broker: str) -> None:
    client = redis_client.Redis.from_url(broker)
    queued = [client.dump(key) or b"" for key in client.keys("*")]
    client.close()
    forms = [form.encode() for key in (portal.api_key, portal.push_key) for form in (key, quote(key, safe=""))]
    for where, content in (*airflow.kept(), *airflow.tables(), ("the broker", json.dumps(str(queued)).encode())):
        assert not any(form in content for form in forms), f"a key stands in {where}"
