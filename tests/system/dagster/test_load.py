"""A real load in Dagster: a table, its metadata, a wait that is resumed, a URL that only a variable holds."""

from __future__ import annotations

import duckdb
import pytest
from dagster import DagsterRunStatus, EnvVar, job, materialize

from ods_provider.schedulers.dagster import ods_load_asset, ods_load_op

PASSWORD = "w4rehouse-pa55word"


def exports(portal):
    return sum("/exports/" in entry.path for entry in portal.requests)


def table(path, statement):
    with duckdb.connect(str(path)) as connection:
        return connection.sql(statement).fetchall()


def metadata(result, pair):
    (found,) = result.asset_materializations_for_node(pair.asset.node_def.name)
    return {name: value.value for name, value in found.metadata.items()}


def test_an_asset_is_a_table_and_its_metadata_says_what_stands_there(ods, portal, instance, tmp_path):
    path = tmp_path / "city.duckdb"
    how = {"table": "rows", "destination": f"duckdb:///{path}", "mode": "merge", "cursor": "id"}
    pair = ods_load_asset("synthetic-rows", **how, primary_key="id")
    first = metadata(materialize([pair.asset], resources={"ods": ods}, instance=instance), pair)
    assert (first["dagster/row_count"], first["rows"], first["inserted"]) == (520, 520, 520)
    assert (first["table"], first["watermark"], first["columns_changed"]) == ("rows", 519, [])
    assert first["path"] == first["dagster/uri"] == f"duckdb:///{path}/rows"
    assert "id" in [column.name for column in first["dagster/column_schema"].columns]
    again = metadata(materialize([pair.asset], resources={"ods": ods}, instance=instance), pair)
    # Few rows came, and many stand there.
    assert (again["dagster/row_count"], again["rows"], again["inserted"]) == (520, 1, 0)
    assert table(path, "SELECT count(*), count(DISTINCT id) FROM rows") == [(520, 520)]


def test_what_did_not_change_is_skipped_and_kept(ods, portal, instance, tmp_path):
    given = {"table": "capitals", "destination": f"duckdb:///{tmp_path}/city.duckdb"}
    pair = ods_load_asset("world-capitals", **given, if_unchanged="skip")
    materialize([pair.asset], resources={"ods": ods}, instance=instance)
    second = materialize([pair.asset], resources={"ods": ods}, instance=instance)
    assert second.success and second.get_asset_materialization_events() == []
    kept = ods_load_asset("world-capitals", **given, if_unchanged="keep")
    told = metadata(materialize([kept.asset], resources={"ods": ods}, instance=instance), kept)
    assert (told["unchanged"], told["rows"], told["dagster/row_count"]) == (True, 110, 110)
    assert exports(portal) == 1


def test_a_wait_ends_the_run_and_the_next_one_fetches_only_what_is_missing(
    ods, portal, instance, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    given = {"table": "rows", "destination": f"duckdb:///{tmp_path}/city.duckdb", "parallel": 4, "partition_by": "id"}
    pair = ods_load_asset("synthetic-rows", **given)
    portal.fault("quota", path="/exports/", skip=2, times=1, reset_in_s=3)
    waits = materialize([pair.asset], resources={"ods": ods}, instance=instance)
    assert waits.success and waits.get_asset_materialization_events() == []
    portal.clear_faults()
    before = exports(portal)
    told = metadata(materialize([pair.asset], resources={"ods": ods}, instance=instance), pair)
    assert told["dagster/row_count"] == 520
    assert exports(portal) - before < 5


@pytest.mark.parametrize("place", ["asset", "op"])
def test_a_url_that_a_variable_holds_is_seen_by_nobody(ods, instance, tmp_path, monkeypatch, caplog, place):
    lake = tmp_path / "lake"
    monkeypatch.setenv("TEST_WAREHOUSE", f"file://{lake}?aws_secret_access_key={PASSWORD}")
    given = {"table": "capitals", "destination": EnvVar("TEST_WAREHOUSE")}
    if place == "asset":
        pair = ods_load_asset("world-capitals", **given)
        result = materialize([pair.asset], resources={"ods": ods}, instance=instance)
    else:
        make = ods_load_op(dataset_id="world-capitals", **given)

        @job(resource_defs={"ods": ods})
        def nightly():
            make()

        result = nightly.execute_in_process(instance=instance)
        assert result.output_for_node("ods_load")["table_rows"] == 110
    run = instance.get_run_by_id(result.run_id)
    assert run.status == DagsterRunStatus.SUCCESS
    events = "".join(str(record.event_log_entry) for record in instance.get_records_for_run(result.run_id).records)
    assert PASSWORD not in events + caplog.text + str(run.run_config)
    assert "110 rows" in events
    assert table(":memory:", f"SELECT count(*) FROM '{lake}/capitals/*.parquet'") == [(110,)]


def test_a_variable_that_is_not_set_is_named(ods, portal, instance):
    pair = ods_load_asset("world-capitals", table="capitals", destination=EnvVar("TEST_NO_WAREHOUSE"))
    failed = materialize([pair.asset], resources={"ods": ods}, instance=instance, raise_on_error=False)
    assert not failed.success
    (failure,) = failed.get_step_failure_events()
    assert "TEST_NO_WAREHOUSE is not set" in str(failure.event_specific_data)
    assert exports(portal) == 0
