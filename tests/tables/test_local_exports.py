"""The portal's own exports: what a table gets out of Parquet is what its JSON says, value by value."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests
import shapely
from tables_values import converted

from ods_provider.core.schema import Dataset


@pytest.fixture
def exported(ods_portal):
    """The dataset, its rows as JSON, and its Parquet file as a table."""

    def ask(dataset: str, **params: Any) -> tuple[Dataset, list[dict[str, Any]], Any]:
        at = f"{ods_portal.url}/api/explore/v2.1/catalog/datasets/{dataset}"
        described = requests.get(at, timeout=20).json()
        rows = requests.get(f"{at}/exports/json", params=params, timeout=20).json()
        parquet = requests.get(f"{at}/exports/parquet", params=params, timeout=20).content
        return Dataset.from_json(described), rows, pq.read_table(io.BytesIO(parquet))

    return ask


def _by_json(value: Any, type: str) -> Any:
    """What a value of the JSON export says, read without any of ours."""
    if value is None:
        return None
    if type == "date":
        return date.fromisoformat(value + "-01-01"[len(value) - 4 :])
    if type == "datetime":
        return datetime.fromisoformat(value)
    if type == "geo_shape":
        return value["geometry"]
    return value


def _by_table(value: Any, kind: str) -> Any:
    return json.loads(value) if kind == "json" and value is not None else value


def test_every_type_of_field_is_in_the_table_what_it_is_in_json(exported):
    dataset, rows, table = exported("all-types", order_by="number")
    found = converted(list(dataset.fields), table).to_pylist()
    assert len(found) == len(rows) == 12
    for row, got in zip(rows, found, strict=True):
        assert got.pop("place_lon") == (row["place"] and row["place"]["lon"])
        assert got.pop("place_lat") == (row["place"] and row["place"]["lat"])
        for field in dataset.fields:
            if field.name == "place":
                continue
            nested = field.multivalued or field.type in ("geo_shape", "file", "json_blob")
            assert _by_table(got.pop(field.name), "json" if nested else "") == _by_json(row[field.name], field.type)
        assert got == {}


@pytest.mark.parametrize("geo", ["wkt", "geojson", "postgis"])
def test_places_are_the_same_geometries_in_every_form(exported, geo):
    dataset, rows, table = exported("all-types", order_by="number")
    read = {"wkt": shapely.from_wkt, "geojson": shapely.from_geojson, "postgis": shapely.from_wkb}[geo]
    found = converted(list(dataset.fields), table, geo)
    for row, place, area in zip(rows, *(found[name].to_pylist() for name in ("place", "area")), strict=True):
        said = row["place"]
        assert read(place) == (said and shapely.Point(said["lon"], said["lat"]))
        shape = row["area"]
        assert read(area) == (shape and shapely.from_geojson(json.dumps(shape["geometry"])))


def test_groups_keep_their_type_and_what_is_computed_has_that_of_the_export(exported):
    dataset, rows, table = exported(
        "world-capitals",
        select="count(*) as n, sum(population) as s, avg(population) as mean, max(modification_date) as last",
        group_by="cou_name_en",
        order_by="cou_name_en",
    )
    found = converted(list(dataset.fields), table)
    assert [column.type for column in found.schema][:1] == [table.schema.field("cou_name_en").type]
    assert found["n"].to_pylist() == [row["n"] for row in rows]
    assert [int(value) for value in found["s"].to_pylist()] == [row["s"] for row in rows]
    assert found["mean"].to_pylist() == [row["mean"] for row in rows]
    assert [value.isoformat() for value in found["last"].to_pylist()] == [row["last"] for row in rows]


def test_an_export_without_rows_has_the_same_columns(exported):
    dataset, rows, table = exported("all-types", where="number < 0")
    _, _, full = exported("all-types")
    empty = converted(list(dataset.fields), table)
    assert rows == []
    assert empty.num_rows == 0
    assert empty.schema == converted(list(dataset.fields), full).schema
