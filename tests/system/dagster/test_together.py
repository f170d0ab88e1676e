"""Datasets on the portal as observed assets, and one resume sensor for all assets and jobs."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from dagster import (
    AssetKey,
    DailyPartitionsDefinition,
    Definitions,
    build_last_update_freshness_checks,
    job,
    materialize,
)

from ods_provider.core.errors import OdsConfigError
from ods_provider.schedulers.dagster import (
    ods_dataset_asset,
    ods_definitions,
    ods_portal_assets,
    ods_push_asset,
    ods_search_op,
)

CAPITALS, ROWS = AssetKey(["ods", "world-capitals"]), AssetKey(["ods", "synthetic-rows"])


@pytest.fixture
def capitals(tmp_path):
    return ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv"), checks=["rows_counted"])


def observe(upstream, ods, instance, **how):
    definitions = Definitions(assets=[upstream], resources={"ods": ods})
    return definitions.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance, **how)


def seen(result):
    kind = "ASSET_OBSERVATION"
    return {event.asset_key: event for event in result.all_events if event.event_type_value == kind}


def test_datasets_are_observed_by_one_call(ods, portal, instance, capitals):
    upstream = ods_portal_assets(capitals, datasets=["synthetic-rows"])
    found = seen(observe(upstream, ods, instance))
    assert set(found) == {CAPITALS, ROWS} and len(portal.requests) == 1
    said = found[CAPITALS].asset_observation_data.asset_observation
    assert said.tags["dagster/data_version"] == said.metadata["data_processed"].value == "2026-01-05T08:00:00+00:00"
    assert said.metadata["dagster/last_updated_timestamp"].value == 1767600000.0
    assert said.metadata["dagster/row_count"].value == 110
    assert said.metadata["portal"].value == f"{portal.url}/explore/dataset/world-capitals/"


def test_a_dataset_that_is_not_there_is_told_and_the_others_are_observed(ods, portal, instance, capitals):
    upstream = ods_portal_assets(capitals, datasets=["world-capitols"])
    result = observe(upstream, ods, instance, raise_on_error=False)
    assert set(seen(result)) == {CAPITALS} and not result.success
    failure = result.failure_data_for_node("ods_observed").user_failure_data
    assert "hidden from this key: world-capitols" in failure.description


def test_a_portal_that_does_not_answer_fails_the_observation_with_a_sentence(ods, portal, instance, capitals):
    portal.fault("status", status=503, times=None)
    result = observe(ods_portal_assets(capitals), ods, instance, raise_on_error=False)
    failure = result.failure_data_for_node("ods_observed").user_failure_data
    assert "OdsServerError" in failure.description


@pytest.mark.filterwarnings("ignore:Function `build_last_update_freshness_checks` is superseded")
def test_freshness_of_what_is_observed_goes_by_the_datas_time(ods, portal, instance, capitals):
    upstream = ods_portal_assets(capitals)
    (check,) = build_last_update_freshness_checks(assets=[upstream], lower_bound_delta=timedelta(hours=24))
    definitions = Definitions(assets=[upstream], asset_checks=[check], resources={"ods": ods})
    observe(upstream, ods, instance)
    job = definitions.resolve_implicit_global_asset_job_def()
    run = job.get_subset(asset_selection=set(), asset_check_selection=set(check.check_keys))
    (found,) = run.execute_in_process(instance=instance).get_asset_check_evaluations()
    assert not found.passed and "overdue" in found.description


def test_assets_stand_behind_what_they_read_and_not_behind_what_they_send_to(ods, tmp_path, capitals):
    sent = ods_push_asset("live-readings", "realtime", path=str(tmp_path / "x.jsonl"))
    monitored = ods_dataset_asset("log", source="monitoring", path=str(tmp_path / "l.csv"))
    definitions = ods_definitions(capitals, sent, monitored, resources={"ods": ods})
    graph = definitions.resolve_asset_graph()
    parents = {key.to_user_string(): graph.get(key).parent_keys for key in graph.materializable_asset_keys}
    log = AssetKey(["ods", "monitoring", "log"])
    assert parents == {"world_capitals": {CAPITALS}, "live_readings_pushed": set(), "monitoring_log": {log}}
    assert graph.observable_asset_keys == {CAPITALS, log}
    assert [check.name for check in graph.asset_check_keys] == ["rows_counted"]
    assert [sensor.name for sensor in definitions.sensors] == ["ods_resumes"]
    alone = ods_definitions(capitals, upstream=False, resources={"ods": ods}).resolve_asset_graph()
    assert not alone.observable_asset_keys


def test_an_asset_behind_its_dataset_is_made_and_knows_the_version_it_read(ods, portal, instance, capitals):
    definitions = ods_definitions(capitals, resources={"ods": ods})
    whole = definitions.resolve_implicit_global_asset_job_def()
    whole.get_subset(asset_selection={CAPITALS}).execute_in_process(instance=instance)
    result = whole.get_subset(asset_selection={AssetKey("world_capitals")}).execute_in_process(instance=instance)
    (made,) = result.get_asset_materialization_events()
    tags = made.materialization.tags
    assert tags["dagster/input_data_version/ods/world-capitals"] == tags["dagster/data_version"]


def test_one_sensor_brings_back_assets_partitions_and_jobs(ods, portal, instance, capitals, tick, tmp_path):
    days = DailyPartitionsDefinition("2026-01-01")
    daily = ods_dataset_asset(
        "synthetic-rows", path=f"{tmp_path}/{{partition}}.csv", partitions_def=days, partition_field="at"
    )
    search = ods_search_op(dataset_id="world-capitals")

    @job(resource_defs={"ods": ods})
    def nightly():
        search()

    definitions = ods_definitions(capitals, daily, jobs=[nightly], resources={"ods": ods})
    (sensor,) = definitions.sensors
    assert tick(sensor, definitions).skip_message == "Nothing waits"
    portal.fault("quota", reset_in_s=5, times=None)
    waits = [
        materialize([capitals.asset], resources={"ods": ods}, instance=instance),
        materialize([daily.asset], resources={"ods": ods}, instance=instance, partition_key="2026-01-01"),
        definitions.resolve_job_def("nightly").execute_in_process(instance=instance),
    ]
    portal.clear_faults()
    while len(requests := tick(sensor, definitions).run_requests) < 3:
        time.sleep(0.5)
    asked = {request.tags["ods/resumes"]: request for request in requests}
    made, part, again = (asked[run.run_id] for run in waits)
    assert (made.job_name, made.asset_selection) == ("ods_resumes_assets", [AssetKey("world_capitals")])
    assert (part.job_name, part.tags["dagster/partition"]) == ("ods_resumes_assets", "2026-01-01")
    assert again.job_name == "nightly"
    for request in (made, part):
        run = definitions.resolve_job_def(request.job_name).get_subset(asset_selection=set(request.asset_selection))
        assert run.execute_in_process(instance=instance, tags=request.tags).get_asset_materialization_events()
    left = tick(sensor, definitions).run_requests
    assert [request.job_name for request in left] == ["nightly"]


def test_what_is_not_there_cannot_be_observed():
    with pytest.raises(OdsConfigError, match="no dataset is observed"):
        ods_portal_assets()


def test_a_dataset_of_another_portal_has_a_key_that_dagster_takes_and_none_is_lost():
    (spec,) = ods_portal_assets(datasets=["postal-codes@public"]).specs
    assert spec.key == AssetKey(["ods", "postal-codes_public"])
    with pytest.raises(OdsConfigError, match="a-b and a_b have one name in Dagster"):
        ods_portal_assets(datasets=["a-b", "a_b"])


def test_options_go_to_each_dataset(capitals):
    upstream = ods_portal_assets(capitals, key_prefix=["city", "portal"], asset_options={"group_name": "sources"})
    (spec,) = upstream.specs
    assert (spec.key, spec.group_name) == (AssetKey(["city", "portal", "world-capitals"]), "sources")
