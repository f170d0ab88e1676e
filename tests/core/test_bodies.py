"""A body that breaks off is asked for again as a request is: pages, groups, exports and files, whoever reads them."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from replay import Play, answer, chunked, replay

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsError, OdsMismatch, OdsNotAPortal, OdsQuotaExceeded, OdsTruncated
from ods_provider.core.wire import Headers, Response

ROWS = [{"n": number, "name": "Zürich " * 9} for number in range(10_000)]
LINES = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)
GROUPS = json.dumps([{"ods_value": f"v{number}", "ods_rows": 7} for number in range(120)]).encode()


def client(url: str, **settings: Any) -> OdsClient:
    return OdsClient(url, sleep=lambda seconds: None, **settings)


def page(total: int, *rows: Any) -> Play:
    return answer(json.dumps({"total_count": total, "results": list(rows)}).encode())


def broken(body: bytes) -> Play:
    """An answer that ends with its connection: nothing tells that more was to come."""
    return answer(body, length=False)


COUNT = json.dumps({"total_count": 7, "results": []}).encode()


@pytest.mark.parametrize("cut", [b"", b" \r\n", COUNT[:1], COUNT[:9], COUNT[:17], COUNT[:-1]])
def test_a_json_answer_that_is_empty_or_cut_is_asked_for_again(cut: bytes) -> None:
    with replay(broken(cut), answer(COUNT)) as server:
        assert client(server.url).count("d") == 7
        assert len(server.requests) == 2


def test_an_answer_cut_every_time_says_so_and_may_pass() -> None:
    with (
        replay(*[broken(COUNT[:9])] * 3) as server,
        pytest.raises(OdsTruncated, match="ends before it is whole") as told,
    ):
        client(server.url, max_retries=2).count("d")
    assert told.value.transient
    assert "gated" not in str(told.value)


@pytest.mark.parametrize("body", [b'{"total_count": 7, "results": [}', b'{"total_count": NaN, "results": []}', b"{]"])
def test_json_that_is_broken_is_no_cut_and_is_not_asked_for_again(body: bytes) -> None:
    with replay(answer(body), answer(COUNT)) as server, pytest.raises(OdsNotAPortal):
        client(server.url).count("d")
    assert len(server.requests) == 1


def test_groups_that_come_as_an_export_are_asked_for_again() -> None:
    facet = {"name": "zone", "facets": [{"name": f"v{number}", "count": 7} for number in range(100)]}
    first = answer(json.dumps({"facets": [facet]}).encode())
    schema = answer(json.dumps({"dataset_id": "d", "fields": []}).encode())
    for cut in (chunked([GROUPS[:700]], end=False), broken(GROUPS[:700]), broken(b"")):
        with replay(first, schema, cut, answer(GROUPS)) as server:
            assert len(client(server.url).facets("d", facet="zone")["zone"]) == 120


def test_a_file_goes_on_where_it_broke_off() -> None:
    content = bytes(range(256)) * 3_000
    cut = [chunked([content[:at]], "Content-Type: image/png", end=False) for at in (300_000, 10, 700_000)]
    with replay(*cut, answer(content, "200 OK", "Content-Type: image/png")) as server:
        assert b"".join(client(server.url).file("d", "/files/a.png")) == content
        assert len(server.requests) == 4


def test_an_export_goes_on_where_it_broke_off_and_a_mapping_of_rows_too() -> None:
    whole, cut = chunked([LINES]), chunked([LINES[:700_000]], end=False)
    with replay(cut, whole) as server:
        portal = client(server.url)
        assert b"".join(portal.export("d", format="jsonl")) == LINES
        cut_v1 = chunked([b"n;name\r\n1;a\r\n"], end=False)
        hits = answer(b'{"nhits": 2, "records": []}')
        server.script[:] = [hits, cut_v1, chunked([b"n;name\r\n1;a\r\n2;b\r\n"])]
        assert list(portal.v1.download("d")) == [{"n": "1", "name": "a"}, {"n": "2", "name": "b"}]
        server.script[:] = [hits, cut_v1, chunked([b"n;name\r\n1;a\r\n2;b\r\n"])]
        assert b"".join(iter(portal.v1.download("d").read, b"")).endswith(b"2;b\r\n")


def test_an_answer_that_begins_with_other_bytes_is_never_joined_to_what_was_handed_out() -> None:
    cut = chunked([LINES[:700_000]], end=False)
    other = chunked([b"".join(reversed(LINES.splitlines(keepends=True)))])
    with replay(cut, other) as server:
        handed_out = io.BytesIO()
        with pytest.raises(OdsMismatch, match="begins with others now"):
            handed_out.writelines(client(server.url).export("d", format="jsonl"))
        assert LINES.startswith(handed_out.getvalue())
        assert len(server.requests) == 2


def test_a_body_has_as_many_tries_as_a_request_however_often_it_breaks_off() -> None:
    cut = [chunked([LINES[: 300_000 + 60_000 * at]], end=False) for at in range(1, 9)]
    with replay(*cut) as server:
        with pytest.raises(OdsError):
            list(client(server.url, max_retries=3).export("d", format="jsonl"))
        assert len(server.requests) == 4


def test_a_quota_that_ends_meanwhile_says_when_it_returns() -> None:
    spent = {"errorcode": 10002, "reset_time": "2099-01-01T00:00:00Z", "call_limit": 1, "error": "Too many requests"}
    refused = answer(json.dumps(spent).encode(), "429 Too Many Requests")
    with replay(chunked([LINES[:700_000]], end=False), refused) as server, pytest.raises(OdsQuotaExceeded) as told:
        list(client(server.url).export("d", format="jsonl"))
    assert told.value.reset_at is not None


@pytest.mark.parametrize(
    ("headers", "marked"),
    [
        ({"Content-Length": "7"}, True),
        ({"Transfer-Encoding": "Chunked"}, True),
        ({"Content-Encoding": "gzip"}, True),
        ({"Content-Encoding": "identity"}, False),
        ({}, False),
    ],
)
def test_what_ends_with_its_connection_has_no_mark_of_its_end(headers: dict[str, str], marked: bool) -> None:
    assert Response(200, Headers(headers), "https://h/x").ends_marked is marked
