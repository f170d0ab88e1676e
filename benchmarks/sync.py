"""Sync a realtime dataset with a file of which 1 % changed and 0.5 % is gone, against a script that pushes all of it.

What runs is the job of the command line and of every operator, in a process of its own, against the local portal: both
sides are compared, the difference is sent, and the whole dataset is read back. The script reads the same file, pushes
a thousand records a call, as scripts do, and fills calls to 5 MB in another run; it deletes nothing and reads nothing
back. Both take turns, so that what else runs on the machine slows both. Memory is the peak above what imports took.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from serving import fresh, peak_kib, spread

DATASET, RESOURCE, KEY = "live-rows", "realtime", "demo-push-key"
START = datetime(2026, 1, 1, tzinfo=UTC)
CHANGED, GONE = 100, 200  # every so manieth row
MOST_BYTES = 5_000_000


def write(path: Path, rows: int, *, round: int) -> tuple[int, int]:
    """Write what the dataset shall hold, and return how many rows are changed and gone since the round before."""
    changed = gone = 0
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            # Every round changes and drops others; what was dropped stays so.
            if number % GONE < round:
                gone += number % GONE == round - 1
                continue
            moved = number % CHANGED == CHANGED - round
            changed += moved
            file.write(
                json.dumps({
                    "id": number,
                    "name": f"Zürich 城市 {number}",
                    "value": round_to(number * 0.37) + (CHANGED - round <= number % CHANGED),
                    "at": (START + timedelta(seconds=number)).isoformat(),
                    "flag": number % 2 == 0,
                }, ensure_ascii=False)
                + "\n"
            )  # fmt: skip
    return changed, gone


def round_to(value: float) -> float:
    return round(value, 4)


def ours(url: str, path: str) -> dict[str, Any]:
    from ods_provider.core.connection import from_parts
    from ods_provider.jobs.arguments import sync_job
    from ods_provider.jobs.runner import run_job
    from ods_provider.plugins.hookspecs import hookimpl
    from ods_provider.plugins.manager import Plugins

    class Here:
        @hookimpl
        def ods_resolve_connection(self, ref, scheduler):  # type: ignore[no-untyped-def]
            return from_parts(host=url, password="demo-key", extra={"push_api_key": KEY})

    job = sync_job(dataset_id=DATASET, resource_id=RESOURCE, path=path)
    done = run_job(job, scheduler="cli", native="benchmark", plugins=Plugins({"b": Here()}, entry_points=False))
    return dict(done.result)


def naive(url: str, path: str, batch: str) -> None:
    """As scripts do it: read, push, so many records a call; 0 fills calls to the limit."""
    import requests

    target = f"{url}/api/push/1.0/{DATASET}/{RESOURCE}/push/"
    with requests.Session() as session:
        for some in _full(path) if batch == "0" else _counted(path, int(batch)):
            body = json.dumps(some, ensure_ascii=False).encode()
            session.post(target, params={"pushkey": KEY}, data=body, timeout=600).raise_for_status()


def _counted(path: str, size: int) -> Iterator[list[Any]]:
    some = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            some.append(json.loads(line))
            if len(some) == size:
                yield some
                some = []
    if some:
        yield some


def _full(path: str) -> Iterator[list[Any]]:
    some: list[Any] = []
    size = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            # What json writes is as long as the line, which it wrote.
            if size + len(line.encode()) + 4 > MOST_BYTES:
                yield some
                some, size = [], 0
            some.append(json.loads(line))
            size += len(line.encode()) + 2
    if some:
        yield some


def client(who: str, url: str, path: str) -> None:
    """What runs in the fresh process."""
    import duckdb
    import fsspec.implementations.local  # noqa: F401
    import msgspec  # noqa: F401
    import pendulum.parser  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    import ods_provider.jobs.arguments
    import ods_provider.transport.session  # noqa: F401

    duckdb.connect().close()
    before = peak_kib()
    started = time.perf_counter()
    done = ours(url, path) if who == "ours" else naive(url, path, who) or {}
    seconds = time.perf_counter() - started
    told = {name: done.get(name) for name in ("pushed", "deleted", "confirmed", "calls")}
    print(json.dumps({"seconds": seconds, "extra_mib": (peak_kib() - before) / 1024, **told}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--client", nargs=3, metavar=("WHO", "URL", "PATH"))
    options = parser.parse_args()
    if options.client:
        client(*options.client)
        return
    if options.smoke:
        options.rows, options.rounds = 20_000, 1
    from ods_provider.testing.portal import LocalPortal

    faster: dict[str, list[float]] = {"1000": [], "0": []}
    calls: dict[str, int] = {}
    mine: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        with LocalPortal(live_rows=options.rows) as portal:
            for number in range(1, options.rounds + 1):
                changed, gone = write(path, options.rows, round=number)
                found = fresh(__file__, "ours", portal.url, str(path))
                assert (found["pushed"], found["deleted"]) == (changed, gone), (found, changed, gone)
                assert found["confirmed"] == changed + gone
                mine.append(found)
                for size, times in faster.items():
                    portal.requests.clear()
                    times.append(fresh(__file__, size, portal.url, str(path))["seconds"] / found["seconds"])
                    calls[size] = len(portal.requests)
    size_mb = MOST_BYTES / 1e6
    print(f"{options.rows:,} rows stand, {changed:,} changed, {gone:,} gone, {options.rounds} rounds")
    print(f"  seconds, with the whole dataset read back       {spread([each['seconds'] for each in mine])}")
    print(f"  rows pushed and deleted                         {mine[-1]['pushed']:,} and {mine[-1]['deleted']:,}")
    print(f"  calls                                           {mine[-1]['calls']}")
    print(
        f"  peak memory above imports, MiB                  {statistics.median(each['extra_mib'] for each in mine):.1f}"
    )
    print(f"  times faster than all pushed, 1,000 a call      {spread(faster['1000'])}   {calls['1000']} calls")
    print(f"  times faster than all pushed, {size_mb:.0f} MB a call       {spread(faster['0'])}   {calls['0']} calls")
    assert max(each["extra_mib"] for each in mine) < 200, "more memory than is promised"


if __name__ == "__main__":
    main()
