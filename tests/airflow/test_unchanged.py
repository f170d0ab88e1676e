"""``if_unchanged`` in Airflow: the memory of the last success is XCom, skip is Airflow's own."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from airflow_task import Runs, resume_task, run_task

from ods_provider.core.errors import OdsServerError
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor
from ods_provider.testing.portal import LocalPortal

DATASET = "world-capitals"


def download(path: Any, how: str = "skip", **more: Any) -> OdsDownloadOperator:
    return OdsDownloadOperator(task_id="download", dataset_id=DATASET, path=str(path), if_unchanged=how, **more)


def sensor(**more: Any) -> OdsDatasetUpdateSensor:
    return OdsDatasetUpdateSensor(task_id="updated", dataset_id=DATASET, since_task="download", **more)


def exports(portal: LocalPortal) -> int:
    return sum("/exports/" in entry.path for entry in portal.requests)


@pytest.fixture
def runs() -> Runs:
    """The runs of a DAG, by date."""
    return Runs()


# Operators


def test_a_night_without_an_update_is_skipped_and_asks_for_no_file(
    connect: Any, ods_portal: LocalPortal, runs: Runs, tmp_path: Path
) -> None:
    path = tmp_path / "{{ ds }}.parquet"
    first = runs.succeed(download(path), day=1)
    with pytest.raises(AirflowSkipException, match=f"{DATASET} has not changed since 2026-01-05"):
        runs.run(download(path), day=2)
    ods_portal.touch(DATASET, rows=1)
    third = runs.succeed(download(path), day=3)
    assert (first["rows"], third["rows"], exports(ods_portal)) == (110, 111, 2)
    assert third["path"] == str(tmp_path / "2026-01-03.parquet")


def test_keep_returns_what_the_last_success_returned(
    connect: Any, ods_portal: LocalPortal, runs: Runs, tmp_path: Path
) -> None:
    path = tmp_path / "{{ ds }}.csv"
    first = runs.succeed(download(path, "fetch"), day=1)
    second = runs.succeed(download(path, "keep"), day=2)
    third = runs.succeed(download(path, "keep"), day=3)
    assert (first["unchanged"], second["unchanged"], third["unchanged"]) == (False, True, True)
    assert second["path"] == third["path"] == first["path"]
    assert exports(ods_portal) == 1


def test_a_night_that_failed_after_it_had_written_is_made_good_the_next(
    connect: Any, ods_portal: LocalPortal, runs: Runs, tmp_path: Path
) -> None:
    path = tmp_path / "capitals.csv"
    runs.succeed(download(path), day=1)
    ods_portal.touch(DATASET, rows=1)
    runs.run(download(path), day=2)  # its worker died before the task had succeeded
    made_good = runs.run(download(path), day=3)
    assert (made_good["rows"], made_good["unchanged"], exports(ods_portal)) == (111, True, 2)


@pytest.mark.at_length
def test_the_try_of_a_run_that_died_after_it_had_written_is_no_skip(connect: Any, runs: Runs, tmp_path: Path) -> None:
    for date in (None, datetime(2026, 1, 1, tzinfo=UTC)):
        path = tmp_path / f"{date is None}.csv"
        context = runs.context(download(path), date=date)
        run_task(download(path), context)
        assert run_task(download(path), context)["unchanged"] is True


def test_a_run_without_a_date_goes_by_what_stands_there(connect: Any, runs: Runs, tmp_path: Path) -> None:
    path = tmp_path / "capitals.csv"
    assert run_task(download(path), runs.context(download(path), date=None))["unchanged"] is False
    with pytest.raises(AirflowSkipException):
        run_task(download(path), runs.context(download(path), date=None))


@pytest.mark.at_length
def test_each_mapped_task_has_a_memory_of_its_own(connect: Any, runs: Runs, tmp_path: Path) -> None:
    def one(index: int, day: int, where: str) -> Any:
        task = download(tmp_path / f"{where}-{{{{ ds }}}}.csv", where=f"country_code = '{where}'")
        return runs.succeed(task, day=day, map_index=index)

    one(0, 1, "FR")
    one(1, 1, "DE")
    for index, where in enumerate(("FR", "DE")):
        with pytest.raises(AirflowSkipException):
            one(index, 2, where)
    # Another one before them: each is known by what it does, and what another loaded says nothing of the new one.
    assert one(0, 3, "IT")["unchanged"] is False
    for index, where in enumerate(("IT", "FR", "DE")):
        with pytest.raises(AirflowSkipException):
            one(index, 4, where)


def test_a_backfill_of_a_mapped_task_knows_nothing_of_later_runs(connect: Any, runs: Runs, tmp_path: Path) -> None:
    def one(index: int, day: int) -> Any:
        return runs.succeed(download(tmp_path / "{{ ds }}.csv"), day=day, map_index=index)

    one(0, 5)
    assert one(1, 2)["unchanged"] is False
    with pytest.raises(AirflowSkipException):
        one(1, 6)


def test_a_mapped_task_whose_place_has_shifted_leaves_the_file_that_stands_there(
    connect: Any, ods_portal: LocalPortal, runs: Runs, tmp_path: Path
) -> None:
    def one(index: int, day: int, where: str) -> Any:
        task = download(tmp_path / f"{where}.csv", where=f"country_code = '{where}'")
        return runs.succeed(task, day=day, map_index=index)

    one(0, 1, "FR")
    one(1, 1, "DE")
    for index, where in ((0, "DE"), (5, "FR")):
        with pytest.raises(AirflowSkipException):
            one(index, 2, where)
    assert exports(ods_portal) == 2


def test_a_memory_that_cannot_be_looked_up_costs_a_fetch_and_no_failure(
    connect: Any, runs: Runs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task = download(tmp_path / "{{ ds }}.csv")
    runs.succeed(task, day=1)
    runs.broken = True
    assert runs.run(download(tmp_path / "{{ ds }}.csv"), day=2)["unchanged"] is False
    assert "What the last run returned cannot be looked up: RuntimeError: no API" in caplog.text


def test_a_task_that_waited_for_a_quota_can_be_skipped_as_well(
    connect: Any, ods_portal: LocalPortal, runs: Runs, tmp_path: Path
) -> None:
    task = download(tmp_path / "{{ ds }}.csv")
    runs.succeed(task, day=1)
    ods_portal.set_quota(remaining=0, reset_in_s=90)
    task = download(tmp_path / "{{ ds }}.csv")
    context = runs.context(task, date=datetime(2026, 1, 2, tzinfo=UTC))
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    ods_portal.set_quota(remaining=100, reset_in_s=90)
    event = {"status": "resume", "checkpoint": deferred.value.trigger.checkpoint}
    with pytest.raises(AirflowSkipException):
        resume_task(task, context, deferred.value, event)


def test_media_is_skipped_too(connect: Any, runs: Runs, tmp_path: Path) -> None:
    def media() -> OdsMediaOperator:
        return OdsMediaOperator(
            task_id="media", dataset_id="landmark-photos", path=f"{tmp_path}/{{{{ ds }}}}", if_unchanged="skip"
        )

    runs.succeed(media(), day=1)
    with pytest.raises(AirflowSkipException):
        runs.run(media(), day=2)


def test_a_bad_word_fails_for_good(connect: Any, tmp_path: Path) -> None:
    with pytest.raises(AirflowFailException, match="Use fetch, keep or skip"):
        run_task(download(tmp_path / "x.csv", "never"))


# The DAGs of docs/recipes/nightly.md


@pytest.fixture
def nightly(tmp_path: Path) -> dict[str, Any]:
    """The tasks of both DAGs, writing into the test's folder."""
    from ods_provider.example_dags import ods_nightly

    found = {}
    for dag in (ods_nightly.dag, ods_nightly.looking):
        for task in map(fresh, dag.tasks):
            if hasattr(task, "path"):
                task.path = task.path.replace(ods_nightly.FOLDER, str(tmp_path))
            found[f"{dag.dag_id}.{task.task_id}"] = task
    return found


def fresh(task: Any) -> Any:
    """As every run has its own: rendered once."""
    return copy.copy(task)


def test_the_nightly_dag_loses_no_update_and_its_backfill_passes(
    nightly: dict[str, Any], connect: Any, ods_portal: LocalPortal, runs: Runs
) -> None:
    def night(day: int, *, loads: bool = True, **how: Any) -> Any:
        runs.succeed(fresh(nightly["ods_nightly.updated"]), day=day, **how)
        return runs.succeed(fresh(nightly["ods_nightly.download"]), day=day, **how) if loads else None

    assert night(11)["rows"] == 110
    with pytest.raises(TaskDeferred):
        night(12)
    ods_portal.touch(DATASET, rows=1)
    night(13, loads=False)
    made_good = night(14)
    assert (made_good["rows"], made_good["unchanged"]) == (111, False)
    for day in (5, 6, 7):
        assert night(day, run_type="backfill")["unchanged"] is True
    assert exports(ods_portal) == 2
    with pytest.raises(TaskDeferred):
        night(15)


def test_the_dag_that_looks_once_a_night_skips_the_nights_without_news(
    nightly: dict[str, Any], connect: Any, ods_portal: LocalPortal, runs: Runs, tmp_path: Path
) -> None:
    task = nightly["ods_nightly_look.download"]
    runs.succeed(fresh(task), day=1)
    with pytest.raises(AirflowSkipException):
        runs.run(fresh(task), day=2)
    ods_portal.touch(DATASET, rows=1)
    ods_portal.fault("status", status=503, times=None, path="/exports/")
    with pytest.raises(OdsServerError):
        runs.run(fresh(task), day=3)
    ods_portal.clear_faults()
    assert runs.succeed(fresh(task), day=4)["rows"] == 111
    assert sorted(path.name for path in tmp_path.glob("*.parquet")) == ["2026-01-01.parquet", "2026-01-04.parquet"]
    load = nightly["ods_nightly_look.load"]
    assert load.upstream_task_ids == {"download"}


# The sensor


def waits(runs: Runs, **how: Any) -> bool:
    try:
        runs.run(sensor(), **how)
    except TaskDeferred:
        return True
    return False


def test_an_update_is_waited_for_until_the_task_has_loaded_it(
    connect: Any, ods_portal: LocalPortal, runs: Runs, tmp_path: Path
) -> None:
    path = tmp_path / "capitals.csv"
    runs.succeed(sensor(), day=1)
    runs.succeed(download(path), day=1)
    assert waits(runs, day=2)
    ods_portal.touch(DATASET, rows=1)
    runs.succeed(sensor(), day=3)
    # The download of day 3 failed: the update is still there to be loaded.
    runs.succeed(sensor(), day=4)
    runs.succeed(download(path), day=4)
    assert waits(runs, day=5)


def test_the_trigger_goes_on_with_what_the_task_loaded(
    connect: Any, ods_portal: LocalPortal, runs: Runs, tmp_path: Path
) -> None:
    runs.succeed(sensor(), day=1)
    loaded = runs.succeed(download(tmp_path / "a.csv"), day=1)
    with pytest.raises(TaskDeferred) as deferred:
        runs.run(sensor(), day=2)
    assert deferred.value.trigger.since == {"data_processed": loaded["data_processed"]}


@pytest.mark.parametrize("how", ["earlier date", "backfill"])
def test_a_backfill_passes_at_once(how: str, connect: Any, runs: Runs, tmp_path: Path) -> None:
    runs.succeed(sensor(), day=5)
    runs.succeed(download(tmp_path / "a.csv"), day=5)
    for day in (2, 3, 4) if how == "earlier date" else (6, 7, 8):
        kind = {"run_type": "backfill"} if how == "backfill" else {}
        runs.succeed(sensor(), day=day, **kind)
        runs.succeed(download(tmp_path / "a.csv", "keep"), day=day, **kind)


def test_a_backfill_passes_a_sensor_that_goes_by_its_own_memory_as_well(connect: Any, runs: Runs) -> None:
    own = {"task_id": "updated", "dataset_id": DATASET}
    runs.succeed(OdsDatasetUpdateSensor(**own), day=5)
    for day in (2, 3):
        runs.succeed(OdsDatasetUpdateSensor(**own), day=day)
    with pytest.raises(TaskDeferred):
        runs.run(OdsDatasetUpdateSensor(**own), day=6)


def test_a_run_that_is_cleared_does_not_wait_for_what_it_loaded_itself(
    connect: Any, ods_portal: LocalPortal, runs: Runs, tmp_path: Path
) -> None:
    runs.succeed(sensor(), day=1)
    runs.succeed(download(tmp_path / "a.csv"), day=1)
    ods_portal.touch(DATASET)
    runs.succeed(sensor(), day=2)
    runs.succeed(download(tmp_path / "a.csv"), day=2)
    assert runs.run(sensor(), day=2)["dataset_id"] == DATASET


def test_what_the_task_loaded_of_another_dataset_is_not_compared_with(connect: Any, runs: Runs, tmp_path: Path) -> None:
    runs.succeed(sensor(), day=1)
    other = OdsDownloadOperator(task_id="download", dataset_id="all-types", path=str(tmp_path / "x.csv"))
    runs.succeed(other, day=1)
    assert not waits(runs, day=2)


def test_a_mapped_task_is_found_by_its_dataset(connect: Any, runs: Runs, tmp_path: Path) -> None:
    runs.succeed(sensor(), day=1)
    runs.succeed(download(tmp_path / "a.csv"), day=1, map_index=3)
    assert waits(runs, day=2)


def test_a_run_without_a_date_compares_with_the_last_result(connect: Any, runs: Runs, tmp_path: Path) -> None:
    runs.succeed(sensor(), day=1)
    runs.succeed(download(tmp_path / "a.csv"), day=1)
    with pytest.raises(TaskDeferred):
        run_task(sensor(), runs.context(sensor(), date=None))


@pytest.mark.parametrize("more", [{"since": "2026-01-01"}, {"what": "metadata"}])
def test_a_task_and_something_else_to_compare_with_are_refused(more: dict[str, Any], connect: Any) -> None:
    with pytest.raises(AirflowFailException, match="since_task compares with what a task loaded"):
        run_task(sensor(**more))
