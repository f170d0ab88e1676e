"""The control plane: what LocalPortal does in Python, over HTTP; and reset() puts everything back."""

import pytest


def told(ask, path, method="POST", **body):
    return ask(f"/_control{path}", method=method, json=body)


def test_a_fault_is_ordered_and_taken_back(ask):
    assert told(ask, "/faults", kind="status", status=502, times=None).json() == {"done": None}
    assert ask.get("/datasets").status_code == 502
    assert ask("/_control/faults", method="DELETE").status_code == 200
    assert ask.get("/datasets").status_code == 200


@pytest.mark.parametrize("body", [{"kind": "flood"}, {"kind": "cut", "bytes": 1}, {}, {"kind": "cut", "times": "many"}])
def test_a_bad_order_is_refused_with_the_reason(ask, body):
    answer = told(ask, "/faults", **body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert ask.get("/datasets").status_code == 200


def test_what_is_no_json_is_refused(ask):
    answer = ask("/_control/quota", method="POST", data=b"[1")
    assert answer.status_code == 400
    assert ask("/_control/quota", method="POST", data=b"[1]").status_code == 400


def test_a_quota_is_set(ask):
    told(ask, "/quota", limit=5, remaining=2, reset_in_s=60, reset_spelling="epoch")
    headers = ask.get("/datasets").headers
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("5", "1")
    assert headers["x-ratelimit-reset"].isdigit()


def test_a_dataset_is_republished_with_more_rows(ask):
    before = ask.whole("/datasets/world-capitals")["metas"]["default"]
    done = told(ask, "/datasets/world-capitals/touch", rows=3).json()["done"]
    after = ask.whole("/datasets/world-capitals")["metas"]["default"]
    assert done == after
    assert after["records_count"] == 113
    assert after["data_processed"] > before["data_processed"]
    assert ask.total() == 113


def test_metadata_alone_may_move(ask):
    before = ask.whole("/datasets/world-capitals")["metas"]["default"]
    told(ask, "/datasets/world-capitals/touch", metadata_only=True)
    after = ask.whole("/datasets/world-capitals")["metas"]["default"]
    assert after["modified"] > before["modified"]
    assert after["data_processed"] == before["data_processed"]


def test_what_a_dataset_holds_is_read(ask):
    rows = ask("/_control/datasets/live-readings/rows").json()
    assert rows[0] == {"sensor_id": "s-0", "at": "2026-01-05T08:00:00", "value": 0.0, "note": None}


def test_a_dataset_is_renamed_and_taken_away(ask):
    told(ask, "/datasets/mine", method="PUT", fields={"n": "int"}, rows=[{"n": 1}])
    uid = ask.whole("/datasets/mine")["dataset_uid"]
    assert told(ask, "/datasets/mine/rename", new_id="ours").json() == {"done": None}
    assert ask.whole("/datasets/ours")["dataset_uid"] == uid
    assert ask("/_control/datasets/ours", method="DELETE").json() == {"done": None}
    assert ask.get("/datasets/ours").status_code == 404
    assert ask("/_control/datasets/world-capitals", method="DELETE").status_code == 400
    told(ask, "/datasets/mine", method="PUT", fields={"n": "int"}, rows=[{"n": 1}, {"n": 2}])
    assert len(ask("/_control/datasets/mine/rows").json()) == 2


def test_an_unknown_dataset_is_named(ask):
    for path, method in (("/datasets/nope/touch", "POST"), ("/datasets/nope/rows", "GET")):
        answer = ask("/_control" + path, method=method)
        assert answer.status_code == 404
        assert "nope" in answer.json()["error"]
        assert "world-capitals" in answer.json()["error"]


def test_calls_are_logged_and_those_to_the_control_plane_are_not(ask):
    ask.get("/datasets", limit=1)
    (entry,) = ask("/_control/requests").json()
    assert (entry["method"], entry["path"], entry["query"]) == ("GET", "/api/explore/v2.1/catalog/datasets", "limit=1")
    assert (entry["status"], entry["auth"]) == (200, None)
    assert entry["bytes_sent"] > 100
    assert ask("/_control/health").json() == {"status": "ok"}


def test_reset_puts_everything_back(ask):
    start = {name: ask.portal.rows(name) for name in ask.portal.store.datasets}
    described = ask.whole("/datasets", limit=100)
    told(ask, "/datasets/world-capitals/touch", rows=3)
    told(ask, "/datasets/landmark-photos/touch", rows=1)
    ask("/api/push/1.0/live-readings/realtime/push/?pushkey=demo-push-key", method="POST", json={"sensor_id": "x"})
    ask(
        "/api/push/1.0/live-readings/realtime/delete/?pushkey=demo-push-key",
        method="POST",
        json=start["live-readings"][0] | {"at": "2026-01-05T08:00:00Z"},
    )
    told(ask, "/quota", limit=5, dataset_id="world-capitals")
    told(ask, "/faults", kind="drop", times=None)
    assert told(ask, "/reset").json() == {"done": None}
    assert ask("/_control/requests").json() == []
    assert {name: ask.portal.rows(name) for name in ask.portal.store.datasets} == start
    answer = ask.get("/datasets", limit=100)
    assert answer.json() == described
    assert answer.headers["x-ratelimit-remaining"] == "99999"
    assert "x-ratelimit-dataset-limit" not in ask.get("/datasets/world-capitals").headers


def test_a_dataset_is_added_until_the_next_reset(ask):
    fields = {"town": "text", "seen": {"type": "date", "annotations": {"timeserie_precision": "month"}}}
    rows = [{"town": "Ulm", "seen": "2024-05"}, {"town": 'Bad "X"\n'}, {"town": "Ulm", "seen": "2024-05"}]
    assert told(ask, "/datasets/mine", method="PUT", fields=fields, rows=rows).json() == {"done": None}
    assert ask.rows("mine") == [{"town": "Ulm", "seen": "2024-05"}, {"town": 'Bad "X"\n', "seen": None}]
    assert ask.total("mine", where="seen is null") == 1
    assert ask.whole("/datasets/mine")["fields"][1]["type"] == "date"
    assert "mine" in [row["dataset_id"] for row in ask.whole("/datasets", limit=100)["results"]]
    assert told(ask, "/datasets/mine", method="PUT", fields={"n": "int"}).status_code == 200
    told(ask, "/datasets/mine/touch")
    assert ask.rows("mine") == []
    told(ask, "/reset")
    assert ask.get("/datasets/mine").status_code == 404


@pytest.mark.parametrize(
    ("dataset", "fields", "why"),
    [("mine", {"n": "integer"}, "integer"), ("world-capitals", {"n": "int"}, "of its own")],
)
def test_a_dataset_that_cannot_be_is_refused(ask, dataset, fields, why):
    answer = told(ask, f"/datasets/{dataset}", method="PUT", fields=fields)
    assert answer.status_code == 400 and why in answer.json()["error"]
    assert ask.total() == 110


def test_the_id_of_a_dataset_that_was_renamed_is_free_for_another(ask):
    portal = ask.portal
    portal.add_dataset("ours", {"n": "int"}, [{"n": 1}, {"n": 2}])
    portal.rename("ours", "theirs")
    portal.add_dataset("ours", {"n": "int"}, [{"n": number} for number in range(300)])
    portal.touch("theirs", rows=1)
    assert (ask.total("theirs"), ask.total("ours")) == (3, 300)
    assert ask.whole("/datasets/theirs")["dataset_uid"] != ask.whole("/datasets/ours")["dataset_uid"]
    portal.reset()
    assert ask.get("/datasets/ours").status_code == ask.get("/datasets/theirs").status_code == 404
