"""The monitoring source: what the portal knows of its own use, for who has the right."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest
import requests

MONITORING = "/api/explore/v2.1/monitoring"
LOG, STATISTICS = "ods-api-monitoring", "ods-datasets-monitoring"
KEY = {"authorization": "Apikey demo-key"}
FORBIDDEN = {"error_code": "ForbiddenAccess", "message": "You don't have permission to access the requested resource"}

# Source: the vendor's page on analysing source data, and what live portals show besides.
OF_THE_LOG = {
    "datetime": {"timestamp"},
    "text": {
        *("user_ip_addr", "hostname", "user_id", "domain_id", "dataset_id", "api", "api_type", "query_string"),
        *("custom_attributes", "format", "error", "attachment_id", "image_id", "user_agent", "referer", "embed_type"),
        *("embed_referer", "query_field", "query_text", "facet", "action", "attributes", "filename"),
    },
    "int": {"size_res", "nhits"},
    "double": {"exec_time"},
    "boolean": {"request_aborted", "in_error", "bot", "mobile"},
    "geo_point_2d": {"geo_coordinates"},
}
FACETS = {
    *("hostname", "user_id", "dataset_id", "domain_id", "api", "api_type", "custom_attributes", "format"),
    *("request_aborted", "facet", "in_error", "bot"),
}
OF_STATISTICS = {
    *("dataset_id", "title", "publisher", "license", "keyword", "theme", "visibility", "domain_id", "modified"),
    *("records_count", "records_size", "api_call_count", "download_count", "reuse_count", "popularity_score"),
}


def rows(ask: Any, dataset: str, **params: Any) -> list[dict[str, Any]]:
    answer = ask(f"{MONITORING}/datasets/{dataset}/records", params={"limit": 100, **params}, headers=KEY)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def described(ask: Any, dataset: str) -> dict[str, Any]:
    found: dict[str, Any] = ask(f"{MONITORING}/datasets/{dataset}", headers=KEY).json()
    return found


@pytest.mark.parametrize("path", ["", f"/{LOG}", f"/{LOG}/records", f"/{STATISTICS}/exports/csv", "/no-such-dataset"])
def test_it_needs_a_key_with_the_right(ask: Any, path: str) -> None:
    anonymous = ask(f"{MONITORING}/datasets{path}")
    assert (anonymous.status_code, anonymous.json()["error_code"]) == (401, "Unauthorized")
    reader = ask(f"{MONITORING}/datasets{path}", headers={"authorization": "Apikey demo-reader-key"})
    assert (reader.status_code, reader.json()) == (403, FORBIDDEN)
    assert ask(f"{MONITORING}/datasets{path}", headers=KEY).status_code == (404 if "no-such" in path else 200)


def test_the_reader_s_key_sees_all_data_of_the_catalogue(ask: Any) -> None:
    assert ask.get("/datasets/gated-loads/records", apikey="demo-reader-key").json()["total_count"] == 40


def test_the_reader_s_key_changes_nothing(ask: Any) -> None:
    reader = {"authorization": "Apikey demo-reader-key"}
    refused = ask("/api/automation/v1.0/datasets/", method="POST", json={}, headers=reader)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "forbidden")


def test_the_right_is_a_permission_of_a_key_and_an_access_token_has_it(ask: Any) -> None:
    office, oauth = ask.portal.office, ask.portal.oauth
    office.add_key("of-ann", ["explore_monitoring"], user="ann")
    office.add_key("of-bob", ["edit_dataset", "publish_dataset"], user="bob")
    application = {"client_id": oauth.client_id, "client_secret": oauth.client_secret}
    grant = {"grant_type": "refresh_token", "refresh_token": oauth.grant(), **application}
    token = ask("/oauth2/token/", method="POST", data=grant).json()["access_token"]
    shown = ["Apikey of-ann", "Apikey of-bob", f"Bearer {token}"]
    answers = [ask(f"{MONITORING}/datasets", headers={"authorization": one}).status_code for one in shown]
    assert answers == [200, 403, 200]
    # Calls of one moment are told in any order.
    assert sorted(row["user_id"] for row in rows(ask, LOG)) == ["admin", "ann", "bob"]


def test_statistics_follow_what_the_automation_api_publishes_and_withdraws(ask: Any, editor: Any) -> None:
    edit = editor(ask)
    at = edit.new(is_restricted=True)
    edit.resource(at, "a.csv", "name;n\na;1\nb;2\n", separator=";")
    edit.publish(at)
    (mine,) = [row for row in rows(ask, STATISTICS) if row["dataset_id"] == "mine"]
    assert (mine["records_count"], mine["visibility"]) == (2, "restricted")
    edit.resource(at, "b.csv", "name;n\nc;3\n", separator=";")
    told = edit.publish(at)
    assert told["status"] == "idle", told
    (again,) = [row for row in rows(ask, STATISTICS) if row["dataset_id"] == "mine"]
    assert again["records_count"] == 3
    assert again["records_size"] > mine["records_size"]
    for dataset in list(ask.portal.store.datasets):
        edit.publish(edit.of(dataset), "unpublish")
    assert rows(ask, STATISTICS) == []


def test_the_catalogue_has_none_of_its_datasets_and_it_none_of_the_catalogue_s(ask: Any) -> None:
    listed = ask(f"{MONITORING}/datasets", headers=KEY).json()
    assert [one["dataset_id"] for one in listed["results"]] == [LOG, STATISTICS]
    assert ask.refused(f"/datasets/{LOG}", apikey="demo-key")[:2] == (404, "NotFoundResource")
    assert ask(f"{MONITORING}/datasets/world-capitals", headers=KEY).status_code == 404


def test_the_log_has_the_fields_of_live_portals(ask: Any) -> None:
    fields = described(ask, LOG)["fields"]
    by_type: dict[str, set[str]] = {}
    for field in fields:
        by_type.setdefault(field["type"], set()).add(field["name"])
    assert by_type == OF_THE_LOG
    assert {field["name"] for field in fields if "facet" in field["annotations"]} == FACETS
    lists = {field["name"] for field in fields if "multivalued" in field["annotations"]}
    assert lists == {"dataset_id", "facet"}


def test_the_statistics_have_the_fields_of_live_portals(ask: Any) -> None:
    assert {field["name"] for field in described(ask, STATISTICS)["fields"]} == OF_STATISTICS


@pytest.mark.skipif("ODS_RECORDED" not in os.environ, reason="the recorded bodies are elsewhere")
def test_the_counters_are_those_that_a_recorded_portal_shows_of_its_datasets() -> None:
    body = Path(os.environ["ODS_RECORDED"], "automation-explore-include-app-metas-bercy.json").read_text()
    explore = json.loads(body)["results"][0]["metas"]["explore"]
    counters = {"api_call_count", "download_count", "reuse_count", "popularity_score"}
    assert counters <= explore.keys() & OF_STATISTICS


def test_the_log_grows_by_the_calls_that_the_portal_serves(ask: Any) -> None:
    before = described(ask, LOG)["metas"]["default"]
    ask("/api/explore/v2.1/catalog/datasets/world-capitals/exports/csv?apikey=demo-key&limit=3")
    ask.get("/datasets/no-such-dataset")
    ask("/api/records/1.0/search/?dataset=landmark-photos&q=tower", headers={"user-agent": "a-bot/1.0"})
    found = rows(ask, LOG, order_by="timestamp")[-4:]
    shown = ("api", "api_type", "dataset_id", "format", "user_id", "in_error", "bot", "query_text")
    assert [[row[name] for name in shown] for row in found] == [
        ["dataset_lookup", "ods_v2", [LOG], "json", "admin", False, False, None],
        ["records_index", "ods_v2", ["world-capitals"], "csv", "admin", False, False, None],
        ["dataset_lookup", "ods_v2", ["no-such-dataset"], "json", "anonymous", True, False, None],
        ["search_dataset_records", "ods_v1", ["landmark-photos"], "json", "anonymous", False, True, "tower"],
    ]
    # The call that looks is not among those that have ended.
    after = described(ask, LOG)["metas"]["default"]
    assert after["records_count"] == before["records_count"] + 5
    assert after["data_processed"] > before["data_processed"]
    assert {row["user_ip_addr"] for row in found} == {"127.0.0.1"}
    assert all(row["size_res"] > 0 and row["exec_time"] >= 0 for row in found)
    assert "demo-key" not in json.dumps(rows(ask, LOG)), "a key is in the log"


def test_the_statistics_count_what_was_asked_of_each_dataset(ask: Any, ods_portal: Any) -> None:
    ask.rows()
    ask.export("csv")
    ods_portal.touch("world-capitals", rows=2)
    found = {row["dataset_id"]: row for row in rows(ask, STATISTICS)}
    assert found.keys() == set(ods_portal.store.datasets)
    capitals, photos = found["world-capitals"], found["landmark-photos"]
    assert (capitals["api_call_count"], capitals["download_count"], capitals["records_count"]) == (2, 1, 112)
    assert (photos["api_call_count"], photos["download_count"], photos["keyword"]) == (0, 0, photos["keyword"])
    assert capitals["records_size"] > 112 * 10
    changed = ask.whole("/datasets/world-capitals")["metas"]["default"]
    assert described(ask, STATISTICS)["metas"]["default"]["data_processed"] == changed["data_processed"]


def test_a_reset_forgets_the_calls(ask: Any, ods_portal: Any) -> None:
    ask.rows()
    ods_portal.reset()
    assert rows(ask, LOG) == []
    assert {row["api_call_count"] for row in rows(ask, STATISTICS)} == {0}
    assert len(rows(ask, LOG)) == 2


def test_a_call_that_was_under_way_at_a_reset_is_forgotten_too(
    ask: Any, ods_portal: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ods_portal.fault("stall", seconds=1.0)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{ods_portal.url}/api/explore/v2.1/catalog/datasets?limit=7", timeout=0.1)
    ods_portal.reset()
    end = time.monotonic() + 60
    while "limit=7" not in caplog.text:
        assert time.monotonic() < end, "the call has not ended"
        time.sleep(0.02)
    assert rows(ask, LOG) == []


def test_an_answer_that_was_cut_is_a_call_that_was_aborted(ask: Any, ods_portal: Any) -> None:
    ods_portal.fault("drop", path="world-capitals")
    with pytest.raises(Exception, match=r"Connection aborted|RemoteDisconnected"):
        ask.rows()
    (aborted,) = rows(ask, LOG, where="request_aborted is true")
    assert aborted["dataset_id"] == ["world-capitals"]


def test_links_lead_to_the_monitoring_source(ask: Any) -> None:
    linked = ask(f"{MONITORING}/datasets/{LOG}", params={"include_links": "true"}, headers=KEY).json()
    assert all("/monitoring/datasets" in link["href"] for link in linked["links"])
    listed = ask(f"{MONITORING}/datasets/{LOG}/exports", headers=KEY).json()
    assert all(f"{MONITORING}/datasets/{LOG}/exports" in link["href"] for link in listed["links"])
