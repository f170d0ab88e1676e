"""Publish a large file: memory and time of the job, against the script that people write with ``requests``.

The script uploads (``files=``, which holds the whole body in memory), points the resource at the new file, orders the
publication and asks for the status until it is idle. It neither counts rows nor proves that they are served. The portal
on localhost reads the file in both cases, in a process of its own, which takes most of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving import fresh, peak_kib, spread

DATASET = "large-file"
KEY = secrets.token_hex(12)
_LINE = 1_000  # bytes of a row


def write(path: Path, size_mb: int) -> int:
    """Write a CSV file of about so many megabytes, and return its rows."""
    rows = size_mb * 1_000_000 // _LINE
    filler = "x" * (_LINE - 24)
    with path.open("w", encoding="utf-8") as file:
        file.write("number,text\n")
        file.writelines(f"{number:010},Zürich-{number % 997:03}-{filler}\n" for number in range(rows))
    return rows


def ours(path: Path) -> None:
    from ods_provider.jobs.arguments import publish_file_job
    from ods_provider.jobs.runner import run_job

    job = publish_file_job(dataset_id=DATASET, path=str(path), if_unchanged="publish", max_drop="100%")
    state = None
    while True:
        ended = run_job(
            job, scheduler="cli", native=f"bench-{path.name}", connection_ref="ods_default", checkpoint=state
        )
        if not hasattr(ended, "until"):
            return
        state = ended.checkpoint
        time.sleep(0.5)


def naive(path: Path) -> None:
    """As scripts do it."""
    import requests

    root = f"{os.environ['ODS_HOST']}/api/automation/v1.0/datasets"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Apikey {os.environ['ODS_API_KEY']}"
        (dataset,) = session.get(f"{root}/", params={"dataset_id": DATASET}).json()["results"]
        at = f"{root}/{dataset['uid']}"
        with path.open("rb") as file:
            uid = session.post(f"{at}/resources/files/", files={"file": file}).json()["uid"]
        source = {"type": "uploaded_file", "file": {"uid": uid}}
        found = session.get(f"{at}/resources/").json()["results"]
        if found:
            made = session.put(f"{at}/resources/{found[0]['uid']}/", json={**found[0], "datasource": source})
        else:
            body = {"type": "csvfile", "title": path.name, "params": {}, "datasource": source}
            made = session.post(f"{at}/resources/", json=body)
        made.raise_for_status()
        session.post(f"{at}/publish/").raise_for_status()
        while session.get(f"{at}/status/").json()["status"] != "idle":
            time.sleep(0.5)


def client(who: str, path: str, warm: str) -> None:
    """What runs in the fresh process: a small file first, since what is loaded once is no memory of the large one."""
    do = ours if who == "ours" else naive
    do(Path(warm))
    before = peak_kib()
    started = time.perf_counter()
    do(Path(path))
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "extra_mib": (peak_kib() - before) / 1024}))


@contextmanager
def portal(folder: Path) -> Iterator[str]:
    """Serve a portal that takes files of that size, in a process of its own."""
    ready = folder / "ready"
    options = ["--port=0", f"--ready-file={ready}", "--switch=most_file_bytes=4000000000", f"--api-key={KEY}"]
    command = [sys.executable, "-m", "ods_provider.cli", "portal", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            while not ready.exists():
                assert process.poll() is None, "the portal did not start"
                time.sleep(0.1)
            yield ready.read_text()
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--client", nargs=3, metavar=("WHO", "FILE", "WARM"))
    options = parser.parse_args()
    if options.client:
        client(*options.client)
        return
    if options.smoke:
        options.mb, options.rounds = 20, 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large, small = folder / "large.csv", folder / "small.csv"
        rows = write(large, options.mb)
        write(small, 1)
        mine: dict[str, list[Any]] = {"seconds": [], "extra_mib": []}
        theirs: dict[str, list[Any]] = {"seconds": [], "extra_mib": []}
        for _ in range(options.rounds):
            for who, found in (("ours", mine), ("naive", theirs)):
                with portal(folder) as url:
                    (folder / "ready").unlink()
                    os.environ |= {"ODS_HOST": url, "ODS_API_KEY": KEY, "XDG_STATE_HOME": str(folder / "state")}
                    _make(url)
                    for key, value in fresh(__file__, who, str(large), str(small)).items():
                        found[key].append(value)
                    assert _served(url) == rows, "the portal serves other rows"
    ratios = [one / other for one, other in zip(mine["seconds"], theirs["seconds"], strict=True)]
    print(f"{large.name}: {options.mb:,} MB, {rows:,} rows published, {options.rounds} rounds")
    print(f"  time / requests                        {spread(ratios)}")
    print(f"  peak memory above a small file, MiB    {statistics.median(mine['extra_mib']):8.1f}")
    print(f"  the same of requests, MiB              {statistics.median(theirs['extra_mib']):8.1f}")


def _make(url: str) -> None:
    from ods_provider import OdsClient

    with OdsClient(url, api_key=KEY) as portal:
        metadata = {"default": {"title": {"value": "Large"}, "language": {"value": "en"}}}
        portal.automation.datasets.create(metadata, dataset_id=DATASET, is_restricted=False)


def _served(url: str) -> int:
    from ods_provider import OdsClient

    with OdsClient(url, api_key=KEY) as portal:
        return portal.count(DATASET)


if __name__ == "__main__":
    main()
