"""A real MariaDB takes loads as the contract says, and some ways in which it might not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from engine_contract import CITIES, ID, EngineContract, city, loaded
from mariadb import mariadb
from mariadb_database import MariaDb

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.columns import Column
from ods_provider.tables.load import Load, Loaded, TableName


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with mariadb() as url:
        yield url


@pytest.fixture
def database(server: str) -> MariaDb:
    found = MariaDb(server)
    found.empty()
    return found


class TestMariaDb(EngineContract):
    @pytest.fixture
    def database(self, database: MariaDb) -> MariaDb:
        return database


@pytest.fixture
def cities() -> Load:
    return Load(TableName("cities"), CITIES, token="t")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_it_does_not_have_is_refused_with_its_row(database: MariaDb, value: float) -> None:
    load = Load(TableName("cities"), (ID, Column("size", "double", "size")))
    loaded(database, load, [(1, 0.5)])
    with pytest.raises(OdsTableError, match=rf"row 3 holds {value}.*column size"):
        loaded(database, load, [(1, 0.5), (2, None), (3, value)])
    assert database.run("SELECT * FROM cities") == [(1, 0.5)]


def test_a_renamed_table_keeps_its_indexes_and_is_there_at_every_moment(database: MariaDb, cities: Load) -> None:
    loaded(database, cities, [city(1)])
    database.run("CREATE UNIQUE INDEX by_id ON cities (id)")
    assert loaded(database, replace(cities, swap="rename"), [city(2), city(3)]) == Loaded(2, 2, 0, 0)
    assert database.run("SELECT id FROM cities ORDER BY id") == [(2,), (3,)]
    assert ("by_id",) in {(row[2],) for row in database.run("SHOW INDEX FROM cities")}
    assert database.tables() == {"cities", "_ods_loads"}


def test_what_the_portal_says_stands_in_the_comments(database: MariaDb, cities: Load) -> None:
    loaded(database, replace(cities, comment="Cities of the world, 'CC BY' \\ 100%"), [city(1)])
    found = "SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_NAME = 'cities'"
    assert database.run(found) == [("Cities of the world, 'CC BY' \\ 100%",)]
    found = "SELECT COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_NAME = 'cities' AND COLUMN_NAME = 'name'"
    assert database.run(found) == [("Name of the city: As its people say it",)]


def test_keys_that_differ_in_case_accent_or_final_blanks_are_different(database: MariaDb) -> None:
    load = Load(TableName("cities"), (Column("key", "text", "key"), ID), mode="merge", key=("key",))
    rows = [("a", 1), ("A", 2), ("á", 3), ("a ", 4)]
    assert loaded(database, load, rows) == Loaded(4, 4, 0, 0)
    assert loaded(database, load, [("a ", 5)]) == Loaded(4, 0, 1, 0)


def test_a_changed_letter_counts_in_a_table_to_which_it_is_the_same(database: MariaDb, cities: Load) -> None:
    database.run(
        "CREATE TABLE cities (id bigint, name longtext, at datetime(6)) CHARSET utf8mb4 COLLATE utf8mb4_general_ci"
    )
    load = replace(cities, mode="merge", key=("id",))
    loaded(database, load, [city(1, "ghent")])
    assert loaded(database, load, [city(1, "Ghent")]) == Loaded(1, 0, 1, 0)


def test_moments_are_kept_in_utc_whatever_the_server_s_zone(database: MariaDb, cities: Load) -> None:
    database.run("SET GLOBAL time_zone = '+05:00'")
    try:
        moment = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
        loaded(database, cities, [(1, "x", moment)])
    finally:
        database.run("SET GLOBAL time_zone = SYSTEM")
    assert database.run("SELECT at FROM cities") == [(moment.replace(tzinfo=None),)]
