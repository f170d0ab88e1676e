"""The SQLite plugin of the docs: the rows of the portal in a table, all of them or those that were there before."""

import json
import sqlite3
import sys
from contextlib import closing
from importlib import import_module

import pytest
import requests
from plugin_site import install

from ods_provider.core.outcome import Wait
from ods_provider.errors import OdsConfigError, OdsSinkError
from ods_provider.jobs import arguments
from ods_provider.jobs.runner import run_job
from ods_provider.plugins.manager import Plugins


@pytest.fixture
def run(tmp_path, ods_portal, monkeypatch):
    """Run a job under the plugin; return how it ended."""
    monkeypatch.setenv("ODS_HOST", ods_portal.url)
    monkeypatch.setenv("ODS_MAX_WAIT_S", "0.5")
    monkeypatch.syspath_prepend(str(install("sqlite-plugin", tmp_path / "site").parent))
    plugins = Plugins({"sqlite": import_module("ods_sqlite")}, entry_points=False, environ={"ODS_PLUGINS_STRICT": "1"})

    def done(kind: str, **given):
        job = getattr(arguments, f"{kind}_job")(**given)
        return run_job(job, scheduler="cli", native=str(given), plugins=plugins)

    yield done
    del sys.modules["ods_sqlite"]


@pytest.fixture
def file(tmp_path):
    return tmp_path / ".data" / "no.1#" / "city.sqlite"


def table(file, name: str) -> list[dict]:
    with closing(sqlite3.connect(file)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(f'SELECT * FROM "{name}"')]


def kept(row: dict) -> dict:
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value
        for name, value in row.items()
    }


def test_a_search_and_a_download_are_the_rows_of_the_portal(run, file, ods_portal):
    every = f"rows:{file}#all types"
    result = run("search", dataset_id="all-types", path=every).result
    assert (result["path"], result["rows"]) == (every, 12)
    explore = f"{ods_portal.url}/api/explore/v2.1/catalog/datasets"
    shown = requests.get(f"{explore}/all-types/records", params={"limit": 100}, timeout=30).json()["results"]
    assert table(file, "all types") == [kept(row) for row in shown]
    result = run("download", dataset_id="world-capitals", path=f"rows:{file}#capitals", format="jsonl").result
    assert (result["rows"], result["verified"]) == (110, "counted")
    lines = requests.get(f"{explore}/world-capitals/exports/jsonl", timeout=30).text.splitlines()
    by_id = sorted((kept(json.loads(line)) for line in lines), key=lambda row: row["geoname_id"])
    assert sorted(table(file, "capitals"), key=lambda row: row["geoname_id"]) == by_id
    # Nothing unfinished, and no progress, stays beside it.
    assert [each.name for each in file.parent.iterdir()] == ["city.sqlite"]


def test_a_table_that_stands_keeps_its_columns_and_gets_new_rows(run, file):
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE capitals (name TEXT PRIMARY KEY, note TEXT)")
        db.execute("INSERT INTO capitals VALUES ('Atlantis', 'old')")
        db.commit()
    run("search", dataset_id="world-capitals", select="name, population", limit=3, path=f"rows:{file}#capitals")
    rows = table(file, "capitals")
    assert [list(row) for row in rows] == [["name", "note", "population"]] * 3
    assert all(row["note"] is None and row["population"] for row in rows)


def test_what_must_wait_or_fails_leaves_the_older_rows_and_goes_on(run, file, ods_portal):
    asked = {"dataset_id": "world-capitals", "order_by": "geoname_id", "path": f"rows:{file}#capitals"}
    run("search", **asked | {"limit": 2})
    ods_portal.fault("quota", path="/records", skip=1, reset_in_s=1)
    assert isinstance(run("search", **asked), Wait)
    assert len(table(file, "capitals")) == 2
    ods_portal.clear_faults()
    before = len(ods_portal.requests)
    assert run("search", **asked).result["rows"] == 110
    assert len(table(file, "capitals")) == 110
    # The page before the wait lies beside the database: it is not asked for again.
    assert sum(entry.path.endswith("/records") for entry in ods_portal.requests[before:]) == 1
    # Rows that the table refuses change nothing.
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TRIGGER no BEFORE INSERT ON capitals BEGIN SELECT RAISE(FAIL, 'not today'); END")
    with pytest.raises(OdsSinkError, match=r"not today .*city\.sqlite#capitals"):
        run("search", **asked)
    assert len(table(file, "capitals")) == 110


@pytest.mark.parametrize("named", ["city.sqlite", "city.sqlite#", ".city.sqlite#capitals"])
def test_no_table_is_an_error_before_anything_is_asked(run, file, ods_portal, named):
    with pytest.raises(OdsConfigError, match="no table is named"):
        run("search", dataset_id="world-capitals", path=f"rows:{file.with_name(named)}")
    assert ods_portal.requests == []


def test_a_load_goes_to_the_same_file(run, tmp_path):
    file = tmp_path / "city.sqlite"  # in a URL a number sign has a meaning of its own
    loaded = run("load", dataset_id="world-capitals", table="loaded", destination=f"rows:{file}")
    assert loaded.result["table_rows"] == 110
    assert len(table(file, "loaded")) == 110
