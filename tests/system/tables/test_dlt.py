"""dlt in its child process loads into a real PostgreSQL as the contract says; each known trap of dlt's is a test."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pyarrow as pa
import pytest
from airflow_daemons import wait_for
from engine_contract import CITIES, EXTREMES, ID, Database, EngineContract, city, loaded, memory_of, reader
from postgresql_server import postgresql_server

from ods_provider.core.errors import OdsTableBusy, OdsTableError
from ods_provider.tables.columns import Column, Kind, arrow_schema
from ods_provider.tables.engines.dlt import DltEngine
from ods_provider.tables.engines.dltpipe import Child
from ods_provider.tables.load import Load, TableName
from ods_provider.tables.urls import target_of

EVIL = """
[runtime]
dlthub_telemetry = true
log_level = "DEBUG"
[load]
workers = 50
[destination]
replace_strategy = "truncate-and-insert"
[destination.postgres.credentials]
host = "elsewhere.example"
[schema]
naming = "snake_case"
"""


class ByDlt(Database):
    """PostgreSQL as dlt reaches it, which is as it reaches the databases that cannot be tried here."""

    def __init__(self, url: str) -> None:
        self.url = url

    def engine(self, token: str = "t") -> DltEngine:
        return DltEngine(target_of(self.url), token)

    def extremes(self, kind: Kind) -> list[Any]:
        # jsonb keeps no spelling of its own, and psycopg2 knows no dates beyond Python's.
        return ['"text"', "5", "[]"] if kind == "json" else EXTREMES[kind]

    def read(self, table: TableName, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
        def shown(column: Column) -> str:
            name = '"' + column.name.replace('"', '""') + '"'
            return f"{name}::text" if column.kind == "json" else name

        made: dict[Kind, Any] = {"datetime": lambda value: value.astimezone(UTC), "binary": bytes}
        return [
            tuple(
                made[column.kind](value) if column.kind in made and value is not None else value
                for column, value in zip(columns, row, strict=True)
            )
            for row in self.run(f"SELECT {', '.join(map(shown, columns))} FROM {self.named(table)}")
        ]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        link = psycopg2.connect(self.url, options="-c timezone=UTC")
        with contextlib.closing(link), link, link.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def tables(self) -> set[str]:
        return {name for (name,) in self.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_server(user="airflow") as running:
        yield running.url()


@pytest.fixture
def database(server: str) -> ByDlt:
    found = ByDlt(server)
    found.run("DROP SCHEMA public CASCADE")
    found.run("CREATE SCHEMA public")
    return found


class TestByDlt(EngineContract):
    @pytest.fixture
    def database(self, database: ByDlt) -> ByDlt:
        return database


@pytest.fixture
def cities() -> Load:
    return Load(TableName("cities"), CITIES, token="t")


def test_settings_from_outside_have_no_effect(
    database: ByDlt, cities: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text(EVIL)
    (tmp_path / ".dlt" / "secrets.toml").write_text(EVIL)
    home = tmp_path / "home"
    (home / ".dlt").mkdir(parents=True)
    (home / ".dlt" / "config.toml").write_text(EVIL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("DLT_DATA_DIR", str(home / "data"))
    reported = socket.create_server(("127.0.0.1", 0))
    reported.setblocking(False)
    for name, value in (
        ("RUNTIME__DLTHUB_TELEMETRY", "true"),
        ("RUNTIME__DLTHUB_TELEMETRY_ENDPOINT", f"http://127.0.0.1:{reported.getsockname()[1]}/"),
        ("DESTINATION__REPLACE_STRATEGY", "truncate-and-insert"),
        ("DESTINATION__POSTGRES__CREDENTIALS__HOST", "elsewhere.example"),
        ("SCHEMA__NAMING", "snake_case"),
        ("LOAD__WORKERS", "50"),
    ):
        monkeypatch.setenv(name, value)
    names = (Column("Où Ça", "int", "x"), Column("日本", "text", "y"))
    before = set(home.rglob("*"))
    with database.engine() as engine:
        child = psutil.Process(engine._child.pid)  # type: ignore[union-attr]
        engine.stage(replace(cities, columns=names), reader(names, [(1, "a")]))
        threads = child.num_threads()
        peers = {each.raddr.ip for each in child.net_connections("inet") if each.raddr}
        engine.commit(replace(cities, columns=names), memory_of(cities))
    with reported, pytest.raises(BlockingIOError):
        reported.accept()  # nobody came
    assert database.run('SELECT "Où Ça", "日本" FROM cities') == [(1, "a")]
    assert peers <= {"127.0.0.1"}
    assert threads < 30
    assert set(home.rglob("*")) == before


def test_the_books_of_dlt_and_those_of_a_pipeline_of_the_user_s_do_not_touch(database: ByDlt, cities: Load) -> None:
    database.run("CREATE TABLE _dlt_loads (mine text)")
    database.run("CREATE TABLE _dlt_version (mine text)")
    loaded(database, cities, [city(1)])
    assert database.tables() == {"cities", "_ods_loads", "_dlt_loads", "_dlt_version"}
    assert database.run("SELECT * FROM _dlt_loads") == []


def test_what_an_earlier_call_left_is_never_loaded_in_place_of_this_one_s(database: ByDlt, cities: Load) -> None:
    loaded(database, cities, [city(1)])
    with pytest.raises(OdsTableError), database.engine() as engine:
        # A load that fails within dlt leaves a package behind in its folder.
        engine._ask("load", dataset="public", table="broken", columns=[], files=[["/nowhere.parquet", 1]])
    loaded(database, cities, [city(2)])
    assert database.run("SELECT id FROM cities") == [(2,)]


def test_sigterm_ends_a_child_whose_statement_would_wait_for_ever_and_the_statement_too(
    database: ByDlt, cities: Load
) -> None:
    loaded(database, cities, [city(1)])
    with contextlib.closing(psycopg2.connect(database.url)) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE cities IN ACCESS EXCLUSIVE MODE")
        with database.engine() as engine:
            engine.stage(cities, reader(CITIES, [city(2)]))
            failed: list[BaseException] = []

            def commit() -> None:
                try:
                    engine.commit(cities, memory_of(cities))
                except BaseException as error:
                    failed.append(error)

            thread = threading.Thread(target=commit)
            thread.start()
            wait_for("it waits for the lock", lambda: waiting(database), timeout_s=60)
            engine.cancel()
            thread.join(60)
            assert [(type(error), "was stopped" in str(error)) for error in failed] == [(OdsTableBusy, True)]
            wait_for("nothing waits any more", lambda: not waiting(database), timeout_s=60)
        other.rollback()
    assert database.run("SELECT id FROM cities") == [(1,)]


def waiting(database: ByDlt) -> list[Any]:
    return database.run("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


def test_the_child_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from ods_provider.tables.engines.dltpipe import Child\n"
        "from ods_provider.tables.urls import target_of\n"
        "child = Child(target_of('duckdb:///x.duckdb'), books='b')\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = psutil.Popen([sys.executable, "-c", script], stdout=-1)
    pid = int(parent.stdout.readline())
    child = psutil.Process(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for("the child has ended", lambda: not child.is_running(), timeout_s=60)


def test_a_child_that_is_killed_is_a_sentence_and_passes(database: ByDlt, cities: Load) -> None:
    loaded(database, cities, [city(1)])
    with database.engine() as engine:
        engine.stage(cities, reader(CITIES, [city(2)]))
        os.kill(engine._child.pid, signal.SIGKILL)  # type: ignore[union-attr]
        with pytest.raises(OdsTableError, match="ended by signal 9") as caught:
            engine.commit(cities, memory_of(cities))
    assert caught.value.transient
    assert database.run("SELECT id FROM cities") == [(1,)]
    with database.engine():
        pass
    assert database.tables() == {"cities", "_ods_loads"}


@pytest.mark.parametrize("said", ["hello", "[1]", '{"neither": 1}'])
def test_what_is_no_answer_is_told_and_ends_the_child(said: str) -> None:
    child = Child(
        target_of("postgresql://u:p@h/d"),
        books="b",
        command=(sys.executable, "-c", f"import time; print({said!r}, flush=True); time.sleep(600)"),
    )
    with pytest.raises(OdsTableError, match="no answer of ours"):
        child.open("public")
    assert not child._process.running
    child.close()


def test_what_a_dying_child_says_holds_no_secret() -> None:
    child = Child(
        target_of("postgresql://u:hunter%402@h/d"),
        books="b",
        command=(sys.executable, "-c", "import sys; line = sys.stdin.readline(); sys.exit('died of ' + line)"),
    )
    with pytest.raises(OdsTableError, match="ended by code 1") as caught:
        child.open("public")
    assert "hunter" not in str(caught.value)
    child.close()


def test_credentials_stand_neither_among_the_arguments_nor_in_the_environment(database: ByDlt) -> None:
    url = database.url.replace("airflow@", "airflow:hunter2@")
    with DltEngine(target_of(url), "t") as engine:
        child = psutil.Process(engine._child.pid)  # type: ignore[union-attr]
        assert "hunter2" not in str(child.cmdline()) + str(child.environ())


@pytest.mark.at_length
def test_memory_does_not_grow_with_the_rows(database: ByDlt) -> None:
    columns = (ID, Column("text", "text", "text"))
    load = Load(TableName("cities"), columns)
    schema = arrow_schema(columns)

    def batches(count: int) -> Iterator[pa.RecordBatch]:
        for start in range(0, count, 50_000):
            yield pa.RecordBatch.from_arrays(
                [pa.array(range(start, start + 50_000)), pa.array([f"Été {at}" * 5 for at in range(50_000)])],
                schema=schema,
            )

    peaks = []
    for count in (500_000, 2_000_000):
        with database.engine() as engine:
            rows = pa.RecordBatchReader.from_batches(schema, batches(count))
            assert engine.stage(load, rows) == count
            status = Path(f"/proc/{engine._child.pid}/status").read_text()  # type: ignore[union-attr]
            peaks.append(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
    assert peaks[1] < peaks[0] + 60, peaks
