"""Portals whose lists are not what they seem: each page in another order, republished meanwhile, counted wrongly."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from lab import Lab

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsConfigError, OdsError, OdsMismatch, OdsMoved, OdsNotAPortal
from ods_provider.core.outcome import Wait
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.core.query import Query
from ods_provider.jobs.search import SearchJob
from ods_provider.jobs.v1 import V1SearchJob


class OddPortal:
    """One dataset ``d``, which is also the catalogue's list; no answer has a Date header.

    Attributes:
        rows: What it holds; ``republish`` puts others in their place.
        shuffled: Whether each answer without an order is in another order.
        ties: Whether an order leaves rows equal, so that a page may repeat the one before.
        ids: Whether technical fields show record ids.
        count: What it counts, None for the truth.
        number: How a value that is ``a number`` is spelled.
        before: Called before each answer with its number, from 1.
        calls: Calls that are left until it answers 429.
    """

    def __init__(self, rows: int) -> None:
        self.rows = [{"id": number, "state": "old"} for number in range(rows)]
        self.processed = "2026-01-01T00:00:00+00:00"
        self.shuffled, self.ties, self.ids = True, False, True
        self.count: int | None = None
        self.number = "0"
        self.before: Callable[[int], None] = lambda number: None
        self.calls = 10**9
        self.asked: list[str] = []
        self._random = random.Random(7)

    def republish(self, *, rows: int | None = None) -> None:
        self.rows = [{"id": number, "state": "new"} for number in range(len(self.rows) if rows is None else rows)]
        self.processed = "2026-01-01T00:00:01+00:00"

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        self.asked.append(path.rpartition("/")[2])
        self.before(len(self.asked))
        if self.calls == 0:
            return 429, {"errorcode": 10002, "reset_time": "2099-01-01T00:00:00Z", "error": "Too many requests"}
        self.calls -= 1
        asked = {name: values[-1] for name, values in query.items()}
        if path.startswith("/api/records/1.0/search"):
            return 200, self._v1(asked)
        if path.startswith("/api/datasets/1.0/"):
            return 200, {"datasetid": "d", "metas": {"data_processed": self.processed, "records_count": len(self.rows)}}
        if "/records/1.0/download" in path:
            return 200, [self._record(row) for row in self._ordered(asked)]
        if path.endswith("/datasets/d"):
            metas = {"default": {"data_processed": self.processed, "records_count": len(self.rows)}}
            return 200, {"dataset_id": "d", "fields": [{"name": "id", "type": "int"}], "metas": metas}
        rows = [self._shown(row, asked) for row in self._ordered(asked)]
        if "/exports/" in path:
            limit = int(asked["limit"])
            return 200, rows if limit < 0 else rows[:limit]
        first, limit = int(asked["offset"]), int(asked["limit"])
        if self.ties and first:
            first -= 1
        return 200, {
            "total_count": len(self.rows) if self.count is None else self.count,
            "results": rows[first : first + limit],
        }

    def _ordered(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        rows = list(self.rows)
        if self.shuffled and not asked.get("order_by") and not asked.get("sort"):
            self._random.shuffle(rows)
        return rows

    def _shown(self, row: dict[str, Any], asked: dict[str, str]) -> dict[str, Any]:
        if asked.get("select") == "dataset_id":
            return {"dataset_id": f"d-{row['state']}-{row['id']}"}
        shown = {"dataset_id": f"d-{row['state']}-{row['id']}", **row} if "select" not in asked else {"same": True}
        if self.ids and asked.get("include_app_metas") == "true":
            shown |= {"_id": f"{row['state']}{row['id']}", "_timestamp": self.processed, "_size": 7}
        return shown

    @staticmethod
    def _record(row: dict[str, Any]) -> dict[str, Any]:
        return {"datasetid": "d", "recordid": f"{row['state']}{row['id']}", "fields": row}

    def _v1(self, asked: dict[str, str]) -> dict[str, Any]:
        first = int(asked.get("start", 0))
        found = self._ordered(asked)[first : first + int(asked.get("rows", 10))]
        return {"nhits": len(self.rows), "records": [self._record(row) for row in found]}


@pytest.fixture
def odd() -> Iterator[Callable[[int], tuple[OddPortal, str]]]:
    servers = []

    def serve(rows: int) -> tuple[OddPortal, str]:
        portal = OddPortal(rows)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                status, body = portal.answer(unquote(parts.path).rstrip("/"), parse_qs(parts.query))
                lines = parts.path.endswith("/jsonl") and status == 200
                texts = [json.dumps(row) for row in body] if lines else [json.dumps(body)]
                data = "\n".join(texts).replace('"a number"', portal.number).encode()
                self.send_response_only(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return portal, f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# An order that changes from page to page


@pytest.mark.parametrize("dataset_id", ["d", None])
def test_rows_without_an_order_come_once_each(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab], out: Path, dataset_id: str | None
) -> None:
    _, url = odd(350)
    lab = make_lab(url)
    assert {row["id"] for row in lab.done(SearchJob(dataset_id, Query()))} == set(range(350))
    assert lab.done(SearchJob(dataset_id, Query(), path=out / "a.jsonl"))["rows"] == 350
    assert {row["id"] for row in read(out / "a.jsonl")} == set(range(350))
    with OdsClient(url) as client:
        found = client.datasets() if dataset_id is None else client.records("d")
        assert sorted(row["id"] for row in found) == list(range(350))


def test_rows_of_the_older_api_without_a_sort_come_once_each(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab]
) -> None:
    portal, url = odd(2_500)
    rows = make_lab(url).done(V1SearchJob("d", V1Query.of({})))
    assert sorted(row["fields"]["id"] for row in rows) == list(range(2_500))
    assert portal.asked == ["search", "d", "download", "d"]


def test_a_random_order_is_no_order(odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab]) -> None:
    portal, url = odd(350)
    assert len(make_lab(url).done(SearchJob("d", Query.of(order_by="random(7)")))) == 350
    assert portal.asked == ["records", "d", "jsonl", "d"]


def test_pages_of_equal_values_are_different_pages(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab]
) -> None:
    portal, url = odd(350)
    rows = make_lab(url).done(SearchJob("d", Query.of(select="same", order_by="id")))
    assert rows == [{"same": True}] * 350
    assert portal.asked == ["d", *["records"] * 4, "d"]
    with OdsClient(url) as client:
        assert list(client.records("d", select="same", order_by="id")) == rows


def test_an_order_that_leaves_rows_equal_is_read_from_an_export(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab]
) -> None:
    portal, url = odd(350)
    portal.ties = True
    rows = make_lab(url).done(SearchJob("d", Query.of(order_by="state")))
    assert [row["id"] for row in rows] == list(range(350))
    with OdsClient(url) as client, pytest.raises(OdsMismatch, match=r"repeats rows.*add a unique field"):
        list(client.records("d", order_by="state"))


def test_where_no_ids_are_shown_an_ordered_list_is_an_export(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab]
) -> None:
    portal, url = odd(350)
    portal.ids = False
    rows = make_lab(url).done(SearchJob("d", Query.of(select="same", order_by="id")))
    assert len(rows) == 350
    assert portal.asked == ["d", "records", "jsonl", "d"]


def test_technical_fields_stay_where_they_were_asked_for_and_where_they_are_the_users_own(
    odd: Callable[[int], tuple[OddPortal, str]],
) -> None:
    _, url = odd(150)
    with OdsClient(url) as client:
        shown = list(client.records("d", order_by="id", include_app_metas=True))
        assert {row["_id"] for row in shown} == {f"old{number}" for number in range(150)}
        assert not any("_id" in row for row in client.records("d", order_by="id"))
        assert len(list(client.records("d", select="name as _id", order_by="id"))) == 150


# Republished meanwhile


@pytest.mark.at_length
@pytest.mark.parametrize("order_by", ["id", None])
@pytest.mark.parametrize("dataset_id", ["d", None])
def test_a_dataset_republished_with_the_same_count_before_any_answer_is_never_mixed(
    odd: Callable[[int], tuple[OddPortal, str]],
    make_lab: Callable[..., Lab],
    dataset_id: str | None,
    order_by: str | None,
) -> None:
    for moment in range(1, 9):
        portal, url = odd(350)
        portal.before = lambda number, portal=portal, moment=moment: (  # type: ignore[misc]
            portal.republish() if number == moment else None
        )
        rows = make_lab(url).done(SearchJob(dataset_id, Query.of(order_by=order_by)))
        assert {row["state"] for row in rows} == ({"new"} if len(portal.asked) >= moment else {"old"}), moment
        assert sorted(row["id"] for row in rows) == list(range(350))


def test_whoever_iterates_is_told_that_the_dataset_was_republished(
    odd: Callable[[int], tuple[OddPortal, str]],
) -> None:
    for dataset_id in ("d", None):
        portal, url = odd(350)
        portal.before = lambda number, portal=portal: portal.republish() if number == 4 else None  # type: ignore[misc]
        with OdsClient(url) as client, pytest.raises(OdsMoved, match="republished while it was read"):
            list(client.rows(dataset_id, Query.of(order_by="id")))


@pytest.mark.parametrize("dataset_id", ["d", None])
@pytest.mark.parametrize("to_file", [True, False])
def test_a_resumed_search_puts_no_pages_of_two_states_together(
    odd: Callable[[int], tuple[OddPortal, str]],
    make_lab: Callable[..., Lab],
    out: Path,
    dataset_id: str | None,
    to_file: bool,
) -> None:
    portal, url = odd(350)
    lab = make_lab(url, max_quota_wait_s=10**10)
    job = SearchJob(dataset_id, Query.of(order_by="id"), path=out / "a.jsonl" if to_file else None)
    portal.calls = 3
    assert isinstance(lab.run(job), Wait)
    portal.calls = 10**9
    portal.republish()
    result = lab.done(job)
    rows = read(out / "a.jsonl") if to_file else result
    assert {row["state"] for row in rows} == {"new"}
    assert [row["id"] for row in rows] == list(range(350))
    assert not lab.checkpoints.exists()


def test_a_resumed_search_of_the_older_api_puts_no_pages_of_two_states_together(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab]
) -> None:
    portal, url = odd(2_500)
    lab = make_lab(url, max_quota_wait_s=10**10)
    job = V1SearchJob("d", V1Query.of({"sort": "-id"}))
    portal.calls = 3
    assert isinstance(lab.run(job), Wait)
    portal.calls = 10**9
    portal.republish()
    assert {row["fields"]["state"] for row in lab.done(job)} == {"new"}


@pytest.mark.parametrize("order_by", ["id", None])
def test_a_search_past_the_window_that_is_resumed_after_the_dataset_grew_begins_anew(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab], out: Path, order_by: str | None
) -> None:
    portal, url = odd(10_500)
    lab = make_lab(url, max_quota_wait_s=10**10)
    job = SearchJob("d", Query.of(order_by=order_by), path=out / "a.jsonl")
    for calls in (1, 2):
        portal.calls = calls
        assert isinstance(lab.run(job), Wait)
    portal.calls = 10**9
    portal.republish(rows=10_501)
    before = len(portal.asked)
    assert lab.done(job)["rows"] == 10_501
    # No export was asked for in vain: what was counted before the wait is counted anew.
    assert portal.asked[before:].count("jsonl") == 1


# What is kept


def test_progress_of_a_search_to_a_file_holds_no_rows_in_the_ledger(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab], out: Path
) -> None:
    portal, url = odd(950)
    lab = make_lab(url, max_quota_wait_s=10**10)
    job = SearchJob("d", Query.of(order_by="id"), path=out / "a.jsonl")
    portal.calls = 8
    assert isinstance(lab.run(job), Wait)
    ledger = list(out.glob(".*.progress/*.json"))
    assert len(ledger) == 9  # the job, how it began, and seven pages
    assert not any('"state": "old"' in unit.read_text() for unit in ledger)
    assert len(list(out.glob(".*.progress/page-*.jsonl"))) == 7
    # What is damaged is asked for again, and nothing else is.
    next(out.glob(".*.progress/page-0003.jsonl")).write_text('{"id":')
    portal.calls = 10**9
    assert lab.done(job)["rows"] == 950
    assert [row["id"] for row in read(out / "a.jsonl")] == list(range(950))
    assert portal.asked.count("records") == 8 + 1 + 3
    assert lab.files() == ["a.jsonl"]


def test_rows_beyond_the_allowance_are_not_kept_for_another_try(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab]
) -> None:
    portal, url = odd(950)
    lab = make_lab(url, max_quota_wait_s=10**10)
    job = SearchJob("d", Query.of(order_by="id"), max_xcom_bytes=12_000)
    portal.calls = 3
    assert isinstance(lab.run(job), Wait)
    assert sum(file.stat().st_size for file in lab.checkpoints.iterdir()) < 14_000
    portal.calls = 10**9
    with pytest.raises(OdsConfigError, match="max_xcom_bytes"):
        lab.run(job)
    assert not lab.checkpoints.exists()


# Counts and numbers that are none


@pytest.mark.parametrize("count", [0, -1, 1, 2])
def test_a_count_that_is_smaller_than_what_came_is_an_error(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab], count: int
) -> None:
    portal, url = odd(3)
    portal.count = count
    for job in (SearchJob("d", Query()), SearchJob(None, Query()), SearchJob("d", Query.of(order_by="id"))):
        with pytest.raises(OdsError, match=f"3 rows of {count}" if count >= 0 else "total_count is -1"):
            make_lab(url).run(job)
    with OdsClient(url) as client, pytest.raises(OdsError):
        list(client.records("d"))


def test_a_count_below_nothing_is_no_count(odd: Callable[[int], tuple[OddPortal, str]]) -> None:
    portal, url = odd(3)
    with OdsClient(url) as client:
        for portal.count in (-1, True):
            with pytest.raises(OdsNotAPortal, match="total_count is"):
                client.count("d")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 400 + ".5"])
def test_a_number_that_json_has_not_is_refused_in_pages_and_exports(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab], out: Path, number: str
) -> None:
    for rows in (3, 150):
        portal, url = odd(rows)
        portal.rows[1]["value"], portal.number = "a number", number
        for dataset_id in ("d", None):
            with pytest.raises(OdsError):
                make_lab(url, max_retries=0).run(SearchJob(dataset_id, Query(), path=out / "a.jsonl"))
            assert not (out / "a.jsonl").exists()
        portal.rows[1]["value"] = 1e308
        assert len(make_lab(url).done(SearchJob("d", Query()))) == rows


def test_a_list_that_is_no_list_names_the_imitation(
    odd: Callable[[int], tuple[OddPortal, str]], make_lab: Callable[..., Lab]
) -> None:
    portal, url = odd(3)
    portal.rows = [["no", "object"]]  # type: ignore[list-item]
    portal._shown = lambda row, asked: row  # type: ignore[method-assign,assignment]
    with pytest.raises(OdsNotAPortal):
        make_lab(url).run(SearchJob("d", Query()))
