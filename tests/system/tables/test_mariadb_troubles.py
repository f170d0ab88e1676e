"""What goes wrong at a MariaDB server: each a sentence that says what to do, the table as it was, nothing left."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_contract import CITIES, city, loaded, memory_of, reader
from mariadb import mariadb, mariadb_in
from mariadb_database import MariaDb

from ods_provider.core.errors import OdsConfigError, OdsTableBusy, OdsTableError
from ods_provider.tables.engines.mysql import MySqlEngine
from ods_provider.tables.load import Load, TableName
from ods_provider.tables.urls import target_of


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with mariadb() as url:
        yield url


@pytest.fixture
def database(server: str) -> MariaDb:
    found = MariaDb(server)
    found.empty()
    return found


@pytest.fixture
def cities() -> Load:
    return Load(TableName("cities"), CITIES, token="t")


def other(url: str, *changes: tuple[str, str]) -> MySqlEngine:
    for old, new in changes:
        assert old in url
        url = url.replace(old, new)
    return MySqlEngine(target_of(url), "t")


@pytest.mark.parametrize(
    ("change", "said", "transient"),
    [
        (("p%40ss", "hunter%402"), r"refused user or password.*Access denied.*Check user and password", False),
        (("loader", "nobody"), r"refused user or password.*Check user and password", False),
        (("/city", "/nowhere"), r"may not do this|no such database", False),
        (("loader:p%40ss", "root"), r"no such database.*Create it", False),
        (("127.0.0.1", "nowhere.invalid"), r"No connection to the database.*host and port", True),
    ],
)
def test_a_connection_that_fails_says_why_without_its_password(
    server: str, change: tuple[str, str], said: str, transient: bool
) -> None:
    more = [("/city", "/nowhere")] if change[1] == "root" else []
    with pytest.raises(OdsTableError, match=said) as caught, other(server, change, *more):
        pass
    assert caught.value.transient == transient
    assert "hunter" not in repr(caught.value)


@pytest.mark.parametrize("waits", ["0", "soon", "-1", "1.5"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(waits: str) -> None:
    with pytest.raises(OdsConfigError, match="lock_timeout_s"):
        MySqlEngine(target_of(f"mysql://u@h/d?lock_timeout_s={waits}"), "t")


HOLDS = {
    "rows that another transaction changed": ["BEGIN", "UPDATE cities SET name = 'held'"],
    "a table that another session locked": ["LOCK TABLES cities WRITE"],
    "a table that another session reads under a lock": ["LOCK TABLES cities READ"],
}


@pytest.mark.parametrize("held", HOLDS)
@pytest.mark.parametrize("mode", ["replace", "append", "merge"])
def test_a_table_that_others_hold_is_told_and_passes(database: MariaDb, cities: Load, held: str, mode: Any) -> None:
    loaded(database, cities, [city(1)])
    load = replace(cities, mode=mode, key=("id",) if mode == "merge" else ())
    if mode == "append" and held.startswith("rows"):
        pytest.skip("rows are added beside those that others change")
    with database.connected() as holder:
        for statement in HOLDS[held]:
            holder.execute(statement)
        with other(f"{database.url}?lock_timeout_s=1") as engine:
            engine.stage(load, reader(CITIES, [city(1, "new"), city(2)]))
            with pytest.raises(OdsTableBusy, match=r"stayed locked.*SHOW FULL PROCESSLIST.*lock_timeout_s"):
                engine.commit(load, memory_of(load))
        holder.execute("ROLLBACK")
        holder.execute("UNLOCK TABLES")
    assert database.run("SELECT id, name FROM cities") == [(1, "Ghent")]
    assert database.tables() == {"cities", "_ods_loads"}
    assert loaded(database, load, [city(1), city(2)]).table_rows == (3 if mode == "append" else 2)


@pytest.mark.parametrize("swap", ["stage", "rename"])
def test_a_column_is_not_added_to_a_table_that_a_reader_keeps_open(database: MariaDb, cities: Load, swap: Any) -> None:
    loaded(database, cities, [city(1)])
    load = replace(cities, swap=swap, columns=cities.columns[:2], add=())
    wider = replace(load, columns=cities.columns, widen=(replace(cities.columns[0], kind="text"),))
    with database.connected() as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT * FROM cities")
        with other(f"{database.url}?lock_timeout_s=1") as engine:
            engine.stage(wider, reader(CITIES, [city(2)]))
            with pytest.raises(OdsTableBusy, match="stayed locked"):
                engine.commit(wider, memory_of(wider))
        holder.execute("ROLLBACK")
    assert database.run("SELECT id FROM cities") == [(1,)]
    assert database.tables() == {"cities", "_ods_loads"}


def test_each_right_that_is_missing_is_named(database: MariaDb, cities: Load) -> None:
    loaded(database, cities, [city(1)])
    database.run("CREATE OR REPLACE USER reader@'127.0.0.1' IDENTIFIED BY 'x'")
    for rights, lacking in (("SELECT", "DROP|CREATE"), ("SELECT, CREATE, DROP", "INSERT")):
        database.run(f"GRANT {rights} ON city.* TO reader@'127.0.0.1'")
        with (
            pytest.raises(OdsTableError, match=rf"may not do this.*({lacking}).*Grant the user") as caught,
            other(database.url, ("loader:p%40ss", "reader:x")) as engine,
        ):
            engine.stage(cities, reader(CITIES, [city(2)]))
        assert not caught.value.transient
    assert database.run("SELECT id FROM cities") == [(1,)]
    assert database.tables() == {"cities", "_ods_loads"}


@pytest.mark.parametrize("moment", ["staging", "commit"])
def test_a_server_that_is_gone_in_between_is_told_and_passes(cities: Load, moment: str) -> None:
    made = tempfile.TemporaryDirectory(prefix="ods-my-", dir="/tmp")
    with made as home, mariadb_in(Path(home)) as (url, process):
        database = MariaDb(url)
        loaded(database, cities, [city(1)])
        with database.engine() as engine:
            if moment == "commit":
                engine.stage(cities, reader(CITIES, [city(2)]))
            process.kill()
            process.wait()
            with pytest.raises(OdsTableBusy, match=r"connection to the database was lost.*Try again"):
                if moment == "commit":
                    engine.commit(cities, memory_of(cities))
                else:
                    engine.stage(cities, reader(CITIES, [city(2)]))
        with pytest.raises(OdsTableBusy, match="No connection to the database"), database.engine():
            pass


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder on a disk of 160 MB."""
    folder = Path(tempfile.mkdtemp(prefix="ods-my-", dir="/tmp"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "none", folder], check=False).returncode:
        folder.rmdir()
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


@pytest.mark.parametrize("moment", ["staging", "commit"])
def test_a_full_disk_is_told_and_the_table_is_as_it_was(small_disk: Path, cities: Load, moment: str) -> None:
    small = [
        "--innodb-log-file-size=4M",
        "--innodb-data-file-path=ibdata1:10M:autoextend",
        "--innodb-undo-tablespaces=0",
    ]
    with mariadb_in(small_disk, *small) as (url, _):
        database = MariaDb(url)
        loaded(database, cities, [city(1)])
        used = 2_000 if moment == "commit" else 200_000
        rows = [city(at, os.urandom(500).hex()) for at in range(used)]
        filler = small_disk / "filler"
        full = pytest.raises(OdsTableError, match=r"The database's disk is full.*Make room")
        with full as caught, database.engine() as engine:
            engine.stage(cities, reader(CITIES, rows))
            with contextlib.suppress(OSError), filler.open("wb") as file:
                while True:
                    file.write(bytes(65_536))
                    file.flush()
            engine.commit(cities, memory_of(cities))
        filler.unlink(missing_ok=True)
        assert not caught.value.transient
        assert database.run("SELECT id FROM cities") == [(1,)]
        with database.engine():
            pass
        assert database.tables() == {"cities", "_ods_loads"}
        assert loaded(database, cities, [city(2)]).table_rows == 1
