"""Checks and options of an asset: what they find, what a run that only waits makes of them, and what is refused."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import duckdb
import pytest
from dagster import (
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    BackfillPolicy,
    DailyPartitionsDefinition,
    Definitions,
    EnvVar,
    StaticPartitionsDefinition,
    asset,
    build_last_update_freshness_checks,
    materialize,
)

from ods_provider import __version__
from ods_provider.core.errors import OdsConfigError
from ods_provider.schedulers.dagster import ods_dataset_asset, ods_load_asset, ods_resume_sensor, ods_search_asset
from ods_provider.schedulers.dagster.working import WAITING

ALL = {"rows_counted": True, "min_rows": 100, "schema_unchanged": True, "fresh": "99999 days"}
DAYS = DailyPartitionsDefinition("2026-01-01")


def capitals(tmp_path, **more):
    return ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv"), **more)


def make(pair, ods, instance, *others, **how):
    """Make an asset and return the run and, by name, what its checks found."""
    result = materialize([pair.asset, pair.checks, *others], resources={"ods": ods}, instance=instance, **how)
    return result, {found.check_name: found for found in result.get_asset_check_evaluations()}


@pytest.fixture
def behind():
    @asset(deps=["world_capitals"])
    def cleaned() -> int:
        return 1

    return cleaned


def test_checks_say_what_was_told_and_cost_no_call(ods, portal, instance, tmp_path):
    result, found = make(capitals(tmp_path, checks=ALL), ods, instance)
    assert result.success and list(found) == list(ALL)
    assert {name: (each.passed, each.description) for name, each in found.items() if name != "fresh"} == {
        "rows_counted": (True, "110 rows, as many as the portal counted"),
        "min_rows": (True, "110 rows, 100 expected"),
        "schema_unchanged": (True, "11 fields, seen for the first time"),
    }
    assert found["fresh"].passed and re.fullmatch("The records changed .* ago", found["fresh"].description)
    assert len(portal.requests) == 5


def test_what_fails_is_told_and_stops_nothing(ods, portal, instance, tmp_path, behind):
    pair = capitals(tmp_path, checks={"min_rows": "1000", "fresh": "36 hours"})
    result, found = make(pair, ods, instance, behind)
    assert result.success and len(result.get_asset_materialization_events()) == 2
    assert not found["min_rows"].passed and found["min_rows"].severity == AssetCheckSeverity.ERROR
    assert found["min_rows"].description == "110 rows, fewer than 1000 expected"
    assert not found["fresh"].passed and found["fresh"].severity == AssetCheckSeverity.WARN
    assert found["fresh"].description.endswith(" ago, which is more than 36 hours")
    assert found["fresh"].metadata["dagster/last_updated_timestamp"].value == 1767600000.0


def test_a_schema_that_changed_is_told(ods, portal, instance, tmp_path):
    pair = ods_dataset_asset("stock", path=str(tmp_path / "s.csv"), checks=["schema_unchanged"])
    portal.add_dataset("stock", {"a": "text", "b": "int", "c": "text"}, [{"a": "x", "b": 1, "c": "y"}])
    for described in ("3 fields, seen for the first time", "3 fields as before"):
        _, found = make(pair, ods, instance)
        assert found["schema_unchanged"].passed and found["schema_unchanged"].description == described
    portal.add_dataset("stock", {"a": "text", "b": "text", "d": "text"}, [{"a": "x", "b": "1", "d": "z"}])
    result, found = make(pair, ods, instance)
    assert result.success and not found["schema_unchanged"].passed
    assert found["schema_unchanged"].description == "added d; removed c; retyped b: int became text"
    assert found["schema_unchanged"].severity == AssetCheckSeverity.WARN


def test_a_run_that_only_waits_does_not_fail_and_its_checks_come_with_what_is_resumed(
    ods, portal, instance, tmp_path, behind
):
    pair = capitals(tmp_path, checks=ALL)
    portal.fault("quota", reset_in_s=3600)
    result, found = make(pair, ods, instance, behind)
    assert result.success and not found and not result.get_asset_materialization_events()
    assert instance.get_run_by_id(result.run_id).tags[WAITING] == "yes"
    skipped = {event.step_key for event in result.all_events if event.event_type_value == "STEP_SKIPPED"}
    assert skipped == {"world_capitals_checks", "cleaned"}
    portal.clear_faults()
    result, found = make(pair, ods, instance, behind)
    assert list(found) == list(ALL) and len(result.get_asset_materialization_events()) == 2


def test_the_resume_sensor_asks_for_the_checks_too(ods, portal, instance, tmp_path, tick):
    pair = capitals(tmp_path, checks=["rows_counted"])
    definitions = Definitions.merge(pair.definitions(), Definitions(resources={"ods": ods}))
    portal.fault("quota", reset_in_s=5)
    make(pair, ods, instance)
    while not (requests := tick(pair.resume_sensor, definitions).run_requests):
        time.sleep(0.5)
    assert [key.name for key in requests[0].asset_check_keys] == ["rows_counted"]


def test_what_was_not_counted_stops_what_stands_behind(ods, portal, instance, tmp_path, behind):
    pair = capitals(tmp_path, checks=["rows_counted"])

    @asset(name="world_capitals")
    def uncounted(context) -> None:
        context.add_output_metadata({"verified": "container"})

    result = materialize([uncounted, pair.checks, behind], instance=instance, raise_on_error=False)
    assert not result.success
    assert [event.asset_key.to_user_string() for event in result.get_asset_materialization_events()] == [
        "world_capitals"
    ]


def test_checks_of_an_asset_that_was_never_made_fail_by_themselves(ods, instance, tmp_path):
    pair = capitals(tmp_path, checks={"fresh": "1 day"})
    definitions = Definitions(assets=[pair.asset], asset_checks=[pair.checks], resources={"ods": ods})
    job = definitions.resolve_implicit_global_asset_job_def()
    (key,) = pair.checks.check_keys
    run = job.get_subset(asset_selection=set(), asset_check_selection={key}).execute_in_process(instance=instance)
    (found,) = run.get_asset_check_evaluations()
    assert not found.passed and found.description == "It was never made"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"checks": "rows_counted"}, "'rows_counted' are no checks"),
        ({"checks": ["row_counted"]}, "there is no check row_counted .*Perhaps 'rows_counted' is meant"),
        ({"checks": ["min_rows"]}, "the check min_rows=True does not say how much .*'min_rows': 1000"),
        ({"checks": {"min_rows": 0}}, "min_rows"),
        ({"checks": {"fresh": "soon"}}, "the check fresh='soon' does not say how much .*'fresh': '36 hours'"),
        ({"checks": {"rows_counted": 3}}, "takes nothing, and 3 was given"),
        ({"checks": ["schema_unchanged"], "select": "name"}, "schema_unchanged says nothing here: select shapes"),
        ({"checks": ["rows_counted"], "format": "shp"}, "rows_counted says nothing here: nobody counts rows of shp"),
        ({"checks": ["rows_counted"], "group_by": "name", "select": "name"}, "nobody counts rows of csv in groups"),
        ({"asset_options": {"check_specs": [AssetCheckSpec("mine", asset="d")]}}, "check_specs are for assets whose"),
        ({"asset_options": {"group_name": "a"}, "group_name": "b"}, "group_name is given twice"),
        ({"group_nam": "b"}, "there is no argument group_nam .*Perhaps 'group_name'"),
    ],
)
def test_what_cannot_be_served_is_refused_when_the_code_is_loaded(arguments, said):
    with pytest.raises(OdsConfigError, match=said):
        ods_dataset_asset("d", path="d.csv" if "format" not in arguments else "d.zip", **arguments)


def test_the_catalogue_has_no_schema_of_its_own():
    with pytest.raises(OdsConfigError, match="fresh says nothing here: the catalogue has neither"):
        ods_dataset_asset(None, path="c.csv", checks={"fresh": "1 day"})


def test_options_of_the_asset_may_stand_beside_the_arguments_of_the_job(tmp_path):
    pair = capitals(
        tmp_path,
        group_name="raw",
        key_prefix=["lake"],
        deps=["upstream"],
        owners=["team:maps"],
        tags={"domain": "geo"},
        description="Capitals.",
    )
    (spec,) = pair.asset.specs
    assert spec.key == AssetKey(["lake", "world_capitals"]) and spec.group_name == "raw"
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["upstream"]
    assert (list(spec.owners), spec.tags["domain"], spec.description) == (["team:maps"], "geo", "Capitals.")


def test_kinds_are_the_portal_and_the_format_or_the_database(tmp_path):
    def kinds(pair):
        return next(iter(pair.asset.specs)).kinds

    assert kinds(capitals(tmp_path)) == {"opendatasoft", "csv"}
    assert kinds(capitals(tmp_path, parallel=2)) == {"opendatasoft", "csv"}
    assert kinds(capitals(tmp_path, kinds={"mine"})) == {"mine"}
    load = ods_load_asset("d", table="t", destination=f"duckdb:///{tmp_path}/x.duckdb")
    assert kinds(load) == {"opendatasoft", "duckdb"}
    # A variable is read in the run alone.
    named = ods_load_asset("d", table="t", destination=EnvVar("TEST_NO_WAREHOUSE"))
    assert kinds(named) == {"opendatasoft"}


def test_the_code_version_changes_with_what_is_asked_and_not_with_a_password(tmp_path):
    def version(pair):
        return next(iter(pair.asset.specs)).code_version

    assert version(capitals(tmp_path)) == version(capitals(tmp_path)) != version(capitals(tmp_path, where="a = 1"))
    assert version(capitals(tmp_path)).startswith(f"{__version__}-")
    loads = [ods_load_asset("d", table="t", destination=f"postgresql://u:{word}@h/d") for word in ("one", "two")]
    assert version(loads[0]) == version(loads[1])
    assert version(capitals(tmp_path, code_version="7")) == "7"


@pytest.mark.filterwarnings("ignore:Function `build_last_update_freshness_checks` is superseded")
def test_dagsters_own_freshness_goes_by_the_datas_time(ods, portal, instance, tmp_path):
    pair = capitals(tmp_path)
    (check,) = build_last_update_freshness_checks(assets=[pair.asset], lower_bound_delta=timedelta(hours=24))
    result = materialize([pair.asset, check], resources={"ods": ods}, instance=instance)
    (found,) = result.get_asset_check_evaluations()
    assert not found.passed and "overdue" in found.description


def range_of_days(tmp_path, **more):
    return ods_load_asset(
        "synthetic-rows",
        table="rows",
        destination=f"duckdb:///{tmp_path}/city.duckdb",
        mode="merge",
        primary_key="id",
        partitions_def=DAYS,
        partition_field="at",
        backfill_policy=BackfillPolicy.single_run(),
        **more,
    )


def in_range(first, last):
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def test_a_range_of_partitions_is_one_load(ods, portal, instance, tmp_path):
    pair = range_of_days(tmp_path, checks=["rows_counted", "schema_unchanged"])
    result, found = make(pair, ods, instance, tags=in_range("2026-01-01", "2026-01-03"))
    made = result.asset_materializations_for_node("rows")
    assert [each.partition for each in made] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    told = {name: value.value for name, value in made[0].metadata.items()}
    # Nobody's count of one partition, and the table's own of all.
    assert (told["rows"], told["dagster/row_count"]) == (520, 520)
    assert "dagster/partition_row_count" not in told
    assert sum("/exports/" in entry.path for entry in portal.requests) == 1
    assert all(each.passed for each in found.values()) and len(found) == 2
    with duckdb.connect(f"{tmp_path}/city.duckdb") as connection:
        assert connection.sql("SELECT count(*) FROM rows").fetchall() == [(520,)]
    _, again = make(pair, ods, instance, tags=in_range("2026-01-01", "2026-01-03"))
    assert again["schema_unchanged"].description.endswith("fields as before")
    one = materialize([pair.asset], resources={"ods": ods}, instance=instance, partition_key="2026-01-02")
    (said,) = one.asset_materializations_for_node("rows")
    assert said.metadata["dagster/partition_row_count"].value == 0


def test_a_range_that_waits_is_asked_for_again_as_a_range(ods, portal, instance, tmp_path, tick):
    pair = range_of_days(tmp_path)
    sensor = ods_resume_sensor(pair)
    definitions = Definitions(assets=[pair.asset], sensors=[sensor], resources={"ods": ods})
    portal.fault("quota", reset_in_s=5)
    tags = in_range("2026-01-01", "2026-01-03")
    waits = materialize([pair.asset], resources={"ods": ods}, instance=instance, tags=tags)
    assert waits.success and not waits.get_asset_materialization_events()
    while not (requests := tick(sensor, definitions).run_requests):
        time.sleep(0.5)
    (request,) = requests
    assert request.partition_key is None and request.tags.items() >= tags.items()
    done = materialize([pair.asset], resources={"ods": ods}, instance=instance, tags=request.tags)
    assert len(done.get_asset_materialization_events()) == 3
    assert not tick(sensor, definitions).run_requests


@pytest.mark.parametrize(
    ("make_it", "said"),
    [
        (
            lambda how: ods_dataset_asset(
                "d", path="{partition}.csv", partition_field="at", partitions_def=DAYS, **how
            ),
            "each partition is a file or a value of its own",
        ),
        (
            lambda how: ods_search_asset("d", dataset_id="d", partition_field="at", partitions_def=DAYS, **how),
            "each partition is a file or a value of its own",
        ),
        (
            lambda how: ods_load_asset(
                "d", table="t", destination="duckdb:///x", partition_where=str, partitions_def=DAYS, **how
            ),
            "only a time partition with one partition_field",
        ),
        (
            lambda how: ods_load_asset(
                "d",
                table="t",
                destination="duckdb:///x",
                partition_field="name",
                partitions_def=StaticPartitionsDefinition(["a"]),
                **how,
            ),
            "only a time partition with one partition_field",
        ),
    ],
)
def test_a_run_of_several_partitions_that_cannot_be_made_is_refused(make_it, said):
    for policy in (BackfillPolicy.single_run(), BackfillPolicy.multi_run(5)):
        with pytest.raises(OdsConfigError, match=f"several partitions is not served: {said}"):
            make_it({"backfill_policy": policy})
    assert make_it({"backfill_policy": BackfillPolicy.multi_run(1)})
