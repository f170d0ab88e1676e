"""Tasks in a running Airflow, as people see them: logs with rows and rates, a readable XCom, links, asset events."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from airflow_daemons import Airflow, wait_for
from chromium import PATIENCE_S, seen, seen_as, shot, shows
from portal_process import PortalProcess
from selenium import webdriver
from selenium.webdriver.common.by import By

FOLDED = ".monaco-editor [class*=folding][class*=collapsed]"
TASK_SERVERS = ("scheduler", "dag-processor")  # nothing here waits in a triggerer
DAG_FILE = """
from airflow.sdk import DAG

from ods_provider.operators.load import OdsLoadOperator

with DAG("on_screen", schedule=None):
    OdsLoadOperator(task_id="rows", dataset_id="synthetic-rows", table="rows", destination="warehouse")
"""
ASSETS_FILE = """
from airflow.sdk import DAG, Asset, task

from ods_provider.assets import ods_asset
from ods_provider.operators.download import OdsDownloadOperator

capitals, lake = ods_asset("world-capitals"), Asset(name="lake/capitals.csv", uri="file://{path}")

with DAG("brings", schedule=[capitals]):
    OdsDownloadOperator(task_id="csv", path="{path}", outlets=[lake], **capitals.arguments)

with DAG("reads", schedule=[lake]):

    @task
    def rows(*, triggering_asset_events):
        return [event.extra["rows"] for event in triggering_asset_events[lake]]

    rows()
"""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalProcess]:
    with PortalProcess(tmp_path_factory.mktemp("portal"), "--synthetic-rows", "60000") as portal:
        yield portal


@pytest.fixture(scope="module", autouse=True)
def servers(airflow: Airflow, portal: PortalProcess) -> Iterator[None]:
    """Let tasks run, on DAGs that need a portal."""
    dags = airflow.home / "dags"
    (dags / "on_screen.py").write_text(DAG_FILE)
    (dags / "assets.py").write_text(ASSETS_FILE.replace("{path}", str(airflow.home / "capitals.csv")))
    airflow.connect("ods_default", portal)
    for server in TASK_SERVERS:
        airflow.start(server)
    yield
    for server in TASK_SERVERS:
        airflow.stop(server)


@pytest.fixture(autouse=True)
def size(browser: webdriver.Chrome) -> None:
    seen_as(browser, 1300, 700)


def press(browser: webdriver.Chrome, css: str) -> None:
    """Press what may be drawn anew while it is looked for."""

    def pressed() -> bool:
        return bool(
            browser.execute_script("const it = document.querySelector(arguments[0]); it?.click(); return it", css)
        )

    wait_for(css, pressed, timeout_s=PATIENCE_S, pause_s=0.5)


def test_a_load_s_log_tells_steps_with_rows_and_rates_and_its_xcom_is_readable(
    airflow: Airflow, portal: PortalProcess, browser: webdriver.Chrome, password: str, tmp_path: Path
) -> None:
    airflow.wait_for_dag("on_screen")
    run = airflow.trigger("on_screen")
    airflow.wait_for_state("on_screen", run, "rows", "success", "failed")
    told = airflow.xcom("on_screen", run, "rows")
    assert (told["rows"], told["table_rows"], told["table"]) == (60_000, 60_000, "rows")

    browser.get(f"{airflow.url}/auth/token/login")
    at = f"{airflow.url}/dags/on_screen/runs/{run}/tasks/rows"
    everything = seen(browser, at, "Fetched", "Staged", "Replaced", "DEBUG")
    log = seen(browser, f"{at}?log_level=info", "Fetched", "Staged", "Replaced")
    shot(browser, "airflow-load-log", tmp_path)
    assert "DEBUG" not in log
    assert "60,000 rows" in log and "rows/s" in log
    assert "60,000 rows in the table now" in log
    browser.get(f"{airflow.url}/xcoms")
    press(browser, "button[aria-label='Expand all extra JSON']")
    xcom = shows(browser, "synthetic-rows", "60000")
    shot(browser, "airflow-xcom", tmp_path)
    assert "counted" in xcom
    for page in (everything, log, xcom, browser.page_source):
        assert password not in page and portal.api_key not in page
    with closing(sqlite3.connect(airflow.home / "city.db")) as city:
        assert city.execute("SELECT count(*) FROM rows").fetchall() == [(60_000,)]
    assert not any(password.encode() in content for _, content in airflow.kept())


def test_a_task_links_to_its_dataset_and_its_assets_show_what_was_written(
    airflow: Airflow, portal: PortalProcess, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    airflow.wait_for_dag("reads")
    run = airflow.trigger("brings")
    airflow.wait_for_state("brings", run, "csv", "success", "failed")

    def started() -> list[dict[str, str]]:
        runs: list[dict[str, str]] = airflow.api("GET", "/dags/reads/dagRuns")["dag_runs"]
        return runs

    (reader,) = wait_for("the reader was started", started, timeout_s=240)
    assert airflow.wait_for_end("reads", reader["dag_run_id"]) == "success"

    browser.get(f"{airflow.url}/auth/token/login")
    at = f"{airflow.url}/dags/brings/runs/{run}/tasks/csv"
    log = seen(browser, f"{at}?log_level=info", "Done: 110 rows")
    shot(browser, "airflow-log", tmp_path)
    details = seen(browser, f"{at}/details", "Dataset on the portal", "API query")
    shot(browser, "airflow-links", tmp_path)
    link = browser.find_element(By.LINK_TEXT, "Dataset on the portal").get_attribute("href")
    assert link == f"{portal.url}/explore/dataset/world-capitals/"

    (lake,) = airflow.api("GET", "/assets?name_pattern=lake")["assets"]
    seen(browser, f"{airflow.url}/assets/{lake['id']}", "lake/capitals.csv", "brings", "reads")
    folded = wait_for(FOLDED, lambda: browser.find_elements(By.CSS_SELECTOR, FOLDED), timeout_s=PATIENCE_S)
    folded[0].click()
    event = shows(browser, '"rows"', '"sha256"')
    shot(browser, "airflow-assets", tmp_path)
    for page in (log, details, event, browser.page_source):
        assert portal.api_key not in page
