"""``if_unchanged``: the memory is the last materialization; skipped, nothing is made and nothing behind it runs."""

from __future__ import annotations

import pytest
from dagster import (
    AssetKey,
    DailyPartitionsDefinition,
    In,
    asset,
    job,
    materialize,
    op,
)

from ods_provider.schedulers.dagster import ods_dataset_asset, ods_download_op, ods_media_asset

DATASET = "world-capitals"


def exports(portal):
    return sum("/exports/" in entry.path for entry in portal.requests)


def made(pair, ods, instance, *, others=(), **how):
    return materialize([pair.asset, *others], resources={"ods": ods}, instance=instance, **how)


def materialization(result, pair):
    (found,) = result.asset_materializations_for_node(pair.asset.node_def.name)
    return {name: value.value for name, value in found.metadata.items()}


def test_what_stands_behind_a_skipped_asset_is_not_made(ods, portal, instance, tmp_path):
    pair = ods_dataset_asset(DATASET, path=str(tmp_path / "c.csv"), if_unchanged="skip")
    ran = []

    @asset(deps=[pair.asset])
    def behind():
        ran.append(1)

    assert made(pair, ods, instance, others=[behind]).success
    second = made(pair, ods, instance, others=[behind])
    assert second.success
    assert second.get_asset_materialization_events() == []
    assert (len(ran), exports(portal)) == (1, 1)
    (seen,) = second.get_asset_observation_events()
    told = seen.event_specific_data.asset_observation
    assert told.asset_key == AssetKey("world_capitals")
    assert told.metadata["skipped"].value.startswith("world-capitals has not changed since 2026-01-05T08:00:00")
    portal.touch(DATASET, rows=1)
    assert materialization(made(pair, ods, instance, others=[behind]), pair)["dagster/row_count"] == 111
    assert len(ran) == 2


def test_keep_materialises_with_what_the_last_one_said(ods, portal, instance, tmp_path):
    pair = ods_dataset_asset(DATASET, path=str(tmp_path / "c.parquet"), if_unchanged="keep")
    first, second, third = (materialization(made(pair, ods, instance), pair) for _ in range(3))
    assert (first["unchanged"], second["unchanged"], third["unchanged"]) == (False, True, True)
    for name in ("dagster/row_count", "sha256", "path", "fingerprint", "dataset_state", "dagster/column_schema"):
        assert first[name] == second[name] == third[name]
    assert exports(portal) == 1


def test_a_path_of_another_day_is_served_by_the_last_materialization(ods, portal, instance, tmp_path):
    first = ods_dataset_asset(DATASET, path=str(tmp_path / "1.csv"), if_unchanged="keep")
    told = materialization(made(first, ods, instance), first)
    second = ods_dataset_asset(DATASET, path=str(tmp_path / "2.csv"), if_unchanged="keep")
    assert materialization(made(second, ods, instance), second)["path"] == told["path"]
    assert exports(portal) == 1


def test_each_partition_has_a_memory_of_its_own(ods, portal, instance, tmp_path):
    pair = ods_dataset_asset(
        "synthetic-rows",
        path=f"{tmp_path}/{{partition}}.csv",
        partitions_def=DailyPartitionsDefinition("2026-01-01"),
        partition_field="at",
        if_unchanged="skip",
    )
    for day, count in (("2026-01-01", 1), ("2026-01-01", 1), ("2026-01-02", 2), ("2026-01-02", 2), ("2026-01-01", 2)):
        assert made(pair, ods, instance, partition_key=day).success
        assert exports(portal) == count


def test_a_run_that_wrote_and_failed_is_made_good(ods, portal, instance, tmp_path):
    pair = ods_dataset_asset(DATASET, path=str(tmp_path / "c.csv"), if_unchanged="skip")
    made(pair, ods, instance)
    portal.touch(DATASET, rows=1)
    made(pair, ods, instance)
    # As if the process had died before Dagster heard of the second one.
    instance.wipe_assets([AssetKey("world_capitals")])
    again = materialization(made(pair, ods, instance), pair)
    assert (again["dagster/row_count"], again["unchanged"], exports(portal)) == (111, True, 2)


def test_media_are_skipped_too(ods, portal, instance, tmp_path):
    pair = ods_media_asset("landmark-photos", path=str(tmp_path / "f"), if_unchanged="skip")
    assert len(made(pair, ods, instance).get_asset_materialization_events()) == 1
    assert made(pair, ods, instance).get_asset_materialization_events() == []


@pytest.mark.parametrize(("how", "runs"), [("skip", 1), ("keep", 2)])
def test_what_takes_an_ops_output_runs_after_keep_and_not_after_skip(ods, portal, instance, tmp_path, how, runs):
    download = ods_download_op(dataset_id=DATASET, path=str(tmp_path / "c.csv"), if_unchanged=how)
    took = []

    @op(ins={"outcome": In(dict)})
    def take(outcome):
        took.append(outcome["unchanged"])

    @job(resource_defs={"ods": ods})
    def nightly():
        take(download())

    assert all(nightly.execute_in_process(instance=instance).success for _ in range(2))
    assert len(took) == runs
    assert exports(portal) == 1
