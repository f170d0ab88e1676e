"""This portal beside bodies of real ones, read where they lie: names of keys, and words of errors that are generic."""

import json
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest

RECORDED = Path(os.environ.get("ODS_RECORDED", Path(__file__).parents[3] / "shared" / "recorded"))

pytestmark = pytest.mark.skipif(
    not (RECORDED / "index.json").exists(), reason=f"not run: no recorded bodies in {RECORDED}"
)


def recorded(name):
    return json.loads((RECORDED / name).read_text())


@pytest.mark.parametrize(
    "name",
    [
        "electricity-north-west-get-dataset-example.json",
        "uk-power-networks-getDataset-live-faults-response.json",
        "electricity-north-west-list-datasets-example.json",
        "uk-power-networks-getDatasets-response.json",
    ],
)
def test_a_dataset_has_the_keys_of_a_live_one(ask, name):
    body = recorded(name)
    if "results" in body:
        assert set(ask.whole("/datasets")) == set(body)
    ours = ask.whole("/datasets/world-capitals")
    for theirs in body.get("results", [body]):
        assert set(ours) == set(theirs)
        assert set(ours["metas"]["default"]) == set(theirs["metas"]["default"])
        if "dcat" in theirs["metas"]:
            assert set(ours["metas"]["dcat"]) == set(theirs["metas"]["dcat"])
        assert set(ours["fields"][0]) == set(theirs["fields"][0])
        assert all(
            isinstance(value, (bool, str, int)) for field in ours["fields"] for value in field["annotations"].values()
        )
        if theirs["attachments"]:
            assert set(ask.whole("/datasets/landmark-photos")["attachments"][0]) == set(theirs["attachments"][0])


# With a zone: times without one are publishers' own texts, which a portal passes on as they are.
MOMENT = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))"')


def spellings(text):
    return {re.sub(r"\d", "0", moment) for moment in MOMENT.findall(text)}


def recorded_times(api):
    """Every body that a live portal sent and that tells a time, with how it spells them."""
    entries = [
        entry
        for entry in json.loads((RECORDED / "index.json").read_text())["files"]
        if entry["kind"] == "recorded" and entry["api"].startswith(api)
    ]
    texts = {entry["file"]: (RECORDED / entry["file"]).read_text() for entry in entries}
    return {name: spellings(text) for name, text in texts.items() if spellings(text)}


def test_every_recorded_spelling_of_a_time_is_one_of_ours(ask):
    ours = spellings(ask.get("/datasets/world-capitals").text) | spellings(ask.get("/datasets/all-types/records").text)
    theirs = recorded_times("explore")
    assert len(theirs) >= 7
    assert {name for name, times in theirs.items() if not times <= ours} == set()


def test_the_time_of_a_record_in_version_1_has_as_many_digits_as_there_are(ask):
    def ours(dataset):
        answer = ask("/api/records/1.0/search/", params={"dataset": dataset, "rows": 50})
        return spellings(json.dumps(answer.json()["records"]))

    theirs = set().union(*recorded_times("search-v1").values())
    assert "0000-00-00T00:00:00.00Z" in theirs
    assert ours("world-capitals") == {"0000-00-00T00:00:00Z"} <= theirs
    assert ours("all-types") == {
        "0000-00-00T00:00:00Z",
        "0000-00-00T00:00:00+00:00",
        "0000-00-00T00:00:00.000000+00:00",
    }
    ask.portal.store.datasets["world-capitals"].data_processed += timedelta(milliseconds=350)
    assert ours("world-capitals") == {"0000-00-00T00:00:00.00Z"}
    ask.portal.store.touched(ask.portal.store.datasets["world-capitals"])  # so that a reset sees it


@pytest.mark.parametrize(
    "name",
    [
        "uk-power-networks-getRecords-live-faults-response.json",
        "uk-power-networks-getRecords-carbon-intensity-response.json",
    ],
)
def test_a_list_of_records_has_the_keys_of_a_live_one(ask, name):
    assert set(ask.whole("/datasets/world-capitals/records")) == set(recorded(name))


def test_facets_have_the_shape_of_live_ones(ask):
    theirs = recorded("electricity-north-west-catalog-facets-license-example.json")
    ours = ask.whole("/facets", facet="license")
    assert set(ours) == set(theirs)
    assert [link["rel"] for link in ours["links"]] == [link["rel"] for link in theirs["links"]]
    assert set(ours["facets"][0]) == set(theirs["facets"][0])
    assert set(ours["facets"][0]["facets"][0]) == set(theirs["facets"][0]["facets"][0])


def test_the_catalogue_offers_the_formats_of_a_live_one(ask):
    theirs = {link["rel"] for link in recorded("electricity-north-west-list-export-formats-example.json")["links"]}
    assert theirs <= {link["rel"] for link in ask.whole("/exports")["links"]}


def test_a_file_in_a_record_has_the_keys_of_a_live_one(ask):
    theirs = recorded("file-field-v2.1-with-url.json")
    ours = ask.rows("landmark-photos", limit=1)[0]["photo"]
    assert set(theirs) <= set(ours)
    path = "/api/explore/v2.1/catalog/datasets/{}/files/{}"
    assert theirs["url"].endswith(path.format("catalogue-de-messier", theirs["id"]))
    assert ours["url"].endswith(path.format("landmark-photos", ours["id"]))


@pytest.mark.parametrize(
    ("name", "path", "params"),
    [
        ("electricity-north-west-odsql-error-example.json", "/datasets", {"select": "dataset_id,metas"}),
        ("northern-powergrid-5-malformed-odsql.json", "/datasets", {"where": "BADSYNTAX(("}),
        ("hydro-quebec-error-odsql-syntax.json", "/datasets", {"where": "bogus("}),
        ("northern-powergrid-6-unknown-dataset.json", "/datasets/nonexistent-dataset-xyz", {}),
        ("hydro-quebec-error-not-found-uri.json", "/openapi.json", {}),
        ("electricity-north-west-forbidden-records-example.json", "/datasets/gated-loads/records", {}),
        ("uk-power-networks-error-limit.json", "/datasets/world-capitals/records", {"limit": 99999}),
        ("uk-power-networks-error-unknown-field.json", "/datasets/world-capitals/records", {"order_by": "datetime"}),
        ("records-error-window-10000.json", "/datasets/world-capitals/records", {"limit": 100, "offset": 10000}),
        (
            "records-error-window-group-by-20000.json",
            "/datasets/world-capitals/records",
            {"group_by": "name", "limit": 60000},
        ),
    ],
)
def test_an_error_is_said_in_the_same_words(ask, name, path, params):
    answer = ask.get(path, **params)
    assert answer.status_code >= 400
    assert answer.json() == recorded(name)


def test_errors_about_other_fields_are_said_alike(ask):
    theirs = recorded("records-error-stat-aggregation-text.json")
    _, code, message = ask.refused(select="sum(name)")
    assert code == theirs["error_code"]
    assert message.startswith(theirs["message"].rstrip("."))
    theirs = recorded("records-error-group-by-geo.json")
    _, code, message = ask.refused(group_by="coordinates")
    assert (code, message) == (theirs["error_code"], theirs["message"].replace("position", "coordinates"))


@pytest.mark.parametrize("name", ["doc-explore-quota-429.json", "melbourne-429-domain-month.json"])
def test_a_spent_quota_is_said_in_the_same_words(ask, name):
    theirs = recorded(name)
    ask.portal.set_quota(limit=theirs["call_limit"], remaining=0, unit=theirs["limit_time_unit"], reset_in_s=60)
    ours = ask.get("/datasets").json()
    assert {**ours, "reset_time": theirs["reset_time"]} == theirs
    ask.portal.set_quota(limit=5)
    anonymous = recorded("doc-v1-429-anonymous-10005.json")
    ask.portal.fault("quota", errorcode=anonymous["errorcode"], call_limit=anonymous["call_limit"])
    assert {**ask.get("/datasets").json(), "reset_time": anonymous["reset_time"]} == anonymous


def test_quota_headers_have_the_names_and_the_spelling_of_live_ones(ask):
    theirs = recorded("odre-quota-headers.json")
    ask.portal.set_quota(limit=50_000, unit="month", dataset_id="world-capitals")
    headers = ask.get("/datasets/world-capitals/records").headers
    ours = {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-ratelimit")}
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        assert re.sub(r"\d+", "0", ours[name]) == re.sub(r"\d+", "0", value)


def test_a_push_is_acknowledged_in_the_same_words(ask):
    answer = ask(
        "/api/push/1.0/live-readings/realtime/push/?pushkey=demo-push-key", method="POST", json={"sensor_id": "a"}
    )
    assert answer.json() == recorded("doc-push-ok.json")
