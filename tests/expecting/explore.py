"""What is expected of the recorded answers of Explore v2.1, realtime push and OAuth2."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
import replay as play
from recording import answering, body, claims, content, index, recorded, served
from replay import replay

from ods_provider.client import OdsClient
from ods_provider.core.connection import from_parts
from ods_provider.core.drive import Terms, drive
from ods_provider.core.errors import (
    OdsAuthError,
    OdsError,
    OdsNotFound,
    OdsQueryError,
    OdsQuotaExceeded,
    OdsResponseError,
)
from ods_provider.core.formats.registry import format_named
from ods_provider.core.oauth import exchange_code
from ods_provider.core.plans.files import open_file
from ods_provider.core.plans.records import count, export_rows
from ods_provider.core.query import Query
from ods_provider.core.quota import Quota
from ods_provider.core.redact import Secret
from ods_provider.core.schema import Dataset
from ods_provider.transport.session import RequestsTransport

RESET = datetime(2026, 7, 28, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# One dataset, and lists of them


@claims("electricity-north-west-get-dataset-example.json")
def a_wide_dataset_whose_records_are_gated(name: str) -> None:
    with served(name) as client:
        dataset = client.dataset("dfes-lv-headroom-monitored")
    assert dataset.dataset_id == "dfes-lv-headroom-monitored"
    assert dataset.dataset_uid == "da_hv0mqt"
    assert (dataset.has_records, dataset.data_visible) == (True, False)
    assert (len(dataset.fields), dataset.records_count) == (101, 2444)
    assert dataset.data_processed == utc("2025-03-11T09:45:17+00:00")
    assert dataset.modified == utc("2026-03-19T08:54:27+00:00")
    assert dataset.features == ("analyze", "geo", "custom_view")
    every_field_is_kept(dataset, content(name))


@claims("uk-power-networks-getDataset-live-faults-response.json")
def a_dataset_with_attachments(name: str) -> None:
    with served(name) as client:
        dataset = client.dataset("ukpn-live-faults")
    assert (dataset.records_count, dataset.data_visible) == (100, True)
    assert dataset.data_processed == utc("2026-07-27T21:03:03.397+00:00")
    assert [item["mimetype"].rpartition(".")[2] for item in dataset.attachments] == ["sheet", "sheet"]
    assert all(item["url"].endswith(f"/attachments/{item['id']}") for item in dataset.attachments)
    every_field_is_kept(dataset, content(name))


@claims("doc-explore-dataset-v2.1.json")
def the_reference_describes_a_dataset_with_lists_for_annotations(name: str) -> None:
    with served(name) as client:
        dataset = client.dataset("geonames-all-cities-with-a-population-1000")
    assert (dataset.records_count, len(dataset.fields)) == (137_611, 20)
    every_field_is_kept(dataset, content(name))


def every_field_is_kept(dataset: Any, sent: dict[str, Any]) -> None:
    assert [(each.name, each.type, each.label) for each in dataset.fields] == [
        (each["name"], each["type"], each["label"]) for each in sent["fields"]
    ]
    for each in sent["fields"]:
        found = dataset.field(each["name"])
        assert found is not None
        assert dict(found.annotations) == (each["annotations"] or {})
        assert found.multivalued == ("multivalued" in (each["annotations"] or {}))


@claims(
    "electricity-north-west-list-datasets-example.json",
    "uk-power-networks-getDatasets-response.json",
    "doc-explore-datasets-v2.1.json",
    "northern-powergrid-1-count-the-catalogue.json",
)
def a_list_of_datasets_is_handed_on_as_it_came(name: str) -> None:
    sent = content(name)
    with served(name) as client:
        assert list(client.datasets(limit=len(sent["results"]), typed=False)) == sent["results"]
    with served(name) as client:
        assert client.run(count(None, Query())) == sent["total_count"]
    with served(name) as client:
        for row in client.datasets(limit=len(sent["results"])):
            described = row.get("metas", {}).get("default", {})
            assert all(described[time].tzinfo for time in ("modified", "data_processed") if time in described)
    gated = {each["dataset_id"]: each.get("data_visible") is False for each in sent["results"]}
    assert gated == {each: not dataset.data_visible for each, dataset in datasets(sent).items()}
    quota_of(name, client)


def datasets(sent: dict[str, Any]) -> dict[str, Dataset]:
    return {each["dataset_id"]: Dataset.from_json(each) for each in sent["results"]}


def quota_of(name: str, client: OdsClient) -> None:
    """The headers that came with some of the files."""
    remaining = {"electricity-north-west": 4967, "northern-powergrid": 4975}
    known = [left for prefix, left in remaining.items() if name.startswith(f"{prefix}-") and index()[name]["headers"]]
    assert client.quota.portal == (Quota(5000, known[0], RESET) if known else None)


# Facets, formats, attachments


@claims(
    "electricity-north-west-catalog-facets-license-example.json",
    "uk-power-networks-getDatasetsFacets-response.json",
    "northern-powergrid-2-browse-the-catalogue-by-theme.json",
    "doc-explore-catalog_facets.json",
    "doc-explore-facets.json",
)
def facets_are_values_with_their_counts(name: str) -> None:
    with served(name) as client:
        found = client.facets(None)
    assert found == {
        facet["name"]: [(value["value"], value["count"]) for value in facet["facets"]]
        for facet in content(name)["facets"]
    }
    assert all(isinstance(count, int) and count > 0 for values in found.values() for _, count in values)
    quota_of(name, client)


@claims("electricity-north-west-list-export-formats-example.json")
def the_catalogues_formats_are_listed_without_the_links_that_are_none(name: str) -> None:
    with served(name) as client:
        assert client.export_formats() == [
            "csv",
            "json",
            "data.json",
            "rdf",
            "ttl",
            "dublin_core",
            "dcat",
            "rss",
            "sitemap",
            "xlsx",
        ]


@claims("doc-explore-attachments.json")
def an_attachment_without_an_id_gets_it_from_its_address(name: str) -> None:
    with served(name) as client:
        (found,) = client.attachments("geonames-all-cities-with-a-population-1000")
    assert found["id"] == "cities1000_zip"
    assert (found["title"], found["mimetype"]) == ("cities1000.zip", "application/zip")
    assert found["url"].endswith("/attachments/cities1000_zip")


# Records


@claims(
    "uk-power-networks-getRecords-carbon-intensity-response.json",
    "uk-power-networks-getRecords-live-faults-response.json",
    "northern-powergrid-3-read-live-power-cuts.json",
    "doc-explore-records-v2.1.json",
)
def a_page_of_records_is_handed_on_with_its_nulls_and_types(name: str) -> None:
    sent = content(name)
    with served(name) as client:
        assert list(client.records("d", limit=len(sent["results"]), typed=False)) == sent["results"]
    quota_of(name, client)
    with served(name) as client:
        assert client.count("d") == sent["total_count"]
    columns = [set(row) for row in sent["results"]]
    if name == LIVE_FAULTS:
        its_times_and_points_have_pythons_types(sent)
    assert all(each == columns[0] for each in columns), "v2.1 writes nulls: every row has the same keys"


LIVE_FAULTS = "uk-power-networks-getRecords-live-faults-response.json"


def its_times_and_points_have_pythons_types(sent: dict[str, Any]) -> None:
    described = "uk-power-networks-getDataset-live-faults-response.json"
    with answering(recorded(described), recorded(LIVE_FAULTS)) as client:
        rows = list(client.records("ukpn-live-faults", limit=len(sent["results"])))
    kinds = {field["name"]: field["type"] for field in content(described)["fields"]}
    assert "geo_point_2d" in kinds.values()
    for row, raw in zip(rows, sent["results"], strict=True):
        for field, kind in kinds.items():
            value = raw.get(field)
            if value is not None and kind == "datetime":
                assert row[field] == utc(value)
            elif value is not None and kind == "geo_point_2d":
                assert set(row[field]) == {"lon", "lat"}
            elif kind != "date":
                assert row.get(field) == value


@claims("doc-explore-record-v2.1.json")
def one_record_is_not_wrapped(name: str) -> None:
    with served(name) as client:
        row = client.record("geonames-all-cities-with-a-population-1000", "r", typed=False)
    assert row == content(name)
    assert (row["elevation"], row["dem"]) == (None, 238)
    assert set(row["coordinates"]) == {"lon", "lat"}


@claims("northern-powergrid-4-aggregate-with-odsql-group-by.json", "doc-explore-group_by_country-v2.1.json")
def groups_need_no_total_count(name: str) -> None:
    sent = content(name)
    with served(name) as client:
        assert client.aggregate("d", select="x", group_by="x", limit=10) == sent["results"]


@claims("exports-json-edf-sei-reunion.json", "exports-json-edf-sei-corse.json")
def a_json_export_is_a_bare_list_and_is_counted(name: str) -> None:
    with answering(recorded(name, length=False)) as client:
        assert client.run(export_rows("d", Query())) == content(name)
    with answering(recorded(name, length=False)) as client:
        response = client.open_export("d", Query(), format="json")
        assert response.stream is not None
        counter = format_named("json").check()
        while piece := response.stream.read():
            counter.feed(piece)
        response.stream.close()
        assert counter.finish(None) == len(content(name))


@claims("file-field-v2.1-with-url.json")
def the_file_of_a_record_says_where_it_is(name: str) -> None:
    with answering(play.answer(b'{"image": ' + body(name) + b"}")) as client:
        value = client.record("catalogue-de-messier", "r", typed=False)["image"]
    assert value["url"].endswith(f"/catalog/datasets/catalogue-de-messier/files/{value['id']}")
    # Its host is not this client's: it is fetched from there over https, or not at all, and never with our key.
    with replay() as server, OdsClient(from_parts(host=server.url, password="k3y")) as client:
        with pytest.raises(OdsError) as caught:
            client.run(open_file(value["url"].replace("https://", "http://"), dataset_id="d"))
        assert "k3y" not in str(caught.value)
    assert server.requests == []


# Refusals


def refusal(name: str) -> OdsResponseError:
    with served(name) as client, pytest.raises(OdsResponseError) as caught:
        client.count("d")
    assert caught.value.status in (400, 403, 404, 429)
    return caught.value


QUERY_ERRORS = {
    "electricity-north-west-odsql-error-example.json": ("ODSQLError", "Unknown field: metas"),
    "northern-powergrid-5-malformed-odsql.json": ("ODSQLSyntaxError", "position 9"),
    "hydro-quebec-error-odsql-syntax.json": ("ODSQLSyntaxError", "position 5"),
    "uk-power-networks-error-limit.json": ("InvalidRESTParameterError", "-1 <= limit <= 100"),
    "uk-power-networks-error-unknown-field.json": ("ODSQLError", "Unknown field: datetime"),
    "records-error-window-10000.json": ("InvalidRESTParameterError", "<= 10000 is expected"),
    "records-error-window-group-by-20000.json": ("InvalidRESTParameterError", "<= 20000 is expected"),
    "records-error-stat-aggregation-text.json": ("ODSQLError", "numeric or date"),
    "records-error-group-by-geo.json": ("ODSQLError", "geo_cluster"),
    "doc-explore-bad-request-400.json": ("ODSQLError", "invalid_function"),
}


@claims(*QUERY_ERRORS)
def a_query_that_is_refused_is_final_and_says_why(name: str) -> None:
    code, said = QUERY_ERRORS[name]
    error = refusal(name)
    assert type(error) is OdsQueryError
    assert (error.code, error.transient, error.status) == (code, False, 400)
    assert said in str(error)


@claims("electricity-north-west-forbidden-records-example.json")
def gated_records_are_told_apart_from_a_wrong_key(name: str) -> None:
    error = refusal(name)
    assert type(error) is OdsAuthError
    assert (error.code, error.status) == ("ForbiddenAccess", 403)
    assert "gated" in str(error)
    with answering(play.answer(b"", "401 Unauthorized")) as client, pytest.raises(OdsAuthError) as caught:
        client.count("d")
    assert str(caught.value.advice) != str(error.advice)


@claims("northern-powergrid-6-unknown-dataset.json", "hydro-quebec-error-not-found-uri.json")
def what_is_not_there_is_named_and_the_advice_tells_a_dataset_from_an_address(name: str) -> None:
    error = refusal(name)
    assert type(error) is OdsNotFound
    assert error.code in ("NotFoundResource", "NotFoundURI")
    assert ("case-sensitive" in str(error)) == (error.code == "NotFoundResource")


QUOTAS = {
    "melbourne-429-domain-month.json": ("10002", "2026-09-01T00:00:00+00:00", "6000000 calls per month"),
    "doc-explore-quota-429.json": ("10002", "2021-01-26T00:00:00+00:00", "10000 calls per day"),
    "doc-v1-429-domain-10002.json": ("10002", "2021-01-26T00:00:00+00:00", "10000 calls per day"),
    "doc-v1-429-anonymous-10005.json": ("10005", "2021-01-26T00:00:00+00:00", "1000 calls per day"),
    "doc-quota-403-2013.json": ("10001", None, "exceeded your quotas"),
}


@claims(*QUOTAS)
def a_spent_quota_says_when_it_returns(name: str) -> None:
    code, reset, said = QUOTAS[name]
    error = refusal(name)
    assert type(error) is OdsQuotaExceeded
    assert (error.code, error.transient) == (code, True)
    assert error.reset_at == (utc(reset) if reset else None)
    assert said in str(error)


# Quota headers


def with_headers(headers: dict[str, str]) -> play.Play:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return play.answer(b'{"total_count": 1, "results": []}', "200 OK", *lines)


@claims("observed-quota-headers.json")
def every_spelling_of_a_quota_is_read_the_largest_too(name: str) -> None:
    for where, headers in content(name).items():
        with answering(with_headers(headers)) as client:
            client.count("d")
            found = client.quota.portal
        assert found is not None, where
        assert found.limit == int(headers["x-ratelimit-limit"])
        assert (found.remaining is None) == ("x-ratelimit-remaining" not in headers)
        reset = headers.get("x-ratelimit-reset")
        assert found.reset_at == (utc(reset.replace(" ", "T")) if reset else None)
    limits = [int(headers["x-ratelimit-limit"]) for headers in content(name).values()]
    assert max(limits) > 2**64


@claims("odre-quota-headers.json")
def a_dataset_may_have_a_quota_of_its_own_beside_the_portals(name: str) -> None:
    with answering(with_headers(content(name))) as client:
        client.count("eco2mix-national-tr")
        book = client.quota
    assert book.portal == Quota(10_000_000, 9_999_959, utc("2026-09-27T00:00:00+00:00"))
    own = Quota(50_000, 49_977, utc("2026-10-01T00:00:00+00:00"))
    assert book.datasets == {"eco2mix-national-tr": own}
    assert book.tightest("eco2mix-national-tr") == own
    assert book.tightest("another") == book.portal


# Push, OAuth2


@claims("doc-push-ok.json", "doc-push-ok-2014.json")
def a_push_is_accepted_in_either_spelling(name: str) -> None:
    with served(name, push_api_key="p") as client:
        assert client.push("d", "r", [{"a": 1}], unknown_fields="send")["rows"] == 1


@claims("doc-push-file-field-request.json")
def a_file_field_is_pushed_as_the_reference_writes_it(name: str) -> None:
    with replay(recorded("doc-push-ok.json")) as server:
        connection = from_parts(host=server.url, extra={"push_api_key": "p"})
        with OdsClient(connection) as client:
            client.push("d", "r", [content(name)], unknown_fields="send")
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]) == [content(name)]


@claims("doc-oauth2-token.json")
def the_tokens_of_an_exchange_are_read_and_not_shown(name: str) -> None:
    with replay(recorded(name)) as server:
        connection = from_parts(host=server.url, extra={"auth": "oauth2", "client_id": "app", "client_secret": "s3"})
        transport = RequestsTransport(connection)
        plan = exchange_code(connection, code=Secret("c0de"), redirect_uri="http://127.0.0.1/")
        tokens = drive(plan, Terms(transport))
        transport.close()
    sent = content(name)
    assert tokens.access_token.reveal() == sent["access_token"]
    assert tokens.refresh_token == Secret(sent["refresh_token"])
    assert tokens.lifetime_s == 3600
    assert sent["access_token"] not in repr(tokens)
    assert server.lines == ["POST /oauth2/token/ HTTP/1.1"]
    assert server.header("Authorization") is None
    form = parse_qs(server.requests[0].partition(b"\r\n\r\n")[2].decode())
    assert form["grant_type"] == ["authorization_code"]
    assert (form["code"], form["client_secret"]) == (["c0de"], ["s3"])
