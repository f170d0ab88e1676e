"""``max_failures``: so many failed runs in a row are tolerated, told and counted; the next one fails."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferred,
)
from airflow_task import Variables, context_of, resume_task, run_task

from ods_provider.core.errors import OdsError, OdsServerError
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.mirror import ods_mirror
from ods_provider.operators.search import OdsSearchOperator
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor
from ods_provider.testing.portal import LocalPortal

DATASET = "world-capitals"


@pytest.fixture(autouse=True)
def impatient(connect: Any) -> None:
    connect(extra={"max_retries": 0})


def search(**more: Any) -> OdsSearchOperator:
    return OdsSearchOperator(**{"task_id": "rows", "dataset_id": DATASET, "max_failures": 2, **more})


def run(task: Any, run_id: str, *, try_number: int = 1, max_tries: int = 0, **how: Any) -> Any:
    context = context_of(task, **how)
    ti = context["ti"]
    ti.run_id, ti.try_number, ti.max_tries = run_id, try_number, max_tries
    return run_task(task, context)


def test_so_many_runs_in_a_row_are_skipped_and_the_next_fails_until_one_is_well(
    ods_portal: LocalPortal, variables: Variables, caplog: pytest.LogCaptureFixture
) -> None:
    ods_portal.fault("status", status=503, times=None)
    for night in (1, 2):
        with pytest.raises(AirflowSkipException, match=f"^Failure {night} of 2 in a row that max_failures tolerates$"):
            run(search(), f"night {night}")
        (told,) = [entry for entry in caplog.records if f"Failure {night} of 2" in entry.message]
        assert told.levelno == logging.WARNING and "HTTP 503" in told.message
    for night in (3, 4):
        with pytest.raises(OdsServerError):
            run(search(), f"night {night}")
    assert variables.kept == {"ods_failures.a_dag.rows": '["night 1", "night 2", "night 3", "night 4"]'}
    assert "Failure 4 in a row, and max_failures=2 are tolerated; the first was run night 1" in caplog.text
    ods_portal.clear_faults()
    assert len(run(search(), "night 5")) == 110
    assert variables.kept == {}
    assert "It is well again" in caplog.text


def test_a_run_counts_once_however_often_it_is_tried_or_cleared(ods_portal: LocalPortal, variables: Variables) -> None:
    ods_portal.fault("status", status=503, times=None)
    # A try that is followed by another is no failed run.
    with pytest.raises(OdsServerError):
        run(search(), "night 1", try_number=1, max_tries=1)
    assert variables.kept == {}
    for _ in range(3):
        with pytest.raises(AirflowSkipException, match="Failure 1 of 2"):
            run(search(), "night 1", try_number=2, max_tries=1)


@pytest.mark.parametrize(
    "more",
    [
        {"limit": "no number"},
        {"dataset_id": "world-capitols"},
        {"where": "inhabitants > 3"},
        {"ods_conn_id": "gone"},
        {"path": "/proc/no-such-folder/rows.jsonl"},
    ],
    ids=["argument", "dataset", "query", "connection", "place"],
)
def test_what_a_person_has_to_mend_is_never_tolerated(more: dict[str, Any], variables: Variables) -> None:
    with pytest.raises((AirflowFailException, OdsError), match=r"limit|capitols|inhabitants|gone|no-such-folder"):
        run(search(**more), "night 1")
    assert variables.kept == {}


def test_a_refused_key_is_never_tolerated(ods_portal: LocalPortal, variables: Variables) -> None:
    ods_portal.fault("status", status=401, times=None)
    with pytest.raises(AirflowFailException, match="OdsAuthError"):
        run(search(), "night 1")


def test_a_page_of_maintenance_and_a_night_without_rows_are_tolerated(
    ods_portal: LocalPortal, variables: Variables, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ods_portal.fault("html")
    with pytest.raises(AirflowSkipException):
        run(search(), "night 1", max_tries=3)
    few = OdsDownloadOperator(
        task_id="file", dataset_id=DATASET, path=str(tmp_path / "c.csv"), min_rows=200, max_failures=1
    )
    with pytest.raises(AirflowSkipException):
        run(few, "night 1", max_tries=3)
    assert "Failure 1 of 1 in a row that max_failures tolerates: " in caplog.text and "min_rows" in caplog.text


def test_a_skip_of_its_own_is_no_failure(ods_portal: LocalPortal, variables: Variables, tmp_path: Any) -> None:
    def download() -> OdsDownloadOperator:
        return OdsDownloadOperator(
            task_id="file",
            dataset_id=DATASET,
            path=str(tmp_path / "c.csv"),
            if_unchanged="skip",
            max_failures=1,
        )

    first = run(download(), "night 1")
    variables.kept["ods_failures.a_dag.file"] = '["night 2"]'
    with pytest.raises(AirflowSkipException, match="has not changed"):
        run(download(), "night 3", earlier=first)
    assert variables.kept == {}


def mapped(night: int, index: int, dataset_id: str) -> Any:
    """An instance of a mapped download, whose path all have in common but for the dataset and the night."""
    with DAG("a_dag", schedule=None) as dag:
        OdsDownloadOperator.partial(
            task_id="each", path=f"/tmp/ods-{night}/{{{{ task.dataset_id }}}}/data.csv", max_failures=2
        ).expand(dataset_id=["any"])
    task = dag.get_task("each").unmap({"dataset_id": dataset_id})  # type: ignore[union-attr]
    return run(task, f"night {night}", map_index=index)


def test_each_mapped_task_counts_for_itself_wherever_the_list_has_it_and_whatever_it_is_labelled(
    ods_portal: LocalPortal, variables: Variables
) -> None:
    dead, well = "/landmark-photos", "/world-capitals"
    ods_portal.fault("status", path=dead, status=503, times=None)
    for night in (1, 2, 3):
        # One more stands before them each night.
        assert mapped(night, night, well.strip("/"))["rows"] == 110
        with pytest.raises(AirflowSkipException if night < 3 else OdsServerError):
            mapped(night, night + 1, dead.strip("/"))
    assert len(variables.kept) == 1


def test_what_a_task_was_mapped_over_is_known_with_its_dates() -> None:
    with DAG("a_dag", schedule=None) as dag:
        OdsSearchOperator.partial(task_id="each", dataset_id=DATASET).expand(where=["any"])
    months = [f"month = date'2026-{month}'" for month in ("01", "02")]
    tasks = [dag.get_task("each").unmap({"where": month}) for month in months]  # type: ignore[union-attr]
    assert tasks[0]._mapped_by() != tasks[1]._mapped_by()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"path": "/lake/2026-01-05/a.csv"}, {"path": "/lake/2026-01-06/a.csv"}, True),
        ({"path": "/lake/manual__2026-11-28T02:51:17.09+00:00.csv"}, {"path": "/lake/manual__2027-01-01.csv"}, False),
        ({"path": "/lake/2026-11-28T02:51:17.csv"}, {"path": "/lake/2027-01-01T00:00:00.csv"}, True),
        ({"path": "/lake/a.csv"}, {"path": "/lake/b.csv"}, False),
        ({"dataset_id": "bikes-2025-01"}, {"dataset_id": "bikes-2025-02"}, False),
        ({"where": "n > 1"}, {"where": "n > 2"}, False),
        ({"where": "at > date'2026-01-05'"}, {"where": "at > date'2026-01-06'"}, True),
        ({"part": {"number": 0}}, {"part": {"number": 1}}, False),
    ],
)  # fmt: skip
def test_what_a_task_of_a_mapped_group_is_known_by_has_no_dates(one: Any, other: Any, same: bool) -> None:
    tasks = []
    for more in (one, other):
        with DAG("a_dag", schedule=None):
            arguments = {"task_id": "file", "dataset_id": DATASET, "path": "/x.csv", "max_failures": 1, **more}
            tasks.append(OdsDownloadOperator(**arguments))
    assert (tasks[0]._mapped_by() == tasks[1]._mapped_by()) == same


def test_a_name_that_no_variable_can_have_is_a_hash(ods_portal: LocalPortal, variables: Variables) -> None:
    ods_portal.fault("status", status=503, times=None)
    with pytest.raises(AirflowSkipException):
        run(search(task_id="t" * 250), "night 1")
    (name,) = variables.kept
    assert name.startswith("ods_failures.") and len(name) < 100


def test_failures_that_cannot_be_counted_are_not_tolerated_and_a_success_is_one_all_the_same(
    ods_portal: LocalPortal, variables: Variables, caplog: pytest.LogCaptureFixture
) -> None:
    variables.broken = True
    assert len(run(search(), "night 1")) == 110
    assert "could not be forgotten" in caplog.text
    ods_portal.fault("status", status=503)
    with pytest.raises(OdsServerError):
        run(search(), "night 2")
    assert "cannot be counted" in caplog.text


@pytest.mark.parametrize("kept", ['{"a": 1}', "7", '["night 0"'])
def test_a_count_that_somebody_changed_is_begun_anew(kept: str, ods_portal: LocalPortal, variables: Variables) -> None:
    variables.kept["ods_failures.a_dag.rows"] = kept
    ods_portal.fault("status", status=503)
    with pytest.raises(AirflowSkipException, match="Failure 1 of 2"):
        run(search(), "night 1")


def test_without_it_nothing_is_counted_or_asked(ods_portal: LocalPortal, variables: Variables) -> None:
    variables.broken = True
    ods_portal.fault("status", status=503)
    with pytest.raises(OdsServerError):
        run(search(max_failures=0), "night 1")


# Sensors


def sensor(**more: Any) -> OdsDatasetUpdateSensor:
    newer = {"data_processed": "2099-01-01T00:00:00+00:00"}
    return OdsDatasetUpdateSensor(
        **{"task_id": "updated", "dataset_id": DATASET, "since": newer, "max_failures": 1, **more}
    )


@pytest.mark.parametrize(
    ("event", "tolerated"),
    [
        ({"status": "failed", "error": "OdsNotAPortal: a page came", "transient": False}, True),
        ({"status": "failed", "error": "OdsNotFound: no such dataset", "transient": False}, False),
        ({"status": "failed", "error": "OdsAuthError: the key is not valid", "transient": False}, False),
    ],
)
def test_what_a_trigger_met_counts(event: dict[str, Any], tolerated: bool, variables: Variables) -> None:
    task = sensor()
    context = context_of(task)
    context["ti"].max_tries = 0
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    assert variables.kept == {}, "a wait is no end"
    with pytest.raises(AirflowSkipException if tolerated else AirflowFailException):
        resume_task(task, context, deferred.value, event)
    assert bool(variables.kept) == tolerated


def test_a_sensor_that_is_rescheduled_has_not_ended(variables: Variables) -> None:
    with pytest.raises(AirflowRescheduleException):
        run(sensor(deferrable=False, mode="reschedule"), "night 1")
    assert variables.kept == {}


def test_a_wait_that_lasts_too_long_counts(variables: Variables, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(AirflowSkipException, match="Failure 1 of 1"):
        run(sensor(deferrable=False, mode="poke", timeout=0, poke_interval=1), "night 1", max_tries=5)
    assert caplog.messages[-1].endswith("tolerates: the sensor's timeout of 0 s was over")
    with pytest.raises(AirflowSensorTimeout):
        run(sensor(deferrable=False, mode="poke", timeout=0, poke_interval=1), "night 2", max_tries=5)


def test_an_execution_that_times_out_counts_at_the_last_try(
    variables: Variables, caplog: pytest.LogCaptureFixture
) -> None:
    task = sensor(execution_timeout=timedelta(minutes=2))
    for try_number, error in ((1, AirflowTaskTimeout), (2, AirflowSkipException)):
        context = context_of(task)
        context["ti"].try_number, context["ti"].max_tries = try_number, 1
        with pytest.raises(error), task.tolerating(context):
            raise AirflowTaskTimeout("Timeout, PID: 7")
    assert len(variables.kept) == 1
    assert caplog.messages[-1].endswith("the execution_timeout of 120 s was over")


@pytest.mark.parametrize("bad", [-1, "3", 1.5, True])
def test_what_is_no_number_of_failures_fails_while_the_dag_is_parsed(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"^rows: max_failures is .*; pass a whole number from 0 on"):
        search(max_failures=bad)


@pytest.mark.parametrize("also", ["soft_fail", "never_fail"])
def test_a_sensor_that_is_skipped_whatever_failed_counts_nothing(also: str, variables: Variables) -> None:
    for _ in range(2):
        with pytest.raises(AirflowSkipException, match="no-such"):
            run(sensor(dataset_id="no-such", **{also: True}), "night 1")
    assert variables.kept == {}


def test_a_dag_may_say_it_for_all_of_its_tasks_mapped_ones_too() -> None:
    with DAG("flaky", schedule=None, default_args={"max_failures": 3}):
        one = OdsSearchOperator(task_id="one", dataset_id=DATASET)
        waits = OdsDatasetUpdateSensor(task_id="waits", dataset_id=DATASET)
        many = OdsSearchOperator.partial(task_id="many", max_failures=2).expand(dataset_id=[DATASET, "other"])
        group = ods_mirror(to="/nowhere", max_failures=1)
    assert (one.max_failures, waits.max_failures, many.partial_kwargs["max_failures"]) == (3, 3, 2)
    assert group.children["mirror.plan"].max_failures == 1  # type: ignore[attr-defined]
