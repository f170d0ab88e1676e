"""Rows as real portals sent them, in the spellings of their JSON, through Parquet into a table."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
import recording
import shapely
from tables_values import became, field


def _fields(name: str) -> list[dict[str, Any]]:
    """The rows of an answer of Search v1."""
    recording.index()
    return [record["fields"] for record in recording.content(name)["records"]]


@pytest.mark.parametrize(
    ("name", "point"),
    [("v1-records-velib-emplacement.json", "xy"), ("v1-records-eindhoven-1_parkings.json", "geo_point_2d")],
)
def test_points_of_version_1_are_lists_with_their_latitude_first(name, point):
    recording.index()
    records = recording.content(name)["records"]
    found = became(field("geo_point_2d"), pa.array([record["fields"][point] for record in records]))
    said = [record["geometry"]["coordinates"] for record in records]
    assert len(said) == 10
    assert list(zip(found["f_lon"], found["f_lat"], strict=True)) == [tuple(pair) for pair in said]


def test_shapes_of_a_portal_are_the_same_geometries_in_every_form():
    said = [row["geo_shape"] for row in _fields("v1-records-eindhoven-2_permit_parkings.json")]
    for array in (pa.array([json.dumps(shape) for shape in said]), pa.array(said)):
        found = {geo: became(field("geo_shape"), array, geo)["f"] for geo in ("lonlat", "wkt", "postgis")}
        shapes = shapely.from_geojson([json.dumps(shape) for shape in said])
        assert [json.loads(text) for text in found["lonlat"]] == said
        assert list(shapely.from_wkt(found["wkt"])) == list(shapes)
        assert list(shapely.from_wkb(found["postgis"])) == list(shapes)


def test_dates_to_the_month_are_its_first_day():
    rows = _fields("v1-records-public-commodity-prices-at-public.json")
    found = became(field("date", timeserie_precision="month"), pa.array([row["date"] for row in rows]))
    assert {row["date"] for row in rows} == {"1984-12"}
    assert set(found["f"]) == {date(1984, 12, 1)}


def test_doubles_that_are_whole_are_the_ints_that_the_schema_says():
    counts = [row["aantal"] for row in _fields("v1-records-eindhoven-1_parkings.json")]
    assert all(isinstance(count, float) for count in counts)
    found = became(field("int"), pa.array(counts))["f"]
    assert found == counts
    assert all(isinstance(count, int) for count in found)


def test_a_file_is_the_object_that_the_portal_sent():
    recording.index()
    said = recording.content("file-field-v2.1-with-url.json")
    for array in (pa.array([said]), pa.array([json.dumps(said)])):
        assert json.loads(became(field("file"), array)["f"][0]) == said


def test_several_values_are_the_list_that_the_portal_sent():
    recording.index()
    rows = recording.content("doc-explore-records-v2.1.json")["results"]
    names = [row["alternate_names"] for row in rows]
    found = became(field("text", multivalued=";"), pa.array(names))["f"]
    assert [json.loads(text) for text in found] == names
    assert "Saint-Léger" in found[1]
