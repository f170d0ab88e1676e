"""``make demo``: the main job, in a real Airflow, on real data, against the portal that comes with the package.

Everything lands in ``.demo`` beside this folder: files, logs, Airflow's database. Nothing keeps running afterwards.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from report import report

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".demo"
LOGS = HOME / "logs"
BIN = Path(sys.executable).parent
# What runs, with what each is told besides the folder.
DAGS: dict[str, dict[str, str]] = {"ods_main_job": {}, "ods_publish": {"cities": "doc-geonames-cities-5000"}}
PORTAL_START_S = 60.0
_STEP = re.compile(r"\[DAG TEST\] (starting|end task) ?task_id=(\w+)")
_OURS = "airflow.task"  # the logger that tasks of ours speak through


def main() -> int:
    """Run the demo and return its exit code."""
    signal.signal(signal.SIGTERM, _stopped)
    started = time.monotonic()
    LOGS.mkdir(parents=True, exist_ok=True)
    keys = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
    print("1. A portal on localhost, with the real GeoNames cities")
    with _portal(*keys) as url:
        print(f"   {url}")
        environment = _airflow_environment(url, *keys)
        print("2. Airflow, with a database of its own in .demo/airflow")
        _quietly([BIN / "airflow", "db", "migrate"], environment, "airflow-migrate.log")
        for step, (dag_id, told) in enumerate(DAGS.items(), start=3):
            print(f"{step}. The DAG {dag_id}, by `airflow dags test`")
            if _run_dag(dag_id, told, environment):
                print(f"The DAG failed. Its log: {LOGS / f'{dag_id}.log'}", file=sys.stderr)
                return 1
        report(url, keys, home=HOME, root=ROOT)
    print(f"\nIt took {time.monotonic() - started:.0f} s; the portal is stopped and nothing keeps running.")
    return 0


def _stopped(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


@contextmanager
def _portal(api_key: str, push_key: str) -> Iterator[str]:
    ready = HOME / "portal-url"
    ready.unlink(missing_ok=True)
    environment = os.environ | {"ODS_PORTAL_API_KEY": api_key, "ODS_PORTAL_PUSH_KEY": push_key}
    command = [BIN / "ods", "portal", "--datasets", "demo", "--port", "0", "--ready-file", ready]
    with (LOGS / "portal.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PORTAL_START_S
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The portal did not start. Its log: {LOGS / 'portal.log'}")
                time.sleep(0.1)
            yield ready.read_text()
        finally:
            process.terminate()
            process.wait(timeout=20)


def _airflow_environment(url: str, api_key: str, push_key: str) -> dict[str, str]:
    # Settings of an Airflow that is already here must not lead this one into its database.
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    connection = {"conn_type": "ods", "host": url, "password": api_key, "extra": {"push_api_key": push_key}}
    return mine | {
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_PROXY": "127.0.0.1,localhost",
        "AIRFLOW_HOME": str(HOME / "airflow"),
        "AIRFLOW_CONN_ODS_DEFAULT": json.dumps(connection),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "ods_provider" / "example_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__JSON_LOGS": "True",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _quietly(command: list[Any], environment: dict[str, str], log_name: str) -> None:
    with (LOGS / log_name).open("wb") as log:
        code = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
    if code:
        raise SystemExit(f"`{' '.join(str(part) for part in command)}` failed. Its log: {LOGS / log_name}")


def _run_dag(dag_id: str, told: dict[str, str], environment: dict[str, str]) -> int:
    """Run the DAG, show each step as it happens, keep the whole log, and return the exit code."""
    command = [BIN / "airflow", "dags", "test", dag_id, "-c", json.dumps({"folder": str(HOME / "files")} | told)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    show = _Shown()
    try:
        with (LOGS / f"{dag_id}.log").open("w") as log:
            for line in process.stdout:
                log.write(line)
                show(line)
    except BaseException:
        process.terminate()
        raise
    finally:
        process.wait()
    return process.returncode


class _Shown:
    """Shows each step with what it says below it, also one that says nothing of itself."""

    def __init__(self) -> None:
        self._silent = False

    def __call__(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return
        said = str(entry.get("event", ""))
        step = _STEP.match(said)
        if step and step[1] == "starting":
            print(f"   {step[2]}", flush=True)
            self._silent = True
        elif step and self._silent:
            self._tell("Done")
        elif entry.get("logger") == _OURS and not said.startswith("::"):
            self._tell(said)
        elif entry.get("level") in ("error", "critical"):
            self._tell(f"{said}: " + "; ".join(str(link.get("exc_value")) for link in entry.get("exception") or ()))

    def _tell(self, said: str) -> None:
        self._silent = False
        print("      " + textwrap.shorten(said.replace(f"{ROOT}/", ""), 240, placeholder=" …"), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
