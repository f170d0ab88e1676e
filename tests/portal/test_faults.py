"""Each fault does what its name says, once, and where it was asked for."""

import gzip
import time

import pytest
import requests
from urllib3.exceptions import ProtocolError

EXPORT = "/datasets/world-capitals/exports/csv"


def raw(ask, encoding="identity"):
    answer = ask("/api/explore/v2.1/catalog" + EXPORT, headers={"accept-encoding": encoding}, stream=True)
    return answer, answer.raw


def test_a_status_comes_with_its_body_and_headers(ask):
    ask.portal.fault(
        "status", status=502, body="<h1>Bad Gateway</h1>", headers={"content-type": "text/html"}, retry_after=3
    )
    answer = ask.get("/datasets")
    assert (answer.status_code, answer.text) == (502, "<h1>Bad Gateway</h1>")
    assert answer.headers["retry-after"] == "3"
    assert ask.get("/datasets").status_code == 200


def test_a_login_page_comes_with_200(ask):
    ask.portal.fault("login_html")
    answer = ask.get("/datasets")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert 'type="password"' in answer.text


def test_another_page_comes_in_place_of_the_answer(ask):
    ask.portal.fault("html", status=503)
    answer = ask.get("/datasets")
    assert answer.status_code == 503
    assert answer.text.startswith("<!DOCTYPE html>")


def test_an_error_comes_with_200_where_a_file_was_asked_for(ask):
    ask.portal.fault("json_error", message="the disk is full")
    answer = ask.get(EXPORT)
    assert answer.status_code == 200
    assert answer.json()["message"] == "the disk is full"


@pytest.mark.parametrize("after_bytes", [0, 500, 1_000])
def test_a_cut_ends_the_connection_within_the_body(ask, after_bytes):
    ask.portal.fault("cut", after_bytes=after_bytes)
    answer, body = raw(ask)
    got = b""
    with pytest.raises(ProtocolError):
        for piece in body.stream(100):
            got += piece
    assert len(got) <= after_bytes
    answer.close()


def test_a_short_gzip_ends_as_if_it_were_whole(ask):
    ask.portal.fault("short_gzip", after_bytes=300)
    answer, body = raw(ask, "gzip")
    packed = body.read(decode_content=False)
    assert len(packed) == 300
    with pytest.raises(EOFError):
        gzip.decompress(packed)
    answer.close()


@pytest.mark.parametrize("format", ["csv", "json", "jsonl", "parquet"])
def test_short_rows_leave_rows_out_and_look_whole(ask, format):
    ask.portal.fault("short_rows", rows=3, path="/exports/")
    short = ask.export(format)
    whole = ask.export(format)
    assert len(short.content) < len(whole.content)
    if format == "json":
        assert (len(short.json()), len(whole.json())) == (107, 110)


def test_a_stall_is_silence_before_or_within_the_answer(ask):
    for after_bytes in (0, 10):
        ask.portal.fault("stall", seconds=0.4, after_bytes=after_bytes)
        began = time.monotonic()
        assert len(ask.export("json").json()) == 110
        assert time.monotonic() - began > 0.35
    ask.portal.fault("stall", seconds=30)
    with pytest.raises(requests.exceptions.ReadTimeout):
        ask.session.get(ask.portal.url + "/api/explore/v2.1/catalog/datasets", timeout=0.2)


def test_a_throttle_makes_a_body_slow_and_leaves_it_whole(ask):
    ask.portal.fault("throttle", bytes_per_s=20_000)
    began = time.monotonic()
    answer, body = raw(ask)
    size = len(body.read())
    assert time.monotonic() - began > size / 20_000 * 0.8
    answer.close()


def test_a_quota_fault_names_when_it_is_over(ask):
    ask.portal.fault("quota", errorcode=10005, unit="month", call_limit=7, reset_in_s=60)
    body = ask.get("/datasets").json()
    assert (body["errorcode"], body["limit_time_unit"], body["call_limit"]) == (10005, "month", 7)
    assert body["error"] == "You have exceeded the requests limit for anonymous users."


def test_a_429_may_come_without_a_body(ask):
    ask.portal.fault("bare_429")
    answer = ask.get("/datasets")
    assert (answer.status_code, answer.content) == (429, b"")


def test_a_redirect_leads_elsewhere(ask):
    ask.portal.fault("redirect", location="http://127.0.0.1:9/elsewhere", status=307)
    answer = ask("/api/explore/v2.1/catalog/datasets", allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "http://127.0.0.1:9/elsewhere")


def test_a_drop_closes_without_an_answer(ask):
    ask.portal.fault("drop")
    with pytest.raises(requests.exceptions.ConnectionError):
        ask.get("/datasets")
    assert ask.get("/datasets").status_code == 200


def test_an_export_may_look_empty(ask):
    ask.portal.fault("empty_gated", path="/exports/")
    assert ask.export("json").json() == []
    assert len(ask.export("json").json()) == 110


def test_a_fault_waits_for_its_path_and_its_turn(ask):
    ask.portal.fault("status", path="/records", skip=1, times=2)
    found = [ask.get("/datasets/world-capitals/records").status_code for _ in range(4)]
    assert found == [200, 503, 503, 200]
    ask.portal.fault("status", path="/records")
    assert ask.get("/datasets").status_code == 200
    ask.portal.clear_faults()
    assert ask.get("/datasets/world-capitals/records").status_code == 200


def test_a_fault_without_times_stays(ask):
    ask.portal.fault("status", times=None, status=500)
    assert [ask.get("/datasets").status_code for _ in range(3)] == [500, 500, 500]


def test_an_unknown_fault_is_refused_with_the_known_ones(ask):
    with pytest.raises(ValueError, match="there are status, login_html"):
        ask.portal.fault("flood")
    with pytest.raises(ValueError, match="takes after_bytes, not bytes"):
        ask.portal.fault("cut", bytes=3)
