"""Realtime push: upsert, delete, keys, sizes."""

import json

import pytest

ROOT = "/api/push/1.0/live-readings/realtime"
KEY = {"pushkey": "demo-push-key"}
FIRST = {"sensor_id": "s-0", "at": "2026-01-05T08:00:00+00:00", "value": 0.0, "note": None}


def push(ask, records, *, verb="push", params=KEY, **more):
    return ask(f"{ROOT}/{verb}/", method="POST", params=params, json=records, **more)


def rows(ask):
    return ask.rows("live-readings", order_by="sensor_id, at", limit=100)


def test_one_record_or_many_are_added(ask):
    assert push(ask, {"sensor_id": "a", "at": "2026-02-01T00:00:00Z", "value": 1}).json() == {"status": "OK"}
    assert push(ask, [{"sensor_id": "b", "at": "2026-02-01T00:00:00Z"}, {"sensor_id": "c"}]).json() == {"status": "OK"}
    assert ask.total("live-readings") == 6
    assert rows(ask)[0] == {"sensor_id": "a", "at": "2026-02-01T00:00:00+00:00", "value": 1.0, "note": None}


def test_the_same_unique_id_replaces(ask):
    push(ask, FIRST | {"value": 9.5, "note": "new"})
    assert ask.total("live-readings") == 3
    assert rows(ask)[0] == FIRST | {"value": 9.5, "note": "new"}


def test_the_same_moment_in_another_zone_is_the_same_record(ask):
    push(ask, FIRST | {"at": "2026-01-05T09:00:00+01:00", "value": 9.5})
    assert ask.total("live-readings") == 3
    assert rows(ask)[0]["value"] == 9.5


def test_unknown_keys_are_dropped_and_bad_values_lost_without_a_word(ask):
    answer = push(ask, {"sensor_id": "x", "value": "high", "at": "soon", "colour": "red"})
    assert answer.json() == {"status": "OK"}
    assert rows(ask)[-1] == {"sensor_id": "x", "at": None, "value": None, "note": None}


def test_records_are_deleted_by_their_unique_id_fields(ask):
    assert push(ask, FIRST, verb="delete").json() == {"status": "OK"}
    assert ask.total("live-readings") == 2
    assert push(ask, [{"sensor_id": "s-1", "at": "2026-01-05T08:01:00Z"}], verb="delete").json() == {"status": "OK"}
    assert [row["sensor_id"] for row in rows(ask)] == ["s-2"]


def test_a_record_is_deleted_by_its_id(ask):
    (record,) = ask.rows("live-readings", where="sensor_id='s-0'", include_app_metas="true")
    assert ask(f"{ROOT}/{record['_id']}/delete/", params=KEY).json() == {"status": "OK"}
    assert ask.total("live-readings") == 2
    assert ask(f"{ROOT}/{record['_id']}/delete/", params=KEY).status_code == 404


def test_a_push_moves_the_dataset_s_times(ask):
    before = ask.whole("/datasets/live-readings")["metas"]["default"]["data_processed"]
    push(ask, {"sensor_id": "a"})
    once = ask.whole("/datasets/live-readings")["metas"]["default"]["data_processed"]
    push(ask, {"sensor_id": "b"})
    assert before < once < ask.whole("/datasets/live-readings")["metas"]["default"]["data_processed"]


def test_the_body_is_json_whatever_its_type_says(ask):
    answer = ask(
        f"{ROOT}/push/",
        method="POST",
        params=KEY,
        data=json.dumps({"sensor_id": "f"}),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.json() == {"status": "OK"}


@pytest.mark.parametrize(
    ("params", "status"),
    [({}, 401), ({"pushkey": ""}, 401), ({"pushkey": "wrong"}, 403), ({"apikey": "demo-key"}, 401)],
)
def test_only_the_push_key_opens(ask, params, status):
    assert push(ask, {"sensor_id": "a"}, params=params).status_code == status
    assert ask.total("live-readings") == 3


@pytest.mark.parametrize("body", [b"", b"[", b"1", b'"x"', b"[1]", b"null", b"\xff"])
def test_a_body_that_is_no_records_is_refused(ask, body):
    answer = ask(f"{ROOT}/push/", method="POST", params=KEY, data=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error_code", "message"}


def test_more_than_5_mb_are_refused(ask):
    record = {"sensor_id": "big", "note": "x" * 4_999_000}
    assert push(ask, record).status_code == 200
    answer = push(ask, record | {"note": "x" * 5_000_000})
    assert answer.status_code == 413
    assert "5000000" in answer.json()["message"]
    assert ask.total("live-readings") == 4


def test_without_the_slash_a_post_is_redirected(ask):
    answer = ask(f"{ROOT}/push", method="POST", params=KEY, json={"sensor_id": "a"}, allow_redirects=False)
    assert answer.status_code == 301
    assert ask(f"{ROOT}/push/", params=KEY).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/api/push/1.0/nope/realtime/push/",
        "/api/push/1.0/live-readings/nope/push/",
        "/api/push/1.0/world-capitals/realtime/push/",
    ],
)
def test_what_takes_no_push_is_not_found(ask, path):
    assert ask(path, method="POST", params=KEY, json={}).status_code == 404
