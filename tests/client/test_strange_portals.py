"""Portals that answer otherwise than most: moved, deprecated, imitated. Byte by byte over a socket."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from replay import Play, answer, chunked, replay

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsMoved, OdsNotAPortal, OdsQueryError


def body(value: Any) -> Play:
    return answer(json.dumps(value).encode())


def page(*rows: dict[str, Any], total: int | None = None) -> Play:
    return body({"total_count": len(rows) if total is None else total, "results": list(rows)})


def schema(*fields: dict[str, Any]) -> Play:
    return body({"dataset_id": "d", "fields": list(fields)})


def field(name: str, type: str, **annotations: Any) -> dict[str, Any]:
    return {"name": name, "type": type, "annotations": annotations}


def test_a_portal_that_moved_is_named_and_its_key_stays_here() -> None:
    with replay(answer(b"", "301 Moved Permanently", "Location: https://data.elsewhere.org/api")) as server:
        client = OdsClient(server.url, api_key="a-key")
        with pytest.raises(OdsNotAPortal, match=r"data\.elsewhere\.org.*allowed_hosts"):
            client.count("d")
        assert len(server.requests) == 1


def test_an_allowed_host_is_followed_with_the_key() -> None:
    with replay(page(total=7)) as there:
        moved = answer(b"", "308 Permanent Redirect", f"Location: {there.url}/api/x?limit=0")
        with replay(moved) as here:
            client = OdsClient(here.url, api_key="a-key", allowed_hosts=f"127.0.0.1:{there.port}")
            assert client.count("d") == 7
        assert there.header("Authorization") == "Apikey a-key"


def test_an_id_with_an_at_sign_is_percent_encoded() -> None:
    with replay(page(total=1)) as server:
        OdsClient(server.url).count("geonames-postal-code@public")
        assert "/datasets/geonames-postal-code%40public/records?" in server.lines[0]


def test_a_deprecation_is_logged_once_for_each_client(caplog: pytest.LogCaptureFixture) -> None:
    old = answer(
        b'{"total_count": 1, "results": []}',
        "200 OK",
        "ODS-Explore-API-Deprecation: This version ends in June",
        'Link: <https://help.example.org/v2?from=my-secret-key>; rel="deprecation"',
    )
    with replay(old, old, old) as server, caplog.at_level(logging.WARNING, "ods_provider"):
        client = OdsClient(server.url, api_key="my-secret-key")
        client.count("d")
        client.count("d")
        assert len(caplog.records) == 1
        assert "my-secret-key" not in caplog.text
        assert "ends in June" in caplog.text
        assert "help.example.org" in caplog.text
        OdsClient(server.url).count("d")
        assert len(caplog.records) == 2


def test_times_without_an_offset_are_utc_and_points_in_any_spelling_are_lon_and_lat() -> None:
    # As the compatibility layers of other products answer.
    fields = schema(
        field("at", "datetime"),
        field("day", "date"),
        field("month", "date", timeserie_precision="month"),
        field("here", "geo_point_2d"),
        field("there", "geo_point_2d"),
        field("tags", "text", multivalued=";"),
        field("days", "date", multivalued=","),
    )
    row = {
        "at": "2026-01-01T10:00:00",
        "day": "2020",
        "month": "2020-01-31",
        "here": [48.85, 2.35],
        "there": "48.85, 2.35",
        "tags": "a;b",
        "days": ["2020-01-01", "2020"],
        "more": "2020-01-01",
    }
    with replay(fields, page(row)) as server:
        (typed,) = OdsClient(server.url).records("d")
    paris = {"lon": 2.35, "lat": 48.85}
    assert typed == {
        "at": datetime(2026, 1, 1, 10, tzinfo=UTC),
        "day": "2020",
        "month": "2020-01-31",
        "here": paris,
        "there": paris,
        "tags": ["a", "b"],
        "days": [date(2020, 1, 1), "2020"],
        "more": "2020-01-01",
    }


def test_values_that_do_not_fit_their_type_stay_as_they_came() -> None:
    fields = schema(field("at", "datetime"), field("day", "date"), field("here", "geo_point_2d"), field("n", "double"))
    row = {"at": "soon", "day": 7, "here": "nowhere", "n": "many"}
    with replay(fields, page(row)) as server:
        assert list(OdsClient(server.url).records("d")) == [row]


STATE = body({"dataset_id": "d", "metas": {"default": {"data_processed": "2026-01-01T00:00:00Z"}}})


def test_numbers_beyond_64_bits_stay_exact_in_pages_and_in_exports() -> None:
    row = {"n": 123_456_789_012_345_678_901_234}
    lines = chunked([json.dumps(row).encode() + b"\n"] * 10_001)
    with replay(page(row), page(row, total=10_001), STATE, lines, STATE) as server:
        client = OdsClient(server.url)
        assert list(client.records("d", typed=False)) == [row]
        rows = list(client.records("d", typed=False))
    assert len(rows) == 10_001
    assert all(found == row for found in rows)


def test_lines_cut_at_every_place_are_put_together_again() -> None:
    row = {"text": 'Zürich "城市"\u2028\n', "n": 1}
    line = (json.dumps(row, ensure_ascii=False) + "\r\n").encode()
    data = line * 10_001
    pieces = [data[start : start + 977] for start in range(0, len(data), 977)]
    with replay(page(row, total=10_001), STATE, chunked(pieces), STATE) as server:
        assert list(OdsClient(server.url).records("d", typed=False)) == [row] * 10_001


def test_what_is_no_list_of_rows_names_the_imitation() -> None:
    with replay(body({"results": []})) as server, pytest.raises(OdsNotAPortal, match="imitate"):
        list(OdsClient(server.url).records("d", typed=False))
    with replay(body({"fields": []})) as server, pytest.raises(OdsNotAPortal, match="dataset_id expected"):
        OdsClient(server.url).dataset("d")


def test_a_portal_that_refuses_a_long_url_itself_gives_the_same_advice() -> None:
    page_ = answer(b"<html>414 Request-URI Too Large</html>", "414 Request-URI Too Large", "Content-Type: text/html")
    with replay(page_) as server, pytest.raises(OdsQueryError, match="too long for a URL") as caught:
        OdsClient(server.url).count("d", where=" or ".join(["x = 1"] * 1_000))
    assert re.match(r"The portal takes no URL of 1\d{4} bytes", str(caught.value))
    assert len(str(caught.value)) < 700  # what is wrong is not lost in the query itself


def test_a_hierarchy_beyond_the_hundred_is_counted_by_its_first_level() -> None:
    values = [{"name": f"v{n}", "value": f"v{n}", "count": 1, "state": "displayed"} for n in range(100)]
    facet = body({"links": [], "facets": [{"name": "zone", "facets": values}]})
    groups = [{"ods_value": f"v{n}/a", "ods_rows": 2} for n in range(120)]
    groups += [{"ods_value": "v0/b", "ods_rows": 5}, {"ods_value": None, "ods_rows": 9}]
    fields = schema(field("zone", "text", hierarchical="/"))
    with replay(facet, fields, chunked([json.dumps(groups).encode()])) as server:
        found = OdsClient(server.url).facets("d", facet="zone")["zone"]
    assert found[0] == ("v0", 7)
    assert len(found) == 120


def test_deeper_levels_of_a_facet_follow_their_parent() -> None:
    deep = {"name": "2026", "value": "2026", "count": 3, "facets": [{"name": "01", "value": "2026/01", "count": 3}]}
    with replay(body({"facets": [{"name": "at", "facets": [deep]}]})) as server:
        found = OdsClient(server.url).facets("d", facet="at", refine={"at": "2026"})
        assert found == {"at": [("2026", 3), ("2026/01", 3)]}


def test_an_attachment_that_no_browser_could_fetch_gets_its_endpoint() -> None:
    item = {"metas": {"title": "cities.zip", "id": "cities_zip", "url": "odsfile://cities.zip"}}
    with replay(body({"attachments": [item]}), answer(b"PK", "200 OK", "Content-Type: application/zip")) as server:
        client = OdsClient(server.url)
        (found,) = client.attachments("d@x")
        assert found["url"] == "/api/explore/v2.1/catalog/datasets/d%40x/attachments/cities_zip"
        assert b"".join(client.file("d@x", found["url"])) == b"PK"


def test_a_page_is_a_file_only_where_its_address_or_its_listed_type_says_so() -> None:
    page = answer(b"<html>Report</html>", "200 OK", "Content-Type: text/html")
    with replay(page, page, page, page) as server:
        client = OdsClient(server.url)
        for address, listed in (("/a/page_html", None), ("/a/Page.HTM/?x=1", None), ("/a/page", "text/html")):
            assert b"".join(client.file("d", address, mimetype=listed)) == b"<html>Report</html>"
        with pytest.raises(OdsNotAPortal, match="A web page came instead of the file"):
            list(client.file("d", "/a/page.png?name=x.html"))


def test_pages_of_a_dataset_that_counts_otherwise_meanwhile_are_not_put_together() -> None:
    first = [{"id": number, "_id": f"{number}"} for number in range(100)]
    second = [{"id": number, "_id": f"{number}"} for number in range(100, 150)]
    with replay(STATE, page(*first, total=150), page(*second, total=151)) as server:
        client = OdsClient(server.url)
        with pytest.raises(OdsMoved, match="counted 150 rows, and now 151"):
            list(client.records("d", order_by="id", typed=False))
