"""A queue of fifty publications on two workers of one slot each, and a triggerer that is killed while they wait."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from airflow_daemons import OVER, wait_for
from celery_workers import WORKERS, Distributed
from portal_process import PortalProcess

MANY = 50
REFUSED, CROWDED, ODD = "The file has no header", "More than 1 000 000 records", 3
ODD_CELLS = [{"id": "not_a_number", "label": f"row {row} holds no number", "params": {}} for row in range(ODD)]


def name(number: int) -> str:
    return f"queue-{number:02}"


@pytest.fixture(scope="module")
def queue(portal: PortalProcess) -> list[str]:
    """Fifty datasets whose publications do not end before they are told to, each in a way of its own."""
    portal.control("reset")
    names = [name(number) for number in range(MANY)]
    for dataset_id in names:
        rows = [{"name": dataset_id, "number": 1}]
        portal.control(
            f"datasets/{dataset_id}", {"fields": {"name": "text", "number": "int"}, "rows": rows}, method="PUT"
        )
    portal.control("automation/switches", {"processing_s": None, "at_once": MANY, "stale_idle": 1})
    for number in range(0, MANY, 10):
        portal.control("automation/outcome", {"dataset_id": name(number), "status": "error", "message": REFUSED})
        portal.control("automation/outcome", {"dataset_id": name(number + 1), "records_errors": ODD_CELLS})
    portal.control("automation/outcome", {"dataset_id": name(2), "status": "limit_reached", "message": CROWDED})
    return names


def instances(airflow: Distributed, run: str) -> list[dict[str, Any]]:
    airflow.assert_servers_run()
    return airflow.mapped("publications", run, "publish")


def states(airflow: Distributed, run: str) -> Counter[str]:
    return Counter(each["state"] for each in instances(airflow, run))


@pytest.fixture(scope="module")
def waiting(servers: Distributed, queue: list[str]) -> str:
    """The run of all fifty, once each has given its order and waits."""
    servers.start_workers()
    run = servers.trigger("publications", datasets=queue)

    def all_wait() -> bool:
        now = states(servers, run)
        assert not now.keys() & OVER, now
        return now == {"deferred": MANY}

    wait_for("all fifty wait", all_wait, timeout_s=1200, pause_s=5)
    return run


def test_fifty_that_wait_hold_no_worker(airflow: Distributed, waiting: str) -> None:
    other = airflow.trigger("meanwhile")
    assert airflow.wait_for_end("meanwhile", other, timeout_s=240) == "success"
    done = [each["id"] for each in airflow.mapped("meanwhile", other, "work")]
    assert sum(airflow.ran(worker, task_instance=each) for worker in WORKERS for each in done) == len(done)
    assert states(airflow, waiting) == {"deferred": MANY}


def test_each_is_told_right_although_the_triggerer_was_killed(
    airflow: Distributed, portal: PortalProcess, waiting: str, queue: list[str]
) -> None:
    airflow.kill("triggerer")
    portal.control("automation/settle")
    airflow.start("triggerer")
    assert airflow.wait_for_end("publications", waiting, timeout_s=1200) == "failed"

    found = {each["rendered_map_index"]: each for each in instances(airflow, waiting)}
    assert sorted(found) == queue
    for number, dataset_id in enumerate(queue):
        task = found[dataset_id]
        log = airflow.mapped_log("publications", waiting, "publish", task["map_index"])
        if number % 10 == 0 or number == 2:
            assert task["state"] == "failed", log
            assert (CROWDED if number == 2 else REFUSED) in log
        else:
            assert task["state"] == "success", log
            told = airflow.mapped_xcom("publications", waiting, "publish", task["map_index"])
            assert (told["dataset_id"], told["records_errors"]) == (dataset_id, ODD if number % 10 == 1 else 0)
        # What no retry can cure is not tried again, and what the triggerer lost is not ordered again.
        assert task["try_number"] == 1
    orders = [entry["path"] for entry in portal.requests(holding="/publish/")]
    assert len(orders) == len(set(orders)) == MANY
