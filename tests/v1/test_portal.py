"""Search API v1.0 as the local portal serves it: shapes, windows, facets, files."""

import csv
import io
import json
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
import requests
from recording import content, index

from ods_provider.testing.portal import LocalPortal

RECORDS = "/api/records/1.0"
DATASETS = "/api/datasets/1.0"


def recorded(name):
    index()  # skips where there are none
    return content(name)


def test_a_record_has_the_shape_of_a_published_one(get):
    example = recorded("doc-v1-record-lookup.json")
    found = get(f"{RECORDS}/search/", dataset="world-capitals", q='#exact(name, "Paris")').json()["records"][0]
    record = get(f"{DATASETS}/world-capitals/records/{found['recordid']}").json()
    assert record == found
    assert record.keys() == example.keys()
    assert len(record["recordid"]) == len(example["recordid"])
    assert record["geometry"].keys() == example["geometry"].keys()
    # Latitude first among the fields, longitude first in the geometry (Q22).
    assert record["fields"]["coordinates"] == record["geometry"]["coordinates"][::-1] == [48.853, 2.349]


@pytest.mark.parametrize("name", ["doc-v1-analyze-count.json", "doc-v1-analyze-max.json", "doc-v1-analyze-expr.json"])
def test_an_analysis_has_the_shape_of_a_published_one(get, name):
    example = recorded(name)
    (serie,) = set(example[0]) - {"x"}
    how = {"my_count": ("COUNT", ""), "max_population": ("MAX", "population"), "series1": ("AVG", "sqrt(population)*2")}
    function, expression = how[serie]
    asked = {"x": "country_code", f"y.{serie}.func": function, f"y.{serie}.expr": expression}
    rows = get(f"{RECORDS}/analyze/", dataset="world-capitals", **asked).json()
    assert all(row.keys() == example[0].keys() for row in rows)
    assert {type(row[serie]) for row in rows} == {type(example[0][serie])}
    assert [row["x"] for row in rows] == sorted(row["x"] for row in rows)


def test_clusters_have_the_shape_of_published_ones(get, ods_portal):
    example = recorded("doc-v1-geocluster.json")
    asked = {"clusterprecision": 3, "y.avg_population.func": "AVG", "y.avg_population.expr": "population"}
    body = get(f"{RECORDS}/geocluster/", dataset="world-capitals", **asked).json()
    assert body.keys() == example.keys()
    assert body["clusters"][0].keys() == example["clusters"][0].keys()
    assert body["series"]["avg_population"].keys() == example["series"]["avg_population"].keys()
    assert sum(cluster["count"] for cluster in body["clusters"]) == len(ods_portal.rows("world-capitals"))
    alone = next(cluster for cluster in body["clusters"] if cluster["count"] == 1)
    assert alone["cluster"]["coordinates"] == alone["cluster_center"][::-1]


@pytest.mark.parametrize(("code", "name"), [(10002, "domain-10002"), (10005, "anonymous-10005")])
def test_a_spent_quota_answers_in_the_published_words(ods_portal, get, code, name):
    example = recorded(f"doc-v1-429-{name}.json")
    ods_portal.fault("quota", errorcode=code)
    body = get(f"{RECORDS}/search/", dataset="world-capitals", expect=429).json()
    assert body.keys() == example.keys()
    assert (body["errorcode"], body["error"]) == (example["errorcode"], example["error"])


def test_nulls_are_left_out(get):
    fields = get(f"{RECORDS}/search/", dataset="world-capitals", q="canberra").json()["records"][0]["fields"]
    assert "elevation" not in fields
    assert "alternate_names" not in fields
    assert None not in fields.values()


def test_a_file_field_comes_without_an_address(get):
    photo = get(f"{RECORDS}/search/", dataset="landmark-photos", rows=1).json()["records"][0]["fields"]["photo"]
    assert photo["filename"].endswith(".png")
    assert "url" not in photo
    for path in (
        f"{DATASETS}/landmark-photos/files/{photo['id']}/",
        f"/explore/dataset/landmark-photos/files/{photo['id']}/download/",
    ):
        assert get(path).content.startswith(b"\x89PNG")
    small = get(f"{DATASETS}/landmark-photos/files/{photo['id']}/64/").content
    assert small.startswith(b"\x89PNG")
    assert len(small) != photo["width"]


def test_attachments_are_listed_under_an_address_that_cannot_be_fetched(get):
    listed = get(f"{DATASETS}/landmark-photos/").json()["attachments"]
    assert listed[0]["url"] == "odsfile://readme.txt"
    body = get(f"{DATASETS}/landmark-photos/attachments/{listed[0]['id']}/").text
    assert body.startswith("Licence")


def test_annotations_are_a_list_of_names(get):
    fields = {field["name"]: field for field in get(f"{DATASETS}/world-capitals/").json()["fields"]}
    assert {"name": "facet"} in fields["timezone"]["annotations"]
    assert {"name": "multivalued", "args": [","]} in fields["alternate_names"]["annotations"]


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("path", "params", "key"),
    [
        (f"{DATASETS}/search", {"q": "capitals"}, "datasets"),
        (f"{DATASETS}/world-capitals", {}, "datasetid"),
        (f"{RECORDS}/search", {"dataset": "world-capitals"}, "records"),
        (f"{RECORDS}/geocluster", {"dataset": "world-capitals", "clusterprecision": "2"}, "clusters"),
        (f"{RECORDS}/boundingbox", {"dataset": "world-capitals"}, "bbox"),
    ],
)
def test_every_endpoint_takes_get_and_post_with_and_without_a_slash(get, path, params, key, method, end):
    assert key in get(path + end, method=method, **params).json()


def test_a_form_counts_in_the_quota_of_its_dataset(ods_portal, get):
    ods_portal.set_quota(dataset_id="world-capitals", limit=2)
    answer = get(f"{RECORDS}/search/", method="POST", dataset="world-capitals")
    assert answer.headers["x-ratelimit-dataset-remaining"] == "1"


def test_a_key_in_a_form_is_a_key_and_stands_in_no_log(ods_portal, get):
    asked = {"dataset": "gated-loads", "apikey": ods_portal.api_key}
    assert get(f"{RECORDS}/search/", method="POST", **asked).json()["nhits"] == 40
    assert get(f"{RECORDS}/search/", method="POST", dataset="gated-loads", expect=403).json().keys() == {"error"}
    assert ods_portal.api_key not in repr(ods_portal.requests)


def test_an_unknown_dataset_is_named(get):
    for path, params in ((f"{DATASETS}/nope/", {}), (f"{RECORDS}/search/", {"dataset": "nope"})):
        assert get(path, expect=404, **params).json() == {"error": "Unknown dataset: nope"}


def test_the_sign_of_sort_is_reversed(get):
    def populations(sort):
        body = get(f"{RECORDS}/search/", dataset="world-capitals", sort=sort, rows=200).json()
        return [record["fields"]["population"] for record in body["records"]]

    assert populations("population") == sorted(populations("population"), reverse=True)
    assert populations("-population") == sorted(populations("-population"))
    get(f"{RECORDS}/search/", dataset="world-capitals", sort="-name")
    get(f"{RECORDS}/search/", dataset="world-capitals", sort="ascii_name", expect=400)


def test_pages_neither_overlap_nor_leave_a_gap(get, ods_portal):
    ids = [
        record["fields"]["geoname_id"]
        for start in range(0, 120, 40)
        for record in get(f"{RECORDS}/search/", dataset="world-capitals", rows=40, start=start).json()["records"]
    ]
    assert sorted(ids) == sorted(row["geoname_id"] for row in ods_portal.rows("world-capitals"))


def test_the_window_ends_at_10_000(big):
    def status(rows, start):
        asked = {"dataset": "synthetic-rows", "rows": rows, "start": start, "fields": "id"}
        return requests.get(f"{big.url}{RECORDS}/search/", params=asked, timeout=30).status_code

    assert [status(10, 9_990), status(10, 9_991), status(10_001, 0)] == [200, 400, 400]


def test_fields_restrict_and_the_geometry_stays(get):
    record = get(f"{RECORDS}/search/", dataset="world-capitals", fields="name,population", rows=1).json()["records"][0]
    assert record["fields"].keys() == {"name", "population"}
    assert record["geometry"]["type"] == "Point"
    get(f"{RECORDS}/search/", dataset="world-capitals", fields="nothing", expect=400)


def test_facets_are_trees_of_counts(get, ods_portal):
    body = get(f"{RECORDS}/search/", dataset="world-capitals", facet=["timezone", "cou_name_en"], rows=0).json()
    zones = {facet["path"]: facet["count"] for facet in body["facet_groups"][0]["facets"]}
    assert zones == Counter(row["timezone"].split("/")[0] for row in ods_portal.rows("world-capitals"))
    # At most 100 values of a facet, and nothing says so (Q5).
    assert len(body["facet_groups"][1]["facets"]) == 100

    asked = {"facet": "timezone", "refine.timezone": "Asia"}
    (refined,) = get(f"{RECORDS}/search/", dataset="world-capitals", **asked).json()["facet_groups"][0]["facets"]
    assert (refined["path"], refined["state"]) == ("Asia", "refined")
    assert {"name": "Tokyo", "path": "Asia/Tokyo", "count": 1, "state": "displayed"} in refined["facets"]


def test_refinements_narrow_and_exclusions_leave_out(get):
    def nhits(**params):
        return get(f"{RECORDS}/search/", dataset="world-capitals", **params).json()["nhits"]

    both = {"refine.cou_name_en": ["France", "Germany"]}
    assert nhits(**both) == 0
    assert nhits(**both, **{"disjunctive.cou_name_en": "true"}) == 2
    assert nhits(**{"exclude.timezone": "Europe"}) + nhits(**{"refine.timezone": "Europe"}) == 110
    assert nhits(**{"refine.modification_date": "2020/02"}) == nhits(q="modification_date:2020/02") > 0


def test_the_catalogue_is_searched_by_its_metadata(get):
    def ids(**params):
        return [item["datasetid"] for item in get(f"{DATASETS}/search/", **params).json()["datasets"]]

    assert ids(q="title:capitals AND records_count>=100") == ["world-capitals"]
    assert ids(q="capita") == ["world-capitals"]
    assert set(ids(**{"refine.theme": "Sensors"})) == {"gated-loads", "live-readings"}
    assert ids(sort="records_count", rows=1) == ["world-capitals"]
    assert ids(sort="-records_count", rows=1) == ["camera-shots"]


@pytest.mark.parametrize("kind", ["csv", "geojson", "rss", "atom", "jsonp"])
def test_records_come_in_other_formats(get, kind):
    answer = get(
        f"{RECORDS}/search/", dataset="world-capitals", q="paris", format=kind, callback="f" * (kind == "jsonp")
    )
    if kind == "csv":
        (row,) = csv.DictReader(io.StringIO(answer.text), delimiter=";")
        assert row["name"] == "Paris"
    elif kind == "geojson":
        assert answer.json()["features"][0]["geometry"]["coordinates"] == [2.349, 48.853]
    elif kind == "jsonp":
        assert json.loads(answer.text.removeprefix("f(").removesuffix(");"))["nhits"] == 1
    else:
        assert ET.fromstring(answer.text) is not None


def test_a_download_holds_all_rows_in_no_order(get, ods_portal):
    answer = get(f"{RECORDS}/download/", dataset="world-capitals")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode(), newline=""), delimiter=";"))
    source = [row["geoname_id"] for row in ods_portal.rows("world-capitals")]
    assert sorted(row["geoname_id"] for row in rows) == source
    assert [row["geoname_id"] for row in rows] != source
    assert answer.content.count(b"\r\n") == len(source) + 1
    assert "content-length" not in answer.headers
    same = get("/explore/dataset/world-capitals/download/", use_labels_for_header="true")
    assert same.text.startswith("Geoname ID;Name;")


def test_an_analysis_agrees_with_the_rows(get, ods_portal):
    rows = ods_portal.rows("world-capitals")

    def analyze(**params):
        return get(f"{RECORDS}/analyze/", dataset="world-capitals", **params).json()

    by_year = Counter(row["modification_date"].year for row in rows)
    count = {"x": "modification_date", "y.n.func": "COUNT", "precision": "year"}
    assert {row["x"]["year"]: row["n"] for row in analyze(**count)} == by_year
    running = analyze(**count, **{"y.n.cumulative": "true"})
    assert running[-1]["n"] == len(rows)
    weekdays = Counter(row["modification_date"].weekday() for row in rows)
    assert {row["x"]["weekday"]: row["n"] for row in analyze(**{**count, "periodic": "weekday"})} == weekdays
    parts = analyze(x=["modification_date.year", "modification_date.month"], **{"y.n.func": "COUNT"})
    assert parts[0]["x"].keys() == {"year", "month"}
    two = analyze(x=["country_code", "modification_date.year"], sort="-n", **{"y.n.func": "COUNT"})
    assert two[0]["x"].keys() == {"country_code", "modification_date"}
    (whole,) = analyze(
        **{"y.s.func": "SUM", "y.s.expr": "population", "y.q.func": "SUMSQUARES", "y.q.expr": "population"}
    )
    assert whole == {"s": sum(row["population"] for row in rows), "q": sum(row["population"] ** 2 for row in rows)}
    largest = analyze(x="country_code", sort="m", maxpoints=1, **{"y.m.func": "MAX", "y.m.expr": "population"})
    assert largest == [{"x": "CN", "m": 18_960_744}]


def test_an_analysis_that_is_cut_says_so_in_a_header_alone(get):
    asked = {"dataset": "world-capitals", "x": "country_code", "y.n.func": "COUNT"}
    cut = get(f"{RECORDS}/analyze/", **asked, maxpoints=5)
    assert "ods-analyze-truncated" in cut.headers
    assert len(cut.json()) == 5
    assert "ods-analyze-truncated" not in get(f"{RECORDS}/analyze/", **asked).headers


@pytest.mark.parametrize(
    "params",
    [
        {"x": "country_code"},
        {"x": "nothing", "y.n.func": "COUNT"},
        {"x": "country_code", "y.n.func": "MEDIAN", "y.n.expr": "population"},
        {"x": "country_code", "y.n.func": "MAX"},
        {"x": "country_code", "y.n.func": "MAX", "y.n.expr": "population +"},
        {"x": "country_code", "y.n.func": "MAX", "y.n.expr": "nofunction(population)"},
        {"x": "country_code", "y.n.func": "MAX", "y.n.expr": "name"},
    ],
)
def test_an_analysis_that_makes_no_sense_is_refused(get, params):
    assert get(f"{RECORDS}/analyze/", dataset="world-capitals", expect=400, **params).json().keys() == {"error"}


@pytest.mark.parametrize("path", ["/api/records/1.0/search/", "/api/explore/v2.1/catalog/datasets"])
def test_an_address_of_more_than_8_kb_is_refused(get, path):
    assert get(path, q="x" * 8_000, dataset="world-capitals", rows=0).status_code == 200
    assert "Too Large" in get(path, q="x" * 20_000, dataset="world-capitals", expect=414).text


@pytest.mark.at_length
def test_a_portal_can_have_version_1_switched_off():
    with LocalPortal(v1=False) as portal:
        answer = requests.get(f"{portal.url}{DATASETS}/search/", timeout=30)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NotFoundURI")


@pytest.mark.parametrize(
    ("path", "status", "asked"),
    [
        (f"{RECORDS}/search/", 401, {"headers": {"authorization": "Apikey wrong"}}),
        (f"{DATASETS}/search", 401, {"params": {"apikey": "wrong"}}),
        ("/explore/dataset/world-capitals/download/", 401, {"params": {"apikey": "wrong"}}),
        ("/explore/dataset/nope/download", 404, {}),
        (f"{RECORDS}/search/", 401, {"headers": {"authorization": "Bearer wrong"}}),
        (f"{RECORDS}/nowhere/", 404, {}),
        (f"{RECORDS}/search/", 405, {"method": "DELETE"}),
        (f"{RECORDS}/search/", 400, {"params": {"dataset": "all-types", "rows": "many"}}),
        (f"{RECORDS}/download/", 404, {"params": {"dataset": "nope"}}),
    ],
)
def test_whoever_refuses_uses_the_envelope_of_version_1(ods_portal, path, status, asked):
    answer = requests.request(**{"method": "GET", **asked}, url=ods_portal.url + path, timeout=30)
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"]


def test_a_defect_of_the_portal_is_told_in_the_envelope_of_the_api_that_was_asked(ods_portal):
    ods_portal.store.datasets["broken"] = None
    try:
        for path, key in ((f"{DATASETS}/search/", "error"), ("/api/explore/v2.1/catalog/datasets", "error_code")):
            answer = requests.get(ods_portal.url + path, timeout=30)
            assert (answer.status_code, key in answer.json()) == (500, True), answer.text
    finally:
        del ods_portal.store.datasets["broken"]
