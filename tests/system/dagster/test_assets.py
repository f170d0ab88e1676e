"""Assets over the real portal and Dagster's own databases: what is written, and what Dagster is told of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest
from dagster import (
    AssetKey,
    DailyPartitionsDefinition,
    Definitions,
    DynamicPartitionsDefinition,
    HourlyPartitionsDefinition,
    MultiPartitionKey,
    MultiPartitionsDefinition,
    RetryPolicy,
    StaticPartitionsDefinition,
    asset,
    build_asset_context,
    materialize,
)

from ods_provider.core.errors import OdsConfigError
from ods_provider.schedulers.dagster import (
    ods_analysis_asset,
    ods_dataset_asset,
    ods_media_asset,
    ods_push_asset,
    ods_search_asset,
    ods_sync_asset,
)
from ods_provider.schedulers.dagster.partitions import Parts


def make(pair, ods, instance, *, others=(), **how):
    return materialize([pair.asset, *others], resources={"ods": ods}, instance=instance, **how)


def materialization(result, pair):
    return result.asset_materializations_for_node(pair.asset.node_def.name)[0]


def test_an_argument_that_there_is_not_is_named_with_the_one_that_is_meant(tmp_path):
    for pair, argument, meant in (
        (lambda **more: ods_dataset_asset("d", path=str(tmp_path / "d.csv"), **more), "selct", "'select'"),
        (lambda **more: ods_search_asset("rows", dataset_id="d", **more), "max_byte", "'max_bytes'"),
        (lambda **more: ods_analysis_asset("rows", dataset_id="d", **more), "groupby", "'group_by'"),
        (lambda **more: ods_media_asset("d", path=str(tmp_path), **more), "kinds", "'kind'"),
        (lambda **more: ods_push_asset("d", "r", path="x.jsonl", **more), "actions", "'action'"),
        (lambda **more: ods_sync_asset("d", "r", path="x.jsonl", **more), "max_deleted", "'max_delete'"),
    ):
        with pytest.raises(OdsConfigError, match=f"there is no argument {argument} .*Perhaps {meant} is meant"):
            pair(**{argument: "a"})
    with pytest.raises(OdsConfigError, match=r"there is no argument filter .*Known are dataset_id, .*where"):
        ods_dataset_asset("d", path=str(tmp_path / "d.csv"), filter="a")


def test_a_dataset_becomes_a_file_with_what_dagster_wants_to_know_of_it(ods, portal, instance, tmp_path):
    path = tmp_path / "capitals.parquet"
    pair = ods_dataset_asset("world-capitals", path=str(path))
    result = make(pair, ods, instance)
    said = materialization(result, pair)
    told = {name: value.value for name, value in said.metadata.items()}
    assert told["dagster/row_count"] == len(portal.rows("world-capitals")) == pq.read_table(path).num_rows
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert told["size_bytes"] == path.stat().st_size
    assert told["verified"] == "counted"
    schema = told["dagster/column_schema"]
    assert [column.name for column in schema.columns] == pq.read_schema(path).names
    assert {column.name: column.type for column in schema.columns}["alternate_names"] == "text[]"
    assert told["portal"] == f"{portal.url}/explore/dataset/world-capitals/"
    assert said.tags["dagster/data_version"] == told["data_processed"] == "2026-01-05T08:00:00+00:00"


def test_the_schema_costs_no_call_of_its_own(ods, portal, instance, tmp_path):
    make(ods_dataset_asset("world-capitals", path=str(tmp_path / "c.parquet")), ods, instance)
    assert len(portal.requests) == 5  # description and count before, the export, description and count after


def test_an_unchanged_dataset_keeps_its_data_version_and_an_update_changes_it(ods, portal, instance, tmp_path):
    pair = ods_dataset_asset("world-capitals", path=str(tmp_path / "c.csv"), format="csv")
    versions = []
    for touched in (False, False, True):
        if touched:
            portal.touch("world-capitals", rows=1)
        versions.append(materialization(make(pair, ods, instance), pair).tags["dagster/data_version"])
    assert versions[0] == versions[1] != versions[2]


def test_a_day_is_a_partition(ods, portal, instance, tmp_path):
    days = DailyPartitionsDefinition("2026-01-01")
    pair = ods_dataset_asset(
        "synthetic-rows",
        path=f"{tmp_path}/rows/{{partition}}.parquet",
        partitions_def=days,
        partition_field="at",
        where="id >= 10",
    )
    result = make(pair, ods, instance, partition_key="2026-01-01")
    said = materialization(result, pair)
    assert said.partition == "2026-01-01"
    assert said.metadata["dagster/row_count"].value == 510
    assert pq.read_table(tmp_path / "rows" / "2026-01-01.parquet").num_rows == 510
    empty = materialization(make(pair, ods, instance, partition_key="2026-01-02"), pair)
    assert empty.metadata["dagster/row_count"].value == 0


def test_a_value_is_a_partition_whatever_stands_in_it(ods, portal, instance, tmp_path):
    zones = StaticPartitionsDefinition(["Europe/Paris", 'no "such" zone/..'])
    pair = ods_dataset_asset(
        "world-capitals",
        path=f"{tmp_path}/{{partition}}.jsonl",
        format="jsonl",
        partitions_def=zones,
        partition_field="timezone",
    )
    make(pair, ods, instance, partition_key="Europe/Paris")
    rows = [json.loads(line) for line in (tmp_path / "Europe_Paris.jsonl").read_text().splitlines()]
    assert rows and {row["timezone"] for row in rows} == {"Europe/Paris"}
    odd = materialization(make(pair, ods, instance, partition_key='no "such" zone/..'), pair)
    assert odd.metadata["dagster/row_count"].value == 0


def test_a_path_object_names_each_partition_apart_as_text_does(ods, portal, instance, tmp_path):
    pair = ods_dataset_asset(
        "world-capitals",
        path=tmp_path / "{partition}.jsonl",
        format="jsonl",
        partitions_def=StaticPartitionsDefinition(["FR", "DE"]),
        partition_field="country_code",
    )
    for code in ("FR", "DE"):
        make(pair, ods, instance, partition_key=code)
        (row,) = [json.loads(line) for line in (tmp_path / f"{code}.jsonl").read_text().splitlines()]
        assert row["country_code"] == code
    assert sorted(file.name for file in tmp_path.glob("*.jsonl")) == ["DE.jsonl", "FR.jsonl"]


def test_two_dimensions_are_two_conditions(ods, portal, instance, tmp_path):
    both = MultiPartitionsDefinition(
        {"day": DailyPartitionsDefinition("2026-01-01"), "flag": StaticPartitionsDefinition(["Zürich 城市 7"])}
    )
    pair = ods_dataset_asset(
        "synthetic-rows",
        path=f"{tmp_path}/{{partition}}.csv",
        format="csv",
        partitions_def=both,
        partition_field={"day": "at", "flag": "name"},
    )
    key = MultiPartitionKey({"day": "2026-01-01", "flag": "Zürich 城市 7"})
    assert materialization(make(pair, ods, instance, partition_key=key), pair).metadata["dagster/row_count"].value == 1


def test_a_filter_of_ones_own_tells_partitions_apart(ods, portal, instance, tmp_path):
    pair = ods_search_asset(
        "tens",
        dataset_id="synthetic-rows",
        partitions_def=StaticPartitionsDefinition(["0", "1"]),
        partition_where=lambda key, window: f"id >= {int(key) * 10} AND id < {int(key) * 10 + 10}",
    )
    result = make(pair, ods, instance, partition_key="1")
    assert [row["id"] for row in result.output_for_node("tens")] == list(range(10, 20))


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"path": "out/all.parquet", "partition_field": "at"}, "all partitions would be written to the same path"),
        (
            {"path": Path("out/all.parquet"), "partition_field": "at"},
            "all partitions would be written to the same path",
        ),
        (
            {"path": fsspec.open("memory://out/{partition}.parquet"), "partition_field": "at"},
            r"with partitions, .* is no path .*argument path.*Pass text or a pathlib.Path that holds \{partition\}",
        ),
        ({"path": 7, "partition_field": "at"}, "with partitions, 7 is no path"),
        ({"path": "out/{partition}.parquet"}, "the portal is not told which rows"),
        ({"path": "out/{partition}.parquet", "partition_field": "at", "partition_where": str}, "told twice"),
        ({"path": "out/{partition}.parquet", "partition_field": "at", "format": "doc"}, "doc"),
    ],
)
def test_a_bad_argument_is_found_when_the_code_is_loaded(arguments, advice):
    with pytest.raises(OdsConfigError, match=advice):
        ods_dataset_asset("a", partitions_def=DailyPartitionsDefinition("2026-01-01"), **arguments)


def test_rows_of_a_search_go_on_to_the_next_asset(ods, portal, instance):
    pair = ods_search_asset("large", dataset_id="world-capitals", where="population > 5000000", select="name")

    @asset
    def names(large):
        return sorted(row["name"] for row in large)

    result = make(pair, ods, instance, others=[names])
    expected = sorted(row["name"] for row in portal.rows("world-capitals") if row["population"] > 5_000_000)
    assert result.output_for_node("names") == expected
    assert materialization(result, pair).metadata["dagster/row_count"].value == len(expected)


def test_aggregates_are_an_asset(ods, portal, instance):
    pair = ods_analysis_asset(
        "by_zone", dataset_id="world-capitals", select="count(*) as n", group_by="timezone", limit=3
    )
    assert len(make(pair, ods, instance).output_for_node("by_zone")) == 3


def test_search_api_v1_is_spoken_in_its_own_words(ods, portal, instance, tmp_path):
    path = tmp_path / "v1.csv"
    pair = ods_dataset_asset("world-capitals", path=str(path), format="csv", v1={"refine.timezone": "Europe/Paris"})
    rows = materialization(make(pair, ods, instance), pair).metadata["dagster/row_count"].value
    assert rows == sum(row["timezone"] == "Europe/Paris" for row in portal.rows("world-capitals")) > 0
    found = ods_search_asset("found", dataset_id="world-capitals", v1={"rows": 3})
    assert len(make(found, ods, instance).output_for_node("found")) == 3
    with pytest.raises(OdsConfigError, match="v1 excludes where"):
        ods_search_asset("both", dataset_id="world-capitals", v1={"rows": 3}, where="a = 1")


def test_the_breadth_of_the_operators_is_there(ods, portal, instance, tmp_path):
    cluster = {"field": "coordinates", "zoom": 1}
    clusters = ods_analysis_asset("clusters", dataset_id="world-capitals", geo_cluster=cluster, geojson=True)
    result = make(clusters, ods, instance)
    features = result.output_for_node("clusters")["features"]
    assert materialization(result, clusters).metadata["dagster/row_count"].value == len(features) > 1
    catalogue = ods_dataset_asset(None, path=str(tmp_path / "catalogue.csv"), format="csv")
    assert materialization(make(catalogue, ods, instance), catalogue).metadata["dagster/row_count"].value > 3
    small = ods_media_asset("landmark-photos", path=str(tmp_path / "small"), kind="thumbnails", limit=2)
    assert materialization(make(small, ods, instance), small).metadata["files"].value == 2


def test_files_are_an_asset(ods, portal, instance, tmp_path):
    pair = ods_media_asset("landmark-photos", path=str(tmp_path / "photos"), kind="files")
    said = materialization(make(pair, ods, instance), pair)
    assert said.metadata["files"].value == 40
    assert len(list((tmp_path / "photos").glob("*.png"))) == 40


def test_records_that_are_pushed_are_an_asset_of_the_portal(ods, portal, instance):
    @asset
    def measured():
        return [{"sensor_id": "s-9", "at": "2026-02-01T00:00:00+00:00", "value": 1.5, "note": None}]

    pair = ods_push_asset("live-readings", "realtime", records=measured)
    result = make(pair, ods, instance, others=[measured])
    assert materialization(result, pair).metadata["dagster/row_count"].value == 1
    assert "s-9" in {row["sensor_id"] for row in portal.rows("live-readings")}


def test_a_dataset_that_is_kept_in_step_is_an_asset_of_the_portal(ods, portal, instance):
    @asset
    def measured():
        return [{"sensor_id": "s-9", "at": "2026-02-01T00:00:00+00:00", "value": 1.5, "note": None}]

    pair = ods_sync_asset("live-readings", "realtime", records=measured, max_delete="100%")
    said = materialization(make(pair, ods, instance, others=[measured]), pair).metadata
    assert (said["pushed"].value, said["deleted"].value) == (1, 3)
    assert [row["sensor_id"] for row in portal.rows("live-readings")] == ["s-9"]


def test_a_final_error_is_not_tried_again_and_a_passing_one_is(ods, portal, instance, tmp_path):
    for dataset_id, fault, calls in (("no-such-dataset", None, 1), ("world-capitals", 503, 4)):
        portal.reset()
        if fault:
            portal.fault("status", status=fault, times=None)
        pair = ods_dataset_asset(
            dataset_id, path=str(tmp_path / "x.csv"), format="csv", asset_options={"retry_policy": RetryPolicy(1)}
        )
        result = make(pair, ods, instance, raise_on_error=False)
        failure = result.failure_data_for_node(pair.asset.node_def.name)
        assert not result.success and not (tmp_path / "x.csv").exists()
        assert ("OdsNotFound" if not fault else "OdsServerError") in failure.user_failure_data.description
        assert len(portal.requests) == calls


def test_options_of_the_asset_are_the_users(ods, instance):
    pair = ods_dataset_asset(
        "a@public", path="a.csv", format="csv", asset_options={"key_prefix": "raw", "owners": ["me@example.org"]}
    )
    assert pair.asset.key == AssetKey(["raw", "a_public"])
    assert pair.asset.metadata_by_key[pair.asset.key]["ods/dataset_id"] == "a@public"
    merged = Definitions.merge(pair.definitions(), Definitions(resources={"ods": ods}))
    assert merged.resolve_sensor_def("raw__a_public_resumes") == pair.resume_sensor


@pytest.mark.parametrize(
    "keys",
    [
        ["<36kVA", ">36kVA"],
        ["A/B", "A_B", "A:B"],
        ["a" * 300 + "1", "a" * 300 + "2"],
        ["FR", "fr"],
        ["-1", "1", ".1"],
        ["x\u202ey", "x_y"],
    ],
)
def test_no_two_partitions_share_a_file(tmp_path, keys):
    parts = Parts(StaticPartitionsDefinition(keys), "name", None, tmp_path / "{partition}.jsonl")
    places = [parts.place(build_asset_context(partition_key=key)) for key in keys]
    assert len({place.casefold() for place in places}) == len(keys)
    for place in places:
        assert Path(place).parent == tmp_path
        Path(place).touch()


def test_a_key_that_is_a_file_name_stays_one(tmp_path):
    parts = Parts(StaticPartitionsDefinition(["FR", "Zürich 城市"]), "name", None, f"{tmp_path}/{{partition}}.jsonl")
    assert parts.place(build_asset_context(partition_key="Zürich 城市")) == f"{tmp_path}/Zürich 城市.jsonl"


def test_no_two_partitions_of_two_dimensions_share_a_file(tmp_path):
    a, b = StaticPartitionsDefinition(["x", "x_y"]), StaticPartitionsDefinition(["z", "y_z"])
    both = MultiPartitionsDefinition({"a": a, "b": b})
    parts = Parts(both, {"a": "name", "b": "name"}, None, f"{tmp_path}/{{partition}}.csv")
    keys = [MultiPartitionKey({"a": one, "b": two}) for one in ("x", "x_y") for two in ("z", "y_z")]
    places = [parts.place(build_asset_context(partition_key=key)) for key in keys]
    assert len(set(places)) == len(keys)
    assert places[0] == f"{tmp_path}/x_z.csv"


def test_two_dimensions_that_differ_in_capitals_alone_have_a_file_each(tmp_path):
    a, b = StaticPartitionsDefinition(["x", "X", "FR"]), StaticPartitionsDefinition(["z"])
    both = MultiPartitionsDefinition({"a": a, "b": b})
    parts = Parts(both, {"a": "name", "b": "name"}, None, f"{tmp_path}/{{partition}}.csv")
    keys = [MultiPartitionKey({"a": one, "b": "z"}) for one in ("x", "X", "FR")]
    places = [parts.place(build_asset_context(partition_key=key)) for key in keys]
    assert len({place.casefold() for place in places}) == 3
    assert places[2] == f"{tmp_path}/FR_z.csv"


def test_keys_that_nobody_lists_have_a_file_each_too(tmp_path):
    parts = Parts(DynamicPartitionsDefinition(name="zones"), "name", None, f"{tmp_path}/{{partition}}.csv")
    places = [parts.place(build_asset_context(partition_key=key)) for key in ("a/b", "a_b", "a:b", "A_B", "Ａ_b")]
    assert len({place.casefold() for place in places}) == 5
    assert places[1] == f"{tmp_path}/a_b.csv"


def test_an_hour_is_a_file_name_without_a_digest(tmp_path):
    parts = Parts(HourlyPartitionsDefinition("2026-01-01-00:00"), "at", None, f"{tmp_path}/{{partition}}.csv")
    place = parts.place(build_asset_context(partition_key="2026-01-01-05:00"))
    assert place == f"{tmp_path}/2026-01-01-05_00.csv"
