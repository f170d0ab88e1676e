"""A download over N streams against one, from a portal that sends each so many bytes a second: how near it comes to N.

Real portals send an export at about 64 KB a second and connection, and so does the local portal here: what counts are
the bytes as they are sent, compressed. What runs is the job of the command line and of every operator. Calls that look
things up (the dataset, counts, places to cut) are shown, and their time is taken off. Memory is the peak of a fresh
process above what its imports took; what each stream adds to that of a single one is shown. ``--memory`` shows that
alone, for each format that can be joined, at two sizes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from serving import fresh, peak_kib

if TYPE_CHECKING:
    from ods_provider.testing.portal import LocalPortal

STREAMS = (4, 8, 16, 32)
DATASET = "synthetic-rows"
PLACES = "places"  # a dataset that can be had as GeoJSON too
FORMATS = ("csv", "jsonl", "json", "geojson", "parquet")
HOLDS = {4: 0.95, 8: 0.95, 16: 0.95, 32: 0.9}  # of N, what is to be reached


def client(url: str, path: str, streams: str, dataset: str, format: str) -> None:
    """What runs in the fresh process."""
    import fsspec.implementations.local  # noqa: F401
    import pendulum.parser  # noqa: F401

    import ods_provider.transport.session  # noqa: F401
    from ods_provider.core.connection import from_parts
    from ods_provider.core.events import RequestSent
    from ods_provider.jobs.arguments import download_job
    from ods_provider.jobs.runner import run_job
    from ods_provider.plugins.hookspecs import hookimpl
    from ods_provider.plugins.manager import Plugins

    looked: list[float] = []

    class Here:
        @hookimpl
        def ods_resolve_connection(self, ref, scheduler):  # type: ignore[no-untyped-def]
            return from_parts(host=url)

        @hookimpl
        def ods_job_event(self, event, run):  # type: ignore[no-untyped-def]
            # One after another, and each of them small: until its headers came is what it took.
            if isinstance(event, RequestSent) and "/exports/" not in event.url:
                looked.append(event.wait_s)

    plugins = Plugins({"benchmark": Here()}, entry_points=False)
    before_kib = peak_kib()
    started = time.perf_counter()
    field = "id" if streams != "1" else None
    job = download_job(dataset_id=dataset, path=path, format=format, parallel=int(streams), partition_by=field)
    done = run_job(job, scheduler="cli", native="benchmark", plugins=plugins)
    seconds = time.perf_counter() - started
    found = {"rows": done.result["rows"], "parts": done.result.get("parts") or 1, "lookups": len(looked)}
    extra_mib = (peak_kib() - before_kib) / 1024
    print(json.dumps({"seconds": seconds, "lookup_s": sum(looked), "extra_mib": extra_mib, **found}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--bytes-per-s", type=int, default=65_536, help="of each connection")
    parser.add_argument("--streams", type=int, nargs="+", default=STREAMS)
    parser.add_argument("--smoke", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--memory", type=int, nargs="*", metavar="ROWS", help="memory alone, at these sizes")
    parser.add_argument("--client", nargs=5, metavar=("URL", "PATH", "STREAMS", "DATASET", "FORMAT"))
    options = parser.parse_args()
    if options.client:
        client(*options.client)
        return
    if options.smoke:
        options.rows, options.streams = 20_000, [4]
        memory([20_000], 4)
    if options.memory is not None:
        memory(options.memory or [200_000, 1_000_000], max(STREAMS))
        return
    from ods_provider.testing.portal import LocalPortal

    with LocalPortal(synthetic_rows=options.rows) as portal, tempfile.TemporaryDirectory() as folder:
        portal.fault("throttle", times=None, path="/exports/", bytes_per_s=options.bytes_per_s)
        for number in range(options.rounds):
            one = fetched(portal.url, folder, 1, options.rows)
            if not number:
                told = f"{options.bytes_per_s:,} bytes a second and connection"
                print(f"csv export of {options.rows:,} rows, gzip, {told}, {options.rounds} rounds")
            print(f"  one stream      {one['seconds']:6.1f} s, {one['lookups']:.0f} look-ups {one['lookup_s']:.2f} s")
            for streams in options.streams:
                compare(portal.url, folder, streams, options.rows, one)


def fetched(
    url: str, folder: str, streams: int, rows: int, *, dataset: str = DATASET, format: str = "csv"
) -> dict[str, float]:
    """Download over so many streams, in a fresh process."""
    found = fresh(__file__, url, f"{folder}/{streams}.{format}", str(streams), dataset, format)
    assert found["rows"] == rows, found
    return found


def compare(url: str, folder: str, streams: int, rows: int, one: dict[str, float]) -> None:
    """Download over so many streams, and print how it compares with one."""
    found = fetched(url, folder, streams, rows)
    whole, alone = (Path(folder, f"{number}.csv").read_bytes() for number in (streams, 1))
    assert sorted(whole.splitlines()) == sorted(alone.splitlines()), "the files differ"
    times = (one["seconds"] - one["lookup_s"]) / (found["seconds"] - found["lookup_s"])
    more_mib = (found["extra_mib"] - one["extra_mib"]) / streams
    print(
        f"  {streams:2} streams      {found['seconds']:6.1f} s, {found['lookups']:.0f} look-ups "
        f"{found['lookup_s']:.2f} s, {found['parts']:.0f} parts: {times:5.2f} times as fast without them, "
        f"{times / streams:.3f} N (to reach: {HOLDS.get(streams, 0.9)}), {more_mib:.2f} MiB more a stream"
    )


def memory(sizes: Sequence[int], streams: int) -> None:
    """Print what each of so many streams adds to the memory of a single one, for each format and size."""
    from ods_provider.testing.portal import LocalPortal

    print(f"memory that each of {streams} streams adds to that of one, MiB")
    print(f"  {'rows':>9} " + "".join(f"{format:>9}" for format in FORMATS))
    for rows in sizes:
        with LocalPortal() as portal, tempfile.TemporaryDirectory() as folder:
            add_places(portal, rows)
            more = []
            for format in FORMATS:
                one = fetched(portal.url, folder, 1, rows, dataset=PLACES, format=format)
                # Fast enough to be done soon, and slow enough for all of them to run at the same time.
                portal.fault("throttle", times=None, path="/exports/", bytes_per_s=262_144)
                many = fetched(portal.url, folder, streams, rows, dataset=PLACES, format=format)
                portal.clear_faults()
                more.append((many["extra_mib"] - one["extra_mib"]) / streams)
        print(f"  {rows:9,} " + "".join(f"{each:9.2f}" for each in more))


def add_places(portal: LocalPortal, rows: int) -> None:
    """Add a dataset of so many rows, with points; they are copies of some hundred, and so are the ids it is cut by."""
    fields = {"id": "int", "name": "text", "value": "double", "at": "datetime", "place": "geo_point_2d"}
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = [
        {
            "id": number,
            "name": f"Zürich 城市 {number}",
            "value": round(number * 0.37, 4),
            "at": (start + timedelta(seconds=number)).isoformat(),
            "place": {"lon": round(number * 0.017, 4), "lat": 47.1},
        }
        for number in range(640)
    ]
    portal.add_dataset(PLACES, fields, made)
    portal.touch(PLACES, rows=rows - len(made))


if __name__ == "__main__":
    main()
