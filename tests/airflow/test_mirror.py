"""A mirror in Airflow: the group's tasks one after the other, retries, and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow_task import context_of, run_task

from ods_provider.errors import OdsMismatch
from ods_provider.operators.mirror import ods_mirror
from ods_provider.operators.mirror_dataset import OdsMirrorDatasetOperator
from ods_provider.operators.mirror_plan import OdsMirrorPlanOperator
from ods_provider.operators.mirror_report import OdsMirrorReportOperator
from ods_provider.testing.portal import LocalPortal

WHERE = "dataset_id in ('world-capitals', 'landmark-photos', 'all-types')"


@pytest.fixture
def to(tmp_path: Path) -> dict[str, Any]:
    return {"to": f"{tmp_path}/portal", "format": "jsonl"}


def plan(to: dict[str, Any], **more: Any) -> Any:
    return run_task(OdsMirrorPlanOperator(task_id="plan", where=WHERE, **to, **more))


def test_the_group_s_tasks_mirror_and_report(connect: Any, ods_portal: LocalPortal, to: dict[str, Any]) -> None:
    batches = plan(to)
    assert [len(batch["datasets"]) for batch in batches] == [1, 1, 1]
    made = [run_task(OdsMirrorDatasetOperator(task_id="datasets", batch=batch, **to)) for batch in batches]
    report = run_task(OdsMirrorReportOperator(task_id="report", batches=batches, results=made, **to))
    assert (report["done"], report["failed"], report["rows"]) == (3, 0, 162)
    assert report["calls"] == len(ods_portal.requests)
    assert plan(to) == []
    nothing = run_task(OdsMirrorReportOperator(task_id="report", batches=[], results=None, **to))
    assert (nothing["unchanged"], nothing["calls"]) == (3, 1)


def test_more_datasets_than_airflow_maps_share_instances(
    connect: Any, to: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "2")
    batches = plan(to)
    assert [len(batch["datasets"]) for batch in batches] == [2, 1]
    task = OdsMirrorDatasetOperator(task_id="datasets", batch=batches[0], **to)
    assert task.map_label == "all-types and 1 more"
    assert len(run_task(task)) == 2


def test_what_may_pass_is_tried_again_and_then_the_report_fails(
    connect: Any, ods_portal: LocalPortal, to: dict[str, Any]
) -> None:
    connect(extra={"max_retries": 0})
    ods_portal.fault("status", status=503, times=None, path="/all-types/")
    (batch,) = plan(to, most_batches=1)
    task = OdsMirrorDatasetOperator(task_id="datasets", batch=batch, retries=1, **to)
    with pytest.raises(OdsMismatch, match="1 of 3 datasets failed"):
        run_task(task)
    before = len(ods_portal.requests)
    last = context_of(task)
    last["ti"].try_number = 2
    rows = run_task(task, last)
    # The others are here already: nothing is asked for them.
    assert {entry.path.split("/")[6] for entry in ods_portal.requests[before:]} == {"all-types"}
    reporting = OdsMirrorReportOperator(task_id="report", batches=[batch], results=[rows], **to)
    context = context_of(reporting)
    with pytest.raises(AirflowFailException, match="1 of 3 datasets failed"):
        run_task(reporting, context)
    (report,) = context["ti"].kept["return_value"]
    assert (report["done"], report["failed"]) == (2, 1)


def test_a_plan_that_failed_is_not_reported_as_the_one_before(connect: Any, to: dict[str, Any]) -> None:
    plan(to)
    with pytest.raises(AirflowFailException, match="the task that plans gave nothing"):
        run_task(OdsMirrorReportOperator(task_id="report", batches=None, **to))


def test_the_group_maps_within_limits_and_reports_whatever_happened(to: dict[str, Any]) -> None:
    with DAG(dag_id="d") as dag:
        ods_mirror(**to, where=WHERE, vanished="mark", parallel=3, retries=2)
    assert dag.task_ids == ["mirror.plan", "mirror.datasets", "mirror.report"]
    mapped: Any = dag.task_dict["mirror.datasets"]
    assert mapped.partial_kwargs["max_active_tis_per_dagrun"] == 3
    report: Any = dag.task_dict["mirror.report"]
    assert (report.trigger_rule.value, report.vanished, report.retries) == ("all_done", "mark", 2)
    assert report.upstream_task_ids == {"mirror.plan", "mirror.datasets"}
    assert "batch" not in OdsMirrorDatasetOperator.template_fields
