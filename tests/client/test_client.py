"""The client against the local portal."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from replay import answer, chunked, replay

from ods_provider.client import OdsClient
from ods_provider.core.errors import (
    OdsAuthError,
    OdsConfigError,
    OdsError,
    OdsIncomplete,
    OdsNotFound,
    OdsQueryError,
    OdsTruncated,
)
from ods_provider.core.limits import WINDOW_ROWS
from ods_provider.core.query import Query
from ods_provider.testing.portal import LocalPortal


@pytest.fixture(scope="module")
def big() -> Iterator[LocalPortal]:
    with LocalPortal(synthetic_rows=10_500) as portal:
        yield portal


@pytest.fixture
def client(ods_portal: Any) -> Iterator[OdsClient]:
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key, push_api_key=ods_portal.push_key) as made:
        yield made


# Records


def test_records_have_python_s_own_types(client: OdsClient) -> None:
    row = next(client.records("world-capitals", where='name = "Beijing"'))
    assert row["population"] == 18_960_744
    assert isinstance(row["modification_date"], date)
    assert not isinstance(row["modification_date"], datetime)
    assert row["alternate_names"] == ["北京", "Peking"]
    assert row["coordinates"] == {"lon": 116.397, "lat": 39.908}
    reading = next(client.records("live-readings", order_by="sensor_id"))
    assert reading["at"] == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    assert isinstance(reading["value"], float)
    assert reading["note"] is None


def test_a_date_of_a_year_stays_the_text_that_it_is(client: OdsClient) -> None:
    rows = list(client.records("gated-loads", order_by="year", limit=3))
    assert [row["year"] for row in rows] == ["2015", "2015", "2015"]


def test_untyped_records_are_the_portal_s_own_json(client: OdsClient, ods_portal: Any) -> None:
    row = next(client.records("live-readings", order_by="sensor_id", limit=1, typed=False))
    assert row["at"] == "2026-01-05T08:00:00+00:00"
    assert [request.path.rpartition("/")[2] for request in ods_portal.requests] == ["records"]


def test_the_schema_is_asked_for_once_per_client(client: OdsClient, ods_portal: Any) -> None:
    for _ in range(3):
        assert len(list(client.records("world-capitals", limit=90))) == 90
    assert sum(request.path.endswith("/world-capitals") for request in ods_portal.requests) == 1


def test_beyond_the_window_records_come_from_one_export_with_the_same_types(big: LocalPortal) -> None:
    with OdsClient(big.url) as client:
        rows = list(client.records("synthetic-rows", order_by="id"))
        assert [row["id"] for row in rows] == list(range(10_500))
        assert rows[-1]["at"] == datetime(2026, 1, 1, 2, 54, 59, tzinfo=UTC)
        assert [request.path.rpartition("/")[2] for request in big.requests[-4:]] == [
            "synthetic-rows",
            "records",
            "jsonl",
            "synthetic-rows",
        ]
        assert rows[:3] == list(client.records("synthetic-rows", order_by="id", limit=3))


def test_without_an_order_records_come_from_one_export_as_pages_may_overlap(client: OdsClient, ods_portal: Any) -> None:
    rows = list(client.records("world-capitals", select="name"))
    # Typing asked for the description, which says in which state the dataset was before the first row.
    asked = [entry.path.rpartition("/")[2] for entry in ods_portal.requests]
    assert asked == ["world-capitals", "records", "jsonl", "world-capitals"]
    ordered = list(client.records("world-capitals", select="name", order_by="geoname_id"))
    asked = [entry.path.rpartition("/")[2] for entry in ods_portal.requests[-4:]]
    assert asked == ["world-capitals", "records", "records", "world-capitals"]
    assert len(rows) == len(ordered) == 110
    assert len(list(client.records("world-capitals", limit=105))) == 105
    assert next(client.records("world-capitals", limit=100))
    assert ods_portal.requests[-1].path.endswith("/records")


def test_rows_of_a_query_that_groups_are_all_its_groups(client: OdsClient) -> None:
    found = list(client.rows("world-capitals", Query.of(select="count(*) as n", group_by="geoname_id")))
    assert len(found) == 110
    assert sum(row["n"] for row in found) == 110


@pytest.mark.at_length
def test_beyond_the_window_the_catalogue_is_read_from_a_list_as_it_comes() -> None:
    count = WINDOW_ROWS + 50
    found = [{"dataset_id": f"d-{number}", "metas": {"default": {"title": 'x, ] "' * 20}}} for number in range(count)]
    first = answer(json.dumps({"total_count": count, "results": found[:100]}).encode())
    text = json.dumps(found).encode()
    pieces = [text[start : start + 70_000] for start in range(0, len(text), 70_000)]
    cut = chunked([json.dumps(found[:-1]).encode()], "Content-Type: application/json")
    whole = chunked(pieces, "Content-Type: application/json")
    strange = answer(b'{"rows": [{"dataset_id": "d"}]}')
    ids = chunked([json.dumps([{"dataset_id": each["dataset_id"]} for each in reversed(found)]).encode()])
    script = [first, ids, whole, ids, first, ids, cut, first, ids, strange]
    with replay(*script) as portal, OdsClient(portal.url, max_retries=0) as client:
        assert list(client.datasets(typed=False)) == found
        assert "/catalog/exports/json?" in portal.lines[-2]
        assert "select=dataset_id" in portal.lines[-1]
        with pytest.raises(OdsIncomplete, match=f"held {count - 1:,} rows where the portal counted {count:,}"):
            list(client.datasets(typed=False))
        with pytest.raises(OdsTruncated, match="is no array"):
            list(client.datasets(typed=False))


def test_links_and_technical_fields_come_where_they_are_asked_for(client: OdsClient, ods_portal: Any) -> None:
    row = next(client.records("world-capitals", include_links=True, include_app_metas=True, limit=1))
    asked = ods_portal.requests[-1].query
    assert "include_links=true" in asked
    assert "include_app_metas=true" in asked
    assert row["name"]
    next(client.datasets(include_links=True, include_app_metas=True, limit=1))
    assert "include_app_metas=true" in ods_portal.requests[-1].query
    assert client.dataset_object("world-capitals", include_links=True)["dataset_id"] == "world-capitals"


def test_links_of_more_rows_than_the_window_are_refused_with_advice(big: LocalPortal) -> None:
    with OdsClient(big.url) as client, pytest.raises(OdsConfigError, match=f"at most {WINDOW_ROWS}"):
        list(client.records("synthetic-rows", include_links=True))


def test_one_record_is_looked_up_by_its_id(client: OdsClient, ods_portal: Any) -> None:
    found = ods_portal.store.cursor().execute('SELECT "$id", name FROM "data world-capitals" LIMIT 1').fetchone()
    row = client.record("world-capitals", found[0])
    assert row["name"] == found[1]
    assert isinstance(row["modification_date"], date)
    assert client.record("world-capitals", found[0], select="name", typed=False) == {"name": found[1]}
    with pytest.raises(OdsNotFound):
        client.record("world-capitals", "0" * 40)


def test_time_zone_and_language_travel_with_the_query(client: OdsClient, ods_portal: Any) -> None:
    row = next(client.records("live-readings", order_by="sensor_id", timezone="Europe/Paris", lang="fr", typed=False))
    assert row["at"] == "2026-01-05T09:00:00+01:00"
    assert "lang=fr" in ods_portal.requests[-1].query
    typed = next(client.records("live-readings", order_by="sensor_id", timezone="Europe/Paris"))
    assert typed["at"] == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def test_counting_narrows_by_every_kind_of_filter(client: OdsClient, ods_portal: Any) -> None:
    rows = ods_portal.rows("world-capitals")
    european = [row for row in rows if row["timezone"].startswith("Europe")]
    assert client.count("world-capitals") == len(rows)
    assert client.count("world-capitals", refine={"timezone": "Europe"}) == len(european)
    assert client.count("world-capitals", exclude={"timezone": "Europe"}) == len(rows) - len(european)
    assert client.count("world-capitals", where=["population > 1000000", "population < 2000000"]) == sum(
        1_000_000 < row["population"] < 2_000_000 for row in rows
    )
    assert client.count(None) == len(ods_portal.store.datasets)


def test_an_export_short_of_rows_raises_at_its_end(big: LocalPortal) -> None:
    big.reset()
    big.fault("short_rows", path="/exports/")
    with (
        OdsClient(big.url) as client,
        pytest.raises(OdsIncomplete, match="10,499 rows where the portal counted 10,500"),
    ):
        list(client.records("synthetic-rows"))


def test_dropping_the_iterator_closes_the_stream(big: LocalPortal) -> None:
    big.reset()
    with OdsClient(big.url) as client:
        rows = client.records("synthetic-rows")
        assert next(rows)
        rows.close()  # type: ignore[attr-defined]
        assert client.count("synthetic-rows") == 10_500


# Catalogue


def test_datasets_have_aware_times(client: OdsClient) -> None:
    dataset = next(client.datasets(where='dataset_id = "world-capitals"'))
    assert dataset["metas"]["default"]["data_processed"] == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    plain = next(client.datasets(where='dataset_id = "world-capitals"', typed=False))
    assert plain["metas"]["default"]["data_processed"] == "2026-01-05T08:00:00+00:00"
    picked = next(client.datasets(select="dataset_id, modified", limit=1))
    assert isinstance(picked["modified"], datetime)


def test_a_dataset_is_a_value_with_its_fields(client: OdsClient) -> None:
    dataset = client.dataset("world-capitals")
    assert dataset.records_count == 110
    assert dataset.field("population").type == "int"  # type: ignore[union-attr]
    assert dataset.field("alternate_names").multivalued  # type: ignore[union-attr]


def test_the_catalogue_is_grouped_and_has_facets_of_its_own(client: OdsClient, ods_portal: Any) -> None:
    groups = client.aggregate(None, select="count(*) as n", group_by="theme")
    themes = Counter(theme for state in ods_portal.store.datasets.values() for theme in state.theme)
    assert {row["theme"]: row["n"] for row in groups if row["theme"]} == themes
    assert dict(client.facets(facet="theme")["theme"]) == themes
    assert "keyword" in client.facets()


def test_formats_and_attachments_are_listed(client: OdsClient) -> None:
    assert {"csv", "parquet", "geojson"} <= set(client.export_formats("world-capitals"))
    assert "geojson" not in client.export_formats("live-readings")
    assert "csv" in client.export_formats()
    readme = client.attachments("landmark-photos")[0]
    assert (readme["id"], readme["mimetype"]) == ("readme_txt", "text/plain")
    assert b"".join(client.file("landmark-photos", readme["url"])).startswith(b"Licence")
    assert client.alternative_exports("world-capitals") == []


# Aggregates and facets


def test_groups_by_range_and_by_function_of_a_date(client: OdsClient, ods_portal: Any) -> None:
    rows = ods_portal.rows("world-capitals")
    by_year = client.aggregate("world-capitals", select="count(*) as n", group_by="year(modification_date) as y")
    assert sum(row["n"] for row in by_year) == len(rows)
    by_size = client.aggregate(
        "world-capitals", select="count(*) as n", group_by="range(population, *, 100000, 1000000, *) as size"
    )
    assert sorted(row["n"] for row in by_size) == sorted(
        [
            sum(row["population"] < 100_000 for row in rows),
            sum(100_000 <= row["population"] < 1_000_000 for row in rows),
            sum(row["population"] >= 1_000_000 for row in rows),
        ]
    )


def test_a_facet_call_sorts_and_limits(client: OdsClient) -> None:
    found = client.facets("world-capitals", facet='facet(name="cou_name_en", sort="alphanum", limit=3)')
    assert [value for value, _ in found["cou_name_en"]] == ["Afghanistan", "Albania", "Algeria"]


def test_a_facet_call_beyond_the_hundred_is_completed_as_it_was_asked(client: OdsClient, ods_portal: Any) -> None:
    found = client.facets("world-capitals", facet='facet(name="name", sort="-alphanum", limit=105)')["name"]
    names = sorted((row["name"] for row in ods_portal.rows("world-capitals")), reverse=True)
    assert [value for value, _ in found] == names[:105]


def test_a_whole_facet_equals_a_count_made_on_the_source(client: OdsClient, ods_portal: Any) -> None:
    found = client.facets("world-capitals", facet=["name"], where="population > 100000")
    assert dict(found["name"]) == Counter(
        row["name"] for row in ods_portal.rows("world-capitals") if row["population"] > 100_000
    )


# Exports


def test_an_export_of_a_dataset_comes_in_pieces_with_its_options(client: OdsClient) -> None:
    text = b"".join(
        client.export("world-capitals", format="csv", select="name, population", format_options={"delimiter": "|"})
    ).decode()
    rows = list(csv.DictReader(io.StringIO(text), delimiter="|"))
    assert len(rows) == 110
    assert {"name": "Beijing", "population": "18960744"} in rows
    labelled = b"".join(client.export("world-capitals", format="csv", limit=1, format_options={"use_labels": True}))
    assert labelled.startswith(b"Geoname ID,Name,")


def test_an_export_of_the_catalogue(client: OdsClient) -> None:
    datasets = json.loads(b"".join(client.export()))
    assert {dataset["dataset_id"] for dataset in datasets} >= {"world-capitals", "live-readings"}
    with pytest.raises(OdsConfigError, match="of the catalogue"):
        list(client.export(format="parquet"))


# Realtime


def test_records_are_pushed_upserted_and_deleted(client: OdsClient, ods_portal: Any) -> None:
    record = {"sensor_id": "c-1", "at": datetime(2026, 5, 1, tzinfo=UTC), "value": 1.5}
    assert client.push("live-readings", "realtime", [record])["rows"] == 1
    client.push("live-readings", "realtime", [record | {"value": 2}])
    stored = [row for row in client.records("live-readings") if row["sensor_id"] == "c-1"]
    assert [(row["at"], row["value"]) for row in stored] == [(record["at"], 2.0)]
    client.delete("live-readings", "realtime", [record])
    assert client.count("live-readings", where='sensor_id = "c-1"') == 0


def test_one_record_is_deleted_by_its_id(client: OdsClient, ods_portal: Any) -> None:
    found = ods_portal.store.cursor().execute('SELECT "$id" FROM "data live-readings" LIMIT 1').fetchone()
    assert client.delete("live-readings", "realtime", record_id=found[0])["rows"] == 1
    assert client.count("live-readings") == 2


# Refusals


def test_gated_unknown_and_malformed_are_told_apart(ods_portal: Any) -> None:
    with OdsClient(ods_portal.url) as anonymous:
        with pytest.raises(OdsAuthError, match="gated"):
            list(anonymous.records("gated-loads"))
        with pytest.raises(OdsNotFound, match="nowhere"):
            list(anonymous.records("nowhere"))
        with pytest.raises(OdsQueryError, match="nothing"):
            list(anonymous.records("world-capitals", where="nothing = 1", typed=False))
    with OdsClient(ods_portal.url, api_key="wrong") as wrong, pytest.raises(OdsAuthError, match="API key") as caught:
        wrong.count("world-capitals")
    assert caught.value.status == 401


def test_a_query_too_long_for_a_url_is_refused_with_advice_before_it_is_sent(
    client: OdsClient, ods_portal: Any
) -> None:
    where = " OR ".join(f'name = "City number {number}"' for number in range(1_200))
    with pytest.raises(OdsConfigError, match=r"more than a URL may hold.*POST"):
        client.count("world-capitals", where=where)
    assert ods_portal.requests == []


def test_the_client_shows_no_key(client: OdsClient, ods_portal: Any) -> None:
    assert repr(client) == f"OdsClient('{ods_portal.url}', key=sent)"


def test_an_address_or_nothing_is_no_dataset_on_either_api_and_costs_no_call(
    client: OdsClient, ods_portal: Any
) -> None:
    address = "https://data.example.org/explore/dataset/world-capitals/information/"
    asked: list[Any] = [
        client.dataset,
        client.count,
        lambda given: list(client.records(given)),
        lambda given: client.record(given, "x"),
        client.attachments,
        lambda given: client.push(given, "realtime", [{}]),
        client.v1.dataset,
        client.v1.search_records,
        lambda given: client.v1.record(given, "x"),
    ]
    for ask in asked:
        with pytest.raises(OdsConfigError, match="Pass 'world-capitals'"):
            ask(address)
        with pytest.raises(OdsConfigError, match="dataset_id is empty"):
            ask("")
    assert not ods_portal.requests


@pytest.mark.parametrize(
    "ask",
    [
        lambda client, half: list(client.records("world-capitals", where=f'name = "{half}"')),
        lambda client, half: list(client.records("world-capitals", refine={"country": half})),
        lambda client, half: list(client.records("world-capitals", lang=half)),
        lambda client, half: list(client.records(half)),
        lambda client, half: client.dataset(half),
        lambda client, half: client.push(half, "realtime", [{"a": 1}]),
        lambda client, half: client.push("live-readings", "realtime", [{"sensor_id": half}]),
        lambda client, half: client.delete("live-readings", "realtime", record_id=half),
        lambda client, half: list(client.file("landmark-photos", f"/{half}")),
        lambda client, half: client.v1.search_records("world-capitals", q=half),
    ],
)
def test_half_a_character_is_refused_wherever_it_stands(client: OdsClient, ask: Any) -> None:
    with pytest.raises(OdsError):
        ask(client, "\ud83d")


def test_a_field_that_the_schema_does_not_name_is_refused_before_anything_is_sent(
    client: OdsClient, ods_portal: Any
) -> None:
    record = {"sensor_id": "x", "at": "2026-03-01T00:00:00", "valeu": 1}
    for call in (client.push, client.delete):
        with pytest.raises(OdsConfigError, match=r"record 1 names 'valeu', .*unknown_fields"):
            call("live-readings", "realtime", [{"sensor_id": "x"}, record])
    assert not any(entry.method == "POST" for entry in ods_portal.requests)
    assert client.push("live-readings", "realtime", [record], unknown_fields="send")["rows"] == 1


def test_the_schema_is_asked_for_once_and_anew_after_a_refusal(client: OdsClient, ods_portal: Any) -> None:
    def looks() -> int:
        return sum(entry.method == "GET" for entry in ods_portal.requests)

    record = {"sensor_id": "x", "at": "2026-03-01T00:00:00"}
    for _ in range(3):
        client.push("live-readings", "realtime", [record])
    assert looks() == 1
    for _ in range(2):
        with pytest.raises(OdsConfigError, match="valeu"):
            client.push("live-readings", "realtime", [record | {"valeu": 1}])
    client.push("live-readings", "realtime", [record])
    assert looks() == 3


def test_a_key_that_sees_no_dataset_pushes_and_asks_once() -> None:
    unseen = answer(b'{"error_code": "NotFoundResource", "message": "unseen"}', "404 Not Found")
    taken = answer(b'{"status": "OK"}')
    with replay(unseen, taken, taken) as server, OdsClient(server.url, push_api_key="k3y") as made:
        for _ in range(2):
            assert made.push("d", "r", [{"any": "name"}])["rows"] == 1
        assert [line.partition(" ")[0] for line in server.lines] == ["GET", "POST", "POST"]


# What a newcomer types


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.count("world-capitals"),
        lambda client: list(client.records("world-capitals")),
        lambda client: client.v1.search_records("world-capitals"),
        lambda client: list(client.export("world-capitals")),
    ],
)
def test_a_client_that_was_closed_says_so(client: OdsClient, ods_portal: Any, ask: Any) -> None:
    client.close()
    client.close()
    with pytest.raises(OdsConfigError, match="the client is closed"):
        ask(client)
    assert not ods_portal.requests


def test_one_record_alone_is_one_record_as_in_the_jobs(client: OdsClient, ods_portal: Any) -> None:
    record = {"sensor_id": "alone", "at": "2026-03-01T00:00:00+00:00", "value": 1.5}
    assert client.push("live-readings", "realtime", record)["rows"] == 1
    assert client.delete("live-readings", "realtime", record)["rows"] == 1
    with pytest.raises(OdsConfigError, match="record 0 names 'a'"):
        client.push("live-readings", "realtime", {"a": record})


def test_an_argument_that_is_none_is_named_with_the_method(client: OdsClient, ods_portal: Any) -> None:
    for ask in (
        lambda: client.record("world-capitals", "x", wehre="1"),  # type: ignore[call-arg]
        lambda: client.dataset_object("world-capitals", wehre="1"),  # type: ignore[call-arg]
        lambda: next(client.export("world-capitals", wehre="1")),  # type: ignore[call-arg]
    ):
        with pytest.raises(TypeError, match=r"(record|dataset_object|export)\(\) got an unexpected .*'wehre'"):
            ask()
    assert not ods_portal.requests


def test_a_user_name_is_given_to_the_client_itself(ods_portal: Any) -> None:
    with pytest.raises(OdsConfigError, match="OdsClient's argument login"):
        OdsClient(ods_portal.url, api_key="x", auth="basic")
    with OdsClient(ods_portal.url, api_key="x", auth="basic", login="ada") as client:
        assert client.connection.login == "ada"
