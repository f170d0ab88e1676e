"""Dagster's real release, in an environment of its own (nox session ``dagster``), against the local portal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before Dagster is imported: it would send statistics on its use over the network.
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
sys.path.insert(0, str(Path(__file__).parent))

import pytest
from dagster import DagsterInstance, EnvVar, build_sensor_context
from dagster_stack import API_KEY, PUSH_KEY

from ods_provider.schedulers.dagster import OdsResource


@pytest.fixture
def portal() -> Iterator[Any]:
    from ods_provider.testing.portal import LocalPortal

    with LocalPortal(api_key=API_KEY, push_key=PUSH_KEY, synthetic_rows=520) as portal:
        yield portal


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    """An instance with its databases in files, as in production."""
    home = tmp_path / "dagster-home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with DagsterInstance.from_config(str(home)) as made:
        yield made


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


def pytest_configure(config: pytest.Config) -> None:
    # Dagster copies a sensor of a job with all its parameters, and then warns of one that nobody has set.
    config.addinivalue_line("filterwarnings", "ignore:Parameter `owners` of initializer `SensorDefinition")
    # Those of a range are tried all the same.
    config.addinivalue_line(
        "filterwarnings", "ignore:Parameter `backfill_policy` of function `asset` is currently in beta"
    )
