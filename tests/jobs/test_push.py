from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lab import PUSH_KEY, Lab, assert_no_key, told
from replay import answer, replay

from ods_provider.core.batches import batches
from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsNotAPortal, OdsQuotaExceeded
from ods_provider.core.limits import PUSH_BYTES
from ods_provider.core.outcome import Wait
from ods_provider.jobs.push import PushJob
from ods_provider.testing.portal import LocalPortal


def _reading(number: int, **more: Any) -> dict[str, Any]:
    return {"sensor_id": f"p-{number}", "at": "2026-02-01T00:00:00+00:00", "value": number / 2, **more}


def _push(records: Any = None, **how: Any) -> PushJob:
    return PushJob("live-readings", "realtime", records=records, **how)


def _pushed(portal: LocalPortal) -> dict[str, dict[str, Any]]:
    return {row["sensor_id"]: row for row in portal.rows("live-readings") if row["sensor_id"].startswith("p-")}


def test_records_arrive_and_the_outcome_counts_them(lab: Lab, portal: LocalPortal) -> None:
    result = lab.done(_push([_reading(number, note=f"Zürich {number}") for number in range(25)]))
    assert len(_pushed(portal)) == 25
    assert _pushed(portal)["p-7"]["note"] == "Zürich 7"
    assert (result["rows"], result["batches"], result["calls"]) == (25, 1, 1)


def test_the_same_unique_id_is_replaced(lab: Lab, portal: LocalPortal) -> None:
    lab.done(_push([_reading(1, note="old")]))
    lab.done(_push([_reading(1, note="new")]))
    assert [row["note"] for row in _pushed(portal).values()] == ["new"]


def test_nothing_to_push_makes_no_call(lab: Lab, portal: LocalPortal) -> None:
    assert lab.done(_push([]))["rows"] == 0
    assert portal.requests == []


def test_deleting_by_values_removes_them(lab: Lab, portal: LocalPortal) -> None:
    lab.done(_push([_reading(number) for number in range(5)]))
    result = lab.done(_push([_reading(number) for number in range(3)], action="delete"))
    assert sorted(_pushed(portal)) == ["p-3", "p-4"]
    assert (result["rows"], result["action"]) == (3, "delete")


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "parquet"])
def test_a_file_of_records_is_pushed(lab: Lab, portal: LocalPortal, out: Path, ending: str) -> None:
    records = [_reading(number, note='ü,;"') for number in range(12)]
    path = out / f"records.{ending}"
    if ending == "jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    elif ending == "json":
        path.write_text(json.dumps(records))
    elif ending == "csv":
        path.write_text(
            "\ufeffsensor_id;at;value;note\r\n"
            + "".join(f'{r["sensor_id"]};{r["at"]};{r["value"]};"ü,;"""\r\n' for r in records)
        )
    else:
        pq.write_table(pa.Table.from_pylist(records), path)
    assert lab.done(_push(path=path))["rows"] == 12
    assert _pushed(portal)["p-11"]["value"] == 5.5
    assert _pushed(portal)["p-11"]["note"] == 'ü,;"'


def test_batches_stay_under_the_limit_with_the_fewest_calls(lab: Lab, portal: LocalPortal) -> None:
    records = [_reading(number, note="ü" * 2_000) for number in range(3_000)]
    encoded = len(json.dumps(records, ensure_ascii=False, separators=(",", ":")).encode())
    result = lab.done(_push(records))
    assert result["rows"] == len(_pushed(portal)) == 3_000
    assert result["batches"] == -(-encoded // PUSH_BYTES) == 3


def test_every_batch_is_as_full_as_it_can_be() -> None:
    records = [{"n": number, "t": "€" * (number % 50)} for number in range(2_000)]
    made = list(batches(records, batch_bytes=10_000))
    assert [record for batch in made for record in json.loads(batch.body)] == records
    for this, following in pairwise(made):
        assert len(this.body) <= 10_000
        first_of_next = json.loads(following.body)[0]
        assert (
            len(this.body) + len(json.dumps(first_of_next, ensure_ascii=False, separators=(",", ":")).encode()) + 1
            > 10_000
        )


def test_a_wait_keeps_the_batches_that_were_accepted(lab: Lab, portal: LocalPortal) -> None:
    records = [_reading(number, note="x" * 500) for number in range(40)]
    job = _push(records, batch_bytes=3_000)
    portal.set_quota(remaining=3, reset_in_s=90)
    assert isinstance(lab.run(job), Wait)
    accepted = len(_pushed(portal))
    assert 0 < accepted < 40
    portal.set_quota(remaining=1000, reset_in_s=90)
    result = lab.done(job)
    assert (result["rows"], len(_pushed(portal))) == (40, 40)
    assert sum(request.status == 200 for request in portal.requests) == result["batches"]
    assert not lab.checkpoints.exists()


def test_progress_of_other_records_is_not_taken_for_these(lab: Lab, portal: LocalPortal) -> None:
    portal.set_quota(remaining=2, reset_in_s=90)
    lab.run(_push([_reading(number, note="x" * 500) for number in range(20)], batch_bytes=3_000))
    portal.set_quota(remaining=1000, reset_in_s=90)
    other = [_reading(number, note="y" * 500) for number in range(100, 120)]
    assert lab.done(_push(other, batch_bytes=3_000))["rows"] == 20
    assert all(f"p-{number}" in _pushed(portal) for number in range(100, 120))


def test_a_failed_push_is_sent_again(lab: Lab, portal: LocalPortal) -> None:
    portal.fault("status", status=503)
    portal.fault("drop")
    assert lab.done(_push([_reading(1)]))["rows"] == 1
    assert [request.status for request in portal.requests] == [503, 0, 200]


def test_a_push_follows_no_redirect(lab: Lab, portal: LocalPortal) -> None:
    portal.fault("redirect", location=f"{portal.url}/elsewhere/")
    with pytest.raises(OdsNotAPortal, match="redirects"):
        lab.run(_push([_reading(1)]))
    assert len(portal.requests) == 1


def test_a_connection_without_a_push_key_fails_before_anything_is_read(lab: Lab, out: Path) -> None:
    lab.settings["push_api_key"] = {"other/resource": PUSH_KEY}
    with pytest.raises(OdsConfigError, match="no push key for live-readings/realtime"):
        lab.run(_push(path=out / "absent.jsonl"))


def test_a_key_of_its_own_serves_its_resource(lab: Lab, portal: LocalPortal) -> None:
    lab.settings["push_api_key"] = {"other/resource": "no", "live-readings/realtime": PUSH_KEY}
    assert lab.done(_push([_reading(1)]))["rows"] == 1


def test_a_wrong_push_key_is_refused_and_named_nowhere(lab: Lab, portal: LocalPortal) -> None:
    lab.settings["push_api_key"] = "wr0ng-push-key-000111"
    with pytest.raises(OdsAuthError) as caught:
        lab.run(_push([_reading(1)]))
    assert "wr0ng" not in told(caught.value)


def test_the_push_key_is_in_nothing_that_can_be_read(lab: Lab, portal: LocalPortal) -> None:
    portal.fault("status", status=500, body="failed")
    outcome = lab.done(_push([_reading(1)]))
    assert_no_key(json.dumps(outcome), *(request.query for request in portal.requests))
    for fault, options in [
        ("status", {"status": 400}),
        ("html", {}),
        ("login_html", {}),
        ("bare_429", {}),
        ("drop", {}),
    ]:
        lab.settings["max_retries"] = 0
        portal.fault(fault, **options)
        with pytest.raises(Exception) as caught:
            lab.run(_push([_reading(1)]))
        assert_no_key(told(caught.value))
    # The request of every call above carried it, or nothing was proved.
    assert all(request.auth in ("pushkey", "apikey") for request in portal.requests)


def test_a_refusal_that_quotes_the_key_is_masked(make_lab: Any) -> None:
    body = json.dumps({"error_code": "Bad", "message": f"key {PUSH_KEY} is not good"}).encode()
    with replay(answer(body, "400 Bad Request")) as server:
        lab = make_lab(server.url, push_api_key=PUSH_KEY)
        with pytest.raises(Exception, match=r"key \*\*\* is not good") as caught:
            lab.run(_push([_reading(1)]))
        assert PUSH_KEY in server.lines[0]
        assert_no_key(told(caught.value), *map(repr, lab.events))


def test_a_record_that_does_not_fit_names_its_number(lab: Lab, portal: LocalPortal) -> None:
    with pytest.raises(OdsConfigError, match="record 1 takes"):
        lab.run(_push([_reading(0), _reading(1, note="x" * PUSH_BYTES)]))
    assert len(_pushed(portal)) == 0


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"records": [], "path": "x.jsonl"}, "either"),
        ({}, "either"),
        ({"records": [], "action": "upsert"}, "upsert"),
        ({"records": [], "batch_bytes": 6_000_000}, "5000000"),
    ],
)
def test_unfit_arguments_are_refused(how: dict[str, Any], said: str) -> None:
    with pytest.raises(OdsConfigError, match=said):
        _push(**how)


def test_a_quota_without_a_reset_fails_as_transient(lab: Lab, portal: LocalPortal) -> None:
    lab.settings["max_retries"] = 0
    portal.quotas.portal = None
    portal.fault("bare_429", times=None)
    with pytest.raises(OdsQuotaExceeded) as caught:
        lab.run(_push([_reading(1)]))
    assert caught.value.transient
