"""Download an export to a file: our job against ``curl --compressed``, on the same bytes.

The bytes are compressed beforehand and replayed over a raw socket, so that the client is what is measured. Each round
runs both; the ratio is the median of the rounds. Memory is the peak of a fresh process above what its imports took, at
a tenth of the rows and at all of them: it must not grow.

Two shapes of rows: ``cities`` look like real ones, with random names, numbers and dates, and gzip makes them 2.5 times
smaller; ``synthetic`` ones differ in a counter and become 7 times smaller, which is quick to inflate.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from serving import Server, framed, fresh, peak_kib, plain, spread

FORMATS = ("csv", "jsonl", "json", "geojson", "parquet")
Row = dict[str, Any]
_BLOCK = 50_000  # rows of cities that repeat: gzip looks back 32 KB, and so sees none of them twice


def synthetic(rows: int) -> Iterator[Row]:
    """Rows that differ in little."""
    for number in range(rows):
        yield {
            "id": number,
            "name": f"Zürich, {number % 997}",
            "value": round(number * 0.37, 4),
            "at": "2026-01-01T00:00:00+00:00",
            "flag": number % 2,
        }


def cities(rows: int) -> Iterator[Row]:
    """Rows as a list of cities has them: names of a few syllables, random numbers and dates."""
    dice = random.Random(20_260_101)
    syllables = ["".join(dice.choices("bcdfghklmnprstvw", k=1) + dice.choices("aeiouéü", k=1)) for _ in range(90)]
    start = datetime(2005, 1, 1, tzinfo=UTC)
    block = [
        {
            "geoname_id": dice.randrange(10_000, 12_999_999),
            "name": "".join(dice.choices(syllables, k=dice.choice((2, 3, 3, 4)))).title(),
            "country_code": "".join(dice.choices("ABCDEFGILMNPRSTU", k=2)),
            "population": int(dice.paretovariate(0.9) * 500),
            "elevation": dice.randrange(-10, 3_500),
            "lat": round(dice.uniform(-60, 75), 5),
            "lon": round(dice.uniform(-180, 180), 5),
            "modification_date": (start + timedelta(days=dice.randrange(7_600))).date().isoformat(),
            "label": f"{dice.choice(('seat of', 'capital of', 'part of'))} {dice.choice(syllables)}, a place",
        }
        for _ in range(min(rows, _BLOCK))
    ]
    for number in range(rows):
        yield block[number % _BLOCK]


SHAPES: dict[str, Callable[[int], Iterator[Row]]] = {"cities": cities, "synthetic": synthetic}


def export(rows: int, format: str, shape: str) -> bytes:
    """An export, compressed as a portal sends it."""
    made = SHAPES[shape](rows)
    if format == "csv":
        text = _csv(made)
    elif format == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(list(made)), out)
        text = out.getvalue()
    else:
        objects = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in made]
        if format == "geojson":
            feature = '{{"type":"Feature","geometry":{{"type":"Point","coordinates":[8.5,47.1]}},"properties":{0}}}'
            text = ('{"type":"FeatureCollection","features":[' + ",".join(map(feature.format, objects)) + "]}").encode()
        else:
            text = ("\n".join([*objects, ""]) if format == "jsonl" else f"[{','.join(objects)}]").encode()
    return gzip.compress(text, compresslevel=6)


def _csv(rows: Iterator[Row]) -> bytes:
    out = io.StringIO()
    first = next(rows)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(first)
    writer.writerow(first.values())
    writer.writerows(row.values() for row in rows)
    return out.getvalue().encode()


def portal(body: bytes, rows: int) -> Server:
    """Just enough of a portal for one download: dataset, count, export."""
    sent = framed(body, "Content-Type: application/octet-stream", "Content-Encoding: gzip")
    metas = {"default": {"records_count": rows, "data_processed": "2026-01-01T00:00:00+00:00"}}
    dataset = plain({"dataset_id": "synthetic", "fields": [], "metas": metas})
    count = plain({"total_count": rows, "results": []})

    def answer(path: str, query: str) -> bytes:
        return sent if "/exports/" in path else count if path.endswith("/records") else dataset

    return Server(answer)


def client(url: str, path: str, format: str) -> None:
    """What runs in the fresh process: print seconds after imports, peak memory above them, and rows, as JSON."""
    # What the job imports late is left out of what is measured.
    import fsspec.implementations.local  # noqa: F401
    import isal.isal_zlib  # noqa: F401
    import msgspec  # noqa: F401
    import pendulum.parser  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    import ods_provider.transport.session  # noqa: F401
    from ods_provider.core.connection import from_parts
    from ods_provider.core.formats.registry import format_named
    from ods_provider.jobs.download import DownloadJob
    from ods_provider.jobs.runner import run_job
    from ods_provider.plugins.hookspecs import hookimpl
    from ods_provider.plugins.manager import Plugins

    class Connect:
        @hookimpl
        def ods_resolve_connection(self, ref, scheduler):  # type: ignore[no-untyped-def]
            return from_parts(host=url)

    plugins = Plugins({"benchmark": Connect()}, entry_points=False)
    before_kib = peak_kib()
    started = time.perf_counter()
    job = DownloadJob(dataset_id="synthetic", path=path, format=format_named(format))
    done = run_job(job, scheduler="cli", native="benchmark", plugins=plugins)
    seconds = time.perf_counter() - started
    extra_kib = peak_kib() - before_kib
    print(json.dumps({"seconds": seconds, "extra_mib": extra_kib / 1024, "rows": done.result["rows"]}))


def ours(url: str, folder: str, format: str) -> dict[str, float]:
    return fresh(__file__, url, f"{folder}/ours", format)


def curl(url: str, folder: str, format: str) -> tuple[float, float]:
    """Seconds of curl alone, and of curl with its file brought to disk, which our commit does too."""
    started = time.perf_counter()
    path = f"/api/explore/v2.1/catalog/datasets/synthetic/exports/{format}"
    subprocess.run(["curl", "-s", "--compressed", "-o", f"{folder}/curl", url + path], check=True)
    alone = time.perf_counter() - started
    subprocess.run(["sync", f"{folder}/curl"], check=True)
    return alone, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--format", choices=FORMATS, default="csv")
    parser.add_argument("--shape", choices=SHAPES, help="one shape only")
    parser.add_argument("--smoke", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--client", nargs=3, metavar=("URL", "PATH", "FORMAT"))
    options = parser.parse_args()
    if options.smoke:
        options.rows, options.rounds = 100_000, 1
    if options.client:
        client(*options.client)
        return
    for shape in [options.shape] if options.shape else SHAPES:
        compare(shape, options.rows, options.format, options.rounds)


def compare(shape: str, rows: int, format: str, rounds: int) -> None:
    """Run both on one shape of rows, in turn, and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        small_rows = max(50_000, rows // 10)
        sent = export(rows, format, shape)
        small, large = portal(export(small_rows, format, shape), small_rows), portal(sent, rows)
        ratios, durable, extra = [], [], []
        for _ in range(rounds):
            theirs = curl(large.url, folder, format)
            mine = ours(large.url, folder, format)
            assert mine["rows"] == rows, mine
            assert Path(folder, "ours").read_bytes() == Path(folder, "curl").read_bytes(), "the files differ"
            ratios.append(mine["seconds"] / theirs[0])
            durable.append(mine["seconds"] / theirs[1])
            extra.append(mine["extra_mib"])
        size_bytes = Path(folder, "ours").stat().st_size
        little = statistics.median(ours(small.url, folder, format)["extra_mib"] for _ in range(rounds))
    print(
        f"{format} export of {rows:,} {shape} rows, {size_bytes / 1e6:.0f} MB, gzip {size_bytes / len(sent):.1f}x, "
        f"{rounds} rounds, counted and hashed"
    )
    for rival, found in (("curl --compressed", ratios), ("the same and sync", durable)):
        print(f"  time / {rival}  {spread(found)}")
    much = statistics.median(extra)
    print(f"  peak memory above imports     {much:.1f} MiB   ({small_rows:,} rows: {little:.1f} MiB)")


if __name__ == "__main__":
    main()
