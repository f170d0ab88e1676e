"""Airflow's own commands, each in a process of its own, on the example DAGs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import ods_provider

FOLDER = Path(ods_provider.__file__).parent / "example_dags"

# Several commands in one process: each would spend four seconds on starting.
COMMANDS = """
import json, os, sys
from airflow.__main__ import main
for connection, arguments in json.loads(sys.argv[1]):
    os.environ["AIRFLOW_CONN_PORTAL"] = connection
    sys.argv = ["airflow", *arguments]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    print(f"\\nexit code {code}\\n---", flush=True)
"""


def run(*command: str, home: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    base = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "NO_PROXY": "127.0.0.1,localhost",
        "COLUMNS": "300",
    }
    command = (sys.executable, *command)
    return subprocess.run(command, env=base | settings | environ, capture_output=True, text=True, check=False)
