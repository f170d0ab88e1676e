"""A long wait ends the run, and the resume sensor runs again what waited, once, when it is time."""

from __future__ import annotations

import time

import pytest
from dagster import (
    DagsterRunStatus,
    DailyPartitionsDefinition,
    Definitions,
    asset,
    job,
    materialize,
    op,
)

from ods_provider.core.errors import OdsConfigError
from ods_provider.schedulers.dagster import (
    ods_dataset_asset,
    ods_media_asset,
    ods_push_op,
    ods_resume_sensor,
    ods_search_asset,
    ods_search_op,
)
from ods_provider.schedulers.dagster.working import WAITING, WORKING, Work

RESET_S = 5.0


@pytest.fixture
def behind():
    @asset(deps=["world_capitals"])
    def cleaned() -> int:
        return 1

    return cleaned


def run_again(request, assets, ods, instance):
    """Do what the daemon does with a request of the sensor."""
    return materialize(
        list(assets),
        selection=request.asset_selection,
        resources={"ods": ods},
        instance=instance,
        tags=request.tags,
        partition_key=request.partition_key,
    )


def test_a_wait_ends_the_run_well_makes_nothing_and_holds_nobody(ods, portal, instance, tmp_path, behind):
    pair = ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv"), format="csv")
    portal.fault("quota", reset_in_s=3600)
    began = time.monotonic()
    result = materialize([pair.asset, behind], resources={"ods": ods}, instance=instance)
    assert time.monotonic() - began < 300  # of an hour
    assert result.success
    kinds = [event.event_type_value for event in result.all_events]
    assert "ASSET_MATERIALIZATION" not in kinds and "STEP_SKIPPED" in kinds
    (observed,) = [event for event in result.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    said = observed.asset_observation_data.asset_observation.metadata
    assert said["waiting_until"].value > time.time() + 3000
    assert "Too many requests" in said["reason"].value
    assert instance.get_run_by_id(result.run_id).tags[WAITING] == "yes"


def test_the_sensor_waits_then_asks_for_the_asset_and_what_stands_behind_it_then_for_nothing(
    ods, portal, instance, tmp_path, behind, tick
):
    pair = ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv"), format="csv")
    definitions = Definitions(assets=[pair.asset, behind], sensors=[pair.resume_sensor], resources={"ods": ods})
    assert tick(pair.resume_sensor, definitions).skip_message == "Nothing waits"
    portal.fault("quota", reset_in_s=RESET_S)
    materialize([pair.asset, behind], resources={"ods": ods}, instance=instance, tags={"team": "maps"})
    assert tick(pair.resume_sensor, definitions).skip_message.startswith("Waiting until 20")
    time.sleep(RESET_S + 1.5)
    (request,) = tick(pair.resume_sensor, definitions).run_requests
    (again,) = tick(pair.resume_sensor, definitions).run_requests
    assert request.run_key == again.run_key  # which Dagster runs once
    assert {key.to_user_string() for key in request.asset_selection} == {"world_capitals", "cleaned"}
    assert request.tags["team"] == "maps"
    result = run_again(request, [pair.asset, behind], ods, instance)
    assert {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()} == {
        "world_capitals",
        "cleaned",
    }
    assert tick(pair.resume_sensor, definitions).skip_message == "Nothing waits"


def test_what_its_run_was_not_asked_for_is_not_asked_for_again(ods, portal, instance, tmp_path, behind, tick):
    pair = ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv"), format="csv")
    definitions = Definitions(assets=[pair.asset, behind], sensors=[pair.resume_sensor], resources={"ods": ods})
    portal.fault("quota", reset_in_s=1)
    materialize([pair.asset, behind], selection=[pair.asset], resources={"ods": ods}, instance=instance)
    time.sleep(2.5)
    (request,) = tick(pair.resume_sensor, definitions).run_requests
    assert request.asset_selection == [pair.asset.key]


def test_confirmed_files_are_not_asked_for_again(ods, portal, instance, tmp_path, tick):
    pair = ods_media_asset("landmark-photos", path=str(tmp_path / "photos"), kind="files", parallel=1)
    definitions = Definitions(assets=[pair.asset], sensors=[pair.resume_sensor], resources={"ods": ods})
    portal.fault("quota", path="/files/", skip=15, reset_in_s=RESET_S)
    materialize([pair.asset], resources={"ods": ods}, instance=instance)
    time.sleep(RESET_S + 1.5)
    (request,) = tick(pair.resume_sensor, definitions).run_requests
    assert run_again(request, [pair.asset], ods, instance).success
    answered = [entry.path for entry in portal.requests if "/files/" in entry.path and entry.status == 200]
    assert len(answered) == len(set(answered)) == 40


def test_pages_without_a_file_are_kept_by_the_instance(ods, portal, instance, tick):
    pair = ods_search_asset("rows", dataset_id="synthetic-rows", order_by="id")
    portal.fault("quota", path="/records", skip=3, reset_in_s=RESET_S)
    materialize([pair.asset], resources={"ods": ods}, instance=instance)
    time.sleep(RESET_S)
    # Anybody's run of the asset goes on with it, not the sensor's alone.
    result = materialize([pair.asset], resources={"ods": ods}, instance=instance)
    assert [row["id"] for row in result.output_for_node("rows")] == list(range(520))
    answered = [entry.query for entry in portal.requests if entry.path.endswith("/records") and entry.status == 200]
    assert len(answered) == len(set(answered)) == 6


def test_a_wait_is_over_when_somebody_else_made_the_asset(ods, portal, instance, tmp_path, tick):
    pair = ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv"), format="csv")
    definitions = Definitions(assets=[pair.asset], sensors=[pair.resume_sensor], resources={"ods": ods})
    portal.fault("quota", reset_in_s=RESET_S)
    waited = materialize([pair.asset], resources={"ods": ods}, instance=instance)
    time.sleep(RESET_S + 1.5)
    assert materialize([pair.asset], resources={"ods": ods}, instance=instance).success
    assert not tick(pair.resume_sensor, definitions).run_requests
    assert instance.get_run_by_id(waited.run_id).tags[WAITING] == "no"


def test_a_partition_waits_for_itself(ods, portal, instance, tmp_path, tick):
    pair = ods_dataset_asset(
        "synthetic-rows",
        path=f"{tmp_path}/{{partition}}.csv",
        format="csv",
        partitions_def=DailyPartitionsDefinition("2026-01-01"),
        partition_field="at",
    )
    definitions = Definitions(assets=[pair.asset], sensors=[pair.resume_sensor], resources={"ods": ods})
    portal.fault("quota", reset_in_s=1)
    materialize([pair.asset], resources={"ods": ods}, instance=instance, partition_key="2026-01-01")
    materialize([pair.asset], resources={"ods": ods}, instance=instance, partition_key="2026-01-02")
    time.sleep(2.5)
    (request,) = tick(pair.resume_sensor, definitions).run_requests
    assert request.partition_key == "2026-01-01"
    result = run_again(request, [pair.asset], ods, instance)
    assert result.asset_materializations_for_node("synthetic_rows")[0].partition == "2026-01-01"
    assert not tick(pair.resume_sensor, definitions).run_requests


def test_a_run_that_meets_another_at_the_same_work_leaves_it_alone(ods, portal, instance, tmp_path, tick):
    pair = ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv"), format="csv")
    definitions = Definitions(assets=[pair.asset], sensors=[pair.resume_sensor], resources={"ods": ods})
    work = Work.on_asset(pair.asset.key)
    other = instance.create_run_for_job(definitions.resolve_implicit_global_asset_job_def(), tags={work.tag: WORKING})
    set_status(instance, other, DagsterRunStatus.STARTED)
    result = materialize([pair.asset], resources={"ods": ods}, instance=instance)
    assert result.success and not result.get_asset_materialization_events()
    assert not portal.requests
    assert instance.get_run_by_id(result.run_id).tags[work.tag].startswith("waiting until")
    # The other run dies: its status is its lease, and the work is free.
    set_status(instance, other, DagsterRunStatus.FAILURE)
    assert materialize([pair.asset], resources={"ods": ods}, instance=instance).get_asset_materialization_events()


def set_status(instance, run, status):
    from dagster import DagsterEvent, DagsterEventType

    kinds = {
        DagsterRunStatus.STARTED: DagsterEventType.RUN_START,
        DagsterRunStatus.FAILURE: DagsterEventType.RUN_FAILURE,
    }
    instance.report_dagster_event(DagsterEvent(kinds[status].value, run.job_name), run.run_id)


def test_a_run_that_tries_another_again_does_not_wait_for_it(ods, portal, instance, tmp_path, tick):
    pair = ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv"), format="csv")
    definitions = Definitions(assets=[pair.asset], sensors=[pair.resume_sensor], resources={"ods": ods})
    portal.fault("quota", reset_in_s=1)
    waited = materialize([pair.asset], resources={"ods": ods}, instance=instance)
    tags = dict(instance.get_run_by_id(waited.run_id).tags)

    @asset
    def unrelated() -> None: ...

    # Dagster copies all tags to the run that tries again.
    materialize([unrelated], instance=instance, tags=tags)
    time.sleep(2.5)
    (request,) = tick(pair.resume_sensor, definitions).run_requests
    assert request.tags["ods/resumes"] == waited.run_id


def test_jobs_of_ops_wait_and_are_run_again_as_they_were(ods, portal, instance, tick):
    received = []

    @op
    def receive(rows) -> None:
        received.append(rows)

    search = ods_search_op(dataset_id="synthetic-rows", order_by="id")

    @job(resource_defs={"ods": ods})
    def nightly():
        receive(search())

    sensor = ods_resume_sensor(jobs=[nightly])
    definitions = Definitions(jobs=[nightly], sensors=[sensor])
    config = {"ops": {"ods_search": {"config": {"limit": 450}}}}
    portal.fault("quota", path="/records", skip=2, reset_in_s=RESET_S)
    first = nightly.execute_in_process(run_config=config, instance=instance)
    assert first.success and not received
    assert not tick(sensor, definitions).run_requests
    time.sleep(RESET_S + 1.5)
    (request,) = tick(sensor, definitions).run_requests
    assert (request.job_name, request.run_config["ops"]) == ("nightly", config["ops"])
    assert nightly.execute_in_process(run_config=request.run_config, instance=instance, tags=request.tags).success
    assert [row["id"] for row in received[0]] == list(range(450))
    answered = [entry.query for entry in portal.requests if entry.path.endswith("/records") and entry.status == 200]
    assert len(answered) == len(set(answered)) == 5
    assert not tick(sensor, definitions).run_requests


def test_a_second_run_of_an_op_is_work_of_its_own(ods, portal, instance):
    push = ods_push_op(dataset_id="live-readings", resource_id="realtime")

    @op
    def measure():
        return [{"sensor_id": "s-7", "at": "2026-03-01T00:00:00+00:00", "value": 7.0}]

    @job(resource_defs={"ods": ods})
    def sending():
        push(measure())

    for _ in range(2):
        assert sending.execute_in_process(instance=instance).success
    assert sum(entry.path.endswith("/push/") for entry in portal.requests) == 2


def test_a_resume_sensor_needs_something_to_resume():
    with pytest.raises(OdsConfigError, match="serves assets, jobs, or both"):
        ods_resume_sensor()
