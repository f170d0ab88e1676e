"""Download an export to a file: our job against ``curl --compressed``, on the same bytes.

The bytes are compressed beforehand and replayed over a raw socket, so that the client is what is measured. Each round
runs both; the ratio is the median of the rounds. Memory is the peak of a fresh process above what its imports took, at
a tenth of the rows and at all of them: it must not grow.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from serving import Server, framed, fresh, peak_kib, plain, spread

HEADER = b"id,name,value,at,flag\r\n"
FORMATS = ("csv", "jsonl", "json", "geojson", "parquet")


def export(rows: int, format: str) -> bytes:
    """An export of synthetic rows, compressed as a portal sends it."""
    numbers = range(rows)
    if format == "csv":
        lines = (
            f'{number},"Zürich, {number % 997}",{number * 0.37:.4f},2026-01-01T00:00:00+00:00,{number % 2}\r\n'
            for number in numbers
        )
        text = HEADER + "".join(lines).encode()
    elif format == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {
            "id": numbers,
            "name": [f"Zürich, {number % 997}" for number in numbers],
            "value": [number * 0.37 for number in numbers],
            "flag": [number % 2 for number in numbers],
        }
        out = io.BytesIO()
        pq.write_table(pa.table(columns), out)
        text = out.getvalue()
    else:
        row = '{{"id":{0},"name":"Zürich, {1}","value":{2:.4f},"at":"2026-01-01T00:00:00+00:00","flag":{3}}}'
        objects = [row.format(n, n % 997, n * 0.37, "true" if n % 2 else "false") for n in numbers]
        if format == "geojson":
            feature = '{{"type":"Feature","geometry":{{"type":"Point","coordinates":[8.5,47.1]}},"properties":{0}}}'
            text = ('{"type":"FeatureCollection","features":[' + ",".join(map(feature.format, objects)) + "]}").encode()
        else:
            text = ("\n".join([*objects, ""]) if format == "jsonl" else f"[{','.join(objects)}]").encode()
    return gzip.compress(text, compresslevel=6)


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
    parser.add_argument("--smoke", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--client", nargs=3, metavar=("URL", "PATH", "FORMAT"))
    options = parser.parse_args()
    if options.smoke:
        options.rows, options.rounds = 100_000, 1
    if options.client:
        client(*options.client)
        return
    with tempfile.TemporaryDirectory() as folder:
        small_rows = max(50_000, options.rows // 10)
        small = portal(export(small_rows, options.format), small_rows)
        large = portal(export(options.rows, options.format), options.rows)
        ratios, durable, extra = [], [], []
        for _ in range(options.rounds):
            theirs = curl(large.url, folder, options.format)
            mine = ours(large.url, folder, options.format)
            assert mine["rows"] == options.rows, mine
            assert Path(folder, "ours").read_bytes() == Path(folder, "curl").read_bytes(), "the files differ"
            ratios.append(mine["seconds"] / theirs[0])
            durable.append(mine["seconds"] / theirs[1])
            extra.append(mine["extra_mib"])
        megabytes = Path(folder, "ours").stat().st_size / 1e6
        little = statistics.median(ours(small.url, folder, options.format)["extra_mib"] for _ in range(options.rounds))
    much = statistics.median(extra)
    print(
        f"{options.format} export of {options.rows:,} rows, {megabytes:.0f} MB, gzip, {options.rounds} rounds, "
        "counted and hashed"
    )
    for rival, found in (("curl --compressed", ratios), ("the same and sync", durable)):
        print(f"  time / {rival}  {spread(found)}")
    print(f"  peak memory above imports     {much:.1f} MiB   ({small_rows:,} rows: {little:.1f} MiB)")


if __name__ == "__main__":
    main()
