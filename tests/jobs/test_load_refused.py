"""What a load may not do to a table that stands, or to names that are not its own: refused before a row is fetched."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from effort import effort
from lab import Lab

from ods_provider.errors import OdsConfigError, OdsError
from ods_provider.jobs.arguments import load_job
from ods_provider.testing.portal import LocalPortal

FIELDS = {"id": {"type": "int", "annotations": {"id": True}}, "name": "text", "at": "geo_point_2d"}
ROWS = [{"id": number, "name": f"n{number}", "at": {"lon": 3.5 + number, "lat": 51.0}} for number in range(4)]


@pytest.fixture(params=effort(["sqlite"], at_length=["sqlite", "duckdb"]))
def city(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{request.param}:///{tmp_path / 'city.db'}"


@pytest.fixture
def load(lab: Lab, portal: LocalPortal, city: str) -> Callable[..., dict[str, Any]]:
    """Loads ``numbers`` into the table ``n``."""
    publish(portal)

    def load(**given: Any) -> dict[str, Any]:
        return dict(lab.done(load_job(**{"dataset_id": "numbers", "table": "n", "destination": city, **given})))

    return load


def publish(
    portal: LocalPortal, rows: list[dict[str, Any]] = ROWS, name: str = "numbers", fields: Any = FIELDS, **how: Any
) -> None:
    portal.add_dataset(name, fields=fields, rows=rows, **how)


def run(destination: str, statement: str) -> list[tuple[Any, ...]]:
    kind, _, path = destination.partition(":///")
    if kind == "duckdb":
        with duckdb.connect(path) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []
    with closing(sqlite3.connect(path)) as database:
        found_rows = database.execute(statement).fetchall()
        database.commit()
        return found_rows


def refused(portal: LocalPortal, load: Callable[..., Any], said: str, **given: Any) -> str:
    """Return what is said, once no row was asked for."""
    before = exports(portal)
    with pytest.raises(OdsConfigError, match=said) as caught:
        load(**given)
    assert exports(portal) == before
    return str(caught.value)


def exports(portal: LocalPortal) -> int:
    return sum("/exports/" in request.path for request in portal.requests)


class TestHistory:
    """Ended rows stay what they are."""

    @pytest.mark.at_length
    def test_a_table_that_keeps_it_is_loaded_in_no_other_mode(
        self, portal: LocalPortal, load: Callable[..., Any], city: str
    ) -> None:
        load(mode="scd2")
        publish(portal, [{**ROWS[0], "name": "other"}, *ROWS[1:]])
        load(mode="scd2")
        asked = "SELECT id, name, valid_to IS NULL FROM n ORDER BY id, valid_from"
        held = run(city, asked)
        assert len(held) == 5
        # The same question asked in another way, and the table named in another.
        for given in (
            {"mode": "replace"},
            {"mode": "merge"},
            {"mode": "append", "where": "id > 1"},
            {"mode": "merge", "table": "N"},
            {"mode": "replace", "table": "main.n"},
        ):
            said = refused(portal, load, "keeps history", **given)
            assert "scd2" in said and "drop" in said
        assert run(city, asked) == held
        assert load(mode="scd2")["updated"] == 0

    def test_it_is_known_by_its_columns_where_nothing_is_remembered(
        self, portal: LocalPortal, load: Callable[..., Any], city: str
    ) -> None:
        load(mode="scd2")
        run(city, 'DROP TABLE "_ods_loads"')
        refused(portal, load, "keeps history")

    def test_a_dataset_with_fields_of_these_names_keeps_none(
        self, portal: LocalPortal, load: Callable[..., Any], city: str
    ) -> None:
        fields = {**FIELDS, "valid_from": "date", "valid_to": "date"}
        publish(portal, [{**row, "valid_from": "2026-01-01", "valid_to": None} for row in ROWS], fields=fields)
        load()
        assert load(mode="merge")["table_rows"] == 4
        run(city, 'DROP TABLE "_ods_loads"')
        assert load()["table_rows"] == 4
        publish(portal)  # the fields are gone, and their columns stay
        assert load()["table_rows"] == 4

    def test_once_it_is_dropped_anything_may_stand_there(
        self, portal: LocalPortal, load: Callable[..., Any], city: str
    ) -> None:
        load(mode="scd2")
        run(city, "DROP TABLE n")
        assert load(mode="merge")["table_rows"] == 4


class TestNames:
    """Those under which the package keeps its own."""

    @pytest.mark.parametrize(
        "table", ["_ods_loads", "_ODS_Loads", '"_ods_loads "', "main._ods_mirror", "_ods_0123456789ab_n", "_ods_x.n"]
    )
    def test_they_are_nobodys_tables(
        self, portal: LocalPortal, load: Callable[..., Any], city: str, table: str
    ) -> None:
        load()
        refused(portal, load, "begins with _ods_", table=table)
        assert run(city, 'SELECT dataset_id FROM "_ods_loads"') == [("numbers",)]

    def test_long_ones_are_taken_where_there_is_no_bound(self, load: Callable[..., Any], city: str) -> None:
        name = "n" * 100
        load(table=name)
        assert run(city, f"SELECT count(*) FROM {name}") == [(4,)]


class TestMissingRows:
    """What was not asked for is not missing."""

    @pytest.mark.parametrize("mode", ["merge", "scd2"])
    @pytest.mark.parametrize(
        "narrowed", [{"limit": 2}, {"where": "id > 1"}, {"refine": {"name": "n1"}}, {"exclude": {"name": "n1"}}]
    )
    def test_they_are_not_deleted_by_a_query(
        self, portal: LocalPortal, load: Callable[..., Any], city: str, mode: str, narrowed: dict[str, Any]
    ) -> None:
        load(mode=mode)
        said = refused(portal, load, "some rows", mode=mode, delete_missing=True, **narrowed)
        assert next(iter(narrowed)) in said and ("replace" in said) is (mode == "merge")
        assert run(city, "SELECT count(*) FROM n") == [(4,)]


class TestPlaces:
    """One form of them in a column."""

    def test_another_form_does_not_come_beside_the_one_that_is_there(
        self, portal: LocalPortal, load: Callable[..., Any], city: str
    ) -> None:
        load(mode="merge", geo="wkt")
        publish(portal, [{**row, "id": row["id"] + 10} for row in ROWS])
        for mode in ("merge", "append"):
            said = refused(portal, load, "geo='wkt'", mode=mode, geo="geojson")
            assert "replace" in said
            refused(portal, load, "geo='wkt'", mode=mode)
        load(mode="append", geo="wkt")
        assert {str(at)[:5] for (at,) in run(city, 'SELECT "at" FROM n')} == {"POINT"}

    def test_all_rows_may_take_another_form(self, portal: LocalPortal, load: Callable[..., Any], city: str) -> None:
        load(geo="wkt")
        load(geo="lonlat")
        assert load(mode="append")["table_rows"] == 8
        refused(portal, load, "geo='lonlat'", mode="append", geo="wkt")

    def test_a_dataset_without_places_has_no_form_of_them(self, portal: LocalPortal, load: Callable[..., Any]) -> None:
        publish(portal, [{"id": 1, "name": "n"}], fields={name: FIELDS[name] for name in ("id", "name")})
        load(mode="merge")
        assert load(mode="merge", geo="wkt")["table_rows"] == 1


class TestAnotherDataset:
    """Its rows do not take the place of those that stand there, or mix with them."""

    @pytest.mark.at_length
    @pytest.mark.parametrize("mode", ["replace", "merge", "append"])
    def test_it_is_refused_and_both_are_named(
        self, portal: LocalPortal, load: Callable[..., Any], city: str, mode: str
    ) -> None:
        publish(portal, name="others")
        load()
        said = refused(portal, load, "another dataset", dataset_id="others", mode=mode, if_unchanged="keep")
        assert "numbers" in said and "others" in said and "drop" in said
        assert load(where="id < 2", mode="append")["table_rows"] == 6
        run(city, "DROP TABLE n")
        assert load(dataset_id="others", mode=mode)["table_rows"] == 4
        assert load(dataset_id="others")["table_rows"] == 4
        refused(portal, load, "another dataset")

    def test_of_another_portal_too(self, portal: LocalPortal, load: Callable[..., Any], city: str) -> None:
        load()
        statement = "UPDATE _ods_loads SET portal = 'https://data.example.org', dataset_uid = 'da_other'"
        run(city, statement)
        said = refused(portal, load, "another dataset")
        assert "data.example.org" in said and "127.0.0.1" in said

    def test_one_of_another_id_with_the_old_uid_is_the_same(
        self, portal: LocalPortal, load: Callable[..., Any], city: str
    ) -> None:
        load()
        portal.rename("numbers", "numbers-2")
        assert load(dataset_id="numbers-2", mode="merge")["table_rows"] == 4
        assert load(dataset_id="numbers-2")["table_rows"] == 4

    def test_one_that_was_made_anew_under_its_id_is_the_same(
        self, portal: LocalPortal, load: Callable[..., Any], city: str
    ) -> None:
        load()
        run(city, "UPDATE _ods_loads SET dataset_uid = 'da_older'")
        assert load()["table_rows"] == 4

    def test_it_is_seen_where_it_came_while_the_export_was_fetched(
        self, portal: LocalPortal, lab: Lab, load: Callable[..., Any], city: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from ods_provider.jobs.load import LoadJob

        publish(portal, name="others")
        fetched = LoadJob._fetched

        def meanwhile(self: LoadJob, *args: Any) -> Any:
            monkeypatch.setattr(LoadJob, "_fetched", fetched)
            load(dataset_id="others")
            return fetched(self, *args)

        monkeypatch.setattr(LoadJob, "_fetched", meanwhile)
        with pytest.raises(OdsError, match="another dataset"):
            load()
        assert run(city, 'SELECT dataset_id FROM "_ods_loads"') == [("others",)]


def test_a_load_says_how_it_was_done(load: Callable[..., Any], city: str) -> None:
    done = load(mode="merge", geo="wkt")
    ((told,),) = run(city, 'SELECT outcome FROM "_ods_loads"')
    assert {"mode": "merge", "geo": "wkt"}.items() <= done.items() and json.loads(told)["geo"] == "wkt"
