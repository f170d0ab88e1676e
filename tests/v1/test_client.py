"""``client.v1``: that API's words in, its objects out, and nothing missing without a word."""

import io
import shutil
from collections import defaultdict

import pytest
from replay import answer, replay
from shaken import keys_in

from ods_provider.client import OdsClient
from ods_provider.client.v1 import Download
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.core.wire import Headers, Response
from ods_provider.errors import (
    OdsAuthError,
    OdsConfigError,
    OdsIncomplete,
    OdsMismatch,
    OdsNotAPortal,
    OdsNotFound,
    OdsQueryError,
    OdsQuotaExceeded,
    OdsTruncated,
)
from ods_provider.testing.portal import LocalPortal

CAPITALS = "world-capitals"
CITIES = "doc-geonames-cities-5000"


@pytest.fixture(scope="module")
def demo():
    with LocalPortal(datasets="demo") as portal:
        yield portal


@pytest.mark.at_length
def test_the_largest_population_per_country_is_the_same_both_ways_and_in_the_rows(demo):
    expected = defaultdict(int)
    for row in demo.rows(CITIES):
        expected[row["country_code"]] = max(expected[row["country_code"]], row["population"])
    with OdsClient(demo.url) as client:
        asked = {"x": "country_code", "y": {"largest": {"func": "MAX", "expr": "population"}}}
        older = client.v1.analyze(CITIES, **asked)
        newer = client.aggregate(CITIES, select="max(population) as largest", group_by="country_code")
    assert len(expected) > 200
    assert {row["x"]: row["largest"] for row in older} == expected
    assert {row["country_code"]: row["largest"] for row in newer} == expected


@pytest.mark.at_length
def test_a_query_of_20_kb_travels_as_a_form(client, ods_portal, long_query):
    assert len(long_query.q) > 20_000
    body = client.v1.search_records(CAPITALS, q=long_query.q, rows=50)
    assert body["nhits"] == len(body["records"]) == long_query.rows
    assert sum(row["n"] for row in client.v1.analyze(CAPITALS, q=long_query.q, y={"n": {"func": "COUNT"}})) == 10
    assert len(list(client.v1.download(CAPITALS, q=long_query.q))) == long_query.rows
    assert {call.method for call in ods_portal.requests} == {"POST"}
    assert not any(call.query for call in ods_portal.requests)


def test_a_query_of_20_kb_is_too_long_for_explore_and_the_error_says_what_to_do(client, long_query):
    where = " or ".join(f'geoname_id = "{1_000_000 + number}"' for number in range(800))
    with pytest.raises(OdsQueryError, match=r"too long for a URL.*Search API v1\.0") as caught:
        list(client.records(CAPITALS, where=where))
    assert caught.value.status == 414


def test_a_short_query_is_a_get(client, ods_portal):
    client.v1.search_records(CAPITALS, q="paris")
    (call,) = ods_portal.requests
    assert call.method == "GET"
    assert call.auth == "apikey"


def test_a_form_follows_no_redirect(client, ods_portal, long_query):
    ods_portal.fault("redirect", location="/api/records/1.0/search/?dataset=world-capitals")
    with pytest.raises(OdsNotAPortal, match="redirects"):
        client.v1.search_records(CAPITALS, q=long_query.q)
    assert len(ods_portal.requests) == 1


def test_every_call_gives_the_api_s_own_objects(client):
    found = client.v1.search_datasets(q="capitals", facet=["theme"])
    assert [item["datasetid"] for item in found["datasets"]] == [CAPITALS]
    assert found["facet_groups"][0]["name"] == "theme"
    assert client.v1.dataset(CAPITALS)["metas"]["records_count"] == 110
    body = client.v1.search_records(CAPITALS, refine={"cou_name_en": "France"}, fields=["name", "population"])
    (record,) = body["records"]
    assert body["parameters"]["refine"] == {"cou_name_en": "France"}
    assert record["fields"] == {"name": "Paris", "population": 2_138_551}
    assert client.v1.record(CAPITALS, record["recordid"])["fields"]["coordinates"] == [48.853, 2.349]
    near = client.v1.search_records(CAPITALS, geofilter={"distance": [48.85, 2.35, 1_000]})
    assert near["nhits"] == 1
    inside = client.v1.search_records(CAPITALS, geofilter={"polygon": [(47, 0), (47, 5), (50, 5), (50, 0)]})
    assert inside["nhits"] == 1
    clusters = client.v1.geocluster(CAPITALS, clusterprecision=4, y={"m": {"func": "MAX", "expr": "population"}})
    assert clusters["series"]["m"]["max"] == 18_960_744


def test_nested_and_dotted_names_mean_the_same():
    nested = V1Query.of({"x": ["a", "b"], "y": {"n": {"func": "SUM", "cumulative": True}}, "refine": {"c": ["1", "2"]}})
    dotted = V1Query.of({"x": ["a", "b"], "y.n.func": "SUM", "y.n.cumulative": "true", "refine.c": ["1", "2"]})
    assert (
        nested
        == dotted
        == V1Query.of('{"x": ["a", "b"], "y": {"n": {"func": "SUM", "cumulative": true}}, "refine": {"c": ["1", "2"]}}')
    )
    assert nested.params == (
        ("x", "a"),
        ("x", "b"),
        ("y.n.func", "SUM"),
        ("y.n.cumulative", "true"),
        ("refine.c", "1"),
        ("refine.c", "2"),
        ("timezone", "UTC"),
    )


def test_what_is_none_is_not_sent_and_a_time_zone_always_is():
    assert V1Query.of({"q": None, "rows": 5, "timezone": "Europe/Paris"}).params == (
        ("rows", "5"),
        ("timezone", "Europe/Paris"),
    )
    assert V1Query.of().params == (("timezone", "UTC"),)


@pytest.mark.parametrize("given", [["q"], "{", {"apikey": "k"}, {"q": {"a": b"bytes"}}, {"x": [{"a": 1}]}])
def test_parameters_that_cannot_be_sent_are_refused(given):
    with pytest.raises(OdsConfigError):
        V1Query.of(given)


@pytest.mark.parametrize("word", ["where", "select", "order_by", "group_by", "limit", "offset"])
def test_a_word_of_the_other_api_is_refused_for_a_portal_would_pass_it_over(client, ods_portal, word):
    with pytest.raises(OdsConfigError, match=f"{word} is a word of Explore API"):
        client.v1.search_records(CAPITALS, **{word: "1"})
    assert not ods_portal.requests


def test_the_window_is_refused_before_it_is_asked_for(client, ods_portal):
    with pytest.raises(OdsConfigError, match=r"first 10000 rows.*download"):
        client.v1.search_records(CAPITALS, start=9_991, rows=10)
    with pytest.raises(OdsConfigError, match="format"):
        client.v1.search_records(CAPITALS, format="csv")
    assert not ods_portal.requests


def test_an_analysis_that_was_cut_is_an_error_unless_it_was_asked_for(big):
    with OdsClient(big.url) as client:
        with pytest.raises(OdsIncomplete, match=r"cut the analysis after 10,000.*group"):
            client.v1.analyze("synthetic-rows", x="id", y={"n": {"func": "COUNT"}})
        assert len(client.v1.analyze("synthetic-rows", x="id", maxpoints=7, y={"n": {"func": "COUNT"}})) == 7


@pytest.mark.parametrize("kind", ["csv", "json", "geojson"])
def test_a_download_gives_rows_in_constant_memory(client, ods_portal, kind):
    source = {row["name"] for row in ods_portal.rows(CAPITALS)}
    take = {"csv": lambda row: row["name"], "json": lambda row: row["fields"]["name"]}
    with client.v1.download(CAPITALS, format=kind) as download:
        names = [take.get(kind, lambda row: row["properties"]["name"])(row) for row in download]
    assert set(names) == source
    assert len(names) == download.expected == len(source)


def test_a_download_is_a_file_of_bytes_too(client):
    out = io.BytesIO()
    with client.v1.download(CAPITALS, q="paris", fields=["name", "population"]) as download:
        shutil.copyfileobj(download, out)
    assert out.getvalue() == b"name;population\r\nParis;2138551\r\n"


def test_a_download_with_missing_rows_is_an_error(client, ods_portal):
    ods_portal.fault("short_rows", path="download", rows=3)
    with pytest.raises(OdsIncomplete, match="107 rows where the portal counted 110"):
        list(client.v1.download(CAPITALS))


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_download_that_breaks_off_is_an_error(client, ods_portal, kind):
    ods_portal.fault("cut", path="download", after_bytes=900, times=None)
    with pytest.raises(OdsTruncated):
        list(client.v1.download(CAPITALS, format=kind))


def test_a_portal_without_version_1_is_named_as_such():
    with LocalPortal(v1=False) as portal, OdsClient(portal.url) as client:
        calls = [
            client.v1.search_datasets,
            lambda: client.v1.dataset(CAPITALS),
            lambda: client.v1.search_records(CAPITALS),
            lambda: client.v1.record(CAPITALS, "x"),
            lambda: client.v1.analyze(CAPITALS, y={"n": {"func": "COUNT"}}),
            lambda: client.v1.geocluster(CAPITALS, clusterprecision=1),
            lambda: client.v1.download(CAPITALS),
        ]
        for call in calls:
            with pytest.raises(OdsNotFound, match=r"does not offer Search API v1\.0.*Explore v2\.1"):
                call()


def test_an_unknown_dataset_is_named_whatever_the_status(client):
    with pytest.raises(OdsNotFound, match="Unknown dataset: nope"):
        client.v1.search_records("nope")
    with pytest.raises(OdsNotFound, match="Unknown dataset: nope"):
        client.v1.download("nope")
    for status in ("200 OK", "400 Bad Request", "404 Not Found"):
        body = b'{"error": "Unknown dataset: gone"}'
        with (
            replay(answer(body, status)) as server,
            OdsClient(server.url) as other,
            pytest.raises(OdsNotFound, match="Unknown dataset: gone"),
        ):
            other.v1.analyze("gone", y={"n": {"func": "COUNT"}})


def test_an_error_in_place_of_a_download_is_an_error():
    count = answer(b'{"nhits": 3, "parameters": {}, "records": []}')
    with (
        replay(count, answer(b'{"error": "Something failed"}')) as server,
        OdsClient(server.url) as client,
        pytest.raises(OdsQueryError, match="Something failed"),
    ):
        client.v1.download("any", format="geojson")


def test_the_older_envelope_says_what_is_wrong(client):
    with pytest.raises(OdsQueryError, match="Unknown field: nofield"):
        client.v1.search_records(CAPITALS, q="nofield:1")
    with pytest.raises(OdsQueryError, match="clusterprecision is missing"):
        client.v1.geocluster(CAPITALS)


def test_gated_records_are_an_auth_error(ods_portal):
    with OdsClient(ods_portal.url) as anonymous, pytest.raises(OdsAuthError, match="permission"):
        anonymous.v1.search_records("gated-loads")


@pytest.mark.parametrize("code", [10001, 10002, 10005])
def test_a_spent_quota_says_when_it_returns(client, ods_portal, code):
    ods_portal.fault("quota", errorcode=code, reset_in_s=3_600)
    with pytest.raises(OdsQuotaExceeded) as caught:
        client.v1.search_records(CAPITALS)
    assert caught.value.code == str(code)
    assert caught.value.reset_at is not None


def test_quotas_are_noted(client, ods_portal):
    ods_portal.set_quota(dataset_id=CAPITALS, limit=50)
    client.v1.search_records(CAPITALS)
    assert client.quota.datasets[CAPITALS].remaining == 49


def test_ids_are_encoded():
    with replay(answer(b'{"datasetid": "a@b"}')) as server, OdsClient(server.url) as client:
        client.v1.dataset("a@b/..")
        assert server.lines == ["GET /api/datasets/1.0/a%40b%2F../?timezone=UTC HTTP/1.1"]


def test_a_dataset_in_the_parameters_must_be_the_one_of_the_call(client):
    with pytest.raises(OdsConfigError, match="nope"):
        client.v1.search_records(CAPITALS, dataset="nope")
    assert client.v1.search_records(CAPITALS, dataset=CAPITALS, rows=0)["nhits"] == 110
    with pytest.raises(OdsConfigError, match="takes no dataset"):
        client.v1.search_datasets(dataset=CAPITALS)


class _Endless:
    """A body of one line without an end, and how much of it was read."""

    ends_marked = True

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = 0) -> bytes:
        self.given += 1_048_576
        return b"x" * 1_048_576 if self.given < 200 * 1_048_576 else b""

    def close(self) -> None:
        pass


def test_a_line_of_a_download_has_a_bound():
    endless = _Endless()
    download = Download(Response(200, Headers({}), "https://h/x", stream=endless), V1Query(), expected=1)
    with pytest.raises(OdsTruncated, match="longer than"):
        list(download)
    assert endless.given < 70 * 1_048_576


def test_an_error_of_a_download_keeps_no_row():
    body = io.BytesIO(b"a\nApikey s3cret-of-a-row\n")
    download = Download(Response(200, Headers({}), "https://h/x", stream=body), V1Query(), expected=2)
    with pytest.raises(OdsMismatch) as caught:
        list(download)
    assert not keys_in(caught.value, ["s3cret-of-a-row"], ours=__file__)
