"""What goes wrong at a PostgreSQL server: each a sentence that says what to do, the table as it was, nothing left."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pytest
from airflow_daemons import wait_for
from engine_contract import CITIES, batch_of, city, loaded, memory_of, reader
from killed_load import loading_until_killed
from postgresql_server import postgresql_server

from ods_provider.core.errors import OdsError, OdsTableError
from ods_provider.tables.columns import Column, arrow_schema
from ods_provider.tables.engines.postgres import PostgresEngine
from ods_provider.tables.load import Load
from ods_provider.tables.urls import target_of

PASSWORD = "s3cr/t @pass"
CODED = "s3cr%2Ft%20%40pass"


@pytest.fixture
def cities(database: Any) -> Load:
    return Load(database.table(), CITIES, token="t")


@pytest.fixture
def role(database: Any) -> Iterator[str]:
    """A role that may connect, and nothing more."""
    name = "role_of_a_test"
    database.run(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield name
    database.run(f"DROP OWNED BY {name}; DROP ROLE {name}")


def as_role(database: Any, role: str) -> str:
    return database.url.replace("://ods@", f"://{role}@")


def load_as(database: Any, role: str, load: Load, rows: list[Any]) -> Any:
    with database.engine(url=as_role(database, role)) as engine:
        engine.stage(load, reader(load.columns, rows))
        return engine.commit(load, memory_of(load))


def held(error: BaseException) -> str:
    """All that a reporter of errors would print, below the test: the chain, and the variables of each frame."""
    assert error.__traceback__ is not None
    told = traceback.TracebackException(type(error), error, error.__traceback__.tb_next, capture_locals=True)
    return "".join(told.format()) + str(vars(error)) + repr(error)


@pytest.mark.parametrize(
    ("change", "said", "transient"),
    [
        (("/postgres", "/nowhere"), r"There is no such database.*Create it", False),
        (("ods:", "nobody:"), r"does not let this user in.*pg_hba", False),
        (("127.0.0.1", "nowhere.invalid"), r"No connection to the database.*host and port", True),
        ((":5432", ":1"), r"No connection to the database.*refused", True),
        (("postgres?", "postgres?nonsense=1&"), r"nonsense", False),
    ],
)
def test_a_connection_that_fails_says_why_without_its_password(
    server: Any, change: tuple[str, str], said: str, transient: bool
) -> None:
    url = f"postgresql://ods:{CODED}@127.0.0.1:5432/postgres?connect_timeout=20"
    url = url.replace(*change)
    if ":1/" not in url:
        url = url.replace(":5432", f":{server.port}")
    engine = PostgresEngine(target_of(url), "t")
    with pytest.raises(OdsError, match=said) as caught, engine:
        pass
    assert caught.value.transient == transient
    for secret in (PASSWORD, CODED):
        assert secret not in held(caught.value)
        assert secret not in repr(engine)


def test_a_wrong_password_is_refused_for_good() -> None:
    with postgresql_server(user="ods") as server:
        server.run(f"CREATE ROLE city LOGIN PASSWORD '{PASSWORD}'")
        (server.data / "pg_hba.conf").write_text(
            "host all ods 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        server.run("SELECT pg_reload_conf()")
        wrong = PostgresEngine(target_of(server.url(user="city", password="wr0ng-one")), "t")
        with pytest.raises(OdsTableError, match=r"refused user or password.*Correct the password") as caught, wrong:
            pass
        assert not caught.value.transient
        assert "wr0ng-one" not in held(caught.value)
        with PostgresEngine(target_of(server.url(user="city", password=CODED)), "t"):
            pass


def test_each_right_that_is_missing_is_named(database: Any, cities: Load, role: str) -> None:
    with pytest.raises(OdsTableError, match=r"may not do this: permission denied for schema public") as caught:
        load_as(database, role, cities, [city(1)])
    assert not caught.value.transient
    loaded(database, cities, [city(1)])
    with pytest.raises(OdsTableError, match="permission denied for table cities"):
        load_as(database, role, cities, [city(2)])
    database.run(f"GRANT SELECT, INSERT ON cities TO {role}")
    with pytest.raises(OdsTableError, match="permission denied for table"):
        load_as(database, role, cities, [city(2)])
    database.run(f"GRANT SELECT, INSERT, DELETE, UPDATE ON _ods_loads TO {role}")
    assert load_as(database, role, replace(cities, mode="append"), [city(2)]).table_rows == 2
    database.run(f"GRANT DELETE ON cities TO {role}")
    done = load_as(database, role, cities, [city(3)])
    assert done.table_rows == 1
    assert "may not truncate" in done.said[0]
    done = load_as(database, role, replace(cities, swap="rename"), [city(4)])
    assert "belongs to another role" in done.said[0]
    assert database.read(cities.table, CITIES) == [city(4)]


def test_a_schema_that_is_not_there_is_named(database: Any, cities: Load) -> None:
    load = replace(cities, table=replace(cities.table, schema="nowhere"))
    with pytest.raises(OdsTableError, match=r"There is no such schema.*nowhere.*create schema"):
        loaded(database, load, [city(1)])


def test_row_level_security_is_refused_to_whom_it_holds_for(database: Any, cities: Load, role: str) -> None:
    loaded(database, cities, [city(1)])
    database.run(f"GRANT ALL ON cities TO {role}; ALTER TABLE cities ENABLE ROW LEVEL SECURITY")
    with pytest.raises(OdsTableError, match=r"Row level security.*bypassrls"):
        load_as(database, role, cities, [city(2)])
    assert loaded(database, cities, [city(3)]).table_rows == 1


def test_geometries_without_postgis_say_what_to_run(server: Any, make_database: Any) -> None:
    database = make_database(server.url())
    load = Load(database.table(), (Column("at", "geometry", "at"),))
    with pytest.raises(OdsTableError, match=r"no PostGIS.*create extension postgis"):
        loaded(database, load, [(None,)])


@pytest.mark.parametrize("swap", ["stage", "lock", "rename"])
def test_a_locked_table_says_who_holds_it(database: Any, cities: Load, swap: Any) -> None:
    loaded(database, cities, [city(1)])
    holder = psycopg2.connect(database.url, application_name="a report")
    with holder.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cities")
    url = f"{database.url}?lock_timeout_s=0.2"
    load = replace(cities, swap=swap)
    with database.engine(url=url) as engine:
        with pytest.raises(OdsTableError, match=r"stayed locked.*process \d+.*a report.*SELECT count") as caught:
            engine.stage(load, reader(CITIES, [city(2)]))
            engine.commit(load, memory_of(load))
        assert caught.value.transient
    holder.rollback()
    holder.close()
    assert database.read(cities.table, CITIES) == [city(1)]
    assert loaded(database, load, [city(2)]).table_rows == 1


def test_a_table_that_is_freed_while_it_is_waited_for_is_loaded_and_readers_pass_meanwhile(
    database: Any, cities: Load
) -> None:
    loaded(database, cities, [city(1)])
    holder = psycopg2.connect(database.url)
    with holder.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cities")
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(loaded(database, cities, [city(2), city(3)])))
    thread.start()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'ods-load%' AND query LIKE 'DO %'"
    wait_for("the load waits", lambda: database.run(waits) == [(1,)], timeout_s=60, pause_s=0.05)
    assert database.run("SELECT count(*) FROM cities") == [(1,)]
    holder.rollback()
    holder.close()
    thread.join()
    assert done[0].table_rows == 2


def test_a_backend_that_is_ended_is_told_and_another_try_loads(database: Any, cities: Load) -> None:
    loaded(database, cities, [city(1)])

    def batches() -> Iterator[pa.RecordBatch]:
        for at in range(100):
            if at == 3:
                database.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'ods-load%' "
                    "AND datname = current_database()"
                )
            yield batch_of(arrow_schema(CITIES), [city(n) for n in range(1000)])

    with database.engine() as engine:
        with pytest.raises(OdsTableError, match="connection") as caught:
            engine.stage(cities, pa.RecordBatchReader.from_batches(arrow_schema(CITIES), batches()))
        assert caught.value.transient
    assert database.read(cities.table, CITIES) == [city(1)]
    assert loaded(database, cities, [city(2)]).table_rows == 1


def test_a_server_that_stops_in_between_leaves_the_table_as_it_was(make_database: Any) -> None:
    with postgresql_server(user="ods") as server:
        database = make_database(server.url())
        cities = Load(database.table(), CITIES, token="t")
        loaded(database, cities, [city(1)])
        with database.engine() as engine:
            engine.stage(cities, reader(CITIES, [city(2)]))
            server.stop()
            with pytest.raises(OdsTableError, match="connection") as caught:
                engine.commit(cities, memory_of(cities))
            assert caught.value.transient
        with pytest.raises(OdsTableError, match="No connection to the database") as caught, database.engine():
            pass
        assert caught.value.transient
        server.start()
        assert database.read(cities.table, CITIES) == [city(1)]
        assert loaded(database, cities, [city(2)]).table_rows == 1


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder on a disk of 24 MB."""
    folder = Path(tempfile.mkdtemp(prefix="ods-small-", dir="/tmp"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=777", "none", folder], check=False).returncode:
        folder.rmdir()
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)
    shutil.rmtree(folder)


@pytest.mark.parametrize("swap", ["stage", "lock"])
def test_a_full_disk_is_told_and_the_table_is_as_it_was(
    server: Any, database: Any, small_disk: Path, swap: Any
) -> None:
    (small_disk / "space").mkdir()
    shutil.chown(small_disk / "space", "postgres")
    name = f"small_{time.monotonic_ns()}"
    server.run(f"CREATE TABLESPACE {name} LOCATION '{small_disk / 'space'}'")
    database.run(f"CREATE TABLE cities (id bigint, name text, at timestamptz) TABLESPACE {name}")
    load = Load(database.table(), CITIES, token="t", swap=swap)
    try:
        loaded(database, load, [city(1)])
        with pytest.raises(OdsTableError, match=r"The database's disk is full.*Make room") as caught:
            loaded(database, load, [city(at, os.urandom(500).hex()) for at in range(30_000)])
        assert not caught.value.transient
        assert database.read(load.table, CITIES) == [city(1)]
        assert loaded(database, load, [city(2)]).table_rows == 1
    finally:
        database.run("DROP TABLE cities")
        server.run(f"DROP TABLESPACE {name}")


def test_a_kill_leaves_no_statement_and_no_lock_at_the_server(database: Any, cities: Load) -> None:
    loaded(database, cities, [city(at, "old") for at in range(10)])
    # Slow in the commit, while the table is locked.
    database.run(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(600); RETURN NEW; END$$;"
        "CREATE TRIGGER slow BEFORE INSERT ON cities FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    working = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'INSERT INTO%'"
    with loading_until_killed(database, cities, [city(1, "new")], "commit"):
        wait_for("rows go into the table", lambda: database.run(working) == [(1,)], timeout_s=60, pause_s=0.05)
    wait_for("the server saw it", lambda: database.run(working) == [(0,)], timeout_s=60, pause_s=0.1)
    assert len(database.read(cities.table, CITIES)) == 10


def test_another_try_ends_what_an_earlier_one_left_at_the_server(database: Any, cities: Load) -> None:
    with database.engine("this run") as lost:
        lost.stage(replace(cities, swap="lock"), reader(CITIES, [city(1)]))
        with database.engine("this run") as engine:
            engine.stage(cities, reader(CITIES, [city(2)]))
            assert engine.commit(cities, memory_of(cities)).table_rows == 1
        with pytest.raises(OdsTableError, match="connection"):
            lost.commit(cities, memory_of(cities))


@pytest.mark.parametrize("swap", ["stage", "lock", "rename"])
def test_kills_at_any_moment_leave_the_old_rows_or_the_new_ones(database: Any, cities: Load, swap: Any) -> None:
    versions = {n: [city(at, f"v{n}") for at in range(3000)] for n in range(8)}
    load = replace(cities, swap=swap)
    loaded(database, load, versions[0])
    chance, current = random.Random(11), 0
    for number in range(1, 8):
        with loading_until_killed(database, load, versions[number], chance.choice(["stage", "commit"])):
            time.sleep(chance.random() * 0.1)
        with database.engine() as engine:
            rows = engine.rows(load.table)
            memory = engine.recall(load.table, "work")
        seen = {name for _, name, _ in database.read(load.table, CITIES)}
        assert rows == 3000
        assert seen in ({f"v{current}"}, {f"v{number}"})
        assert memory is not None
        current = number if seen == {f"v{number}"} else current
        assert database.run("SELECT count(*) FROM pg_tables WHERE tablename LIKE '\\_ods\\_%\\_cities'") == [(0,)]
