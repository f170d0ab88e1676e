from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab
from replay import answer, replay

from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsIncomplete, OdsQuotaExceeded
from ods_provider.core.events import Progress
from ods_provider.core.outcome import Wait
from ods_provider.core.query import Query
from ods_provider.jobs.search import SearchJob
from ods_provider.testing.portal import LocalPortal


def _paths(portal: LocalPortal) -> list[str]:
    return [request.path.rpartition("/")[2] for request in portal.requests]


def _offsets(portal: LocalPortal) -> list[int]:
    return [
        int(request.query.rpartition("offset=")[2].partition("&")[0])
        for request in portal.requests
        if "offset=" in request.query
    ]


def test_a_search_without_a_dataset_finds_datasets(lab: Lab) -> None:
    found = lab.done(SearchJob(None, Query.of(where='theme = "Places"', order_by="dataset_id")))
    assert [dataset["dataset_id"] for dataset in found] == ["landmark-photos", "world-capitals"]
    assert found[1]["metas"]["default"]["records_count"] == 110


def test_records_come_whole_and_in_order_over_several_pages(lab: Lab, portal: LocalPortal) -> None:
    rows = lab.done(SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=250))
    assert rows == [{"id": number} for number in range(250)]
    assert _offsets(portal) == [0, 100, 200]
    last = lab.heard(Progress)[-1]
    assert (last.done, last.total, last.unit) == (250, 250, "rows")


def test_a_limit_below_a_page_asks_for_no_more_than_that(lab: Lab, portal: LocalPortal) -> None:
    assert len(lab.done(SearchJob("world-capitals", Query(), limit=7))) == 7
    assert [request.query for request in portal.requests] == ["timezone=UTC&limit=7&offset=0"]


def test_a_limit_of_zero_gives_no_rows(lab: Lab) -> None:
    assert lab.done(SearchJob("world-capitals", Query(), limit=0)) == []


def test_an_empty_result_is_an_empty_list(lab: Lab, portal: LocalPortal) -> None:
    assert lab.done(SearchJob("world-capitals", Query.of(where="population < 0"))) == []
    assert len(portal.requests) == 1


def test_one_row_beyond_the_window_takes_an_export(lab: Lab, portal: LocalPortal) -> None:
    rows = lab.done(
        SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=10_001, max_xcom_bytes=10**7)
    )
    assert [row["id"] for row in rows] == list(range(10_001))
    assert _paths(portal) == ["synthetic-rows", "records", "jsonl", "synthetic-rows"]


def test_all_rows_beyond_the_window_come_from_one_export(lab: Lab, portal: LocalPortal, out: Path) -> None:
    result = lab.done(SearchJob("synthetic-rows", Query.of(order_by="id"), path=out / "rows.jsonl"))
    lines = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    assert result["rows"] == len(lines) == 12_345
    assert [line["id"] for line in lines] == list(range(12_345))
    assert lines[-1]["name"] == "Zürich 城市 12344"
    assert result["calls"] == len(portal.requests) == 4  # described before the first row and after the last
    assert result["size_bytes"] == (out / "rows.jsonl").stat().st_size
    assert lab.files() == ["rows.jsonl"]


@pytest.mark.at_length
def test_an_export_that_lacks_rows_is_an_error_and_leaves_no_file(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("short_rows", path="/exports/", times=None)
    with pytest.raises(OdsIncomplete, match="12,344 rows where the portal counted 12,345"):
        lab.run(SearchJob("synthetic-rows", Query(), path=out / "rows.jsonl"))
    assert lab.files() == []


def test_rows_beyond_the_allowance_of_xcom_ask_for_a_path(lab: Lab) -> None:
    with pytest.raises(OdsConfigError, match=r"max_xcom_bytes \(2000\).*Give a path"):
        lab.run(SearchJob("world-capitals", Query(), max_xcom_bytes=2000))


def test_rows_that_just_fit_are_returned(lab: Lab) -> None:
    rows = lab.done(SearchJob("world-capitals", Query.of(select="name")))
    size = len(json.dumps(rows, ensure_ascii=False).encode())
    assert lab.done(SearchJob("world-capitals", Query.of(select="name"), max_xcom_bytes=size)) == rows
    with pytest.raises(OdsConfigError):
        lab.run(SearchJob("world-capitals", Query.of(select="name"), max_xcom_bytes=size - 1))


def test_gated_records_name_the_reason(lab: Lab) -> None:
    lab.api_key = None
    with pytest.raises(OdsAuthError, match="gated"):
        lab.run(SearchJob("gated-loads", Query()))


def test_a_spent_quota_becomes_a_wait_and_no_page_is_asked_twice(lab: Lab, portal: LocalPortal) -> None:
    job = SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=1000)
    portal.set_quota(remaining=5, reset_in_s=90)
    wait = lab.run(job)
    assert isinstance(wait, Wait)
    assert "come back at" in wait.reason
    assert 80 < (wait.until - lab.now()).total_seconds() < 92
    assert (lab.checkpoints / "page-0003.json").exists()
    portal.set_quota(remaining=1000, reset_in_s=3600)
    assert lab.done(job, checkpoint=wait.checkpoint) == [{"id": number} for number in range(1000)]
    answered = [request.query for request in portal.requests if request.status == 200 and "offset=" in request.query]
    assert len(answered) == len(set(answered)) == 10
    assert not lab.checkpoints.exists()


def test_a_quota_that_returns_in_three_seconds_is_waited_for_in_place(lab: Lab, portal: LocalPortal) -> None:
    portal.fault("quota", reset_in_s=2)
    assert len(lab.done(SearchJob("world-capitals", Query()))) == 110
    assert [request.status for request in portal.requests] == [429, 200, 200, 200, 200]


def test_a_quota_beyond_max_quota_wait_fails_and_says_when_it_returns(lab: Lab, portal: LocalPortal) -> None:
    lab.settings["max_quota_wait_s"] = 3600
    portal.set_quota(remaining=0, reset_in_s=40 * 86_400, unit="month")
    with pytest.raises(OdsQuotaExceeded, match="longer than max_quota_wait_s") as caught:
        lab.run(SearchJob("world-capitals", Query()))
    assert not caught.value.transient
    assert caught.value.reset_at is not None
    assert caught.value.reset_at.isoformat() in str(caught.value)


def test_with_a_destination_another_host_can_go_on(lab: Lab, portal: LocalPortal, out: Path) -> None:
    job = SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=600, path=out / "rows.jsonl")
    portal.set_quota(remaining=4, reset_in_s=90)
    wait = lab.run(job)
    assert isinstance(wait, Wait)
    # Progress lies beside the destination and nothing lies in the store of this host.
    assert any("page-0002.json" in name for name in lab.files())
    assert not lab.checkpoints.exists()
    elsewhere = Lab(portal.url, lab.folder / "another-host", api_key=lab.api_key)
    portal.set_quota(remaining=1000, reset_in_s=3600)
    assert elsewhere.done(job, checkpoint=wait.checkpoint)["rows"] == 600
    answered = [request.query for request in portal.requests if request.status == 200 and "offset=" in request.query]
    assert len(answered) == len(set(answered)) == 6
    assert lab.files() == ["rows.jsonl"]


def test_progress_of_another_query_is_not_taken_for_this_one(lab: Lab, portal: LocalPortal) -> None:
    portal.set_quota(remaining=2, reset_in_s=90)
    assert isinstance(lab.run(SearchJob("synthetic-rows", Query.of(order_by="id"), limit=500)), Wait)
    portal.set_quota(remaining=1000, reset_in_s=3600)
    rows = lab.done(SearchJob("synthetic-rows", Query.of(select="id", order_by="id desc"), limit=300))
    assert [row["id"] for row in rows] == list(range(12_344, 12_044, -1))


@pytest.mark.parametrize("rows", [5, 0])
def test_a_dataset_that_changes_between_pages_is_read_anew(lab: Lab, portal: LocalPortal, rows: int) -> None:
    job = SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=500)
    portal.set_quota(remaining=3, reset_in_s=90)
    assert isinstance(lab.run(job), Wait)
    portal.set_quota(remaining=1000, reset_in_s=3600)
    portal.touch("synthetic-rows", rows=rows)
    before = len(_offsets(portal))
    there = sorted(row["id"] for row in portal.rows("synthetic-rows"))[:500]
    assert [row["id"] for row in lab.done(job)] == there
    assert _offsets(portal)[before:].count(0) == 1
    assert not lab.checkpoints.exists()


def test_with_one_call_a_window_a_search_comes_to_its_end(lab: Lab, portal: LocalPortal) -> None:
    job = SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=300)
    for _ in range(4):
        portal.set_quota(remaining=1, reset_in_s=90)
        assert isinstance(lab.run(job), Wait)
    portal.set_quota(remaining=1, reset_in_s=90)
    assert len(lab.done(job)) == 300


def test_one_record_is_found_by_its_id(lab: Lab, portal: LocalPortal) -> None:
    found = portal.store.cursor().execute('SELECT "$id", name FROM "data world-capitals" LIMIT 1').fetchone()
    assert found
    job = SearchJob("world-capitals", Query.of(select="name", include_links=True), record_id=found[0])
    assert lab.done(job)[0]["name"] == found[1]
    assert portal.requests[-1].path.endswith(f"/records/{found[0]}")
    with pytest.raises(OdsConfigError, match="record_id names one record"):
        SearchJob("world-capitals", Query.of(where="a = 1"), record_id=found[0])


def test_links_and_technical_fields_come_with_pages(lab: Lab, portal: LocalPortal) -> None:
    lab.done(SearchJob("world-capitals", Query.of(include_links="true", include_app_metas=True), limit=1))
    assert "include_links=true&include_app_metas=true" in portal.requests[-1].query


def test_half_a_character_in_a_row_is_written_as_the_portal_wrote_it(make_lab: Callable[..., Lab], out: Path) -> None:
    body = rb'{"total_count":1,"results":[{"note":"cut \ud83d"}]}'
    with replay(answer(body)) as server:
        make_lab(server.url).done(SearchJob("cut", Query(), limit=1, path=out / "a.jsonl"))
    assert json.loads((out / "a.jsonl").read_text()) == {"note": "cut \ud83d"}
