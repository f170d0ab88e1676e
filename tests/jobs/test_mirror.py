"""A whole portal, mirrored: what changed comes, what did not costs nothing, and the report says all of it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from lab import API_KEY, Lab

from ods_provider.core.outcome import Wait
from ods_provider.errors import OdsConfigError, OdsSinkError
from ods_provider.jobs.arguments import mirror_batch_job, mirror_job, mirror_plan_job, mirror_report_job
from ods_provider.testing.portal import LocalPortal

OURS = "startswith(dataset_id, 'town')"
A_DATASET = 5  # calls: a look before (two), the export, a look after


@pytest.fixture(scope="module")
def _towns() -> Iterator[LocalPortal]:
    with LocalPortal(api_key=API_KEY) as portal:
        yield portal


@pytest.fixture
def towns(_towns: LocalPortal) -> LocalPortal:
    """Five small datasets beside the portal's own."""
    _towns.reset()
    for number in range(5):
        publish(_towns, f"town-{number}", rows=number + 1)
    return _towns


@pytest.fixture
def lab(towns: LocalPortal, tmp_path: Path) -> Lab:
    return Lab(towns.url, tmp_path, api_key=API_KEY)


def publish(portal: LocalPortal, name: str, rows: int = 2) -> None:
    portal.add_dataset(name, {"n": "int", "name": "text"}, [{"n": each, "name": name} for each in range(rows)])


def whats(report: dict[str, Any]) -> dict[str, str]:
    return {each["dataset_id"]: each["what"] for each in report["datasets"]}


def why(report: dict[str, Any], dataset_id: str) -> str:
    return next(each["why"] for each in report["datasets"] if each["dataset_id"] == dataset_id)


@pytest.fixture(params=["csv", "sqlite", pytest.param("duckdb", marks=pytest.mark.at_length)])
def to(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Each kind of place."""
    if request.param == "csv":
        return {"to": str(tmp_path / "out"), "format": "csv"}
    return {"to": f"{request.param}:///{tmp_path}/towns.{request.param}", "staging": str(tmp_path / "staging")}


def rows_at(to: dict[str, Any], name: str) -> int | None:
    """How many rows of a dataset stand there, None where it does not."""
    kind, _, path = str(to["to"]).rpartition("://")
    table = name.replace("-", "_")
    try:
        if kind == "duckdb":
            with duckdb.connect(path[1:], read_only=True) as opened:
                return int(opened.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0])
        if kind == "sqlite":
            with closing(sqlite3.connect(path[1:])) as held:
                return int(held.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        return len((Path(path) / f"{name}.csv").read_text().splitlines()) - 1
    except (duckdb.CatalogException, sqlite3.OperationalError, FileNotFoundError):
        return None


@pytest.mark.at_length
def test_what_changed_comes_and_what_did_not_costs_no_call(lab: Lab, towns: LocalPortal, to: dict[str, Any]) -> None:
    job = mirror_job(**to, where=OURS)
    first = lab.done(job)
    assert Counter(whats(first).values()) == {"done": 5}
    assert (first["rows"], first["calls"]) == (15, 1 + 5 * A_DATASET)
    assert first["calls"] == len(towns.requests)
    assert [rows_at(to, f"town-{number}") for number in range(5)] == [1, 2, 3, 4, 5]
    towns.requests.clear()
    again = lab.done(job, name="two")
    assert (again["unchanged"], again["calls"], len(towns.requests)) == (5, 1, 1)
    towns.touch("town-2", rows=4)
    third = lab.done(job, name="three")
    assert whats(third) == {f"town-{number}": "done" if number == 2 else "unchanged" for number in range(5)}
    assert rows_at(to, "town-2") == 7


@pytest.mark.at_length
def test_a_file_or_table_that_somebody_removed_comes_again(lab: Lab, to: dict[str, Any]) -> None:
    job = mirror_job(**to, where=OURS)
    lab.done(job)
    kind, _, path = str(to["to"]).rpartition("://")
    if kind == "duckdb":
        with duckdb.connect(path[1:]) as opened:
            opened.execute("DROP TABLE town_1")
    elif kind == "sqlite":
        with closing(sqlite3.connect(path[1:])) as held:
            held.execute("DROP TABLE town_1")
    else:
        (Path(path) / "town-1.csv").unlink()
    assert whats(lab.done(job, name="two"))["town-1"] == "done"
    assert rows_at(to, "town-1") == 2


@pytest.mark.at_length
@pytest.mark.parametrize("vanished", ["keep", "mark", "drop"])
def test_what_vanished_or_has_another_id_is_told(
    lab: Lab, towns: LocalPortal, to: dict[str, Any], vanished: str
) -> None:
    job = mirror_job(**to, where=OURS, vanished=vanished)
    lab.done(job)
    towns.remove_dataset("town-0")
    towns.rename("town-1", "town-hall")
    report = lab.done(job, name="two")
    assert (report["vanished"], report["renamed"], report["done"], report["unchanged"]) == (1, 1, 1, 3)
    assert {"keep": "kept", "mark": "marked", "drop": "dropped"}[vanished] in why(report, "town-0")
    assert "is now called town-hall" in why(report, "town-1")
    assert why(report, "town-hall") == "was called town-1"
    assert rows_at(to, "town-hall") == 2
    assert [rows_at(to, "town-0"), rows_at(to, "town-1")] == ([None, None] if vanished == "drop" else [1, 2])
    later = lab.done(job, name="three")
    assert (later["vanished"], later["renamed"]) == ((1, 1) if vanished == "mark" else (0, 0))


@pytest.mark.at_length
def test_more_is_not_dropped_at_once_than_a_portal_loses(lab: Lab, towns: LocalPortal, tmp_path: Path) -> None:
    for number in range(5, 10):
        publish(towns, f"town-{number}")
    job = mirror_job(to=str(tmp_path / "out"), format="csv", where=OURS, vanished="drop")
    lab.done(job)
    for number in range(9):
        towns.remove_dataset(f"town-{number}")
    report = lab.done(job, name="two")
    assert report["vanished"] == 9
    assert why(report, "town-3") == "marked, not dropped: more than 5 are gone at once"
    assert len(list((tmp_path / "out").glob("*.csv"))) == 10


@pytest.mark.at_length
def test_with_other_filters_nothing_is_taken_for_gone(lab: Lab, tmp_path: Path) -> None:
    to = {"to": str(tmp_path / "out"), "format": "csv", "vanished": "drop"}
    lab.done(mirror_job(**to, where=OURS))
    fewer = lab.done(mirror_job(**to, where="dataset_id = 'town-3'"), name="two")
    assert whats(fewer) == {"town-3": "unchanged"}
    assert len(list((tmp_path / "out").glob("*.csv"))) == 5


@pytest.mark.at_length
def test_a_dataset_that_fails_stops_no_other_and_waits_behind_them(
    lab: Lab, towns: LocalPortal, to: dict[str, Any]
) -> None:
    towns.fault("status", status=403, times=None, path="town-1/exports")
    report = lab.done(mirror_job(**to, where=OURS))
    assert whats(report) == {f"town-{number}": "failed" if number == 1 else "done" for number in range(5)}
    assert "403" in why(report, "town-1")
    assert rows_at(to, "town-1") is None
    towns.clear_faults()
    assert whats(lab.done(mirror_job(**to, where=OURS), name="two"))["town-1"] == "done"


@pytest.mark.at_length
def test_the_rest_is_left_to_tomorrow_longest_waiting_first(lab: Lab, towns: LocalPortal, to: dict[str, Any]) -> None:
    towns.set_quota(limit=20, remaining=20)  # two of which are reserved
    job = mirror_job(**to, where=OURS)
    report = lab.done(job)
    assert (report["done"], report["tomorrow"], report["reserve"]) == (3, 2, 2)
    assert len(towns.requests) == report["calls"] == 1 + 3 * A_DATASET
    assert "2 of them reserved" in why(report, "town-4")
    towns.set_quota(limit=20, remaining=20)
    towns.touch("town-0", rows=1)
    towns.touch("town-1", rows=1)
    second = lab.done(job, name="two")
    late = {name for name, what in whats(second).items() if what == "tomorrow"}
    assert late == {"town-1"}
    assert (rows_at(to, "town-3"), rows_at(to, "town-4"), rows_at(to, "town-0")) == (4, 5, 2)


@pytest.mark.at_length
def test_a_quota_that_ends_in_the_middle_leaves_the_rest_too(lab: Lab, towns: LocalPortal, tmp_path: Path) -> None:
    # It is not stated before: others spend it.
    towns.fault("quota", times=None, path="town-2/", reset_in_s=7_200.0)
    report = lab.done(mirror_job(to=str(tmp_path / "out"), where=OURS, parallel=1))
    assert whats(report) == {f"town-{number}": "done" if number < 2 else "tomorrow" for number in range(5)}
    towns.clear_faults()
    assert lab.done(mirror_job(to=str(tmp_path / "out"), where=OURS), name="two")["done"] == 3


def test_who_wants_to_wait_is_told_until_when(lab: Lab, towns: LocalPortal, tmp_path: Path) -> None:
    towns.set_quota(limit=10, remaining=10, reset_in_s=7_200)
    ended = lab.run(mirror_job(to=str(tmp_path / "out"), where=OURS, wait=True))
    assert isinstance(ended, Wait)
    assert "1 done, 4 tomorrow" in ended.reason


@pytest.mark.at_length
def test_what_a_killed_run_brought_is_not_brought_again(lab: Lab, towns: LocalPortal, to: dict[str, Any]) -> None:
    batches = lab.done(mirror_plan_job(**_but(to, "staging"), where=OURS, most_batches=2))
    assert [len(batch["datasets"]) for batch in batches] == [3, 2]
    lab.done(mirror_batch_job(**to, batch=batches[0]), name="batch")
    # No report was made. Another run begins.
    towns.requests.clear()
    report = lab.done(mirror_job(**to, where=OURS), name="two")
    assert Counter(whats(report).values()) == {"unchanged": 3, "done": 2}
    assert len(towns.requests) == 1 + 2 * A_DATASET


@pytest.mark.at_length
def test_plan_batches_and_report_do_on_many_workers_what_one_does(
    lab: Lab, towns: LocalPortal, to: dict[str, Any]
) -> None:
    at = _but(to, "staging")
    batches = lab.done(mirror_plan_job(**at, where=OURS))
    assert len(batches) == 5
    made = [lab.done(mirror_batch_job(**to, batch=batch), name=f"batch {n}") for n, batch in enumerate(batches[:4])]
    asked = len(towns.requests)
    # Tried again, as a scheduler does whose worker died at the end: nothing is asked for.
    assert lab.done(mirror_batch_job(**to, batch=batches[0]), name="batch 0") == made[0]
    assert len(towns.requests) == asked == 1 + 4 * A_DATASET
    report = lab.done(mirror_report_job(**at, batches=batches, results=[made[0], None, *made[2:]]), name="report")
    # One said nothing though it is here, one is not.
    assert Counter(whats(report).values()) == {"done": 4, "failed": 1}
    assert why(report, "town-4") == "its task gave no result: look into its log"
    assert report["calls"] == asked


@pytest.mark.at_length
def test_another_portal_s_mirror_and_a_broken_list_are_refused(lab: Lab, tmp_path: Path) -> None:
    job = mirror_job(to=str(tmp_path / "out"), where=OURS)
    lab.done(job)
    place = tmp_path / "out" / "_ods_mirror.json"
    place.write_text(place.read_text().replace('"portal": "127.0.0.1"', '"portal": "data.example.org"'))
    with pytest.raises(OdsConfigError, match=r"this is the mirror of data\.example\.org"):
        lab.done(job, name="two")
    with pytest.raises(OdsConfigError, match=r"as parquet .*each format"):
        lab.done(mirror_job(to=str(tmp_path / "out"), where=OURS, format="csv"), name="format")
    place.write_text(
        place.read_text().replace("town-1.parquet", "../town-1.parquet").replace("data.example.org", "127.0.0.1")
    )
    assert "is no name of a file in it" in why(lab.done(job, name="outside"), "town-1")
    assert not (tmp_path / "town-1.parquet").exists()
    place.write_text("{")
    with pytest.raises(OdsSinkError, match="no list of a mirror"):
        lab.done(job, name="three")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"to": ""}, "to"),
        ({"to": "x", "vanished": "burn"}, "vanished"),
        ({"to": "x", "into": "cloud"}, "into"),
        ({"to": "x", "schema": "s"}, "schema"),
        ({"to": "x.duckdb", "into": "tables", "schema": "_ODS_s"}, "begins with _ods_"),
        ({"to": "duckdb:///x.duckdb", "format": "csv"}, "format"),
        ({"to": "x", "format": "cvs"}, "format"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OdsConfigError, match=said):
        mirror_job(**given)


def _but(given: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in given.items() if each != name}


@pytest.mark.at_length
def test_three_days_of_a_portal_of_300_datasets_under_400_calls(tmp_path: Path) -> None:
    days, a_day = 3, 400
    with LocalPortal(api_key=API_KEY) as portal:
        lab = Lab(portal.url, tmp_path, api_key=API_KEY)
        names = [f"town-{number:03d}" for number in range(300)]
        for name in names:
            publish(portal, name)
        since: dict[str, int] = dict.fromkeys(names, 1)  # the day since when a dataset waits
        here: set[str] = set()
        older: dict[str, str] = {}  # names that stand until the rows of the newer ones are here
        for day in range(1, days + 1):
            gone: set[str] = set()
            moved: dict[str, str] = {}
            if day > 1:
                for name in names[day::10][:30]:
                    portal.touch(name, rows=day)
                    since.setdefault(name, day)
                # One that was brought, one that waits; and one that was brought has another id.
                gone = {min(here), max(since.keys() - older.values())}
                moved = {max(here - gone): f"town-new-{day}"}
                for name in gone:
                    portal.remove_dataset(name)
                for old, new in moved.items():
                    portal.rename(old, new)
                names = [moved.get(name, name) for name in names if name not in gone]
                since = {name: then for name, then in since.items() if name in names}
                since |= dict.fromkeys(moved.values(), day)
            portal.set_quota(limit=a_day, remaining=a_day)
            portal.requests.clear()
            job = mirror_job(to=str(tmp_path / "out"), format="csv", where=OURS, vanished="drop")
            report = lab.done(job, name=f"day {day}")

            older |= moved
            # Who waits longest comes first, as many as the calls let through; the catalogue takes four.
            fits = (a_day - a_day // 10 - 4) // A_DATASET
            processed = {name: portal.store.datasets[name].data_processed for name in names}
            turns = sorted(since, key=lambda name: (since[name], processed[name], name))
            done, late = turns[:fits], set(turns[fits:])
            told = whats(report)
            assert {name for name, what in told.items() if what == "done"} == set(done)
            assert {name for name, what in told.items() if what == "tomorrow"} == late
            assert {name for name, what in told.items() if what == "unchanged"} == set(names) - set(turns)
            assert {name for name, what in told.items() if what == "vanished"} == gone & here
            assert {name for name, what in told.items() if what == "renamed"} == set(older)
            assert report["calls"] == len(portal.requests) == 4 + len(done) * A_DATASET <= a_day - a_day // 10
            assert report["rows"] == sum(len(portal.rows(name)) for name in done)
            here = (here - gone - moved.keys()) | set(done)
            since = {name: then for name, then in since.items() if name in late}
            older = {old: new for old, new in older.items() if new in late}
            assert {path.stem for path in (tmp_path / "out").glob("*.csv")} == here | older.keys()
            for name in here - late:
                assert rows_at({"to": f"{tmp_path}/out"}, name) == len(portal.rows(name))
