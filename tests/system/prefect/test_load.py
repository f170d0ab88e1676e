"""A real load in Prefect: a table of its own, its artifact, a wait, and a URL that only a Secret block holds."""

import importlib.util
from pathlib import Path

import duckdb
import pytest
from prefect import flow
from prefect.artifacts import Artifact
from prefect.blocks.system import Secret

from ods_provider.core.errors import OdsError
from ods_provider.schedulers.prefect import OdsCredentials, ods_load

API_KEY, PASSWORD = "k3y-that-nobody-may-read", "w4rehouse-pa55word"


@pytest.fixture(scope="module")
def portal():
    from ods_provider.testing.portal import LocalPortal

    with LocalPortal(api_key=API_KEY, synthetic_rows=520) as portal:
        yield portal


@pytest.fixture
def credentials(server, portal, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    portal.reset()
    return OdsCredentials(host=portal.url, api_key=API_KEY, settings={"max_wait_s": 1})


def exports(portal):
    return sum("/exports/" in entry.path for entry in portal.requests)


def table(path, statement):
    with duckdb.connect(str(path)) as connection:
        return connection.sql(statement).fetchall()


def test_a_dataset_becomes_a_table_and_its_artifact_says_what_stands_there(credentials, portal, tmp_path):
    path = tmp_path / "city.duckdb"

    @flow
    def nightly_table():
        return ods_load("world-capitals", "capitals", f"duckdb:///{path}", credentials=credentials)

    told = nightly_table()
    assert (told["rows"], told["inserted"], told["table_rows"], told["table"]) == (110, 110, 110, "capitals")
    assert table(path, "SELECT count(*) FROM capitals") == [(110,)]
    shown = Artifact.get("ods-load-world-capitals-capitals-result").data
    for words in ("110", "capitals", "inserted", "table"):
        assert words in shown


# Prefect's own loop leaves a socket to its server behind when a task ends in a state of its own.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_did_not_change_is_skipped_and_no_row_is_asked_for(credentials, portal, tmp_path):
    seen = []

    @flow
    def nightly_skip_load():
        place = f"duckdb:///{tmp_path}/city.duckdb"
        for _ in range(2):
            seen.append(ods_load("world-capitals", "capitals", place, if_unchanged="skip", credentials=credentials))

    nightly_skip_load()
    assert (seen[0]["unchanged"], seen[1].name) == (False, "Skipped")
    assert seen[1].message.endswith(f"and was loaded before, into duckdb:///{tmp_path}/city.duckdb/capitals.")
    assert exports(portal) == 1


def test_a_wait_is_held_and_what_was_fetched_is_not_asked_for_again(credentials, portal, tmp_path):
    portal.fault("quota", path="/exports/", skip=2, times=1, reset_in_s=3)

    @flow
    def waits_for_a_quota():
        how = {"parallel": 4, "partition_by": "id", "wait_mode": "hold", "credentials": credentials}
        return ods_load("synthetic-rows", "rows", f"duckdb:///{tmp_path}/city.duckdb", **how)

    assert waits_for_a_quota()["table_rows"] == 520
    assert exports(portal) <= 7  # five parts, and what the quota refused


@pytest.mark.parametrize("how", ["named", "block"])
def test_a_url_in_a_secret_block_is_seen_by_nobody(credentials, portal, tmp_path, client, caplog, how):
    lake = tmp_path / "lake"
    secret = Secret(value=f"file://{lake}?aws_secret_access_key={PASSWORD}")
    secret.save("warehouse", overwrite=True)

    @flow
    def secretly():
        place = "secret/warehouse" if how == "named" else Secret.load("warehouse")
        return ods_load("world-capitals", "capitals", place, credentials=credentials)

    told = secretly()
    assert table(":memory:", f"SELECT count(*) FROM '{lake}/capitals/*.parquet'") == [(110,)]
    runs = client.read_task_runs()
    kept = b"".join(file.read_bytes() for file in (tmp_path / "state").rglob("*") if file.is_file())
    assert PASSWORD not in str(told) + caplog.text + str([run.model_dump() for run in runs])
    assert PASSWORD.encode() not in kept


def test_a_secret_that_is_not_there_is_named(credentials, portal, tmp_path):
    @flow
    def lost():
        ods_load("world-capitals", "capitals", "secret/no-such-warehouse", credentials=credentials)

    with pytest.raises((OdsError, ValueError), match="no-such-warehouse"):
        lost()
    assert exports(portal) == 0


def test_the_flow_of_the_page_loads_both_tables(credentials, portal, tmp_path):
    page = Path(__file__).parents[3] / "docs" / "examples" / "prefect_flow.py"
    spec = importlib.util.spec_from_file_location("page_of_loads", page)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    Secret(value=f"duckdb:///{tmp_path}/city.duckdb").save("warehouse", overwrite=True)
    credentials.save("for-the-page", overwrite=True)
    for _ in range(2):
        capitals, readings = example.warehouse(credentials="for-the-page")
        assert (capitals, readings) == (110, len(portal.rows("live-readings")))
