"""One Airflow for all tests of this folder; each test has a portal of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from airflow_daemons import Airflow
from portal_process import PortalProcess
from services import postgresql

DAGS = Path(__file__).parent / "dags"


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    home = tmp_path_factory.mktemp("airflow")
    with postgresql() as database, Airflow(home, DAGS, database=database) as running:
        running.api("POST", "/pools", {"name": "one_slot", "slots": 1})
        yield running


@pytest.fixture(scope="session")
def keys() -> list[str]:
    """Every key that was used in this session, for the search at its end."""
    return []


@pytest.fixture
def portal_for(airflow: Airflow, keys: list[str], tmp_path: Path) -> Iterator[Callable[..., PortalProcess]]:
    """Start a portal, and store a connection to it under a name."""
    with ExitStack() as stack:

        def start(conn_id: str, *options: str, **extra: Any) -> PortalProcess:
            portal = stack.enter_context(PortalProcess(tmp_path / "portal", *options))
            keys.extend((portal.api_key, portal.push_key))
            airflow.connect(conn_id, portal, **extra)
            return portal

        yield start
