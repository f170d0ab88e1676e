"""What DuckDB and SQLite have of their own: files that others hold, are not there, or take nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from engine_contract import CITIES, ID, NAME, city, memory_of, reader

from ods_provider.core.errors import OdsConfigError, OdsError, OdsTableError
from ods_provider.tables.columns import Column
from ods_provider.tables.engines.duckdb import DuckDbEngine
from ods_provider.tables.engines.registry import engine_of
from ods_provider.tables.engines.sqlite import SqliteEngine
from ods_provider.tables.load import Load, TableName, Window
from ods_provider.tables.urls import target_of

LOAD = Load(TableName("cities"), CITIES, token="t")
KINDS = ["duckdb", "sqlite"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def load_into(path: Path | str, kind: str, *, rows: int = 3, load: Load = LOAD) -> None:
    with engine_of(target_of(f"{kind}:///{path}"), "t") as engine:
        engine.stage(load, reader(CITIES, [city(at) for at in range(rows)]))
        engine.commit(load, memory_of(load))


def count(path: Path, kind: str) -> int:
    with engine_of(target_of(f"{kind}:///{path}"), "t") as engine:
        return engine.rows(LOAD.table)


def test_a_missing_folder_is_named_with_what_to_do(tmp_path: Path, kind: str) -> None:
    with pytest.raises(OdsTableError, match=r"absent/city.*Make the folder") as caught:
        load_into(tmp_path / "absent" / "city", kind)
    assert not caught.value.transient


def test_a_file_of_something_else_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes " * 500)
    with pytest.raises(OdsTableError, match="Name another file") as caught:
        load_into(path, kind)
    assert not caught.value.transient
    assert path.read_text() == "these are notes " * 500


CONFINED = """
import os, resource, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from test_files import load_into, LOAD
from ods_provider.core.errors import OdsTableError
load_into(sys.argv[3] + ".first", sys.argv[4])  # what is imported late can be read now
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]), int(sys.argv[5])))
if sys.argv[6] != "0":
    os.setuid(int(sys.argv[6]))
try:
    load_into(sys.argv[3], sys.argv[4], rows=30_000)
except OdsTableError as error:
    print(error, error.transient)
"""


def confined(path: Path, kind: str, *, most_bytes: int = -1, user: int = 0) -> str:
    """Load in a process that may write little, or belongs to somebody else, and return what it said."""
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, str(here), str(here.parent), str(path), kind, str(most_bytes), str(user)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SQLITE_TMPDIR": "/tmp"},
    )
    return done.stdout.strip()


@pytest.mark.at_length
def test_a_disk_that_takes_no_more_leaves_the_table_as_it_was(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "city"
    load_into(path, kind)
    said = confined(path, kind, most_bytes=300_000)
    assert "disk" in said, said
    assert count(path, kind) == 3


@pytest.mark.at_length
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_file_that_may_not_be_written_to_is_left_as_it_was(kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to others
        path = Path(folder, "city")
        load_into(path, kind)
        Path(folder).chmod(0o755)
        path.chmod(0o444)
        said = confined(path, kind, user=65534)
        assert "et this user write" in said, said
        assert said.endswith("False")
        assert count(path, kind) == 3


def test_a_column_too_small_for_a_value_is_told_and_left(tmp_path: Path) -> None:
    path = tmp_path / "city.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table cities (id smallint)")
        connection.execute("insert into cities values (1)")
    with pytest.raises(OdsTableError, match="wider type"), DuckDbEngine(target_of(str(path)), "t") as engine:
        load = Load(TableName("cities"), (ID,))
        engine.stage(load, reader((ID,), [(100_000,)]))
        engine.commit(load, memory_of(load))
    with duckdb.connect(path) as connection:
        assert connection.execute("from cities").fetchall() == [(1,)]


MISSING = """
import sys
sys.modules[sys.argv[1]] = None  # as if it were not installed
from ods_provider.core.errors import OdsConfigError
from ods_provider.tables.engines.registry import engine_of
from ods_provider.tables.urls import target_of
try:
    engine_of(target_of(sys.argv[2]), "t").__enter__()
except OdsConfigError as error:
    print(error)
"""


@pytest.mark.at_length
@pytest.mark.parametrize(("package", "ending"), [("duckdb", "duckdb"), ("sqlglot", "duckdb"), ("sqlglot", "db")])
def test_a_missing_package_is_named_with_what_installs_it(tmp_path: Path, package: str, ending: str) -> None:
    path = tmp_path / f"city.{ending}"
    said = subprocess.run(
        [sys.executable, "-c", MISSING, package, str(path)], capture_output=True, text=True, check=True
    ).stdout
    assert f"package {package} is missing" in said
    assert "pip install 'ods-provider[sql]'" in said
    assert not path.exists()


def test_an_address_without_a_file_is_refused() -> None:
    for url in ("duckdb://", "sqlite:///", "sqlite:///:memory:", "duckdb:///:memory:"):
        with pytest.raises(OdsConfigError, match="Name a file"):
            engine_of(target_of(url), "t")
    with pytest.raises(OdsConfigError, match=r"sqlite:///city\.db"):
        engine_of(target_of("sqlite://city.db"), "t")


def test_letters_that_mean_something_in_a_url_may_be_in_a_path(tmp_path: Path) -> None:
    path = tmp_path / "50% #1 ?.db"
    with engine_of(target_of(str(path)), "t") as engine:
        assert engine.standing(LOAD.table) is None
    assert path.exists()


class TestDuckDb:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "city.duckdb"

    def engine(self, path: Path, patience_s: float = 60) -> DuckDbEngine:
        return DuckDbEngine(target_of(str(path)), "t", patience_s=patience_s)

    @pytest.mark.at_length
    def test_who_holds_the_file_is_said_and_waited_for(self, path: Path) -> None:
        load_into(path, "duckdb")
        hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdin is not None
            holder.stdout.readline()
            with pytest.raises(OdsTableError, match=rf"\(PID {holder.pid}\).*Close it there") as caught:
                self.engine(path, patience_s=0).__enter__()
            assert caught.value.transient
            threading.Timer(0.3, holder.stdin.close).start()
            with self.engine(path) as engine:
                assert engine.rows(LOAD.table) == 3

    def test_a_schema_is_made_where_it_is_named(self, path: Path) -> None:
        load = replace(LOAD, table=TableName("cities", "Open Data"))
        load_into(path, "duckdb", load=load)
        with self.engine(path) as engine:
            assert engine.rows(load.table) == 3
            assert engine.standing(LOAD.table) is None
            memory = engine.recall(load.table, "work")
            assert memory is not None
            assert memory.table_rows == 3

    def test_comments_are_what_the_portal_says(self, path: Path) -> None:
        load_into(path, "duckdb", load=replace(LOAD, comment="Cities; it's open data"))
        with duckdb.connect(path) as connection:
            assert connection.execute("select comment from duckdb_tables() where table_name = 'cities'").fetchall() == [
                ("Cities; it's open data",)
            ]
            said = "select comment from duckdb_columns() where table_name = 'cities' and column_name = 'name'"
            assert connection.execute(said).fetchall() == [("Name of the city: As its people say it",)]

    def test_names_differ_by_accents_and_not_by_case(self, path: Path) -> None:
        with duckdb.connect(path) as connection:
            connection.execute('create table "ÉTÉ" (a int); create table "Ville" (b int)')
        with self.engine(path) as engine:
            assert engine.standing(TableName("été")) is None
            standing = engine.standing(TableName("vILLE"))
            assert standing is not None
            assert standing[0].name == "b"

    def test_an_index_on_a_column_that_gets_wider_is_said_to_be_in_the_way(self, path: Path) -> None:
        load_into(path, "duckdb")
        with duckdb.connect(path) as connection:
            connection.execute("create index i on cities (name)")
        wider = Column("id", "text", "id")
        load = Load(LOAD.table, (wider, NAME), mode="append", widen=(wider,))
        with pytest.raises(OdsTableError, match="Drop the indexes"), self.engine(path) as engine:
            engine.stage(load, reader(load.columns, [("a", "b")]))
            engine.commit(load, memory_of(load))
        assert count(path, "duckdb") == 3


class TestSqlite:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "city.db"

    def engine(self, path: Path, patience_s: float = 60) -> SqliteEngine:
        return SqliteEngine(target_of(str(path)), "t", patience_s=patience_s)

    @pytest.fixture
    def other(self, path: Path) -> Iterator[sqlite3.Connection]:
        load_into(path, "sqlite")
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        yield connection
        connection.close()

    def test_a_locked_file_is_waited_for_and_then_said_to_be_locked(
        self, path: Path, other: sqlite3.Connection
    ) -> None:
        other.execute("BEGIN IMMEDIATE")
        with self.engine(path, patience_s=0.2) as engine:
            engine.stage(LOAD, reader(CITIES, [city(9)]))  # needs no lock
            with pytest.raises(OdsTableError, match=r"locked.*end its transaction") as caught:
                engine.commit(LOAD, memory_of(LOAD))
            assert caught.value.transient
        threading.Timer(0.3, other.execute, ("ROLLBACK",)).start()
        with self.engine(path) as engine:
            engine.stage(LOAD, reader(CITIES, [city(9)]))
            assert engine.commit(LOAD, memory_of(LOAD)).table_rows == 1

    def test_waiting_for_a_lock_is_ended_from_another_thread(self, path: Path, other: sqlite3.Connection) -> None:
        other.execute("BEGIN IMMEDIATE")
        with self.engine(path) as engine:
            engine.stage(LOAD, reader(CITIES, [city(9)]))
            threading.Timer(0.3, engine.cancel).start()
            with pytest.raises(OdsTableError, match="stopped"):
                engine.commit(LOAD, memory_of(LOAD))
        other.execute("ROLLBACK")
        assert count(path, "sqlite") == 3

    def test_a_statement_without_end_is_ended_from_another_thread(self, path: Path, other: sqlite3.Connection) -> None:
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"
        other.execute(f"CREATE TRIGGER slow AFTER INSERT ON cities BEGIN {endless}; END")
        with self.engine(path) as engine:
            engine.stage(LOAD, reader(CITIES, [city(9)]))
            threading.Timer(0.3, engine.cancel).start()
            with pytest.raises(OdsTableError, match="stopped"):
                engine.commit(LOAD, memory_of(LOAD))
        assert count(path, "sqlite") == 3

    def test_a_reader_that_takes_its_time_is_waited_for(self, path: Path, other: sqlite3.Connection) -> None:
        other.execute("BEGIN")
        assert other.execute("SELECT COUNT(*) FROM cities").fetchall() == [(3,)]
        threading.Timer(0.3, other.execute, ("COMMIT",)).start()
        with self.engine(path) as engine:
            engine.stage(LOAD, reader(CITIES, [city(9)]))
            assert engine.commit(LOAD, memory_of(LOAD)).table_rows == 1

    @pytest.mark.parametrize("journal", ["wal", "delete"])
    def test_the_journal_stays_as_it_was_set(self, path: Path, other: sqlite3.Connection, journal: str) -> None:
        other.execute(f"PRAGMA journal_mode = {journal}")
        load_into(path, "sqlite", rows=5)
        assert other.execute("PRAGMA journal_mode").fetchall() == [(journal,)]
        assert count(path, "sqlite") == 5

    def test_numbers_that_are_none_are_told(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        load = Load(TableName("t"), (Column("x", "double", "x"),))
        with self.engine(path) as engine:
            engine.stage(load, reader(load.columns, [(float("nan"),), (1.5,), (None,), (float("nan"),)]))
        assert "2 NaN of x became NULL" in caplog.text

    @pytest.mark.parametrize("held", ["INDEX i ON cities (id)", "VIEW v AS SELECT id FROM cities"])
    def test_what_hangs_on_a_column_that_gets_wider_is_said_to_be_in_the_way(
        self, path: Path, other: sqlite3.Connection, held: str
    ) -> None:
        other.execute(f"CREATE {held}")
        wider = Column("id", "text", "id")
        load = Load(LOAD.table, (wider, NAME), mode="append", widen=(wider,))
        with pytest.raises(OdsTableError, match="Drop the views and indexes"), self.engine(path) as engine:
            engine.stage(load, reader(load.columns, [("a", "b")]))
            engine.commit(load, memory_of(load))
        assert count(path, "sqlite") == 3

    def test_it_has_no_schemas(self, path: Path) -> None:
        with self.engine(path) as engine, pytest.raises(OdsConfigError, match="no schema 'open'"):
            engine.standing(TableName("cities", "open"))

    def test_a_window_over_a_column_that_is_not_there_deletes_nothing(
        self, path: Path, other: sqlite3.Connection
    ) -> None:
        # In SQLite a name in quotes that it does not know is a text, and every text is more than a number.
        load = replace(LOAD, mode="append", window=Window("absent", 1))
        with pytest.raises(OdsError, match="absent"):
            load_into(path, "sqlite", load=load)
        assert count(path, "sqlite") == 3
