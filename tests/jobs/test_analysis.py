from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from lab import Lab
from replay import answer, replay

from ods_provider.core.clusters import KEY, GeoCluster
from ods_provider.core.errors import OdsConfigError, OdsQueryError
from ods_provider.core.outcome import Wait
from ods_provider.core.query import Query
from ods_provider.jobs.analysis import AnalysisJob
from ods_provider.testing.portal import LocalPortal


def test_a_scalar_aggregate_is_one_row(lab: Lab, portal: LocalPortal) -> None:
    query = Query.of(select="count(*) as cities, max(population) as largest")
    expected = max(row["population"] for row in portal.rows("world-capitals"))
    assert lab.done(AnalysisJob("world-capitals", query)) == [{"cities": 110, "largest": expected}]
    assert "limit=1" in portal.requests[-1].query


def test_groups_agree_with_a_count_made_on_the_source(lab: Lab, portal: LocalPortal) -> None:
    query = Query.of(select="count(*) as cities", group_by="timezone")
    groups = {row["timezone"]: row["cities"] for row in lab.done(AnalysisJob("world-capitals", query))}
    assert groups == Counter(row["timezone"] for row in portal.rows("world-capitals"))


def test_a_group_list_that_reaches_the_cap_is_asked_for_again_as_an_export(lab: Lab, portal: LocalPortal) -> None:
    # 12,345 groups on a portal whose ceiling is lower than what was asked first.
    portal.fault("status", status=400, body=json.dumps({"error_code": "InvalidRESTParameterError", "message": "limit"}))
    rows = lab.done(
        AnalysisJob("synthetic-rows", Query.of(select="count(*) as n", group_by="id"), max_xcom_bytes=10**7)
    )
    assert len(rows) == 12_345
    assert sum(row["n"] for row in rows) == 12_345
    assert portal.requests[-1].path.endswith("/exports/json")


@pytest.mark.at_length
def test_more_groups_than_a_portal_lists_are_all_there(make_lab, tmp_path: Path) -> None:
    with LocalPortal(synthetic_rows=20_500) as portal:
        lab = make_lab(portal.url)
        job = AnalysisJob("synthetic-rows", Query.of(select="count(*) as n", group_by="id"), max_xcom_bytes=10**7)
        rows = lab.done(job)
        assert len(rows) == 20_500
        assert [request.path.rpartition("/")[2] for request in portal.requests] == ["records", "json"]


def test_a_limit_below_the_cap_takes_one_call(lab: Lab, portal: LocalPortal) -> None:
    query = Query.of(select="count(*) as n", group_by="id", order_by="id")
    assert len(lab.done(AnalysisJob("synthetic-rows", query, limit=50))) == 50
    assert len(portal.requests) == 1


def test_facet_values_beyond_a_hundred_are_all_there(lab: Lab, portal: LocalPortal) -> None:
    rows = lab.done(AnalysisJob("world-capitals", Query(), facet=("name", "country_code")))
    names = Counter(row["name"] for row in portal.rows("world-capitals"))
    found = {row["value"]: row["count"] for row in rows if row["facet"] == "name"}
    assert found == names
    assert len(found) > 100
    assert {row["facet"] for row in rows} == {"name", "country_code"}


def test_whole_facets_keep_their_filters(lab: Lab, portal: LocalPortal) -> None:
    query = Query.of(where="population > 20000", exclude={"timezone": "Europe"})
    rows = lab.done(AnalysisJob("world-capitals", query, facet=("timezone",)))
    assert {row["value"] for row in rows} >= {"Asia", "Africa"}
    assert not any(row["value"] == "Europe" for row in rows)


def test_rows_go_to_a_file_where_a_path_is_given(lab: Lab, out: Path) -> None:
    job = AnalysisJob("world-capitals", Query.of(select="count(*) as n", group_by="timezone"), path=out / "g.jsonl")
    result = lab.done(job)
    assert result["rows"] == len((out / "g.jsonl").read_text().splitlines())
    assert result["format"] == "jsonl"
    assert lab.files() == ["g.jsonl"]


def test_rows_beyond_the_allowance_ask_for_a_path(lab: Lab) -> None:
    with pytest.raises(OdsConfigError, match="Give a path"):
        lab.run(AnalysisJob("world-capitals", Query(), facet=("name",), max_xcom_bytes=500))


def test_asking_for_nothing_or_for_both_is_refused_before_any_call(lab: Lab, portal: LocalPortal) -> None:
    with pytest.raises(OdsConfigError, match="neither"):
        AnalysisJob("world-capitals", Query())
    with pytest.raises(OdsConfigError, match="both"):
        AnalysisJob("world-capitals", Query.of(select="count(*)"), facet=("name",))
    assert portal.requests == []


def test_a_malformed_query_says_what_is_malformed(lab: Lab) -> None:
    with pytest.raises(OdsQueryError, match="nowhere") as caught:
        lab.run(AnalysisJob("world-capitals", Query.of(select="max(nowhere)")))
    assert not caught.value.transient


def test_a_spent_quota_becomes_a_wait(lab: Lab, portal: LocalPortal) -> None:
    portal.set_quota(remaining=0, reset_in_s=90)
    assert isinstance(lab.run(AnalysisJob("world-capitals", Query.of(select="count(*)"))), Wait)


def _clusters(*rows: dict[str, Any]) -> Any:
    return answer(json.dumps({"total_count": len(rows), "results": rows}).encode())


PARIS = {"cluster": {"type": "Polygon", "coordinates": [[]]}, "cluster_center": {"lon": 2.35, "lat": 48.85}}


def test_clusters_are_asked_for_in_one_call_and_counted_unless_told_otherwise(make_lab: Callable[..., Lab]) -> None:
    near = GeoCluster.of({"field": "coordinates", "zoom": 6, "radius": 40})
    with replay(_clusters({KEY: PARIS, "count": 3}, {KEY: None, "count": 1})) as server:
        rows = make_lab(server.url).done(AnalysisJob("d", Query.of(where="a > 1"), geo_cluster=near))
        asked = unquote_plus(server.lines[0])
    assert "select=count(*) as count&group_by=geo_cluster(coordinates, 6, 40) as ods_cluster" in asked
    assert rows == [{"cluster_center": {"lon": 2.35, "lat": 48.85}, "cluster": PARIS["cluster"], "count": 3}]


def test_clusters_come_as_geojson_to_xcom_or_to_a_file(make_lab: Callable[..., Lab], out: Path) -> None:
    far = GeoCluster.of({"field": "coordinates", "zoom": 1})
    job = AnalysisJob("d", Query.of(select="max(n) as n"), geo_cluster=far, geojson=True)
    with replay(_clusters({KEY: PARIS, "n": 9}), _clusters({KEY: PARIS, "n": 9})) as server:
        lab = make_lab(server.url)
        collection = lab.done(job)
        result = lab.done(replace(job, path=out / "map.geojson"))
    assert collection["features"][0]["geometry"] == {"type": "Point", "coordinates": [2.35, 48.85]}
    assert collection["features"][0]["properties"]["n"] == 9
    assert json.loads((out / "map.geojson").read_text()) == collection
    assert (result["rows"], result["format"], result["size_bytes"]) == (
        1,
        "geojson",
        (out / "map.geojson").stat().st_size,
    )
    with replay(_clusters({KEY: PARIS, "n": 9})) as server, pytest.raises(OdsConfigError, match="Give a path"):
        make_lab(server.url).run(replace(job, max_xcom_bytes=50))


def test_clusters_that_contradict_other_arguments_are_refused() -> None:
    near = GeoCluster.of({"field": "coordinates", "zoom": 6})
    with pytest.raises(OdsConfigError, match="groups the points"):
        AnalysisJob("d", Query.of(group_by="a"), geo_cluster=near)
    with pytest.raises(OdsConfigError, match="groups the points"):
        AnalysisJob(None, Query(), geo_cluster=near)
    with pytest.raises(OdsConfigError, match="geojson"):
        AnalysisJob("d", Query.of(select="count(*)"), geojson=True)


def test_the_catalogue_is_analysed_too(lab: Lab, portal: LocalPortal) -> None:
    rows = lab.done(AnalysisJob(None, Query.of(select="count(*) as n", group_by="theme", order_by="theme")))
    assert {row["theme"] for row in rows} >= {"Places", "Sensors"}
    facets = lab.done(AnalysisJob(None, Query(), facet=("theme",)))
    assert sum(row["count"] for row in facets) == sum(len(state.theme) for state in portal.store.datasets.values())


def test_clusters_of_a_portal_hold_every_point_once(lab: Lab, portal: LocalPortal) -> None:
    near = GeoCluster.of({"field": "coordinates", "zoom": 2, "radius": 60})
    rows = lab.done(
        AnalysisJob("world-capitals", Query.of(select="count(*) as n, max(population) as p"), geo_cluster=near)
    )
    assert 1 < len(rows) < 110
    assert sum(row["n"] for row in rows) == 110
    assert max(row["p"] for row in rows) == max(row["population"] for row in portal.rows("world-capitals"))
    assert all(-180 <= row["cluster_center"]["lon"] <= 180 for row in rows)
