"""The jobs behind ``v1={...}``: all rows, in one piece, and nothing asked for twice."""

import csv
import hashlib
import io
import json

import pytest
from replay import answer, replay

from ods_provider.client import OdsClient
from ods_provider.core.outcome import Done, Wait
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.errors import OdsAuthError, OdsConfigError, OdsIncomplete, OdsNotAPortal
from ods_provider.jobs.v1 import V1AnalysisJob, V1DownloadJob, V1SearchJob

CAPITALS, BIG = "world-capitals", "synthetic-rows"


def search(dataset_id, v1=None, **more):
    return V1SearchJob(dataset_id, V1Query.of(v1 or {}), **more)


def download(path, v1=None, dataset_id=CAPITALS, format=None, **more):
    return V1DownloadJob.of(dataset_id, path, V1Query.of(v1 or {}), format=format, **more)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_search_returns_all_records_unless_rows_says_how_many(run, ods_portal):
    rows = run(search(CAPITALS), ods_portal).result
    assert {row["fields"]["geoname_id"] for row in rows} == {row["geoname_id"] for row in ods_portal.rows(CAPITALS)}
    few = run(search(CAPITALS, {"rows": "3", "sort": "population"}), ods_portal).result
    assert [row["fields"]["name"] for row in few] == ["Beijing", "Buenos Aires", "Mexico City"]


def test_a_search_without_a_dataset_returns_datasets(run, ods_portal):
    rows = run(search(None, {"refine": {"theme": "Places"}}), ods_portal).result
    assert {row["datasetid"] for row in rows} == {CAPITALS, "landmark-photos"}


def test_a_search_of_several_pages_holds_every_row_once(run, big, tmp_path, asked):
    job = search(BIG, {"q": "id<2500", "fields": "id", "sort": "-id"}, path=tmp_path / "rows.jsonl")
    outcome = run(job, big).result
    assert [row["fields"]["id"] for row in lines(tmp_path / "rows.jsonl")] == list(range(2_500))
    assert outcome["rows"] == 2_500
    # The dataset is described before the first page and after the last.
    looks = [f"GET /api/datasets/1.0/{BIG}/"]
    assert asked(big) == [*looks, *["GET /api/records/1.0/search/"] * 3, *looks]


def test_a_search_of_more_than_a_page_without_a_sort_is_one_download(run, big, tmp_path, asked):
    run(search(BIG, {"q": "id<2500", "fields": "id"}, path=tmp_path / "rows.jsonl"), big)
    assert sorted(row["fields"]["id"] for row in lines(tmp_path / "rows.jsonl")) == list(range(2_500))
    assert [call.split("/")[-2] for call in asked(big)] == ["search", BIG, "download", BIG]


@pytest.mark.at_length
def test_a_search_past_the_window_goes_on_with_a_download(run, big, tmp_path, asked):
    run(search(BIG, {"fields": "id"}, path=tmp_path / "rows.jsonl"), big)
    assert sorted(row["fields"]["id"] for row in lines(tmp_path / "rows.jsonl")) == list(range(12_000))
    assert asked(big)[-2] == "GET /api/records/1.0/download/"
    cut = search(BIG, {"fields": "id", "rows": 11_000}, path=tmp_path / "cut.jsonl")
    assert run(cut, big).result["rows"] == 11_000
    with pytest.raises(OdsConfigError, match="sort"):
        run(search(BIG, {"sort": "id"}), big)


def test_a_search_goes_on_after_a_quota_where_it_stopped(run, big, tmp_path, asked):
    big.set_quota(limit=100, remaining=3, reset_in_s=30)
    job = search(BIG, {"q": "id<3500", "fields": "id", "sort": "-id"}, path=tmp_path / "rows.jsonl")
    ended = run(job, big)
    assert isinstance(ended, Wait)
    assert not (tmp_path / "rows.jsonl").exists()
    big.set_quota(limit=100)
    assert isinstance(run(job, big), Done)
    assert sorted(row["fields"]["id"] for row in lines(tmp_path / "rows.jsonl")) == list(range(3_500))
    answered = [call.query for call in big.requests if call.status == 200 and "/search/" in call.path]
    assert len(answered) == len(set(answered)) == 4


@pytest.mark.at_length
def test_a_search_whose_dataset_moves_meanwhile_begins_anew(run, big, tmp_path):
    job = search(BIG, {"q": "id<3500", "fields": "id", "sort": "-id"}, path=tmp_path / "rows.jsonl")
    for rows in (10, 0):
        big.set_quota(limit=100, remaining=3, reset_in_s=30)
        assert isinstance(run(job, big), Wait)
        big.set_quota(limit=100)
        big.touch(BIG, rows=rows)
        first = len(big.requests)
        assert run(job, big).result["rows"] == 3_510
        there = sorted(row["id"] for row in big.rows(BIG) if row["id"] < 3_500)
        assert [row["fields"]["id"] for row in lines(tmp_path / "rows.jsonl")] == there
        answered = [call.query for call in big.requests[first:] if "/search/" in call.path]
        assert sum("start=0&" in query for query in answered) == 1


def test_rows_that_are_too_many_for_xcom_ask_for_a_path(run, ods_portal):
    with pytest.raises(OdsConfigError, match="max_xcom_bytes"):
        run(search(CAPITALS, max_xcom_bytes=1_000), ods_portal)


def test_an_analysis_returns_rows_or_clusters(run, ods_portal, tmp_path):
    counted = V1AnalysisJob(CAPITALS, V1Query.of({"x": "country_code", "y": {"n": {"func": "COUNT"}}}))
    assert len(run(counted, ods_portal).result) == 110
    clusters = V1AnalysisJob(CAPITALS, V1Query.of({"clusterprecision": 2}), path=tmp_path / "clusters.jsonl")
    outcome = run(clusters, ods_portal).result
    assert sum(row["count"] for row in lines(tmp_path / "clusters.jsonl")) == 110
    assert outcome["rows"] == len(lines(tmp_path / "clusters.jsonl"))
    with pytest.raises(OdsConfigError, match="series"):
        V1AnalysisJob(CAPITALS, V1Query.of({"x": "country_code"}))


def test_a_cut_analysis_fails(run, big):
    with pytest.raises(OdsIncomplete, match="cut"):
        run(V1AnalysisJob(BIG, V1Query.of({"x": "id", "y": {"n": {"func": "COUNT"}}})), big)


def test_a_download_is_counted_hashed_and_compared(run, ods_portal, tmp_path):
    path = tmp_path / "capitals.csv"
    outcome = run(download(path, {"q": "NOT country_code==FR"}), ods_portal).result
    assert outcome["rows"] == 109
    assert outcome["verified"] == "counted"
    assert outcome["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert outcome["data_processed"] == "2026-01-05T08:00:00+00:00"
    assert len(list(csv.DictReader(io.StringIO(path.read_text()), delimiter=";"))) == 109


@pytest.mark.parametrize("kind", ["json", "geojson", "csv"])
def test_a_download_in_each_format_is_counted(run, ods_portal, tmp_path, kind):
    assert run(download(tmp_path / "file", {"format": kind, "rows": 40}), ods_portal).result["rows"] == 40
    named = run(download(tmp_path / "file", format=kind), ods_portal).result
    assert (named["rows"], named["format"]) == (110, kind)


def test_a_format_that_this_api_lacks_is_refused(tmp_path):
    for path, v1, format in (
        (tmp_path / "x.parquet", {}, None),
        (tmp_path / "x", {}, "parquet"),
        (tmp_path / "x", {"format": "fgb"}, None),
        (tmp_path / "x", {"format": "csv"}, "json"),
        (tmp_path / "x", {}, "xlsx"),
    ):
        with pytest.raises(OdsConfigError, match="csv, json, geojson"):
            download(path, v1, format=format)


def test_a_download_with_missing_rows_leaves_no_file(run, ods_portal, tmp_path):
    ods_portal.fault("short_rows", path="download", rows=1, times=None)
    with pytest.raises(OdsIncomplete, match="109 rows where the portal counts 110"):
        run(download(tmp_path / "capitals.csv"), ods_portal)
    assert not list(tmp_path.glob("*.csv"))


def test_a_download_that_breaks_off_is_fetched_again(run, ods_portal, tmp_path, asked):
    ods_portal.fault("cut", path="download", after_bytes=500)
    assert run(download(tmp_path / "capitals.csv"), ods_portal).result["rows"] == 110
    assert asked(ods_portal).count("GET /api/records/1.0/download/") == 2


def test_a_gated_dataset_is_refused_and_not_an_empty_file(run, ods_portal, tmp_path):
    ods_portal.fault(
        "status", path="/records/1.0/search", body='{"nhits": 0, "parameters": {}, "records": []}', status=200
    )
    with pytest.raises(OdsAuthError, match="none of the 40 rows"):
        run(download(tmp_path / "x.csv", dataset_id="gated-loads"), ods_portal)


def test_a_download_by_a_query_of_20_kb(run, ods_portal, tmp_path, long_query):
    outcome = run(download(tmp_path / "x.csv", {"q": long_query.q}), ods_portal).result
    assert outcome["rows"] == long_query.rows
    assert {call.method for call in ods_portal.requests if "/records/" in call.path} == {"POST"}


def test_min_rows_holds(run, ods_portal, tmp_path):
    with pytest.raises(OdsIncomplete, match="min_rows"):
        run(download(tmp_path / "x.csv", {"q": "paris"}, min_rows=2), ods_portal)


@pytest.mark.parametrize(
    "metas",
    ["null", '"x"', "5", '[{"a": 1}]', '{"records_count": {}}', '{"records_count": "110", "data_processed": 5}'],
)
def test_metadata_of_another_shape_say_nothing_of_a_dataset(run, tmp_path, metas):
    described = answer(f'{{"datasetid": "d", "metas": {metas}}}'.encode())
    counted = answer(b'{"nhits": 1, "records": [], "parameters": {}}')
    with replay(described, counted, answer(b'[{"fields": {"n": 1}}]'), described, counted) as server:
        told = run(download(tmp_path / "d.json", dataset_id="d"), Elsewhere(server.url)).result
    assert (told["rows"], told["data_processed"]) == (1, None)


@pytest.mark.parametrize("clusters", ["1.5", "null", "{}", '"x"', "[5]", "[null]"])
def test_clusters_of_another_shape_are_no_clusters(run, clusters):
    job = V1AnalysisJob("d", V1Query.of({"clusterprecision": 2}))
    body = f'{{"clusters": {clusters}}}'.encode()
    with replay(answer(body)) as server, pytest.raises(OdsNotAPortal, match="a list of objects was expected"):
        run(job, Elsewhere(server.url))


@pytest.mark.parametrize("rows", ["1.5", "null", "{}", '"x"', "[5]", "[null]"])
def test_rows_of_another_shape_are_no_rows(rows):
    body = f'{{"nhits": 1, "records": {rows}, "datasets": {rows}, "parameters": {{}}}}'.encode()
    with replay(answer(body), answer(body)) as server, OdsClient(server.url, max_retries=0) as client:
        with pytest.raises(OdsNotAPortal, match="a list of objects was expected"):
            client.v1.search_records("d")
        with pytest.raises(OdsNotAPortal, match="a list of objects was expected"):
            client.v1.search_datasets()


class Elsewhere:
    """Another server in the place of a portal."""

    api_key = None

    def __init__(self, url):
        self.url = url
