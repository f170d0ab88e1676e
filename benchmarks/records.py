"""A dataset into Python records: ``client.records`` against ``requests`` with ``iter_lines`` and ``json``, same bytes.

The rival reads the same JSON lines export over gzip; ours counts the rows and compares them with the portal's count.
Each runs in a fresh process; memory is the peak above what imports took.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import time

from serving import Server, framed, fresh, peak_kib, plain, spread

DATASET = "synthetic"


def portal(rows: int) -> Server:
    """A portal of one dataset, its export compressed beforehand."""
    lines = "".join(
        f'{{"id": {number}, "name": "Zürich, {number % 997}", "value": {number * 0.37:.4f}, "flag": true}}\n'
        for number in range(rows)
    )
    sent = framed(gzip.compress(lines.encode(), 6), "Content-Type: application/x-ndjson", "Content-Encoding: gzip")
    fields = [{"name": name, "type": kind} for name, kind in (("id", "int"), ("name", "text"), ("value", "double"))]
    metas = {"default": {"records_count": rows, "data_processed": "2026-01-01T00:00:00+00:00"}}
    dataset = plain({"dataset_id": DATASET, "fields": fields, "metas": metas})
    first = plain({"total_count": rows, "results": [{"id": 0}] * 100})

    def answer(path: str, query: str) -> bytes:
        return sent if "/exports/" in path else first if path.endswith("/records") else dataset

    return Server(answer)


def ours(url: str) -> int:
    from ods_provider import OdsClient

    with OdsClient(url) as client:
        return sum(row["id"] >= 0 for row in client.records(DATASET))


def rival(url: str) -> int:
    import requests

    path = f"/api/explore/v2.1/catalog/datasets/{DATASET}/exports/jsonl"
    with requests.get(url + path, stream=True, timeout=60) as response:
        return sum(json.loads(line)["id"] >= 0 for line in response.iter_lines() if line)


def client(who: str, url: str) -> None:
    """What runs in the fresh process: one pass over a small portal first, so that imports are not measured."""
    import msgspec  # noqa: F401
    import requests  # noqa: F401

    import ods_provider.transport.session  # noqa: F401

    run = {"ours": ours, "rival": rival}[who]
    before = peak_kib()
    started = time.perf_counter()
    rows = run(url)
    seconds = time.perf_counter() - started
    print(json.dumps({"rows": rows, "seconds": seconds, "extra_mib": (peak_kib() - before) / 1024}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--smoke", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--client", nargs=2, metavar=("WHO", "URL"))
    options = parser.parse_args()
    if options.client:
        client(*options.client)
        return
    if options.smoke:
        options.rows, options.rounds = 50_000, 1
    server = portal(options.rows)
    ratios, rates, extra = [], [], []
    for _ in range(options.rounds):
        theirs, mine = fresh(__file__, "rival", server.url), fresh(__file__, "ours", server.url)
        assert mine["rows"] == theirs["rows"] == options.rows
        ratios.append(theirs["seconds"] / mine["seconds"])
        rates.append(options.rows / mine["seconds"] / 1000)
        extra.append(mine["extra_mib"])
    print(f"{options.rows:,} records over gzip into Python, {options.rounds} rounds")
    print(f"  times faster than iter_lines + json  {spread(ratios)}")
    print(f"  thousand rows a second               {spread(rates)}")
    print(f"  peak memory above imports, MiB       {statistics.median(extra):8.1f}")


if __name__ == "__main__":
    main()
