"""The DAG of docs/testing.md, run by the commands beside it against the portal."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ods_provider.testing.portal import LocalPortal

PAGE = (Path(__file__).parents[3] / "docs" / "testing.md").read_text()


@pytest.mark.parametrize(("fault", "state", "rows"), [(None, "success", 111), ("short_rows", "failed", None)])
def test_the_dag_runs_against_the_portal(tmp_path, fault, state, rows):
    (dag,) = re.findall(r"```dag\n(.*?)```", PAGE, re.DOTALL)
    (commands,) = re.findall(r"```airflow\n(.*?)```", PAGE, re.DOTALL)
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "capitals.py").write_text(dag.replace('"/tmp"', repr(str(tmp_path))))
    with LocalPortal() as portal:
        if fault:
            portal.fault(fault, times=None, path="/exports/")
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "AIRFLOW_CONN_ODS_DEFAULT": portal.airflow_uri,
        }
        for line in commands.splitlines():
            command = [sys.executable, "-m", *line.split()]
            done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    output = done.stdout + done.stderr
    assert f"state={state}" in output, output[-3000:]
    file = tmp_path / "capitals.csv"
    assert (len(file.read_text().splitlines()) if file.exists() else None) == rows
