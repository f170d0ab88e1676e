"""Dagster's real release, in an environment of its own (nox session ``dagster``), against the local portal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

# Before Dagster is imported: it would send statistics on its use over the network.
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
sys.path.insert(0, str(Path(__file__).parent))

import pytest
from dagster import DagsterInstance, EnvVar, build_sensor_context
from dagster_stack import API_KEY, PUSH_KEY, Stack

from ods_provider.schedulers.dagster import OdsResource


@pytest.fixture(scope="session")
def _portal() -> Iterator[Any]:
    from ods_provider.testing.portal import LocalPortal

    with LocalPortal(api_key=API_KEY, push_key=PUSH_KEY, synthetic_rows=520) as portal:
        yield portal


@pytest.fixture
def portal(_portal: Any) -> Any:
    """A portal as it is at its start, for tests that leave no process behind which still asks it."""
    _portal.reset()
    return _portal


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose databases are made and empty, which takes longer than what most tests do with them."""
    home = tmp_path_factory.mktemp("dagster") / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with DagsterInstance.from_config(str(home)) as made:
        assert not made.get_runs_count() and not made.all_asset_keys() and not made.all_instigator_state()
    return home


@pytest.fixture
def instance(_home: Path, tmp_path: Path) -> Iterator[DagsterInstance]:
    """An instance with its databases in files, as in production."""
    home = tmp_path / "dagster-home"
    shutil.copytree(_home, home)
    with DagsterInstance.from_config(str(home)) as made:
        yield made


class _Served:
    """The one Dagster of all tests whose code is ``deployed.py``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._stack: Stack | None = None
        self._count = 0

    def deploy(self, environ: Mapping[str, str], asset: str) -> Stack:
        if self._stack is None:
            self._count += 1
            self._stack = self._open.enter_context(Stack(self._folder / f"home-{self._count}", environ))
        else:
            self._stack.deploy(environ, asset)
        return self._stack

    def close(self) -> None:
        self._stack = None
        self._open.close()


@pytest.fixture(scope="session")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Served]:
    served = _Served(tmp_path_factory.mktemp("served"))
    yield served
    served.close()


@pytest.fixture
def deploy(_served: _Served, request: pytest.FixtureRequest) -> Iterator[Callable[[Mapping[str, str], str], Stack]]:
    """Serve ``deployed.py`` with this environment, in which an asset has a name that no other test gives it."""
    failed = request.session.testsfailed
    yield _served.deploy
    if request.session.testsfailed > failed:
        # What a failed test left running is nothing that the next one should meet.
        _served.close()


@pytest.fixture
def ods(portal: Any, monkeypatch: pytest.MonkeyPatch) -> OdsResource:
    """The portal as a resource that sleeps at most half a second in a run."""
    monkeypatch.setenv("TEST_ODS_KEY", portal.api_key)
    monkeypatch.setenv("TEST_ODS_PUSH_KEY", portal.push_key)
    return OdsResource(
        host=portal.netloc,
        api_key=EnvVar("TEST_ODS_KEY"),
        push_api_key=EnvVar("TEST_ODS_PUSH_KEY"),
        max_wait_s=0.5,
        max_retries=1,
    )


@pytest.fixture
def tick(instance: DagsterInstance, ods: OdsResource) -> Callable[..., Any]:
    """Evaluate a sensor once, as the daemon does, and return what it asked for."""

    def look(sensor: Any, definitions: Any, cursor: str | None = None) -> Any:
        with build_sensor_context(
            instance=instance, definitions=definitions, resources={"ods": ods}, cursor=cursor
        ) as context:
            return sensor.evaluate_tick(context)

    return look


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what shares a Dagster one after the other, and last: it costs processor time as long as it stands."""
    items.sort(key=lambda item: "deploy" in getattr(item, "fixturenames", ()))


def pytest_configure(config: pytest.Config) -> None:
    # Dagster copies a sensor of a job with all its parameters, and then warns of one that nobody has set.
    config.addinivalue_line("filterwarnings", "ignore:Parameter `owners` of initializer `SensorDefinition")
    # Those of a range are tried all the same.
    config.addinivalue_line(
        "filterwarnings", "ignore:Parameter `backfill_policy` of function `asset` is currently in beta"
    )
