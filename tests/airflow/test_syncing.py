from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow_task import context_of, resume_task, run_task

from ods_provider.operators.sync import OdsSyncOperator
from ods_provider.testing.portal import LocalPortal

FIELDS = {"id": {"type": "int", "annotations": {"id": True}}, "name": "text"}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number, "name": f"n{number}"} for number in numbers]


def stock(portal: LocalPortal) -> None:
    portal.add_dataset("stock", FIELDS, rows(*range(20)), resource="live")


def sync(**given: Any) -> OdsSyncOperator:
    return OdsSyncOperator(task_id="t", dataset_id="stock", resource_id="live", **given)


def test_a_task_makes_the_dataset_equal_to_the_rows_of_an_earlier_task(connect: Any, ods_portal: LocalPortal) -> None:
    connect()
    stock(ods_portal)
    done = run_task(sync(records=str(rows(*range(1, 22)))))
    assert (done["new"], done["gone"], done["pushed"], done["deleted"], done["confirmed"]) == (2, 1, 2, 1, 3)
    assert sorted(row["id"] for row in ods_portal.rows("stock")) == list(range(1, 22))


def test_a_source_that_was_cut_fails_for_good_and_changes_nothing(connect: Any, ods_portal: LocalPortal) -> None:
    connect()
    stock(ods_portal)
    with pytest.raises(AirflowFailException, match="10 of the 20 rows that stand are not in the source"):
        run_task(sync(records=rows(*range(10))))
    assert len(ods_portal.rows("stock")) == 20


def test_a_quota_in_the_middle_defers_and_the_task_goes_on(connect: Any, ods_portal: LocalPortal) -> None:
    connect()
    stock(ods_portal)
    ods_portal.fault("quota", path="/live/delete/", reset_in_s=3600)
    task = sync(records=rows(*range(2, 30)), max_delete="{{ 2 }}", deferrable=True)
    context = context_of(task)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    done = resume_task(task, context, deferred.value, {"status": "resume", "checkpoint": {}})
    assert (done["new"], done["gone"], done["pushed"], done["deleted"]) == (10, 2, 10, 2)
    # What was accepted before is not sent again.
    assert len([call.path for call in ods_portal.requests if "/live/push/" in call.path]) == 1
