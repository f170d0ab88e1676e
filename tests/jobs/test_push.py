from __future__ import annotations

import base64
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bucket import Bucket
from fsspec.implementations.memory import MemoryFileSystem
from lab import PUSH_KEY, Lab, assert_no_key, told
from replay import answer, replay

from ods_provider.core.batches import batches
from ods_provider.core.errors import (
    OdsAuthError,
    OdsConfigError,
    OdsIncomplete,
    OdsNotAPortal,
    OdsNotFound,
    OdsQuotaExceeded,
)
from ods_provider.core.limits import PUSH_BYTES
from ods_provider.core.outcome import Wait
from ods_provider.core.schema import Dataset, Field
from ods_provider.jobs.push import PushJob
from ods_provider.jobs.syncing.readback import MOST, ReadBack
from ods_provider.testing.portal import LocalPortal


def _reading(number: int, **more: Any) -> dict[str, Any]:
    return {"sensor_id": f"p-{number}", "at": "2026-02-01T00:00:00+00:00", "value": number / 2, **more}


def _push(records: Any = None, **how: Any) -> PushJob:
    return PushJob("live-readings", "realtime", records=records, **how)


# What a connection is told about a dataset that it may push to and not read.
UNSEEN = answer(b'{"error_code": "ForbiddenAccess", "message": "no"}', "403 Forbidden")


def _pushed(portal: LocalPortal) -> dict[str, dict[str, Any]]:
    return {row["sensor_id"]: row for row in portal.rows("live-readings") if row["sensor_id"].startswith("p-")}


def test_records_arrive_and_the_outcome_counts_them(lab: Lab, portal: LocalPortal) -> None:
    result = lab.done(_push([_reading(number, note=f"Zürich {number}") for number in range(25)]))
    assert len(_pushed(portal)) == 25
    assert _pushed(portal)["p-7"]["note"] == "Zürich 7"
    # One of the calls asks for the dataset's schema.
    assert (result["rows"], result["batches"], result["calls"]) == (25, 1, 2)


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
    bucket = Bucket()
    bucket.objects[f"b/records.{ending}"] = path.read_bytes()
    lab.filesystems = {"bucket": bucket}
    for place in (path, f"bucket://b/records.{ending}"):
        portal.reset()
        assert lab.done(_push(path=place))["rows"] == 12
        assert _pushed(portal)["p-11"]["value"] == 5.5
        assert _pushed(portal)["p-11"]["note"] == 'ü,;"'


@pytest.mark.at_length
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
    portal.set_quota(remaining=4, reset_in_s=90)
    assert isinstance(lab.run(job), Wait)
    accepted = len(_pushed(portal))
    assert 0 < accepted < 40
    portal.set_quota(remaining=1000, reset_in_s=90)
    result = lab.done(job)
    assert (result["rows"], len(_pushed(portal))) == (40, 40)
    assert sum(request.status == 200 and request.method == "POST" for request in portal.requests) == result["batches"]
    assert not lab.checkpoints.exists()


def test_progress_of_other_records_is_not_taken_for_these(lab: Lab, portal: LocalPortal) -> None:
    portal.set_quota(remaining=2, reset_in_s=90)
    lab.run(_push([_reading(number, note="x" * 500) for number in range(20)], batch_bytes=3_000))
    portal.set_quota(remaining=1000, reset_in_s=90)
    other = [_reading(number, note="y" * 500) for number in range(100, 120)]
    assert lab.done(_push(other, batch_bytes=3_000))["rows"] == 20
    assert all(f"p-{number}" in _pushed(portal) for number in range(100, 120))


def test_a_failed_push_is_sent_again(lab: Lab, portal: LocalPortal) -> None:
    portal.fault("status", path="/push/", status=503)
    portal.fault("drop", path="/push/")
    assert lab.done(_push([_reading(1)]))["rows"] == 1
    assert [request.status for request in portal.requests if request.method == "POST"] == [503, 0, 200]


def test_a_push_follows_no_redirect(lab: Lab, portal: LocalPortal) -> None:
    portal.fault("redirect", path="/push/", location=f"{portal.url}/elsewhere/")
    with pytest.raises(OdsNotAPortal, match="redirects"):
        lab.run(_push([_reading(1)]))
    assert len(portal.requests) == 2


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
    portal.fault("status", path="/push/", status=500, body="failed")
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
        portal.fault(fault, path="/push/", **options)
        with pytest.raises(Exception) as caught:
            lab.run(_push([_reading(1)]))
        assert_no_key(told(caught.value))
    # The request of every push above carried it, or nothing was proved.
    assert all(request.auth in ("pushkey", "apikey") for request in portal.requests if request.method == "POST")


def test_a_refusal_that_quotes_the_key_is_masked(make_lab: Any) -> None:
    body = json.dumps({"error_code": "Bad", "message": f"key {PUSH_KEY} is not good"}).encode()
    with replay(UNSEEN, answer(body, "400 Bad Request")) as server:
        lab = make_lab(server.url, push_api_key=PUSH_KEY)
        with pytest.raises(Exception, match=r"key \*\*\* is not good") as caught:
            lab.run(_push([_reading(1)]))
        assert PUSH_KEY in server.lines[1]
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


# Files inside records


def _sent(server: Any, which: int = -1) -> Any:
    return json.loads(server.requests[which].partition(b"\r\n\r\n")[2])


def test_files_are_sent_in_place_of_their_paths(make_lab: Any, out: Path) -> None:
    (out / "a.png").write_bytes(b"\x89PNG" * 100)
    memory = MemoryFileSystem()
    memory.pipe_file("/bucket/b.bin", b"\x00\x01")
    records = [
        {"title": "a", "photo": str(out / "a.png")},
        {"title": "b", "photo": {"file": "memory://bucket/b.bin", "content-type": "image/jpg"}},
        {"title": "c", "photo": None, "paper": "memory://bucket/b.bin"},
        {"title": "d", "photo": {"content": "aGk=", "content-type": "text/plain"}},
    ]
    with replay(UNSEEN, answer(b'{"status": "OK"}')) as server:
        lab = make_lab(server.url, push_api_key=PUSH_KEY)
        lab.done(_push(records, file_fields=("photo", "paper")))
        assert _sent(server) == [
            {
                "title": "a",
                "photo": {"content": base64.b64encode(b"\x89PNG" * 100).decode(), "content-type": "image/png"},
            },
            {"title": "b", "photo": {"content": "AAE=", "content-type": "image/jpg"}},
            {"title": "c", "photo": None, "paper": {"content": "AAE=", "content-type": "application/octet-stream"}},
            {"title": "d", "photo": {"content": "aGk=", "content-type": "text/plain"}},
        ]
    memory.store.clear()


def test_a_path_in_a_field_that_is_not_named_stays_a_text(make_lab: Any) -> None:
    # Records come from anywhere: only what the author of the task names is read from the disk.
    with replay(UNSEEN, answer(b'{"status": "OK"}')) as server:
        make_lab(server.url, push_api_key=PUSH_KEY).done(_push([{"note": "/etc/passwd"}]))
        assert _sent(server) == [{"note": "/etc/passwd"}]


def test_a_file_too_large_for_a_call_is_refused_before_it_is_read(lab: Lab, portal: LocalPortal, out: Path) -> None:
    (out / "big.png").write_bytes(b"0" * 4_000_000)
    with pytest.raises(OdsConfigError, match=r"takes 5333336 bytes as base64.*big\.png"):
        lab.run(_push([{"photo": str(out / "big.png")}], file_fields=("photo",)))
    with pytest.raises(OdsConfigError, match=r"there is no file .*absent\.png \(record 0, field photo\)"):
        lab.run(_push([{"photo": str(out / "absent.png")}], file_fields=("photo",)))
    assert portal.requests == []


def test_files_fill_batches_by_their_encoded_size(make_lab: Any, out: Path) -> None:
    (out / "a.png").write_bytes(b"0" * 3_000)
    with replay(UNSEEN, *[answer(b'{"status": "OK"}')] * 5) as server:
        lab = make_lab(server.url, push_api_key=PUSH_KEY)
        job = _push([{"photo": str(out / "a.png")}] * 5, file_fields=("photo",), batch_bytes=9_000)
        assert lab.done(job)["batches"] == 3
        bodies = [request.partition(b"\r\n\r\n")[2] for request in server.requests[1:]]
    assert all(len(body) <= 9_000 for body in bodies)
    assert [len(json.loads(body)) for body in bodies] == [2, 2, 1]


# Deleting by id


def test_records_are_deleted_by_their_ids(lab: Lab, portal: LocalPortal) -> None:
    ids = [row[0] for row in portal.store.cursor().execute('SELECT "$id" FROM "data live-readings"').fetchall()]
    result = lab.done(_push(action="delete", record_ids=tuple(ids[:2])))
    assert (result["rows"], result["calls"]) == (2, 2)
    assert len(portal.rows("live-readings")) == 1
    # One of them is gone by now: that is what was wanted.
    assert lab.done(_push(action="delete", record_ids=(ids[0], ids[2])))["rows"] == 1
    with pytest.raises(OdsNotFound):
        lab.run(_push(action="delete", record_ids=(ids[0],)))


def test_deleting_by_ids_goes_on_where_it_stopped(lab: Lab, portal: LocalPortal) -> None:
    ids = tuple(row[0] for row in portal.store.cursor().execute('SELECT "$id" FROM "data live-readings"').fetchall())
    portal.set_quota(remaining=2, reset_in_s=90)
    job = _push(action="delete", record_ids=ids)
    assert isinstance(lab.run(job), Wait)
    portal.set_quota(remaining=9, reset_in_s=90)
    assert lab.done(job)["rows"] == 3
    assert sum(request.status == 200 for request in portal.requests) == 3


# Reading back


def test_what_was_pushed_is_read_back_by_the_key_fields(lab: Lab, portal: LocalPortal) -> None:
    records = [_reading(number, note=f"ü {number}") for number in range(150)]
    result = lab.done(_push(records, confirm=True))
    assert result["confirmed"] == 150
    asked = [request for request in portal.requests if request.path.endswith("/records")]
    assert 2 <= len(asked) <= 8
    assert lab.done(_push(records[:5], action="delete", confirm=True))["confirmed"] == 5


def test_keys_beyond_ascii_are_read_back_with_as_many_calls_as_urls_need(lab: Lab) -> None:
    records = [_reading(number, sensor_id=f"{number} " + "城" * 60) for number in range(60)]
    assert lab.done(_push(records, confirm=True))["confirmed"] == 60


def test_a_value_that_the_portal_lost_is_named_and_nothing_is_sent_again(lab: Lab, portal: LocalPortal) -> None:
    lab.settings["max_wait_s"] = 1
    job = _push([_reading(1), _reading(2, value="many")], confirm=True)
    with pytest.raises(
        OdsIncomplete, match=r"accepted 2 records, but 1 of 2.*value is None, pushed was 'many'"
    ) as caught:
        lab.run(job)
    assert caught.value.transient
    with pytest.raises(OdsIncomplete):
        lab.run(job)
    assert sum(request.method == "POST" for request in portal.requests) == 1


def test_a_portal_that_is_slow_to_show_is_given_time(make_lab: Any) -> None:
    fields = [{"name": "k", "type": "int", "annotations": {"id": True}}, {"name": "v", "type": "text"}]
    schema = answer(json.dumps({"dataset_id": "live-readings", "fields": fields}).encode())
    old = answer(json.dumps({"total_count": 1, "results": [{"k": 1, "v": "old"}]}).encode())
    new = answer(json.dumps({"total_count": 1, "results": [{"k": 1, "v": "new"}]}).encode())
    with replay(schema, answer(b'{"status": "OK"}'), old, new) as server:
        lab = make_lab(server.url, push_api_key=PUSH_KEY)
        assert lab.done(_push([{"k": 1, "v": "new"}], confirm=True))["confirmed"] == 1
        assert "where=k+IN+%281%29" in server.lines[2]


def test_the_last_of_several_records_of_one_key_is_what_must_stand(lab: Lab) -> None:
    assert lab.done(_push([_reading(1, note="a"), _reading(1, note="b")], confirm=True))["confirmed"] == 1


def test_a_dataset_without_key_fields_refuses_to_confirm_before_anything_is_sent(make_lab: Any) -> None:
    schema = answer(b'{"dataset_id": "d", "fields": [{"name": "v", "type": "text"}]}')
    with replay(schema) as server, pytest.raises(OdsConfigError, match="marks no field as unique id"):
        make_lab(server.url, push_api_key=PUSH_KEY).run(_push([{"v": "1"}], confirm=True))


@pytest.mark.at_length
def test_many_records_are_sampled_over_the_whole(make_lab: Any) -> None:
    fields = tuple(Field(name, kind, annotations={"id": True} if name == "k" else {}) for name, kind in [("k", "int")])
    reading = ReadBack.of(Dataset("d", fields=fields))
    sample = reading.sample(({"k": number} for number in range(100_001)), 100_001)
    assert MOST * 0.9 < len(sample) <= MOST + 1
    assert (0,) in sample
    assert (100_000,) in sample


# What is sent is what was given


def test_an_answer_of_an_api_in_a_file_is_pushed_as_its_records(lab: Lab, portal: LocalPortal, out: Path) -> None:
    rows = [_reading(number) for number in range(3)]
    (out / "a.json").write_text(json.dumps({"total_count": 3, "results": rows}))
    (out / "b.json").write_text(json.dumps([{"datasetid": "d", "recordid": "r", "fields": row} for row in rows]))
    (out / "c.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": row} for row in rows]})
    )
    for name in ("a.json", "b.json", "c.geojson"):
        portal.reset()
        assert lab.done(_push(path=out / name), name=name)["rows"] == 3
        assert _pushed(portal)["p-2"]["value"] == 1.0
    (out / "page.json").write_text(json.dumps({"total_count": 1398, "results": rows}))
    with pytest.raises(OdsConfigError, match="holds 3 of 1,398 records"):
        lab.run(_push(path=out / "page.json"))


def test_an_answer_in_place_of_records_keeps_its_progress(lab: Lab, portal: LocalPortal) -> None:
    answered = {"total_count": 20, "results": [_reading(number, note="x" * 500) for number in range(20)]}
    job = _push([answered], batch_bytes=3_000)
    portal.set_quota(remaining=3, reset_in_s=90)
    assert isinstance(lab.run(job), Wait)
    accepted = len(_pushed(portal))
    assert 0 < accepted < 20
    portal.set_quota(remaining=1000, reset_in_s=90)
    assert lab.done(job)["rows"] == len(_pushed(portal)) == 20


@pytest.mark.parametrize("action", ["push", "delete"])
def test_a_name_that_the_dataset_does_not_know_is_refused_before_anything_is_sent(
    lab: Lab, portal: LocalPortal, action: str
) -> None:
    records = [_reading(1), _reading(2, valeu=3)]
    with pytest.raises(OdsConfigError, match=r"record 1 names 'valeu'.*'sensor_id', 'at', 'value'") as caught:
        lab.run(_push(records, action=action))
    assert not caught.value.transient
    assert not [request for request in portal.requests if request.method == "POST"]
    assert lab.done(_push(records, action=action, unknown_fields="send"))["rows"] == 2


@pytest.mark.parametrize(
    "unseen",
    [
        UNSEEN,
        answer(b'{"error_code": "NotFoundResource", "message": "no"}', "404 Not Found"),
        answer(b"{}", "401 Unauthorized"),
        answer(b"<html><form>Log in</form></html>", "200 OK", "Content-Type: text/html"),
        answer(b'{"dataset_id": "live-readings", "fields": []}'),
    ],
)
def test_a_connection_that_may_push_and_not_read_pushes(make_lab: Any, unseen: Any) -> None:
    with replay(unseen, answer(b'{"status": "OK"}')) as server:
        assert make_lab(server.url, push_api_key=PUSH_KEY).done(_push([{"anything": 1}]))["rows"] == 1
        assert _sent(server) == [{"anything": 1}]


def test_a_value_without_a_faithful_form_is_refused_before_anything_is_sent(lab: Lab, portal: LocalPortal) -> None:
    records = [*(_reading(number, note="x" * 1_000) for number in range(20)), _reading(20, value=float("nan"))]
    with pytest.raises(OdsConfigError, match=r"record 20: nan is no finite number \(field value\)"):
        lab.run(_push(records, batch_bytes=3_000))
    assert portal.requests == []


def test_a_csv_is_read_as_its_user_says(lab: Lab, portal: LocalPortal, out: Path) -> None:
    (out / "a.csv").write_bytes("sensor_id;at;note\np-1;2026-02-01;é, è\n".encode("cp1252"))
    assert lab.done(_push(path=out / "a.csv", delimiter=";", encoding="cp1252"))["rows"] == 1
    assert _pushed(portal)["p-1"]["note"] == "é, è"
    with pytest.raises(OdsConfigError, match="is no delimiter"):
        _push(path=out / "a.csv", delimiter=";;")
    with pytest.raises(OdsConfigError, match="how a CSV is written"):
        _push([], delimiter=";")


def test_a_csv_that_names_a_column_twice_deletes_nothing(lab: Lab, portal: LocalPortal, out: Path) -> None:
    (out / "a.csv").write_text("sensor_id,at,sensor_id\np-1,2026-02-01,p-2\n")
    with pytest.raises(OdsConfigError, match="two columns 'sensor_id'"):
        lab.run(_push(path=out / "a.csv", action="delete"))
    assert portal.requests == []


@pytest.mark.parametrize("value", [5, 1.5, True, ["a.png"], {"file": 5}, {"file": {}}, {"content": 5}, {}, " "])
def test_a_value_that_can_be_no_file_is_refused_with_record_and_field(lab: Lab, value: Any) -> None:
    with pytest.raises(OdsConfigError, match=r"is no file \(record 1, field photo\)"):
        lab.run(_push([{"photo": None}, {"photo": value}], file_fields=("photo",)))


@pytest.mark.parametrize("key", ["Zürich\t1", "a\u2028b", "a\x85b", 'say "hi" \\'])
def test_a_key_of_any_text_is_read_back_as_it_is(lab: Lab, portal: LocalPortal, key: str) -> None:
    job = _push([_reading(1, sensor_id=key)], confirm=True)
    assert lab.done(job)["confirmed"] == 1
    assert lab.done(_push([_reading(1, sensor_id=key)], action="delete", confirm=True))["confirmed"] == 1
    assert key not in {row["sensor_id"] for row in portal.rows("live-readings")}


@pytest.mark.parametrize("action", ["push", "delete"])
def test_a_key_that_no_filter_can_find_confirms_nothing(lab: Lab, action: str) -> None:
    with pytest.raises(OdsIncomplete, match="none can be read back"):
        lab.run(_push([_reading(1, sensor_id="two\nlines")], action=action, confirm=True))
    two = [_reading(1, sensor_id="two\nlines"), _reading(2)]
    assert lab.done(_push(two, action=action, confirm=True), name="two")["confirmed"] == 1


def test_a_deletion_that_did_not_happen_is_not_confirmed(make_lab: Any) -> None:
    fields = [{"name": "k", "type": "text", "annotations": {"id": True}}]
    schema = answer(json.dumps({"dataset_id": "live-readings", "fields": fields}).encode())
    still = answer(json.dumps({"total_count": 1, "results": [{"k": "Zürich\t1"}]}).encode())
    with replay(schema, answer(b'{"status": "OK"}'), still) as server:
        lab = make_lab(server.url, push_api_key=PUSH_KEY, max_wait_s=0)
        with pytest.raises(OdsIncomplete, match="it is still there"):
            lab.run(_push([{"k": "Zürich\t1"}], action="delete", confirm=True))
        assert "%22Z%C3%BCrich%091%22" in server.lines[2]
