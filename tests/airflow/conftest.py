"""Airflow without a server: a home of its own, made before anything imports Airflow."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from airflow_task import Variables

HOME = tempfile.mkdtemp(prefix="ods-test-airflow-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ |= {
    "AIRFLOW_HOME": HOME,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}
for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
    del os.environ[name]

# Warnings are errors here, but not those that other people's packages give while Airflow is imported.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import_module("airflow.sdk")
    import_module("airflow.triggers.base")


@pytest.fixture
def connect(ods_portal: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the connection ``ods_default`` to the portal; patient for a second at most, unless told otherwise."""

    def to_portal(conn_id: str = "ods_default", **changed: Any) -> None:
        extra = {"push_api_key": ods_portal.push_key, "max_wait_s": 1, **changed.pop("extra", {})}
        parts = {"conn_type": "ods", "host": ods_portal.url, "password": ods_portal.api_key, "extra": extra} | changed
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(parts))

    to_portal()
    return to_portal


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Airflow's Variables, which tasks ask the API server for."""
    made = Variables()
    monkeypatch.setattr("airflow.sdk.Variable", made)
    return made
