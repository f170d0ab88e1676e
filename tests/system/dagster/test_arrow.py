"""Rows that are given on as Arrow: with the dataset's types, without a row too, and whatever a select makes of them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from dagster import IOManager, materialize

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.schema import Dataset, Field
from ods_provider.schedulers.dagster import ods_analysis_asset, ods_search_asset
from ods_provider.schedulers.dagster.arrowrows import table_of


class Frames(IOManager):
    """Keeps tables and nothing else, as those of Delta and Iceberg do."""

    def __init__(self):
        self.kept = {}

    def handle_output(self, context, obj):
        if obj is not None:
            assert isinstance(obj, pa.Table)
            self.kept[context.asset_key] = obj

    def load_input(self, context):
        return self.kept[context.upstream_output.asset_key]


def made(pair, ods, instance):
    frames = Frames()

    assert materialize([pair.asset], resources={"ods": ods, "io_manager": frames}, instance=instance).success
    return frames.kept[pair.asset.key]


def test_rows_are_a_table_with_the_datasets_types(ods, portal, instance):
    table = made(ods_search_asset("all", dataset_id="all-types", rows_as="arrow"), ods, instance)
    assert table.num_rows == len(portal.rows("all-types"))
    types = {field.name: field.type for field in table.schema}
    assert pa.timestamp("us", tz="UTC") in types.values() and pa.int64() in types.values()
    assert sum(entry.path.endswith("/all-types") for entry in portal.requests) == 1


def test_no_row_has_columns_too(ods, portal, instance):
    table = made(
        ods_search_asset("none", dataset_id="world-capitals", where="population < 0", rows_as="arrow"), ods, instance
    )
    assert table.num_rows == 0 and table.schema.field("population").type == pa.int64()


def test_groups_are_a_table_of_their_own_types(ods, portal, instance):
    pair = ods_analysis_asset(
        "zones", dataset_id="world-capitals", select="count(*) as n", group_by="timezone", rows_as="arrow"
    )
    table = made(pair, ods, instance)
    assert table.schema.names == ["timezone", "n"] and table.schema.field("n").type == pa.int64()


def test_what_is_not_of_its_fields_type_decides_over_the_column():
    fields = [("a", "int"), ("year", "date"), ("at", "datetime"), ("where", "geo_point_2d"), ("file", "file")]
    dataset = Dataset("d", tuple(Field(*each) for each in fields))
    row = {"a": 2**70, "year": "2020", "at": "2026-01-01T00:00:00+00:00", "where": {"lon": 1.5, "lat": 2}, "file": {}}
    table = table_of([row, {"more": [1, "x"]}], dataset)
    assert {field.name: str(field.type) for field in table.schema} == {
        "a": "string",
        "year": "string",
        "at": "timestamp[us, tz=UTC]",
        "where": "struct<lon: double, lat: double>",
        "file": "string",
        "more": "string",
    }
    assert table.to_pylist()[1] == dict.fromkeys(row) | {"more": '[1, "x"]'}


@pytest.mark.parametrize(("arguments", "said"), [({"rows_as": "frame"}, "not known"), ({"path": "x.jsonl"}, "a file")])
def test_what_is_no_table_is_refused(arguments, said):
    with pytest.raises(OdsConfigError, match=said):
        ods_search_asset("d", dataset_id="d", **{"rows_as": "arrow", **arguments})
