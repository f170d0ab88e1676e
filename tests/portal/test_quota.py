"""Quotas: headers on what succeeds only, both spellings, both kinds, and a 429 of its own shape."""

import time
from datetime import UTC, datetime

RECORDS = "/datasets/world-capitals/records"


def quota(answer, infix=""):
    found = [answer.headers.get(f"X-RateLimit-{infix}{name}") for name in ("Limit", "Remaining", "Reset")]
    return None if found == [None] * 3 else tuple(found)


def test_each_success_counts_one_whatever_its_size(ask):
    ask.portal.set_quota(limit=1000)
    for left, path in enumerate(["/datasets", RECORDS, "/datasets/world-capitals/exports/csv", "/facets"], start=1):
        limit, remaining, reset = quota(ask.get(path))
        assert (limit, remaining) == ("1000", str(1000 - left))
        assert datetime.fromisoformat(reset) > datetime.now(UTC)
        assert reset.endswith(" 00:00:00+00:00")


def test_errors_have_no_quota_headers_and_count_nothing(ask):
    ask.portal.set_quota(limit=10)
    for path, params in (
        (RECORDS, {"limit": 101}),
        ("/datasets/nope", {}),
        ("/nope", {}),
        ("/datasets/gated-loads/records", {}),
    ):
        assert quota(ask.get(path, **params)) is None
    assert quota(ask.get("/datasets"))[1] == "9"


def test_the_reset_may_be_an_epoch(ask):
    before = time.time()
    ask.portal.set_quota(limit=10, reset_in_s=60, reset_spelling="epoch")
    assert int(before) + 60 <= int(quota(ask.get("/datasets"))[2]) <= time.time() + 60


def test_a_dataset_may_have_a_quota_of_its_own(ask):
    ask.portal.set_quota(limit=50_000, unit="month", dataset_id="world-capitals")
    both = ask.get(RECORDS)
    assert quota(both, "dataset-")[:2] == ("50000", "49999")
    assert quota(both) is not None
    other = ask.get("/datasets/landmark-photos/records")
    assert quota(other, "dataset-") is None


def test_a_spent_quota_answers_429_in_a_shape_of_its_own(ask):
    ask.portal.set_quota(limit=1, reset_in_s=3600)
    assert ask.get("/datasets").status_code == 200
    answer = ask.get("/datasets")
    assert answer.status_code == 429
    assert quota(answer) is None
    body = answer.json()
    assert set(body) == {"errorcode", "reset_time", "limit_time_unit", "call_limit", "error"}
    assert (body["errorcode"], body["limit_time_unit"], body["call_limit"]) == (10002, "day", 1)
    assert body["error"] == "Too many requests on the domain. Please contact the domain administrator."
    assert datetime.strptime(body["reset_time"], "%Y-%m-%dT%H:%M:%SZ")


def test_a_spent_dataset_quota_stops_that_dataset_only(ask):
    ask.portal.set_quota(limit=7, remaining=0, unit="month", dataset_id="world-capitals")
    body = ask.get(RECORDS).json()
    assert (body["call_limit"], body["limit_time_unit"]) == (7, "month")
    assert ask.get("/datasets/landmark-photos/records").status_code == 200


def test_a_quota_comes_back_when_it_said(ask):
    ask.portal.set_quota(limit=5, remaining=0, reset_in_s=60)
    assert ask.get("/datasets").status_code == 429
    ask.portal.set_quota(limit=5, remaining=0, reset_in_s=0.01)
    time.sleep(0.02)
    assert quota(ask.get("/datasets"))[:2] == ("5", "4")


def test_a_portal_may_state_no_quota(another):
    assert quota(another(quota_limit=None).get("/datasets")) is None


def test_a_limit_may_be_wider_than_64_bits(another):
    limit = 99999999999999999999999
    assert quota(another(quota_limit=limit).get("/datasets"))[:2] == (str(limit), str(limit - 1))
