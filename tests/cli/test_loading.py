"""``ods load``: end to end, its exit codes, from any folder, twice at once, killed and interrupted, and no password."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from shell import on_a_terminal, plain

CAPITALS = ("load", "world-capitals", "capitals", "--to")
PASSWORD = "pa55w0rd-that-nobody-may-read"


def exports(portal):
    return [entry for entry in portal.requests if "/exports/" in entry.path]


def rows_of(path, table="capitals"):
    """Return how many rows a table of a DuckDB or SQLite file holds, None where none stands; and all tables' names."""
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path)) as connection:
            names = [name for (name,) in connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()]
            count = connection.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0] if table in names else None
            return count, sorted(names)
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] if table in names else None
        return count, sorted(names)


@pytest.mark.parametrize("name", ["city.duckdb", "city.db"])
def test_a_dataset_becomes_a_table_and_a_second_load_is_skipped(ods, ods_portal, tmp_path, name):
    first = ods(*CAPITALS, name, "--if-unchanged", "skip", "--json")
    assert first.code == 0, first.err
    told = first.json
    path = tmp_path / "here" / name
    assert (told["rows"], told["inserted"], told["table_rows"], told["table"]) == (110, 110, 110, "capitals")
    assert told["path"].endswith(f":///{path}/capitals") and told["unchanged"] is False
    assert set(told["seconds"]) == {"fetch", "stage", "commit"} and told["columns_changed"] == []
    assert rows_of(path) == (110, ["_ods_loads", "capitals"])
    again = ods(*CAPITALS, name, "--if-unchanged", "skip", "--json")
    assert (again.code, again.json["unchanged"], len(exports(ods_portal))) == (3, True, 1)
    assert not list((tmp_path / "state").rglob("*.parquet"))


@pytest.mark.parametrize("mode", ["replace", "append", "merge", "scd2"])
def test_the_first_unchanged_run_after_a_plain_load_ends_with_3(ods, ods_portal, mode):
    words = (*CAPITALS, "city.db", "--mode", mode, *(("--key", "geoname_id") if mode in ("merge", "scd2") else ()))
    assert ods(*words).code == 0
    again = ods(*words, "--if-unchanged", "skip")
    assert (again.code, len(exports(ods_portal))) == (3, 1), again.err
    if mode == "append":  # a command that is run again may have been killed before: nothing doubles
        assert ods(*words, "--json").json["table_rows"] == 110


@pytest.mark.at_length
def test_columns_that_changed_are_told_in_lines_and_nothing_is_said_of_none(ods, ods_portal, surroundings, tmp_path):
    command = ("load", "many", "many", "--to", f"{tmp_path}/city.db")
    ods_portal.add_dataset("many", fields={"id": "int"}, rows=[{"id": 1}])
    assert "Table many" not in ods(*command).err
    ods_portal.add_dataset("many", fields={"id": "int", "height": "double"}, rows=[{"id": 1, "height": 2.5}, {"id": 2}])
    told = ods(*command)
    assert "Table many: " in told.err and "height" in told.err, told.err
    ods_portal.add_dataset("many", fields={"id": "int"}, rows=[{"id": 1}])
    code, seen = on_a_terminal(command, surroundings, tmp_path)
    assert code == 0 and "Table many: " in plain(seen) and "columns changed" not in plain(seen), seen


def test_what_is_wrong_ends_with_1_or_2_and_says_what_to_do(ods, ods_portal, tmp_path):
    used = ods("load", "world-capitals", "capitals")
    assert (used.code, "--to duckdb:///city.duckdb, or set ODS_LOAD_TO" in used.err) == (2, True), used.err
    assert "--to portal/, or set ODS_MIRROR_TO" in ods("mirror").err
    for words, said in (
        (("--to", "city.csv"), "names no database"),
        (("--to", "city.duckdb", "--cursor", "population"), "--mode='replace' loads all rows (--cursor, --mode)"),
        (("--to", "city.duckdb", "--mode", "append", "--lag", "3d"), "as in --cursor at"),
        (("--to", "city.duckdb", "--key", "nmae", "--mode", "merge"), "Perhaps 'name' is meant"),
        (
            ("--to", "city.duckdb", "--mode", "merge", "--delete-missing", "--limit", "3"),
            "(--delete-missing, --limit)",
        ),
    ):
        told = ods("load", "world-capitals", "capitals", *words)
        assert (told.code, said in told.err) == (2, True), told.err
    assert exports(ods_portal) == []
    few = ods(*CAPITALS, "city.duckdb", "--min-rows", "1000")
    assert (few.code, "min_rows" in few.err or "--min-rows" in few.err) == (1, True), few.err
    nowhere = ods(*CAPITALS, "sqlite:///no/folder/city.db")
    assert nowhere.code in (1, 2) and "folder" in nowhere.err, nowhere.err


def test_a_quota_ends_with_75_and_the_same_command_goes_on(ods, ods_portal, tmp_path):
    ods_portal.add_dataset("many", fields={"id": "int"}, rows=[{"id": number} for number in range(400)])
    command = ("load", "many", "s", "--to", "city.db", "--parallel", "4", "--partition-by", "id")
    ods_portal.fault("quota", path="/exports/", skip=2, times=1, reset_in_s=600)
    assert ods(*command).code == 75
    ods_portal.clear_faults()
    before = len(exports(ods_portal))
    done = ods(*command, "--now", "--json")
    assert done.code == 0, done.err
    assert len(exports(ods_portal)) - before < 5
    assert rows_of(tmp_path / "here" / "city.db", "s")[0] == done.json["rows"]


@pytest.mark.at_length
def test_a_path_is_another_database_in_another_folder_and_the_same_one_is_known_by_any_path(
    ods, ods_portal, tmp_path, monkeypatch
):
    """The watermark lies in the file: under another path it is the same, and what is appended is appended once."""
    there = tmp_path / "there"
    there.mkdir()
    words = ("--mode", "append", "--cursor", "population", "--json")
    first = ods(*CAPITALS, "city.duckdb", *words)
    monkeypatch.chdir(there)
    assert ods(*CAPITALS, "city.duckdb", *words).json["rows"] == 110
    for path in ("../here/city.duckdb", "duckdb:///../here/city.duckdb", f"duckdb:///{tmp_path}/here/city.duckdb"):
        again = ods(*CAPITALS, path, *words)
        assert again.json["rows"] < 10 and again.json["table_rows"] == 110, again.out
        assert again.json["watermark"] == first.json["watermark"]
    monkeypatch.chdir(tmp_path)
    # Whether columns may change is how it is loaded, and not what.
    frozen = ods(*CAPITALS, f"{tmp_path}/here/city.duckdb", *words, "--columns", "freeze")
    assert frozen.json["table_rows"] == 110
    assert "file" not in ods(*CAPITALS, "x.duckdb").err


@pytest.mark.at_length
def test_two_databases_are_loaded_at_once_and_one_is_not_loaded_twice(start, ods, ods_portal, tmp_path):
    ods_portal.fault("stall", path="/exports/", times=1, seconds=600, after_bytes=100)
    first = start(*CAPITALS, str(tmp_path / "one.duckdb"))
    waited(lambda: exports(ods_portal), first)
    other = ods(*CAPITALS, str(tmp_path / "two.duckdb"))
    assert other.code == 0, other.err
    same = ods(*CAPITALS, f"duckdb:///{tmp_path / 'one.duckdb'}")
    assert (same.code, "already running" in same.err) == (75, True), same.err
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=60)
    assert (first.returncode, "The same command goes on" in err) == (130, True), err
    assert ods(*CAPITALS, str(tmp_path / "one.duckdb")).code == 0
    assert rows_of(tmp_path / "one.duckdb")[0] == rows_of(tmp_path / "two.duckdb")[0] == 110


def waited(seen, process):
    end = time.monotonic() + 120
    while not seen():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.05)


@pytest.mark.at_length
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_what_ends_while_the_database_is_at_work_fetches_nothing_again(start, ods, ods_portal, tmp_path, sign):
    """Another process keeps the file locked, so that the load waits in its database's part."""
    path = tmp_path / "city.db"
    assert ods(*CAPITALS, str(path)).code == 0
    ods_portal.touch("world-capitals")
    asked = len(exports(ods_portal))
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        process = start(*CAPITALS, str(path))
        staged = tmp_path / "state" / "ods-provider" / "staging"
        waited(lambda: list(staged.rglob("rows.parquet")), process)
        time.sleep(0.5)
        process.send_signal(sign)
        process.communicate(timeout=30)
        assert process.returncode == (130 if sign == signal.SIGINT else -signal.SIGKILL)
        holder.execute("ROLLBACK")
    assert len(exports(ods_portal)) == asked + 1
    assert rows_of(path) == (110, ["_ods_loads", "capitals"])
    assert ods(*CAPITALS, str(path)).code == 0
    assert len(exports(ods_portal)) == asked + 1
    assert not list(staged.rglob("*.parquet"))


def test_a_password_is_in_no_output_and_in_no_file(ods, tmp_path):
    for place in (
        f"postgresql://loader:{PASSWORD}@127.0.0.1:9/city",
        f"oracle://loader:{PASSWORD}@127.0.0.1/city",
        f"postgresql:loader:{PASSWORD}@127.0.0.1/city",
        f"sqlite://loader:{PASSWORD}@127.0.0.1/city.db",
        f"duckdb:///no/folder/city.duckdb?token={PASSWORD}",
    ):
        for how in ((), ("--debug",)):
            given = ods(*CAPITALS, place, *how, secrets=(PASSWORD,))
            assert given.code in (1, 2), given.err
        environment = ods("load", "world-capitals", "capitals", secrets=(PASSWORD,), ODS_LOAD_TO=place)
        assert environment.code in (1, 2) and "is not read" not in environment.err
    for path in tmp_path.rglob("*"):
        assert PASSWORD not in path.name
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()


def test_where_to_may_stand_in_the_environment(ods, tmp_path):
    done = ods("load", "world-capitals", "raw.capitals", "--json", ODS_LOAD_TO="sub/city.duckdb")
    assert done.code in (1, 2) and "folder" in done.err
    done = ods("load", "world-capitals", "raw.capitals", "--json", ODS_LOAD_TO="city.duckdb")
    assert done.json["table"] == "raw.capitals"


@pytest.mark.at_length
def test_on_a_terminal_the_steps_and_what_came_of_it_are_shown(surroundings, tmp_path):
    code, shown = on_a_terminal((*CAPITALS, "city.duckdb"), surroundings, tmp_path)
    assert code == 0
    told = plain(shown)
    for words in ("rows in the table  110", "inserted", "table", "calls"):
        assert words in told, told


@pytest.mark.at_length
def test_the_warehouse_in_five_minutes_of_the_recipe_is_one(surroundings, ods_portal, tmp_path):
    script = Path(__file__).parents[2] / "docs" / "examples" / "warehouse.sh"
    bin = Path(sys.executable).parent
    env = os.environ | surroundings | {"PATH": f"{bin}:{os.environ['PATH']}"}
    for _ in range(2):
        subprocess.run(["sh", "-eu", str(script)], cwd=tmp_path, env=env, check=True, capture_output=True, timeout=300)
    assert rows_of(tmp_path / "city.duckdb") == (110, ["_ods_loads", "capitals", "landmarks", "readings"])
    assert rows_of(tmp_path / "city.duckdb", "readings")[0] == len(ods_portal.rows("live-readings"))
