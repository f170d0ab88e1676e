"""A million rows: the server must be neither slow nor grow with them, nor let one slow export hold the others up."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

ROWS = 1_000_000
ODS = Path(sys.executable).with_name("ods")
CATALOG = "/api/explore/v2.1/catalog"
EXPORTS = f"{CATALOG}/datasets/synthetic-rows/exports/"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    ready = tmp_path_factory.mktemp("portal") / "ready"
    command = [ODS, "portal", "--port", "0", "--synthetic-rows", str(ROWS), "--ready-file", ready]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})
    try:
        until = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        yield ready.read_text(), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("format", ["csv", "json", "jsonl", "parquet"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_an_export_streams_fast_and_in_constant_memory(served, format, encoding, record_property):
    url, process = served
    before, peak, size, began, first_s = process.memory_info().rss, 0, 0, time.monotonic(), None
    with requests.get(url + EXPORTS + format, headers={"accept-encoding": encoding}, stream=True, timeout=60) as answer:
        for piece in answer.raw.stream(1 << 20, decode_content=False):
            first_s = first_s or time.monotonic() - began
            size += len(piece)
            peak = max(peak, process.memory_info().rss)
    rows_per_s = ROWS / (time.monotonic() - began)
    record_property("rows_per_s", round(rows_per_s))
    assert size > 5_000_000
    assert first_s < 10
    # Parquet is written whole, into a file; what it holds at once is a group of rows.
    assert peak - before < (250_000_000 if format == "parquet" else 100_000_000)
    assert rows_per_s > 50_000


def test_stalled_exports_do_not_block_others(served):
    url, _ = served
    fault = {"kind": "stall", "seconds": 60, "after_bytes": 100_000, "times": 20, "path": "/exports/"}
    requests.post(f"{url}/_control/faults", json=fault, timeout=60).raise_for_status()
    stalled = [requests.get(url + EXPORTS + "csv", stream=True, timeout=60) for _ in range(20)]
    # Clients that do not read hold their answers up too.
    unread = [requests.get(url + EXPORTS + "json", stream=True, timeout=60) for _ in range(60)]
    try:
        began = time.monotonic()
        page = requests.get(f"{url}{CATALOG}/datasets/synthetic-rows/records", params={"limit": 1}, timeout=60)
        assert page.status_code == 200
        assert time.monotonic() - began < 5
    finally:
        for answer in stalled + unread:
            answer.close()
        requests.delete(f"{url}/_control/faults", timeout=60)
