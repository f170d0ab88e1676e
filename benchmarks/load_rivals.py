"""Other tools that bring an export into a PostgreSQL table, as their users write it, beside ours: time, memory, rows.

Each is a script in ``rivals/``, run in a process of its own: what is measured is the whole process, imports included.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loading import TABLE, portal, write_parquet

ROOT = Path(__file__).parent.parent
_SCRIPTS = Path(__file__).parent / "rivals"
# Airflow and dlt do not share an environment: each would take other releases of the same packages.
_ENVIRONMENTS = {
    "tables": ("-c", "constraints/rivals.txt", "--group", "rivals", "-e", ".[sql,dlt,fast]"),
    "airflow": ("-c", "constraints/rivals-airflow.txt", "--group", "rivals-airflow"),
}


@dataclass(frozen=True, slots=True)
class Rival:
    """A script, what it is given, the packages that it needs, and the environment that has them.

    Attributes:
        typed: Whether it fills a table that stands; others make one of their own, without a key.
    """

    script: str
    needs: tuple[str, ...]
    environment: str = "tables"
    more: tuple[str, ...] = ()
    typed: bool = False


OURS = "ods load"
RIVALS = {
    OURS: Rival("load_ods.py", ("adbc_driver_postgresql",), typed=True),
    "requests and COPY": Rival("load_requests.py", ("requests", "psycopg2"), typed=True),
    "HttpOperator and COPY": Rival(
        "load_http_operator.py", ("airflow.providers.http", "psycopg2"), "airflow", typed=True
    ),
    "pandas to_sql": Rival("load_pandas.py", ("pandas", "sqlalchemy", "psycopg2")),
    "dlt, Parquet": Rival("load_dlt.py", ("dlt", "pyarrow", "psycopg2"), more=("parquet",)),
    "dlt, its default": Rival("load_dlt.py", ("dlt", "psycopg2")),
    "dlt rest_api": Rival("load_dlt_rest_api.py", ("dlt", "psycopg2")),
    "dlt rest_api, to 10,000": Rival("load_dlt_rest_api.py", ("dlt", "psycopg2"), more=("10000",)),
}


def environments() -> dict[str, str]:
    """Make the rivals' environments, or bring them up to date, and return their interpreters; none without uv."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".tools" / "bin"))
    if uv is None:
        print("uv is not installed, which makes the rivals' environments: those run whose packages are here")
        return {}
    made = {}
    for name, packages in _ENVIRONMENTS.items():
        python = ROOT / ".cache" / "rivals" / name / "bin" / "python"
        if not python.exists():
            subprocess.run([uv, "venv", "--quiet", "--python", "3.11", str(python.parent.parent)], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), *packages], check=True, cwd=ROOT)
        made[name] = str(python)
    return made


def side_by_side(server: Any, folder: Path, rows: int, rounds: int, made: dict[str, str]) -> None:
    """Print what each took and how many rows arrived; all run once a round.

    Args:
        server: PostgreSQL.
        folder: Where files may lie.
        rows: Of the dataset.
        rounds: How often all run.
        made: Interpreters by environment; this one runs what has none.
    """
    export = folder / "rivals.parquet"
    write_parquet(export, rows, changed=False)
    site = portal(export, rows, with_texts=True)
    found: dict[str, list[dict[str, Any]]] = {}
    print(f"{rows:,} rows from a portal into PostgreSQL, each tool in a process of its own, {rounds} rounds")
    for _ in range(rounds):
        for name, rival in RIVALS.items():
            python = made.get(rival.environment, sys.executable)
            if absent := _absent(python, rival.needs):
                found[name] = []
                print(f"  {name:24} is not measured: {', '.join(absent)} is not installed")
            else:
                found.setdefault(name, []).append(_run(server, site, python, rival))
    print(f"  {'':24} {'time / ours':>12} {'seconds':>8} {'peak MiB':>9} {'calls':>6} {'rows':>10}")
    for name, each in found.items():
        if not each:
            continue
        ratio = statistics.median(one["seconds"] / ours["seconds"] for one, ours in zip(each, found[OURS], strict=True))
        seconds, peak = (statistics.median(one[what] for one in each) for what in ("seconds", "peak_mib"))
        last = each[-1]
        print(f"  {name:24} {ratio:12.2f} {seconds:8.1f} {peak:9.0f} {last['calls']:6} {last['rows']:10,}")
        if last["ended"]:
            print(f"  {'':24} ended with {' '.join(str(last['ended']).split())[:160]}")


def _absent(python: str, packages: tuple[str, ...]) -> list[str]:
    asked = "import sys; from importlib.util import find_spec\nfor name in sys.argv[1:]:\n"
    asked += " try: found = find_spec(name)\n except ImportError: found = None\n if not found: print(name)"
    command = [python, "-c", asked, *packages]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()


def _run(server: Any, site: Any, python: str, rival: Rival) -> dict[str, Any]:
    server.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")  # dlt goes by books that it left there
    if rival.typed:
        server.run(f"CREATE TABLE t ({TABLE})")
    calls = site.requests
    with tempfile.TemporaryDirectory() as scratch:
        url = server.url(password="unasked")  # dlt takes no address without one
        command = [python, str(_SCRIPTS / "run.py"), str(_SCRIPTS / rival.script), site.url, url, scratch]
        started = time.perf_counter()
        done = subprocess.run([*command, *rival.more], check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - started
    stands = server.run("SELECT to_regclass('public.t') IS NOT NULL")[0][0]
    rows = server.run("SELECT count(*) FROM t")[0][0] if stands else 0
    return {
        **json.loads(done.stdout.splitlines()[-1]),
        "seconds": seconds,
        "rows": rows,
        "calls": site.requests - calls,
    }
