"""A dataset into a table: whole, merged, appended, only what is new; refused, renamed, unchanged, resumed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from effort import effort
from lab import Lab

from ods_provider.core.events import Noticed, StepDone
from ods_provider.core.outcome import Done, Wait
from ods_provider.errors import (
    OdsAuthError,
    OdsColumnsChanged,
    OdsConfigError,
    OdsIncomplete,
    OdsMismatch,
    OdsNotFound,
)
from ods_provider.jobs.arguments import load_job
from ods_provider.testing.portal import LocalPortal

FIELDS = {"id": {"type": "int", "annotations": {"id": True}}, "name": "text", "at": "datetime", "day": "date"}


def row(number: int, **other: Any) -> dict[str, Any]:
    at = f"2026-03-{1 + number % 28:02d}T10:00:00+00:00"
    return {"id": number, "name": f"n° {number} “é” 🚲", "at": at, "day": at[:10], **other}


@pytest.fixture
def city(tmp_path: Path) -> str:
    return f"duckdb:///{tmp_path / 'city.duckdb'}"


@pytest.fixture
def publish(portal: LocalPortal) -> Callable[..., None]:
    """Publishes rows as the dataset ``numbers``, in place of what it held."""

    def publish(rows: list[dict[str, Any]], fields: dict[str, Any] = FIELDS, name: str = "numbers", **how: Any) -> None:
        portal.add_dataset(name, fields=fields, rows=rows, **how)

    return publish


def table(destination: str, statement: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(destination.removeprefix("duckdb:///"), read_only=True) as connection:
        return connection.sql(statement).fetchall()


def exports(portal: LocalPortal) -> int:
    return sum("/exports/" in request.path for request in portal.requests)


def test_a_dataset_becomes_a_table_of_its_own_types(lab: Lab, portal: LocalPortal, city: str) -> None:
    done = lab.done(load_job(dataset_id="world-capitals", table="capitals", destination=city))

    held = {row["geoname_id"]: row for row in portal.rows("world-capitals")}
    found = table(city, "SELECT geoname_id, name, population, coordinates_lon, coordinates_lat FROM capitals")
    assert len(found) == len(held) == done["rows"] == done["table_rows"] == done["inserted"]
    for key, name, population, lon, lat in found:
        wanted = held[key]
        place = wanted["coordinates"]
        assert (name, population, lon, lat) == (wanted["name"], wanted["population"], place["lon"], place["lat"])
    assert (done["table"], done["unchanged"], done["verified"]) == ("capitals", False, "counted")
    assert done["path"] == f"{city}/capitals" and set(done["seconds"]) == {"fetch", "stage", "commit"}
    assert [step.step for step in lab.heard(StepDone)] == ["Fetched", "Staged", "Replaced"]
    assert list((lab.folder).rglob("*.parquet")) == []
    comments = table(city, "SELECT comment FROM duckdb_columns() WHERE table_name = 'capitals' AND comment IS NOT NULL")
    assert comments


def test_replace_shows_what_the_portal_has_now(lab: Lab, publish: Callable[..., None], city: str) -> None:
    for rows in ([row(1), row(2)], [row(2), row(3), row(4)], []):
        publish(rows)
        done = lab.done(load_job(dataset_id="numbers", table="numbers", destination=city))
        assert table(city, "SELECT id FROM numbers ORDER BY id") == [(each["id"],) for each in rows]
        assert done["rows"] == len(rows)


def test_merge_takes_the_fields_annotated_as_id(lab: Lab, publish: Callable[..., None], city: str) -> None:
    job = load_job(dataset_id="numbers", table="numbers", destination=city, mode="merge")
    publish([row(1), row(2), row(3)])
    assert lab.done(job)["inserted"] == 3
    publish([row(2), row(3, name="corrected"), row(4)])
    done = lab.done(job)
    assert (done["inserted"], done["updated"], done["deleted"]) == (1, 1, 0)
    assert table(city, "SELECT id, name FROM numbers WHERE id IN (1, 3) ORDER BY id") == [
        (1, row(1)["name"]),
        (3, "corrected"),
    ]
    gone = lab.done(
        load_job(dataset_id="numbers", table="numbers", destination=city, mode="merge", delete_missing=True)
    )
    assert (gone["deleted"], gone["table_rows"]) == (1, 3)


@pytest.mark.parametrize(
    ("mode", "cursor"),
    effort(
        [("append", "at"), ("append", "day"), ("merge", "id")],
        at_length=[(mode, cursor) for mode in ("append", "merge") for cursor in ("at", "day", "id")],
    ),
)
def test_only_what_is_new_is_asked_for(
    lab: Lab, portal: LocalPortal, publish: Callable[..., None], city: str, mode: str, cursor: str
) -> None:
    """A row corrected at the boundary, ties, late rows within the lag: each arrives, and once."""
    lag = 2 if cursor == "id" else "2 days"
    job = load_job(dataset_id="numbers", table="n", destination=city, mode=mode, cursor=cursor, lag=lag)
    first = [row(number) for number in (1, 2, 3, 6, 7)]
    publish(first)
    assert lab.done(job)["rows"] == 5
    tie = row(7, id=70) if cursor != "id" else row(8)
    late, corrected, new, without = row(5), row(7, name="corrected"), row(9), row(10, id=90, at=None, day=None)
    second = [*first[:-1], late, corrected, tie, new] + ([without] if cursor != "id" else [])
    publish(second)
    done = lab.done(job)
    wanted = sorted((each["id"], each["name"]) for each in second)
    assert table(city, "SELECT id, name FROM n ORDER BY id") == wanted
    assert done["rows"] < len(second)
    assert done["watermark"] == {"id": 9, "day": "2026-03-10", "at": "2026-03-10T10:00:00+00:00"}[cursor]
    asked = [request for request in portal.requests if "/exports/" in request.path][-1]
    assert cursor in asked.query
    # Again, and nothing changes.
    again = lab.done(job)
    assert table(city, "SELECT id, name FROM n ORDER BY id") == wanted and again["table_rows"] == len(wanted)


@pytest.mark.at_length
def test_a_backfill_does_not_move_the_watermark_back(lab: Lab, publish: Callable[..., None], city: str) -> None:
    given = {"dataset_id": "numbers", "table": "n", "destination": city, "mode": "merge", "cursor": "at"}
    publish([row(number) for number in range(1, 9)])
    lab.done(load_job(**given))
    lab.done(load_job(**given, where="at < date'2026-03-04'"), name="backfill")
    assert lab.done(load_job(**given))["rows"] == 1


@pytest.mark.at_length
def test_a_filter_that_finds_nothing_empties_the_table_unless_rows_are_wanted(
    lab: Lab, publish: Callable[..., None], city: str
) -> None:
    given = {"dataset_id": "numbers", "table": "n", "destination": city}
    publish([row(number) for number in range(1, 5)])
    lab.done(load_job(**given))
    none = "at >= date'2020-01-01' and at < date'2020-01-01'"
    with pytest.raises(OdsIncomplete, match="min_rows"):
        lab.done(load_job(**given, where=none, min_rows=1))
    assert len(table(city, "SELECT id FROM n")) == 4
    assert lab.done(load_job(**given, where=none))["table_rows"] == 0


@pytest.mark.at_length
def test_a_table_that_is_gone_is_loaded_whole_again(lab: Lab, publish: Callable[..., None], city: str) -> None:
    job = load_job(dataset_id="numbers", table="n", destination=city, mode="append", cursor="id", if_unchanged="keep")
    publish([row(number) for number in range(5)])
    lab.done(job)
    with duckdb.connect(city.removeprefix("duckdb:///")) as connection:
        connection.execute("DROP TABLE n")
    assert lab.done(job)["rows"] == 5


class TestUnchanged:
    def test_keep_asks_for_no_rows(self, lab: Lab, portal: LocalPortal, city: str) -> None:
        job = load_job(dataset_id="world-capitals", table="c", destination=city, if_unchanged="keep")
        first = lab.done(job)
        asked = exports(portal)
        again = lab.done(job)
        assert again["unchanged"] and again["rows"] == first["rows"] and exports(portal) == asked
        with duckdb.connect(city.removeprefix("duckdb:///")) as connection:
            connection.execute("DELETE FROM c WHERE name LIKE 'P%'")
        assert not lab.done(job)["unchanged"]
        portal.touch("world-capitals")
        assert not lab.done(job)["unchanged"]

    @pytest.mark.at_length
    def test_skip_lets_what_follows_be_skipped_once_a_run_succeeded(self, lab: Lab, city: str) -> None:
        job = load_job(dataset_id="world-capitals", table="c", destination=city, if_unchanged="skip")
        first = lab.run(job, name="night 1")
        assert isinstance(first, Done) and first.skipped is None
        # The run that loaded it did not succeed: its downstream was not run.
        lab.remembered = {}
        second = lab.run(job, name="night 2")
        assert isinstance(second, Done) and second.skipped is None and second.result["unchanged"]
        lab.remembered = second.result
        third = lab.run(job, name="night 3")
        assert isinstance(third, Done) and third.skipped and "has not changed since" in third.skipped

    @pytest.mark.at_length
    def test_an_append_that_could_not_say_so_is_not_done_twice(
        self, lab: Lab, publish: Callable[..., None], city: str
    ) -> None:
        publish([row(1), row(2)])
        job = load_job(dataset_id="numbers", table="n", destination=city, mode="append")
        lab.done(job, name="night 1")
        assert lab.done(job, name="night 1")["table_rows"] == 2
        assert lab.done(job, name="night 2")["table_rows"] == 4
        # Another run has loaded since: who clears the first one adds its rows once more.
        assert lab.done(job, name="night 1")["table_rows"] == 6

    @pytest.mark.at_length
    @pytest.mark.parametrize("how", [{"mode": "append"}, {"mode": "append", "cursor": "id"}, {"mode": "merge"}])
    def test_a_table_that_was_emptied_is_loaded_again(
        self, lab: Lab, publish: Callable[..., None], city: str, how: dict[str, Any]
    ) -> None:
        publish([row(1), row(2), row(3)])
        job = load_job(dataset_id="numbers", table="n", destination=city, if_unchanged="keep", **how)
        lab.done(job)
        with duckdb.connect(city.removeprefix("duckdb:///")) as connection:
            connection.execute("DELETE FROM n")
        again = lab.done(job)
        assert (again["unchanged"], again["table_rows"]) == (False, 3)
        assert lab.done(job)["unchanged"]

    @pytest.mark.at_length
    def test_rows_that_others_add_or_that_are_cleared_away_double_nothing(
        self, lab: Lab, publish: Callable[..., None], city: str
    ) -> None:
        job = load_job(dataset_id="numbers", table="n", destination=city, mode="append", if_unchanged="keep")
        for rows in ([row(1)], [row(2), row(3)]):
            publish(rows)
            lab.done(job)
        for statement in ("DELETE FROM n WHERE id = 1", "INSERT INTO n (id) VALUES (8), (9)"):
            with duckdb.connect(city.removeprefix("duckdb:///")) as connection:
                connection.execute(statement)
            assert lab.done(job)["unchanged"]


HIGHER = {**FIELDS, "height": "double"}


class TestColumns:
    @pytest.mark.at_length
    def test_a_new_field_becomes_a_column(self, lab: Lab, publish: Callable[..., None], city: str) -> None:
        job = load_job(dataset_id="numbers", table="n", destination=city, mode="merge")
        publish([row(1)])
        lab.done(job)
        publish([row(2, height=1.5)], HIGHER)
        done = lab.done(job)
        assert table(city, "SELECT id, height FROM n ORDER BY id") == [(1, None), (2, 1.5)]
        assert any("height" in told for told in done["columns_changed"])
        assert [told.sentence for told in lab.heard(Noticed)] == [
            f"Table n: {told}" for told in done["columns_changed"]
        ]

    def test_freeze_refuses_before_anything_is_fetched(
        self, lab: Lab, portal: LocalPortal, publish: Callable[..., None], city: str
    ) -> None:
        job = load_job(dataset_id="numbers", table="n", destination=city, columns="freeze")
        publish([row(1)])
        lab.done(job)
        publish([{"id": 1, "name": "x", "height": 2.0}], {"id": "int", "name": "double", "height": "double"})
        asked = exports(portal)
        with pytest.raises(OdsColumnsChanged, match=r"height.*is new") as failed:
            lab.done(job)
        assert all(name in str(failed.value) for name in ("at", "day", "name", "table n"))
        assert exports(portal) == asked
        assert table(city, "SELECT id FROM n") == [(1,)]

    def test_expect_says_what_must_be_there(self, lab: Lab, publish: Callable[..., None], city: str) -> None:
        publish([row(1)])
        with pytest.raises(OdsColumnsChanged, match="at is expected to be text"):
            lab.done(load_job(dataset_id="numbers", table="n", destination=city, expect={"at": "text", "id": "int"}))


def test_a_dataset_that_was_renamed_is_named(
    lab: Lab, portal: LocalPortal, publish: Callable[..., None], city: str
) -> None:
    job = load_job(dataset_id="numbers", table="n", destination=city)
    publish([row(1)])
    lab.done(job)
    portal.rename("numbers", "figures")
    with pytest.raises(OdsNotFound, match="numbers is now called figures"):
        lab.done(job)


def test_rows_that_were_cut_never_reach_the_table(lab: Lab, portal: LocalPortal, city: str) -> None:
    job = load_job(dataset_id="world-capitals", table="c", destination=city)
    lab.done(job)
    before = table(city, "SELECT count(*), max(population) FROM c")
    portal.touch("world-capitals")
    portal.fault("short_rows", path="/exports/", rows=1, times=None)
    with pytest.raises(OdsMismatch):
        lab.done(job)
    assert table(city, "SELECT count(*), max(population) FROM c") == before
    portal.clear_faults()
    with pytest.raises(OdsIncomplete, match="min_rows"):
        lab.done(load_job(dataset_id="world-capitals", table="c", destination=city, min_rows=10_000))
    assert table(city, "SELECT count(*), max(population) FROM c") == before


@pytest.mark.at_length
def test_a_quota_frees_the_worker_and_what_was_fetched_is_kept(lab: Lab, portal: LocalPortal, city: str) -> None:
    job = load_job(dataset_id="synthetic-rows", table="s", destination=city, parallel=4, partition_by="id")
    portal.fault("quota", path="/exports/", skip=2, times=1, reset_in_s=300)
    waits = lab.run(job)
    assert isinstance(waits, Wait)
    before = exports(portal)
    portal.clear_faults()
    done = lab.done(job, checkpoint=waits.checkpoint)
    assert done["rows"] == 12_345 == table(city, "SELECT count(*) FROM s")[0][0]
    assert exports(portal) - before < 5


def test_a_load_that_failed_at_the_database_fetches_nothing_again(
    lab: Lab, portal: LocalPortal, tmp_path: Path
) -> None:
    place = tmp_path / "city.db"
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("CREATE TABLE c (geoname_id TEXT, demanded TEXT NOT NULL)")
    job = load_job(dataset_id="world-capitals", table="c", destination=f"sqlite:///{place}", staging=tmp_path / "stage")
    with pytest.raises(OdsColumnsChanged, match="demanded"):
        lab.done(job)
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("DROP TABLE c")
    asked = exports(portal)
    assert lab.done(job)["rows"] == 110
    assert exports(portal) <= asked + 1
    assert not list((tmp_path / "stage").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mode": "upsert"}, "argument mode"),
        ({"cursor": "at"}, "loads all rows"),
        ({"lag": "3 days"}, "arguments lag, cursor"),
        ({"mode": "append", "cursor": "at", "lag": "soon"}, "argument lag"),
        ({"mode": "append", "cursor": "at", "lag": 3}, "argument lag"),
        ({"mode": "append", "cursor": "name"}, "argument cursor"),
        ({"mode": "append", "cursor": "nothing"}, "argument cursor"),
        ({"mode": "merge", "primary_key": "nmae"}, "name"),
        ({"mode": "merge", "cursor": "at", "delete_missing": True}, "delete_missing"),
        ({"delete_missing": "true"}, "delete_missing"),
        ({"primary_key": "id"}, "primary_key"),
        ({"geo": "kml"}, "geo"),
        ({"swap": "rename", "mode": "append"}, "swap"),
        ({"destination": "duck:///x"}, "duck"),
        ({"destination": ""}, "destination"),
        ({"table": "a.b.c"}, "argument table"),
        ({"table": ""}, "argument table"),
        ({"limit": "3", "parallel": 4}, "limit"),
    ],
)
def test_bad_arguments_are_named(
    lab: Lab, publish: Callable[..., None], city: str, given: dict[str, Any], said: str
) -> None:
    publish([row(1)])
    with pytest.raises(OdsConfigError, match=said):
        lab.done(load_job(**{"dataset_id": "numbers", "table": "n", "destination": city, **given}))


def test_a_wrong_key_says_so_and_no_table_is_made(portal: LocalPortal, make_lab: Callable[..., Lab], city: str) -> None:
    with pytest.raises(OdsAuthError):
        make_lab(portal.url, api_key="wr0ng-key").done(
            load_job(dataset_id="world-capitals", table="c", destination=city)
        )
    assert table(city, "SHOW TABLES") == []


def test_memory_lies_beside_the_table(lab: Lab, publish: Callable[..., None], city: str) -> None:
    publish([row(1), row(27)])
    lab.done(load_job(dataset_id="numbers", table="n", destination=city, mode="append", cursor="day"))
    ((dataset, watermark, told),) = table(city, 'SELECT dataset_id, watermark, outcome FROM "_ods_loads"')
    assert (dataset, json.loads(watermark)) == ("numbers", date(2026, 3, 28).isoformat())
    assert json.loads(told)["rows"] == 2
