"""Push records: batches filled to the portal's limit, against one call a record and batches of a thousand.

The rivals use ``requests`` with one session. The portal answers at once, or after ``--delay-ms`` as one far away does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from math import ceil
from typing import Any

from serving import Server, fresh, peak_kib, plain, spread

LIMIT_BYTES = 5_000_000
DATASET, RESOURCE, KEY = "synthetic", "realtime", "a-push-key"


def records(rows: int) -> Iterator[dict[str, Any]]:
    """Records as a job would make them, one at a time."""
    for number in range(rows):
        yield {"id": number, "name": f"Zürich, {number % 997}", "value": number * 0.37, "flag": True}


def ours(url: str, rows: int) -> None:
    from ods_provider import OdsClient

    with OdsClient(url, push_api_key=KEY) as client:
        done = client.push(DATASET, RESOURCE, records(rows))
        assert done["rows"] == rows


def in_batches(url: str, rows: int, size: int) -> None:
    """As scripts do it: so many records a call."""
    import requests

    target = f"{url}/api/push/1.0/{DATASET}/{RESOURCE}/push/"
    batch = []
    with requests.Session() as session:
        for record in records(rows):
            batch.append(record)
            if len(batch) == size:
                session.post(target, params={"pushkey": KEY}, json=batch, timeout=60).raise_for_status()
                batch = []
        if batch:
            session.post(target, params={"pushkey": KEY}, json=batch, timeout=60).raise_for_status()


def client(who: str, url: str, rows: str) -> None:
    """What runs in the fresh process."""
    import msgspec  # noqa: F401

    import ods_provider.transport.session  # noqa: F401

    before = peak_kib()
    started = time.perf_counter()
    if who == "ours":
        ours(url, int(rows))
    else:
        in_batches(url, int(rows), int(who))
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "extra_mib": (peak_kib() - before) / 1024}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--smoke", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--client", nargs=3, metavar=("WHO", "URL", "ROWS"))
    options = parser.parse_args()
    if options.client:
        client(*options.client)
        return
    if options.smoke:
        options.rows, options.rounds = 50_000, 1
    done = plain({"status": "OK"})
    server = Server(lambda path, query: done, delay_s=options.delay_ms / 1000)
    single_rows = min(options.rows, 2_000)
    singles, thousands, extra = [], [], []
    for _ in range(options.rounds):
        one = fresh(__file__, "1", server.url, str(single_rows))["seconds"] / single_rows
        thousand = fresh(__file__, "1000", server.url, str(options.rows))["seconds"] / options.rows
        server.requests = 0
        mine = fresh(__file__, "ours", server.url, str(options.rows))
        calls = server.requests
        singles.append(one / (mine["seconds"] / options.rows))
        thousands.append(thousand / (mine["seconds"] / options.rows))
        extra.append(mine["extra_mib"])
    compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
    size = sum(len(compact.encode(record).encode()) + 1 for record in records(options.rows))
    told = f"{size / 1e6:.0f} MB, {options.rounds} rounds, {options.delay_ms:g} ms an answer"
    print(f"{options.rows:,} records pushed, {told}")
    print(f"  times faster than one call a record  {spread(singles)}")
    print(f"  times faster than 1,000 a call       {spread(thousands)}")
    print(f"  calls                                {calls:8}   (at least {ceil(size / LIMIT_BYTES)} must be)")
    print(f"  peak memory above imports, MiB       {statistics.median(extra):8.1f}")
    assert calls <= ceil(size / LIMIT_BYTES) + 1, "more calls than the limit asks for"


if __name__ == "__main__":
    main()
