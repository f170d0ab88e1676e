"""One Airflow for all tests of this folder; each test has a portal of its own.

Most tests wait: for a quota's reset, a sensor, a process that starts. Those that disturb nobody are begun together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow_commands import run
from airflow_daemons import Airflow
from portal_process import PortalProcess
from postgresql_server import postgresql_server
from side_by_side import Begun, begin, bodies

DAGS = Path(__file__).parent / "dags"
# More would only wait for this machine's cores; a task that waits in place holds one of Airflow's slots.
AT_ONCE, SLOTS = 4, "6"


@dataclass
class Given:
    """What a test has that runs beside others."""

    airflow: Airflow
    keys: list[str]
    tmp_path: Path
    portal_for: Callable[..., PortalProcess]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Make a database of this name that has Airflow's tables, and return its address; they are made only once."""
    with postgresql_server(user="airflow") as server:

        def address(name: str) -> str:
            return server.url(name).replace("postgresql://", "postgresql+psycopg2://")

        server.run("CREATE DATABASE migrated")
        where = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": address("migrated")}
        migrated = run("-m", "airflow", "db", "migrate", home=tmp_path_factory.mktemp("migrated"), **where)
        assert migrated.returncode == 0, migrated.stderr[-2000:]

        def make(name: str) -> str:
            server.run(f"CREATE DATABASE {name} TEMPLATE migrated")
            return address(name)

        yield make


@pytest.fixture(scope="session")
def airflow(database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    home, where = tmp_path_factory.mktemp("airflow"), database("running")
    with Airflow(home, DAGS, database=where, migrated=True, AIRFLOW__CORE__PARALLELISM=SLOTS) as running:
        running.api("POST", "/pools", {"name": "one_slot", "slots": 1})
        yield running


@pytest.fixture(scope="session")
def keys() -> list[str]:
    """Every key that was used in this session, for the search at its end."""
    return []


@contextmanager
def portals(airflow: Airflow, keys: list[str], folder: Path) -> Iterator[Callable[..., PortalProcess]]:
    """Start portals, and store a connection to each under a name."""
    with ExitStack() as stack:

        def start(conn_id: str, *options: str, **extra: Any) -> PortalProcess:
            portal = stack.enter_context(PortalProcess(folder / "portal", *options))
            keys.extend((portal.api_key, portal.push_key))
            airflow.connect(conn_id, portal, **extra)
            return portal

        yield start


@pytest.fixture
def portal_for(airflow: Airflow, keys: list[str], tmp_path: Path) -> Iterator[Callable[..., PortalProcess]]:
    """Start a portal, and store a connection to it under a name."""
    with portals(airflow, keys, tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
def begun(
    request: pytest.FixtureRequest, airflow: Airflow, keys: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Begun]:
    """The tests that run beside others."""

    def go(body: Callable[[Given], None]) -> None:
        folder = tmp_path_factory.mktemp("beside")
        with portals(airflow, keys, folder) as start:
            body(Given(airflow, keys, folder, start))

    with begin(bodies(request.session.items), go, at_once=AT_ONCE) as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def _begun_at_first(request: pytest.FixtureRequest) -> None:
    if bodies(request.session.items):
        request.getfixturevalue("begun")


@pytest.fixture
def alone(begun: Begun) -> None:
    """Nothing runs beside any more: for tests that stop a server, or look at what all have left."""
    begun.all_over()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests of this folder while those beside them wait, and what is alone at the end."""

    def turn(item: pytest.Item) -> int:
        names = getattr(item, "fixturenames", ())
        return 2 if "alone" in names else int("begun" in names)

    ours = [number for number, item in enumerate(items) if item.path.is_relative_to(Path(__file__).parent)]
    in_turn = sorted((items[number] for number in ours), key=turn)
    for number, item in zip(ours, in_turn, strict=True):
        items[number] = item
