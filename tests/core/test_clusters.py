from __future__ import annotations

from typing import Any

import pytest

from ods_provider.core.clusters import KEY, GeoCluster, cluster_rows, feature_collection
from ods_provider.core.errors import OdsConfigError, OdsNotAPortal

PARIS = {"lon": 2.35, "lat": 48.85}
SQUARE = {"type": "Polygon", "coordinates": [[[2.0, 48.0], [3.0, 48.0], [3.0, 49.0], [2.0, 48.0]]]}


def test_a_cluster_becomes_a_clause() -> None:
    made = GeoCluster.of({"field": "coordinates", "zoom": "6", "radius": 40})
    assert made is not None
    assert made.group_by() == f"geo_cluster(coordinates, 6, 40) as {KEY}"
    assert GeoCluster.of({"field": "place", "zoom": 6.5}).group_by() == f"geo_cluster(place, 6.5) as {KEY}"  # type: ignore[union-attr]
    assert GeoCluster.of(None) is None


@pytest.mark.parametrize(
    "given",
    [
        "coordinates",
        {"field": "coordinates"},
        {"zoom": 6},
        {"field": "coordinates", "zoom": 26},
        {"field": "coordinates", "zoom": "near"},
        {"field": "coordinates", "zoom": True},
        {"field": "coordinates", "zoom": 6, "radius": -1},
        {"field": "coordinates", "zoom": 6, "precision": 1},
        {"field": "a) or (b", "zoom": 6},
    ],
)
def test_what_is_no_cluster_says_how_to_write_one(given: Any) -> None:
    with pytest.raises(OdsConfigError):
        GeoCluster.of(given)


@pytest.mark.parametrize(
    ("value", "center"),
    [
        (PARIS, PARIS),
        ({"cluster_center": PARIS}, PARIS),
        ({"cluster_centroid": PARIS, "cluster": {"type": "Feature", "geometry": SQUARE}}, PARIS),
        ({"cluster_center": [48.85, 2.35]}, PARIS),
        ({"type": "Feature", "geometry": {"type": "Point", "coordinates": [2.35, 48.85]}}, PARIS),
        ({"cluster": {"type": "Feature", "geometry": SQUARE}}, {"lon": 2.5, "lat": 48.5}),
    ],
)
def test_a_centre_is_found_however_it_is_spelled(value: Any, center: dict[str, float]) -> None:
    (row,) = cluster_rows([{KEY: value, "count": 3}], where="here")
    assert row["cluster_center"] == center
    assert row["count"] == 3


def test_a_centre_that_is_no_number_is_none() -> None:
    for spelled in ("nan", "inf", "1e999"):
        with pytest.raises(OdsNotAPortal, match="no centre"):
            cluster_rows([{KEY: {"lon": spelled, "lat": "48.85"}}], where="x")


def test_points_without_a_place_are_left_out_and_a_cluster_without_a_centre_is_an_error() -> None:
    assert cluster_rows([{KEY: None, "count": 3}], where="here") == []
    with pytest.raises(OdsNotAPortal, match="no centre"):
        cluster_rows([{KEY: "6/3/2", "count": 3}], where="here")


def test_clusters_on_a_map_are_points_with_their_aggregates() -> None:
    outlined = {"cluster_centroid": PARIS, "cluster": SQUARE}
    rows = cluster_rows([{KEY: outlined, "largest": 9}, {KEY: PARIS, "largest": 1}], where="here")
    made = feature_collection(rows)
    assert made["type"] == "FeatureCollection"
    assert made["features"][0] == {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [2.35, 48.85]},
        "properties": {"cluster": SQUARE, "largest": 9},
    }
    assert made["features"][1]["properties"] == {"largest": 1}
