"""One Airflow and one browser for all pages: what is stored and run in one test is seen in those behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from airflow_daemons import Airflow
from chromium import chromium
from selenium import webdriver


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture(scope="session")
def password() -> str:
    """What nobody may read of the connection ``warehouse``."""
    return "w4rehouse-pa55word"


@pytest.fixture(scope="session")
def airflow(password: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """Its API server alone; whoever runs tasks starts the other servers, and writes DAGs into ``home/dags``."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    connection = json.dumps({"conn_type": "sqlite", "host": str(home / "city.db"), "password": password})
    settings = {"AIRFLOW_CONN_WAREHOUSE": connection, "AIRFLOW__API__DEFAULT_WRAP": "True"}
    with Airflow(home, home / "dags", servers=("api-server",), **settings) as running:
        yield running
