"""Several calls at once, and portals that come and go."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from ods_provider.testing.portal import LocalPortal

RECORDS = "/datasets/world-capitals/records"


@pytest.mark.at_length
def test_many_calls_at_once_each_get_their_own_answer(ask):
    def one(number):
        with requests.Session() as session:
            url = ask.portal.url + "/api/explore/v2.1/catalog"
            row = session.get(
                url + RECORDS, params={"limit": 1, "offset": number, "order_by": "geoname_id"}, timeout=20
            ).json()
            whole = session.get(url + "/datasets/world-capitals/exports/json", timeout=20).json()
            return row["results"][0]["geoname_id"], len(whole)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one, range(40)))
    assert found == [(str(1_000_000 + number), 110) for number in range(40)]
    assert int(ask.get("/datasets").headers["x-ratelimit-remaining"]) == 100_000 - 81


def test_pushes_at_once_lose_nothing(ask):
    def one(number):
        url = f"{ask.portal.url}/api/push/1.0/live-readings/realtime/push/?pushkey=demo-push-key"
        records = [{"sensor_id": f"p-{number}", "at": f"2026-03-01T00:00:{second:02}Z"} for second in range(5)]
        return requests.post(url, json=records, timeout=20).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(one, range(24))) == {200}
    assert ask.total("live-readings", where="startswith(sensor_id, 'p-')") == 120


def test_a_stalled_or_slow_export_holds_nobody_up(ask):
    for order in ({"kind": "stall", "seconds": 30, "after_bytes": 50}, {"kind": "throttle", "bytes_per_s": 500}):
        ask.portal.fault(times=6, path="/exports/", **order)
    answers = [
        requests.get(
            f"{ask.portal.url}/api/explore/v2.1/catalog/datasets/world-capitals/exports/json", stream=True, timeout=20
        )
        for _ in range(12)
    ]
    try:
        assert ask.session.get(ask.portal.url + "/api/explore/v2.1/catalog" + RECORDS, timeout=20).status_code == 200
    finally:
        for answer in answers:
            answer.close()


def test_a_portal_stops_and_another_takes_its_place():
    def serving():
        return {thread for thread in threading.enumerate() if thread.name == "ods-portal"}

    others = serving()
    with LocalPortal() as first:
        port = first.port
        assert requests.get(first.url + "/_control/health", timeout=20).ok
    with LocalPortal(port=port) as second:
        assert requests.get(second.url + "/_control/health", timeout=20).ok
        second.stop()
    assert serving() == others
