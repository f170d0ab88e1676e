"""The sensor for updates: one call for all datasets, a memory in the cursor, and no run for the first look."""

from __future__ import annotations

import json

import pytest
from dagster import DailyPartitionsDefinition, Definitions, RunRequest, job, materialize, op

from ods_provider.core.errors import OdsConfigError, OdsNotAPortal
from ods_provider.schedulers.dagster import ods_dataset_asset, ods_dataset_sensor, ods_media_asset


@pytest.fixture
def watching(ods, tmp_path):
    pairs = [
        ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv"), format="csv"),
        ods_dataset_asset("synthetic-rows", path=str(tmp_path / "s.csv"), format="csv"),
        ods_media_asset("landmark-photos", path=str(tmp_path / "photos")),
    ]
    sensor = ods_dataset_sensor(*pairs)
    return sensor, Definitions(assets=[pair.asset for pair in pairs], sensors=[sensor], resources={"ods": ods})


def test_the_first_look_notes_and_asks_for_nothing_and_costs_one_call(watching, tick, portal):
    first = tick(*watching)
    assert not first.run_requests and "for the first time" in first.skip_message
    assert len(portal.requests) == 1
    assert set(json.loads(first.cursor)["seen"]) == {"world-capitals", "synthetic-rows", "landmark-photos"}


def test_an_updated_dataset_is_made_anew_once_and_the_others_are_not(watching, tick, portal):
    cursor = tick(*watching).cursor
    quiet = tick(*watching, cursor=cursor)
    assert quiet.skip_message == "No dataset was updated"
    portal.touch("world-capitals", rows=1)
    seen = tick(*watching, cursor=quiet.cursor)
    (request,) = seen.run_requests
    assert [key.to_user_string() for key in request.asset_selection] == ["world_capitals"]
    assert request.tags["ods/dataset_id"] == "world-capitals"
    assert not tick(*watching, cursor=seen.cursor).run_requests
    assert len(portal.requests) == 4


def test_an_update_keeps_its_run_key_so_that_a_lost_cursor_starts_nothing_twice(watching, tick, portal):
    cursor = tick(*watching).cursor
    portal.touch("synthetic-rows", rows=1)
    keys = [tick(*watching, cursor=cursor).run_requests[0].run_key for _ in range(2)]
    assert keys[0] == keys[1]


def test_editing_the_description_is_no_update_of_the_data(watching, tick, portal):
    cursor = tick(*watching).cursor
    portal.touch("world-capitals", metadata_only=True)
    assert not tick(*watching, cursor=cursor).run_requests


def test_a_quota_is_waited_for_without_a_call(watching, tick, portal):
    cursor = tick(*watching).cursor
    portal.fault("quota", reset_in_s=3600)
    refused = tick(*watching, cursor=cursor)
    assert "Too many requests" in refused.skip_message
    before = len(portal.requests)
    waiting = tick(*watching, cursor=refused.cursor)
    assert "asks not to be called before" in waiting.skip_message
    assert len(portal.requests) == before
    assert json.loads(waiting.cursor)["seen"] == json.loads(cursor)["seen"]


def test_a_portal_that_fails_is_said_and_nothing_is_forgotten(watching, tick, portal):
    cursor = tick(*watching).cursor
    portal.fault("status", status=503, times=None)
    failed = tick(*watching, cursor=cursor)
    assert "503" in failed.skip_message
    portal.clear_faults()
    portal.touch("world-capitals", rows=1)
    assert len(tick(*watching, cursor=failed.cursor).run_requests) == 1


def test_a_page_of_maintenance_only_delays_the_look_once_the_portal_has_answered(watching, tick, portal):
    portal.fault("html")
    with pytest.raises(OdsNotAPortal):
        tick(*watching)
    cursor = tick(*watching).cursor
    portal.fault("html")
    delayed = tick(*watching, cursor=cursor)
    assert "web page" in delayed.skip_message
    assert json.loads(delayed.cursor)["seen"] == json.loads(cursor)["seen"]


def test_a_dataset_that_was_never_processed_is_updated_when_it_is(watching, tick):
    kept = json.loads(tick(*watching).cursor)
    kept["seen"]["world-capitals"]["data_processed"] = None
    (request,) = tick(*watching, cursor=json.dumps(kept)).run_requests
    assert request.tags["ods/dataset_id"] == "world-capitals"


def test_a_dataset_that_is_not_there_is_named(ods, tick, portal):
    @op
    def nothing() -> None: ...

    @job
    def work() -> None:
        nothing()

    sensor = ods_dataset_sensor(datasets=["no-such", "world-capitals"], job=work)
    definitions = Definitions(jobs=[work], sensors=[sensor], resources={"ods": ods})
    first = tick(sensor, definitions)
    assert "no-such is not in the catalogue" in first.skip_message
    portal.touch("world-capitals", rows=1)
    (request,) = tick(sensor, definitions, cursor=first.cursor).run_requests
    assert request.run_key.startswith("world-capitals ")


def test_partitions_are_asked_for_by_the_users_own_function(ods, tick, portal):
    pair = ods_dataset_asset(
        "synthetic-rows",
        path="{partition}.csv",
        format="csv",
        partitions_def=DailyPartitionsDefinition("2026-01-01"),
        partition_field="at",
    )

    def of_day(freshness):
        return RunRequest(partition_key="2026-01-01", asset_selection=[pair.asset.key])

    sensor = ods_dataset_sensor(pair, request=of_day)
    definitions = Definitions(assets=[pair.asset], sensors=[sensor], resources={"ods": ods})
    cursor = tick(sensor, definitions).cursor
    portal.touch("synthetic-rows", rows=1)
    (request,) = tick(sensor, definitions, cursor=cursor).run_requests
    assert request.partition_key == "2026-01-01" and "synthetic-rows" in request.run_key
    with pytest.raises(OdsConfigError, match="which partitions"):
        ods_dataset_sensor(pair)


def test_a_sensor_that_watches_nothing_or_asks_for_nothing_is_refused():
    with pytest.raises(OdsConfigError, match="no dataset is watched"):
        ods_dataset_sensor()
    with pytest.raises(OdsConfigError, match="nothing is known to make"):
        ods_dataset_sensor(datasets=["a"])


def test_the_monitoring_source_is_watched_beside_the_catalogue(ods, tick, portal, tmp_path):
    monitored = {"source": "monitoring", "path": str(tmp_path / "m.csv")}
    pairs = [
        ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv")),
        ods_dataset_asset("ods-datasets-monitoring", **monitored),
    ]
    sensor = ods_dataset_sensor(*pairs)
    watching = sensor, Definitions(assets=[pair.asset for pair in pairs], sensors=[sensor], resources={"ods": ods})
    first = tick(*watching)
    assert set(json.loads(first.cursor)["seen"]) == {"world-capitals", "monitoring/ods-datasets-monitoring"}
    portal.touch("landmark-photos")
    (request,) = tick(*watching, cursor=first.cursor).run_requests
    assert [key.to_user_string() for key in request.asset_selection] == ["monitoring_ods_datasets_monitoring"]
    assert request.tags["ods/dataset_id"] == "monitoring/ods-datasets-monitoring"
    made = materialize([pairs[1].asset], resources={"ods": ods})
    (told,) = made.asset_materializations_for_node("monitoring_ods_datasets_monitoring")
    assert told.metadata["source"].value == "monitoring"
    assert "dagster/column_schema" in told.metadata and "portal" not in told.metadata
