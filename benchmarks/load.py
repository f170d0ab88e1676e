"""Load an export into a PostgreSQL table with a primary key: each swap and a merge, against ``\\copy`` and other tools.

A server of its own is started. Each load is the whole job against a portal on this machine, in a fresh process: its
table part (rows staged, put in place and counted) is held against ``\\copy`` of the same rows from a local file, which
took its turn before, so that what else runs on the machine slows both. Memory is the job's peak, the download
included, above what its imports took; it must not grow with the rows.

Other tools that bring an export into a table run beside (``load_rivals.py``), in environments that are made for them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from loading import TABLE, portal, write_parquet
from serving import fresh, peak_kib, spread

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

WAYS = ("lock", "stage", "rename", "merge")


def client(way: str, portal_url: str, to: str, folder: str) -> None:
    """What runs in the fresh process: print the seconds of each step and the peak memory above imports, as JSON."""
    # What the job imports late is left out of what is measured.
    import adbc_driver_postgresql.dbapi  # noqa: F401
    import fsspec.implementations.local  # noqa: F401
    import isal.isal_zlib  # noqa: F401
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401
    import sqlglot  # noqa: F401

    import ods_provider.jobs.loading.table
    import ods_provider.tables.engines.postgres
    import ods_provider.transport.session  # noqa: F401
    from ods_provider.core.connection import from_parts
    from ods_provider.jobs.arguments import load_job
    from ods_provider.jobs.runner import run_job
    from ods_provider.plugins.hookspecs import hookimpl
    from ods_provider.plugins.manager import Plugins

    class Connect:
        @hookimpl
        def ods_resolve_connection(self, ref, scheduler):  # type: ignore[no-untyped-def]
            return from_parts(host=portal_url)

    plugins = Plugins({"benchmark": Connect()}, entry_points=False)
    how = {"mode": "merge", "primary_key": "id"} if way == "merge" else {"swap": way}
    job = load_job(dataset_id="numbers", table="t", destination=to, staging=folder, **how)
    before_kib = peak_kib()
    started = time.perf_counter()
    done = run_job(job, scheduler="cli", native="benchmark", plugins=plugins).result
    whole_s, extra_mib = time.perf_counter() - started, (peak_kib() - before_kib) / 1024
    print(json.dumps({**done["seconds"], "whole": whole_s, "extra_mib": extra_mib, "updated": done["updated"]}))


def copied(url: str, csv: Path) -> float:
    """Empty the table and fill it by psql's ``\\copy``, and return the seconds."""
    started = time.perf_counter()
    script = ("-c", "TRUNCATE t", "-c", f"\\copy t from '{csv}' csv")
    subprocess.run(["psql", "-qXv", "ON_ERROR_STOP=1", url, *script], check=True)
    return time.perf_counter() - started


def measured(server: Any, folder: Path, rows: int, rounds: int) -> dict[str, float]:
    """Print what was found at one size, and return the memory of each way."""
    old, csv, url = folder / "old.parquet", folder / "old.csv", server.url()
    new = folder / "new.parquet"
    write_parquet(old, rows, changed=False)
    write_parquet(new, rows, changed=True)
    server.run(f"DROP TABLE IF EXISTS t, _ods_loads; CREATE TABLE t ({TABLE})")
    fresh(__file__, "lock", portal(old, rows).url, url, str(folder))
    subprocess.run(["psql", "-qX", url, "-c", f"\\copy t to '{csv}' csv"], check=True)
    changed = portal(new, rows)
    copied(url, csv)
    print(f"{rows:,} rows of 7 columns into PostgreSQL, {new.stat().st_size / 1e6:.0f} MB of Parquet, {rounds} rounds")
    base, memory = [], {}
    for way in WAYS:
        ratios, whole, extra = [], [], []
        for _ in range(rounds):
            base.append(copied(url, csv))
            mine = fresh(__file__, way, changed.url, url, str(folder))
            ratios.append((mine["stage"] + mine["commit"]) / base[-1])
            whole.append(mine["whole"] / base[-1])
            extra.append(mine["extra_mib"])
            assert server.run("SELECT count(*), sum(n) - sum(id % 1000) FROM t") == [(rows, rows // 10)]
            assert way != "merge" or mine["updated"] == rows // 10, mine
        memory[way] = statistics.median(extra)
        print(f"  {way:7} table part / \\copy            {spread(ratios)}")
        print(f"  {way:7} whole job / \\copy             {spread(whole)}")
        print(f"  {way:7} peak memory above imports, MiB {spread(extra)}")
    print(f"  \\copy, seconds                        {spread(base)}")
    for each in (old, new, csv):
        each.unlink()
    return memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rival-rows", type=int, default=1_000_000, help="rows that other tools load; 0 for none")
    parser.add_argument("--smoke", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--client", nargs=4, metavar=("WAY", "PORTAL", "TO", "FOLDER"))
    options = parser.parse_args()
    if options.client:
        client(*options.client)
        return
    if not find_spec("psycopg2"):
        print("psycopg2 is missing, which starts and looks into the server: pip install psycopg2-binary")
        return
    from load_rivals import environments, side_by_side
    from postgresql_server import postgresql_server

    if options.smoke:
        options.rows, options.rounds, options.rival_rows = [20_000], 1, 20_000
    with tempfile.TemporaryDirectory() as folder, postgresql_server(user="ods") as server:
        found = {rows: measured(server, Path(folder), rows, options.rounds) for rows in options.rows}
        if len(found) > 1:
            few, many = found[min(found)], found[max(found)]
            grown = ", ".join(f"{way} {many[way] / few[way]:.2f}" for way in WAYS)
            print(f"memory at {max(found):,} rows / at {min(found):,}: {grown}")
        if options.rival_rows:
            made = {} if options.smoke else environments()
            side_by_side(server, Path(folder), options.rival_rows, options.rounds, made)


if __name__ == "__main__":
    main()
