"""Progress that an earlier try left: read where it is ours, forgotten where it is not, swept when nobody comes."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest
from bucket import Bucket
from effort import effort
from lab import Lab

from ods_provider.core.checkpoint import Ledger
from ods_provider.core.formats.registry import format_named
from ods_provider.core.outcome import Wait
from ods_provider.core.query import Query
from ods_provider.jobs.context import Job
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.media import MediaJob
from ods_provider.jobs.push import PushJob
from ods_provider.jobs.search import SearchJob
from ods_provider.testing.portal import LocalPortal

STRANGE = [
    "{}",
    "[]",
    "3",
    '"x"',
    '{"rows": 3, "entry": {}, "batches": null}',
    '{"rows": [], "entry": 1}',
    '{"pages": 1}',
]


def _jobs(out: Path) -> dict[str, Job]:
    return {
        "search": SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=500),
        "file": SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=500, path=out / "a.jsonl"),
        "media": MediaJob("landmark-photos", out, kind="files", parallel=2),
        "push": PushJob(
            "live-readings",
            "realtime",
            records=[{"sensor_id": f"s{n}", "value": n} for n in range(40)],
            batch_bytes=100,
        ),
    }


def _progress(lab: Lab) -> list[Path]:
    """The files of progress, wherever they lie."""
    return [path for path in lab.folder.rglob("*.json") if ".progress" in str(path) or lab.checkpoints in path.parents]


def _interrupt(lab: Lab, portal: LocalPortal, job: Job) -> list[Path]:
    lab.settings["max_wait_s"] = 1
    portal.set_quota(remaining=4, reset_in_s=90)
    assert isinstance(lab.run(job), Wait)
    portal.set_quota(remaining=10_000, reset_in_s=90)
    found = _progress(lab)
    assert found
    return found


EVERY = [(name, strange) for name in ("search", "file", "media", "push") for strange in STRANGE]


@pytest.mark.parametrize(("name", "strange"), effort(EVERY[::3], at_length=EVERY))
def test_progress_of_another_shape_is_forgotten_and_the_job_begins_anew(
    lab: Lab, portal: LocalPortal, out: Path, name: str, strange: str
) -> None:
    job = _jobs(out)[name]
    for path in _interrupt(lab, portal, job):
        if path.name != "job.json":
            path.write_text(strange)
    result = lab.done(job)
    assert (len(result) if name == "search" else result["rows"] or result["files"]) in (500, 40)
    assert _progress(lab) == []


@pytest.mark.at_length
@pytest.mark.parametrize("name", ["search", "file", "media", "push"])
def test_progress_of_another_release_is_forgotten(lab: Lab, portal: LocalPortal, out: Path, name: str) -> None:
    job = _jobs(out)[name]
    for path in _interrupt(lab, portal, job):
        if path.name == "job.json":
            # As releases before wrote it: the fingerprint alone.
            path.write_text(json.dumps(json.loads(path.read_text()).partition("-")[2]))
        else:
            path.write_text("{}")
    lab.done(job)
    assert _progress(lab) == []


@pytest.mark.parametrize("name", ["search", "file", "media", "push"])
def test_progress_is_for_its_owner_alone(lab: Lab, portal: LocalPortal, out: Path, name: str) -> None:
    for path in _interrupt(lab, portal, _jobs(out)[name]):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_what_runs_of_another_name_left_goes_after_a_week(lab: Lab, portal: LocalPortal, out: Path) -> None:
    job = SearchJob("synthetic-rows", Query.of(select="id", order_by="id"), limit=500, path=out / "monday.jsonl")
    lab.settings["max_wait_s"] = 1
    portal.set_quota(remaining=4, reset_in_s=90)
    assert isinstance(lab.run(job, name="monday"), Wait)
    portal.set_quota(remaining=10_000, reset_in_s=90)
    (out / ".monday.csv.0123456789ab.part").write_text("half")
    left = [path for path in out.iterdir() if path.name.startswith(".")]
    assert len(left) == 2
    csv = format_named("csv")
    lab.done(DownloadJob("world-capitals", out / "tuesday.csv", csv), name="tuesday")
    assert [path for path in left if not path.exists()] == []
    _age(out, days=8)
    lab.done(DownloadJob("world-capitals", out / "wednesday.csv", csv), name="wednesday")
    assert lab.files() == ["tuesday.csv", "wednesday.csv"]


def test_progress_may_be_as_old_as_its_run_may_wait(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.settings["max_quota_wait_s"] = 31 * 86_400
    (out / ".a.csv.0123456789ab.progress").mkdir()
    (out / ".a.csv.0123456789ab.progress" / "page.json").write_text("{}")
    _age(out, days=20)
    lab.done(DownloadJob("world-capitals", out / "b.csv", format_named("csv")))
    assert len(lab.files()) == 3
    _age(out, days=33)
    lab.done(DownloadJob("world-capitals", out / "b.csv", format_named("csv")))
    assert lab.files() == ["b.csv"]


def test_this_runs_own_progress_is_used_however_old_it_is(lab: Lab, portal: LocalPortal, out: Path) -> None:
    job = _jobs(out)["file"]
    _interrupt(lab, portal, job)
    _age(out, days=30)
    asked = len(portal.requests)
    lab.done(job)
    assert len(portal.requests) - asked < 10


def _age(folder: Path, *, days: int) -> None:
    when = time.time() - days * 86_400
    for path in sorted(folder.rglob("*"), reverse=True):
        os.utime(path, (when, when))


class _WriteOnly(Bucket):
    def _refuse(self, *given: object, **how: object) -> None:
        raise PermissionError("Access Denied")

    makedirs = mkdir = mkdirs = info = ls = rm = _rm = find = isdir = modified = _refuse


@pytest.mark.at_length
def test_whoever_may_only_put_objects_gets_its_files(lab: Lab, out: Path) -> None:
    bucket = _WriteOnly()
    lab.filesystems = {"bucket": bucket}
    for name in ("csv", "parquet"):
        assert lab.done(DownloadJob("world-capitals", f"bucket://b/a.{name}", format_named(name)))["rows"] == 110
    query = Query.of(select="id", order_by="id")
    assert lab.done(SearchJob("synthetic-rows", query, limit=500, path="bucket://b/a.jsonl"))["rows"] == 500
    assert lab.done(MediaJob("landmark-photos", "bucket://b/photos", kind="files"))["files"] == 40
    assert len(bucket.objects) == 3 + 41
    assert bucket.pending == {}


class _Kept:
    def __init__(self, kept: dict[str, object]) -> None:
        self.kept = kept

    def load(self) -> dict[str, object]:
        return dict(self.kept)

    def save(self, unit: str, value: object) -> None:
        self.kept[unit] = value

    def clear(self) -> None:
        self.kept.clear()


def test_one_unit_that_cannot_be_read_takes_the_others_with_it() -> None:
    store = _Kept({})
    first = Ledger(store, "i")
    first.confirm("page-0", {"rows": 1})
    first.confirm("page-1", {"rows": 2})
    assert Ledger(store, "i", lambda _, kept: kept["rows"] > 0).units == {"page-0": {"rows": 1}, "page-1": {"rows": 2}}
    store.kept["page-1"] = {"row": 2}
    assert Ledger(store, "i", lambda _, kept: kept["rows"] > 0).units == {}
    assert store.kept == {}
