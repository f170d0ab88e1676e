"""Watch many datasets from one triggerer: calls and CPU an interval, against a client and a call for each trigger.

The rival is what a trigger usually does: a client of its own, and one call for its dataset at every interval.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import time
from math import ceil
from urllib.parse import parse_qs

from serving import Server, fresh, plain

SINCE = {"data_processed": "2099-01-01T00:00:00+00:00"}


def described(dataset_id: str) -> dict[str, object]:
    """A dataset object that is never newer."""
    metas = {"default": {"records_count": 1, "data_processed": "2026-01-01T00:00:00+00:00"}}
    return {"dataset_id": dataset_id, "fields": [], "metas": metas}


def portal() -> Server:
    """Answers for any dataset, alone or in a list of the catalogue."""

    def answer(path: str, query: str) -> bytes:
        if path.endswith("/datasets"):
            ids = re.findall(r'"([^"]+)"', parse_qs(query)["where"][0])
            return plain({"total_count": len(ids), "results": [described(name) for name in ids]})
        return plain(described(path.rpartition("/")[2]))

    return Server(answer)


async def watch_ours(datasets: int, every_s: float, seconds: float) -> None:
    from ods_provider.triggers.dataset import OdsDatasetUpdateTrigger

    async def run(dataset_id: str) -> None:
        trigger = OdsDatasetUpdateTrigger(
            ods_conn_id="ods_default", dataset_id=dataset_id, since=SINCE, poll_interval_s=every_s
        )
        async for _ in trigger.run():
            raise AssertionError("nothing was updated")

    await _for(seconds, [run(f"d{number}") for number in range(datasets)])


async def watch_rival(url: str, datasets: int, every_s: float, seconds: float) -> None:
    import requests

    async def run(dataset_id: str) -> None:
        while True:
            with requests.Session() as session:
                target = f"{url}/api/explore/v2.1/catalog/datasets/{dataset_id}"
                answer = await asyncio.to_thread(session.get, target, timeout=60)
                assert answer.json()["dataset_id"] == dataset_id
            await asyncio.sleep(every_s)

    await _for(seconds, [run(f"d{number}") for number in range(datasets)])


async def _for(seconds: float, work: list) -> None:  # type: ignore[type-arg]
    tasks = [asyncio.ensure_future(one) for one in work]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(ended, asyncio.CancelledError), f"a watcher ended: {ended!r}"


def client(who: str, url: str, datasets: str, every_s: str, seconds: str) -> None:
    """What runs in the fresh process; the CPU of imports is not counted."""
    import airflow.triggers.base  # noqa: F401
    import requests  # noqa: F401

    os.environ["AIRFLOW_CONN_ODS_DEFAULT"] = json.dumps({"conn_type": "ods", "host": url})
    arguments = int(datasets), float(every_s), float(seconds)
    import ods_provider.plugins.manager
    import ods_provider.triggers.dataset

    ods_provider.plugins.manager.plugins()
    before = time.process_time()
    asyncio.run(watch_ours(*arguments) if who == "ours" else watch_rival(url, *arguments))
    print(json.dumps({"cpu_s": time.process_time() - before}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=1_000)
    parser.add_argument("--every-s", type=float, default=10.0)
    parser.add_argument("--intervals", type=int, default=4)
    parser.add_argument("--smoke", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--client", nargs=5, metavar=("WHO", "URL", "DATASETS", "EVERY_S", "SECONDS"))
    options = parser.parse_args()
    if options.client:
        client(*options.client)
        return
    if options.smoke:
        options.datasets, options.every_s, options.intervals = 250, 2.0, 2
    seconds = options.every_s * (options.intervals + 0.5)
    found = {}
    for who in ("rival", "ours"):
        server = portal()
        told = fresh(__file__, who, server.url, str(options.datasets), str(options.every_s), str(seconds))
        found[who] = (server.requests, told["cpu_s"])
    # The first look, which all take at once, and those of the intervals.
    looks = options.intervals + 1
    print(f"{options.datasets:,} datasets watched every {options.every_s:g} s, {options.intervals} intervals")
    for who, (calls, cpu_s) in found.items():
        share = 100 * cpu_s / seconds * options.every_s / 60
        print(f"  {who:<6} {calls:7,} calls, {calls / looks:7.1f} a look, {share:5.2f} % of a core at a look a minute")
    least = ceil(options.datasets / 100)
    calls, cpu = (found["rival"][which] / found["ours"][which] for which in (0, 1))
    print(f"  rival / ours: calls {calls:.1f}, CPU {cpu:.1f}")
    assert found["ours"][0] <= least * (looks + 2), f"more than {least} calls a look"


if __name__ == "__main__":
    main()
