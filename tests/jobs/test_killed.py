"""kill -9 in the middle, in a process of its own, and the same job again: what is confirmed is not asked for again."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab

from ods_provider.core.query import Query
from ods_provider.jobs.media import MediaJob
from ods_provider.jobs.push import PushJob
from ods_provider.jobs.search import SearchJob
from ods_provider.testing.portal import LocalPortal

_CHILD = """
import sys
from pathlib import Path
from lab import API_KEY, PUSH_KEY, Lab
from ods_provider.core.query import Query
from ods_provider.jobs.media import MediaJob
from ods_provider.jobs.push import PushJob
from ods_provider.jobs.search import SearchJob

url, folder, job = sys.argv[1:]
out = Path(folder) / "out"
Lab(url, Path(folder), api_key=API_KEY, push_api_key=PUSH_KEY).run(eval(job))
"""
SEARCH = 'SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=1500)'
SEARCH_TO_FILE = SEARCH[:-1] + ', path=out / "rows.jsonl")'
MEDIA = 'MediaJob("landmark-photos", out, kind="files", parallel=3)'
PUSH = 'PushJob("live-readings", "realtime", path=out / "in.jsonl", batch_bytes=2000)'


def _killed(lab: Lab, job: str, *, when: Callable[[], bool]) -> None:
    """Run a job in another process and kill it once ``when`` holds."""
    command = [sys.executable, "-c", _CHILD, lab.url, str(lab.folder), job]
    child = subprocess.Popen(command, cwd=Path(__file__).parents[1])
    until = time.monotonic() + 120
    while not when():
        assert child.poll() is None and time.monotonic() < until, "the job ended before it could be killed"
        time.sleep(0.005)
    child.kill()
    child.wait()


def _answered(portal: LocalPortal, part: str) -> list[str]:
    return [
        f"{request.path}?{request.query}"
        for request in portal.requests
        if part in request.path and request.status == 200
    ]


def _pages_asked_twice(portal: LocalPortal) -> set[int]:
    """Number the pages that came more than once: at most the one that was under way when the process died."""
    offsets = [int(found) for entry in portal.requests for found in re.findall(r"offset=(\d+)", entry.query)]
    assert set(offsets) == set(range(0, 1500, 100))
    return {offset // 100 for offset, times in Counter(offsets).items() if times > 1}


@pytest.mark.at_length
def test_a_killed_search_goes_on_after_its_confirmed_pages(lab: Lab, portal: LocalPortal) -> None:
    portal.fault("stall", path="/records", seconds=0.05, times=None)
    _killed(lab, SEARCH, when=(lab.checkpoints / "page-0006.json").exists)
    confirmed = len(list(lab.checkpoints.glob("page-*.json")))
    portal.clear_faults()
    rows = lab.done(SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=1500))
    assert [row["id"] for row in rows] == list(range(1500))
    assert confirmed >= 7
    assert _pages_asked_twice(portal) <= {confirmed}
    assert not lab.checkpoints.exists()


@pytest.mark.at_length
def test_a_killed_search_to_a_file_leaves_nothing_under_the_final_name(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    portal.fault("stall", path="/records", seconds=0.05, times=None)
    _killed(lab, SEARCH_TO_FILE, when=lambda: any("page-0005" in name for name in lab.files()))
    assert not (out / "rows.jsonl").exists()
    confirmed = sum("/page-" in name and name.endswith(".json") for name in lab.files())
    portal.clear_faults()
    job = SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=1500, path=out / "rows.jsonl")
    assert lab.done(job)["rows"] == 1500
    assert _pages_asked_twice(portal) <= {confirmed}
    assert lab.files() == ["rows.jsonl"]


@pytest.mark.at_length
def test_a_killed_fetch_of_media_asks_no_confirmed_file_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("stall", path="/files/", seconds=0.1, times=None)

    def confirmed() -> list[Path]:
        return list(out.glob(".*.progress/file-*.json"))

    _killed(lab, MEDIA, when=lambda: len(confirmed()) >= 9)
    kept = len(confirmed())
    earlier = _answered(portal, "/files/")
    assert not (out / "manifest.jsonl").exists()
    portal.clear_faults()
    before = len(portal.requests)
    assert lab.done(MediaJob("landmark-photos", out, kind="files", parallel=3))["files"] == 40
    later = [request.path for request in portal.requests[before:] if "/files/" in request.path]
    assert len(later) == len(set(later)) == 40 - kept
    # What is asked for twice was under way when the process died: at most one file for each thread.
    assert len(set(earlier) & {f"{path}?" for path in later}) <= 3
    assert len(lab.files()) == 41


def test_a_killed_push_sends_no_accepted_batch_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lines = [
        f'{{"sensor_id": "p-{n}", "at": "2026-03-01T00:00:00+00:00", "note": "{"x" * 400}"}}\n' for n in range(100)
    ]
    (out / "in.jsonl").write_text("".join(lines))
    portal.fault("stall", path="/push/", seconds=0.05, times=None)
    _killed(lab, PUSH, when=lambda: (lab.checkpoints / "sent.json").exists() and len(portal.requests) > 8)
    portal.clear_faults()
    result = lab.done(PushJob("live-readings", "realtime", path=out / "in.jsonl", batch_bytes=2000))
    after = len(_answered(portal, "/push/"))
    assert result["rows"] == 100
    # The one that was under way may be sent twice: identical rows collapse.
    assert after - result["batches"] in (0, 1)
    assert sum(row["sensor_id"].startswith("p-") for row in portal.rows("live-readings")) == 100
    assert not lab.checkpoints.exists()
