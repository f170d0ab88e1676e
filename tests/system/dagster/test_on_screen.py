"""A component on Dagster's own pages: what people see of lineage, rows, checks, and of the component itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import browser, seen, seen_as, shot
from city import write_city
from dagster_stack import API_KEY, LOCATION, Stack
from selenium import webdriver
from selenium.webdriver.common.by import By

from ods_provider.testing.portal import LocalPortal

__all__ = ["browser"]

ROOT = Path(__file__).resolve().parents[3]
COMPONENT = (ROOT / "docs" / "examples" / "dagster_component.yaml").read_text().partition("\n")[2]
REPORT = """\
from dagster import asset


@asset(deps=["capitals"], group_name="portal")
def report() -> None:
    \"\"\"What people read.\"\"\"
"""
SIZE = (1300, 800)


@pytest.fixture(scope="module")
def portal() -> Iterator[LocalPortal]:
    with LocalPortal(api_key=API_KEY, synthetic_rows=520) as portal:
        yield portal


@pytest.fixture(scope="module")
def stack(portal: LocalPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Dagster over the component that the docs show and an asset behind it, all of them made once."""
    root = write_city(tmp_path_factory.mktemp("city"), portal=COMPONENT, report=REPORT)
    host = f"localhost:{portal.netloc.rpartition(':')[2]}"
    environ = {
        "ODS_HOST": host,
        "ODS_API_KEY": API_KEY,
        "PYTHONPATH": str(root / "src"),
        # As `dagster dev` has it: the component reads its state by itself.
        "DAGSTER_IS_DEV_CLI": "1",
    }
    with Stack(root / "home", environ, "-m", "city.definitions", "-d", str(root)) as stack:
        for assets in [f"{host.replace(':', '_')}/world-capitals"], ["capitals", "report"]:
            assert stack.finish(stack.launch(*assets, together=True)) == "SUCCESS"
        yield stack


@pytest.fixture
def look(stack: Stack, browser: webdriver.Chrome, tmp_path: Path) -> Any:
    """Open a page of Dagster's, keep a picture of it, and return its text, in which no key stands."""
    seen_as(browser, *SIZE)

    def opened(path: str, name: str, *words: str) -> str:
        text = seen(browser, f"{stack.url}/{path}", *words)
        shot(browser, name, tmp_path)
        assert API_KEY not in text and API_KEY not in browser.page_source
        return text

    return opened


def test_before_an_asset_stands_its_dataset_and_behind_it_what_others_make(look: Any) -> None:
    look(
        "assets/capitals?view=lineage", "dagster-lineage", "world-capitals", "report", "Observed", "opendatasoft",
        "2 / 3 Passed",
    )  # fmt: skip


def test_an_asset_tells_rows_checks_columns_and_what_the_portal_says(look: Any, portal: LocalPortal) -> None:
    told = ("Capitals of the world", "geo_point_2d", "Country name EN", "sha256", "source: opendatasoft", "csv")
    look("assets/capitals", "dagster-asset", *told, "Row count\n59")
    link = f"localhost:{portal.netloc.rpartition(':')[2]}/explore/dataset/world-capitals/"
    event = look("assets/capitals?view=events", "dagster-event", link, "size_bytes", "Materialized in run")
    assert "counted" in event and "2026-01-05" in event


def test_checks_say_what_they_found(look: Any, stack: Stack) -> None:
    names = ("rows_counted\nSucceeded", "schema_unchanged\nSucceeded", "fresh\nFailed")
    at = "assets/capitals?view=checks"
    look(f"{at}&checkDetail=fresh", "dagster-checks", *names, "which is more than 36 hours", "by the portal's own time")
    look(f"{at}&checkDetail=rows_counted", "dagster-check-rows", "59 rows, as many as the portal counted")


def test_the_component_describes_itself(look: Any, browser: webdriver.Chrome) -> None:
    at = f"locations/{LOCATION}/components/library/packages/ods_provider/ods_provider.dagster.OdsPortalComponent"
    told = ("portal as assets: files or tables that hold exactly", "A query of the catalogue", "fresh: 36 hours")
    look(at, "dagster-component-first", "Hide navigation")
    # The names of components are long.
    browser.find_element(By.XPATH, "//*[text()='Hide navigation']").click()
    look(at, "dagster-component", *told)
