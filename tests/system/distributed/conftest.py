"""CeleryExecutor, PostgreSQL, Redis and two workers, which see the same files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from celery_workers import Distributed
from portal_process import PortalProcess
from redis_server import redis
from services import postgresql

import ods_provider

EXAMPLES = Path(ods_provider.__file__).parent / "example_dags"
DAGS = Path(__file__).with_name("dags")


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    with redis() as url:
        yield url


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalProcess]:
    with PortalProcess(tmp_path_factory.mktemp("portal")) as portal:
        yield portal


@pytest.fixture(scope="session")
def servers(broker: str, portal: PortalProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distributed]:
    home, dags = tmp_path_factory.mktemp("airflow"), tmp_path_factory.mktemp("dags")
    for path in (*DAGS.glob("*.py"), EXAMPLES / "ods_main_job.py"):
        (dags / path.name).write_text(path.read_text())
    with ExitStack() as stack:
        database = stack.enter_context(postgresql())
        running = Distributed(
            home,
            dags,
            database=database,
            AIRFLOW__CORE__EXECUTOR="CeleryExecutor",
            # More than both workers take at a time, so that neither waits for the scheduler.
            AIRFLOW__CORE__PARALLELISM="8",
            AIRFLOW__CELERY__BROKER_URL=broker,
            AIRFLOW__CELERY__RESULT_BACKEND=f"db+{database}",
            AIRFLOW__CELERY__WORKER_ENABLE_REMOTE_CONTROL="True",
            # Nobody hears of a worker's death but by its silence, which is five minutes long by default.
            AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT="30",
            AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL="2",
        )
        stack.enter_context(running)
        running.connect("ods_default", portal)
        yield running


@pytest.fixture
def airflow(servers: Distributed) -> Distributed:
    """All servers, and both workers whatever an earlier test did to them."""
    servers.start_workers()
    return servers
