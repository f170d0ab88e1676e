"""What a replace keeps of a PostgreSQL table, and what its readers see, by each swap."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from engine_contract import AT, CITIES, ID, NAME, batch_of, city, loaded, memory_of, reader

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.columns import Column, arrow_schema
from ods_provider.tables.load import Load, Loaded, Swap

SWAPS: list[Swap] = ["stage", "lock", "rename"]
DRESSED = """
CREATE ROLE {role};
CREATE TABLE cities (
  id bigint PRIMARY KEY, dropped int, name text DEFAULT 'none' CHECK (name <> 'bad'), at timestamptz);
ALTER TABLE cities DROP COLUMN dropped;
CREATE INDEX by_name ON cities (lower(name)) WHERE name IS NOT NULL;
CREATE INDEX by_at ON cities (at DESC, id);
GRANT SELECT ON cities TO {role};
GRANT UPDATE (name) ON cities TO {role} WITH GRANT OPTION;
COMMENT ON TABLE cities IS 'it''s ours';
COMMENT ON COLUMN cities.name IS 'written by hand';
COMMENT ON INDEX by_at IS 'for the newest';
INSERT INTO cities VALUES (1, 'old', now())"""
LOOKS = {
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'cities' ORDER BY 1",
    "grants": "SELECT acl::text FROM pg_class, unnest(relacl) AS acl WHERE oid = 'cities'::regclass ORDER BY 1",
    "column grants": "SELECT attname, attacl::text FROM pg_attribute WHERE attrelid = 'cities'::regclass AND attnum > 0"
    " AND NOT attisdropped ORDER BY 1",
    "comments": "SELECT obj_description('cities'::regclass, 'pg_class'), col_description('cities'::regclass, attnum)"
    " FROM pg_attribute WHERE attrelid = 'cities'::regclass AND attname = 'name'",
    "index's comment": "SELECT obj_description('by_at'::regclass, 'pg_class')",
    "constraints": "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'cities'::regclass"
    " ORDER BY 1",
    "owner": "SELECT tableowner FROM pg_tables WHERE tablename = 'cities'",
    "defaults": "SELECT column_name, column_default FROM information_schema.columns WHERE table_name = 'cities'"
    " ORDER BY 1",
}


@pytest.fixture
def cities(database: Any) -> Load:
    return Load(database.table(), CITIES, token="t", comment="of the portal")


@pytest.mark.parametrize("swap", SWAPS)
def test_grants_indexes_comments_and_constraints_survive_each_swap(database: Any, cities: Load, swap: Swap) -> None:
    role = "reader"
    database.run(DRESSED.format(role=role))
    before = {name: database.run(sql) for name, sql in LOOKS.items()}
    for number in range(2):
        done = loaded(database, replace(cities, swap=swap), [city(number, "new"), city(9)])
        assert done == Loaded(2, 2, 0, 0)
        assert {name: database.run(sql) for name, sql in LOOKS.items()} == before
        assert sorted(database.read(cities.table, CITIES)) == [city(number, "new"), city(9)]
    database.run(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("swap", SWAPS)
def test_views_triggers_and_identities_survive_and_a_rename_that_cannot_be_is_told(
    database: Any, cities: Load, swap: Swap
) -> None:
    database.run(
        "CREATE TABLE cities (n int GENERATED ALWAYS AS IDENTITY, id bigint, name text, at timestamptz, "
        "twice bigint GENERATED ALWAYS AS (id * 2) STORED);"
        "CREATE VIEW seen AS SELECT * FROM cities;"
        "CREATE FUNCTION louder() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN NEW.name := upper(NEW.name); RETURN NEW; END$$;"
        "CREATE TRIGGER t BEFORE INSERT ON cities FOR EACH ROW EXECUTE FUNCTION louder()"
    )
    done = loaded(database, replace(cities, swap=swap), [city(1), city(2)])
    assert database.run("SELECT n, id, name, twice FROM seen ORDER BY 1") == [(1, 1, "GHENT", 2), (2, 2, "GHENT", 4)]
    told = " ".join(done.said)
    assert ("instead of rename, since" in told) == (swap == "rename")


@pytest.mark.parametrize("swap", SWAPS)
def test_readers_see_the_old_rows_or_the_new_ones(database: Any, cities: Load, swap: Swap) -> None:
    load = replace(cities, swap=swap)
    loaded(database, load, [city(at, "v0") for at in range(300)])
    seen: list[tuple[int, int]] = []
    waits, done = [0.0], threading.Event()

    def look() -> None:
        while not done.is_set():
            started = time.monotonic()
            seen.extend(database.run("SELECT count(*), count(DISTINCT name) FROM cities"))
            waits.append(time.monotonic() - started)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for version in range(1, 6):
            loaded(database, load, [city(at, f"v{version}") for at in range(300)])
    finally:
        done.set()
        thread.join()
    assert set(seen) == {(300, 1)}
    print(f"{swap}: the longest of {len(seen)} reads took {max(waits):.3f} s")


def test_a_table_that_foreign_keys_point_at_is_merged_and_that_is_said(database: Any, cities: Load) -> None:
    database.run(
        "CREATE TABLE cities (id bigint PRIMARY KEY, name text, at timestamptz);"
        "INSERT INTO cities VALUES (1, 'old'), (2, 'gone');"
        "CREATE TABLE shops (city bigint REFERENCES cities); INSERT INTO shops VALUES (1)"
    )
    done = loaded(database, cities, [city(1), city(3)])
    assert (done.inserted, done.updated, done.deleted) == (1, 1, 1)
    assert "merged by id, since foreign keys of shops point at the table" in done.said
    with pytest.raises(OdsTableError, match=r"Rows of another table point at rows that would go.*delete_missing"):
        loaded(database, cities, [city(3)])
    assert sorted(database.read(cities.table, (ID,))) == [(1,), (3,)]
    database.run("CREATE TABLE plain (id bigint UNIQUE); CREATE TABLE more (id bigint REFERENCES plain (id))")
    with pytest.raises(OdsTableError, match="cannot be emptied and filled"):
        loaded(database, Load(database.table("plain"), (ID,)), [(1,)])


def test_a_partitioned_table_is_filled_through_its_parts(database: Any, cities: Load) -> None:
    database.run(
        "CREATE TABLE cities (id bigint, name text, at timestamptz) PARTITION BY RANGE (id);"
        "CREATE TABLE low PARTITION OF cities FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE high PARTITION OF cities FOR VALUES FROM (10) TO (20)"
    )
    for swap in SWAPS:
        assert loaded(database, replace(cities, swap=swap), [city(1), city(11), city(12)]).table_rows == 3
    assert database.run("SELECT count(*) FROM high") == [(2,)]
    with pytest.raises(OdsTableError, match="no partition"):
        loaded(database, cities, [city(30)])


OTHER = (
    ("integer", "int", 2**31 - 1, 2**31, "the number 2147483648"),
    ("smallint", "int", -(2**15), -(2**15) - 1, "the number -32769"),
    ("numeric", "int", 2**63 - 1, None, ""),
    ("numeric(30)", "int", -(2**63), None, ""),
    ("varchar(5)", "text", "Zürch", "Zürich", "a text of 6 characters"),
    ("json", "json", '{"b": 1, "a": 2}', "{", "type"),
    ("text", "json", '{"b":1}', None, ""),
    ("jsonb", "json", '{"a": 1}', "{", "type"),
)


@pytest.mark.parametrize(("type_", "kind", "value", "wrong", "said"), OTHER, ids=[row[0] for row in OTHER])
@pytest.mark.parametrize("swap", ["stage", "lock"])
def test_tables_of_other_types_take_what_fits_and_refuse_the_rest_with_the_column(
    database: Any, type_: str, kind: Any, value: Any, wrong: Any, said: str, swap: Swap
) -> None:
    database.run(f"CREATE TABLE cities (id bigint, v {type_})")
    column = Column("v", kind, "v")
    load = Load(database.table(), (ID, column), swap=swap)
    with database.engine() as engine:
        assert kind in engine.standing(load.table)[1].takes
    loaded(database, load, [(1, value), (2, None)])
    assert sorted(database.run("SELECT id, v::text FROM cities")) == [(1, str(value)), (2, None)]
    if wrong is not None:
        with pytest.raises(OdsTableError, match=said or None) as caught:
            loaded(database, load, [(1, wrong)])
        assert not caught.value.transient
        assert sorted(database.run("SELECT id FROM cities")) == [(1,), (2,)]


@pytest.mark.parametrize("swap", SWAPS)
def test_moments_are_utc_in_columns_without_a_zone(database: Any, cities: Load, swap: Swap) -> None:
    database.run("CREATE TABLE cities (id bigint, name text, at timestamp)")
    loaded(database, replace(cities, swap=swap), [city(1)])
    assert database.run("SELECT at::text FROM cities") == [("2026-03-01 00:00:00",)]
    merged = replace(cities, mode="merge", key=("id",))
    assert loaded(database, merged, [city(1)]).updated == 0


def test_geographies_take_geometries(database: Any) -> None:
    database.run("CREATE TABLE cities (id bigint, v gis.geography(Point, 4326))")
    load = Load(database.table(), (ID, Column("v", "geometry", "v")), mode="merge", key=("id",))
    point = bytes.fromhex("0101000000000000000000f03f0000000000000040")
    assert loaded(database, load, [(1, point)]).inserted == 1
    assert loaded(database, load, [(1, point)]).updated == 0
    assert database.run("SELECT gis.ST_AsText(v) FROM cities") == [("POINT(1 2)",)]


REFUSED = (
    ("ALTER TABLE cities ADD must int NOT NULL", "must have a value"),
    ("CREATE TABLE heir () INHERITS (cities)", "Other tables inherit from public.cities"),
    ("CREATE TRIGGER t BEFORE INSERT ON cities FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION nothing()",
     "1 of them are"),
    ("ALTER TABLE cities ADD CHECK (id > 1)", "check of the table"),
    ("DROP TABLE cities; CREATE MATERIALIZED VIEW cities AS SELECT 1 AS id", "is a materialized view"),
    ("DROP TABLE cities; CREATE TABLE cities (id bigint GENERATED ALWAYS AS IDENTITY, name text, at timestamptz)",
     "made by the database itself"),
)  # fmt: skip


@pytest.mark.parametrize(("sql", "said"), REFUSED, ids=[row[1] for row in REFUSED])
def test_what_a_table_does_not_take_is_a_sentence(database: Any, cities: Load, sql: str, said: str) -> None:
    database.run(
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;"
        "CREATE TABLE cities (id bigint, name text, at timestamptz);" + sql
    )
    with pytest.raises(OdsTableError, match=said):
        loaded(database, cities, [city(1), city(2)])
    assert database.run("SELECT count(*) FROM pg_tables WHERE tablename LIKE '\\_ods%'") == [(0,)]


def test_nul_in_a_text_names_its_column(database: Any, cities: Load) -> None:
    with pytest.raises(OdsTableError, match=r"such as NUL.*column name") as caught:
        loaded(database, cities, [city(1, "a\0b")])
    assert not caught.value.transient


def test_new_tables_are_commented(database: Any, cities: Load) -> None:
    loaded(database, cities, [city(1)])
    asked = "SELECT obj_description('cities'::regclass), col_description('cities'::regclass, 2)"
    assert database.run(asked) == [("of the portal", "Name of the city: As its people say it")]


def test_rows_of_several_readers_are_one_load(database: Any, cities: Load) -> None:
    for swap in SWAPS:
        with database.engine() as engine:
            load = replace(cities, swap=swap)
            assert [engine.stage(load, reader(CITIES, [city(at)])) for at in range(3)] == [1, 1, 1]
            assert engine.commit(load, memory_of(load)).table_rows == 3


def test_memory_does_not_grow_with_the_rows_on_their_way(database: Any, cities: Load) -> None:
    schema = arrow_schema((ID, NAME, AT))
    batch = batch_of(schema, [city(at, "x" * 500) for at in range(2000)])

    def peak() -> int:
        return max(pa.total_allocated_bytes(), 0)

    peaks: list[int] = []

    def batches() -> Any:
        for _ in range(50):
            peaks.append(peak())
            yield batch

    with database.engine() as engine:
        assert engine.stage(cities, pa.RecordBatchReader.from_batches(schema, batches())) == 100_000
    assert max(peaks) - min(peaks) < 5 * batch.nbytes
