"""The example DAGs: what parsing them costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from airflow_commands import FOLDER

# What a DAG file must not load (Airflow itself brings pendulum, pluggy and tenacity along).
HEAVY = (
    "requests",
    "urllib3",
    "pyarrow",
    "fsspec",
    "duckdb",
    "ods_provider.client",
    "ods_provider.jobs",
    "ods_provider.plugins",
    "ods_provider.sinks",
    "ods_provider.transport",
)

PARSE = """
import json, socket, sys, warnings
from importlib import import_module, metadata
def refuse(*_):
    raise AssertionError("parsing a DAG reached for the network")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from airflow.sdk import DAG
import airflow.triggers.base
warnings.simplefilter("error")
before = set(sys.modules)
walked = []
whole = metadata.distributions
metadata.distributions = lambda *a, **k: walked.append(1) or whole(*a, **k)
modules = [import_module("ods_provider.example_dags." + name) for name in sys.argv[1:]]
dags = [value for module in modules for value in vars(module).values() if isinstance(value, DAG)]
found = {dag.dag_id: sorted(dag.task_ids) for dag in dags}
print(json.dumps({"dags": found, "walked": len(walked), "loaded": sorted(set(sys.modules) - before)}))
"""


def test_the_examples_are_parsed_without_connection_network_or_weight() -> None:
    names = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    environ = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW_CONN_")}
    command = [sys.executable, "-c", PARSE, *names]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert set(names) <= set(found["dags"])
    assert all(tasks for tasks in found["dags"].values())
    assert not found["walked"], "entry points were walked"
    heavy = [module for module in found["loaded"] if any(module == h or module.startswith(h + ".") for h in HEAVY)]
    assert not heavy
