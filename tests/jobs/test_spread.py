"""A download by many workers: parts are named, fetched anywhere, and committed only when all of one state are there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from bucket import Bucket
from lab import Lab

from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsMismatch, OdsMoved
from ods_provider.core.limits import SHP_ROWS
from ods_provider.jobs.arguments import assemble_job, download_job, partition_job
from ods_provider.jobs.parts.assembling import MANIFEST
from ods_provider.testing.portal import LocalPortal

ROWS = 2_000
_KILLED = """
import json, os, signal, sys
from pathlib import Path
from lab import API_KEY, Lab
from ods_provider.core.events import JobDone
from ods_provider.jobs.arguments import assemble_job
from ods_provider.plugins.hookspecs import hookimpl

class Killed(Lab):
    @hookimpl
    def ods_job_event(self, event):
        # The work is done, and nobody has heard of it.
        if isinstance(event, JobDone):
            os.kill(os.getpid(), signal.SIGKILL)

url, folder, parts = sys.argv[1:]
Killed(url, Path(folder), api_key=API_KEY).run(assemble_job(parts=json.loads(parts)))
"""


@pytest.fixture(scope="session")
def _big_portal(few_rows: LocalPortal) -> LocalPortal:
    return few_rows


def named(lab: Lab, path: Any, **given: Any) -> list[dict[str, Any]]:
    asked = {"dataset_id": "synthetic-rows", "path": str(path), "parts": 5, "partition_by": "id"} | given
    parts: list[dict[str, Any]] = lab.done(partition_job(**asked), name="partition")
    # As they travel through a scheduler's database.
    return list(json.loads(json.dumps(parts)))


def fetched(lab: Lab, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made = [lab.done(download_job(**part), name=f"part {number}") for number, part in enumerate(parts)]
    return list(json.loads(json.dumps(made)))


@pytest.mark.at_length
@pytest.mark.parametrize(("layout", "format"), [("folder", "parquet"), ("folder", "csv"), ("file", "jsonl")])
def test_parts_that_were_fetched_apart_become_one(lab: Lab, out: Path, layout: str, format: str) -> None:
    path = out / (f"rows.{format}" if layout == "file" else "rows")
    parts = named(lab, path, layout=layout, format=format, where="id is not null")
    assert len(parts) == 6
    assert [part["part"]["rows"] for part in parts][-1] == 0
    result = lab.done(assemble_job(parts=fetched(lab, parts)), name="assemble")
    assert (result["rows"], result["parts"], result["path"]) == (ROWS, 6, str(path))
    found = out / (path.name if layout == "file" else f"rows/*.{format}")
    reader = {"csv": "read_csv", "parquet": "read_parquet"}.get(format, "read_json_auto")
    assert duckdb.sql(f"SELECT count(*), count(DISTINCT id) FROM {reader}('{found}')").fetchall() == [(ROWS, ROWS)]
    expect_nothing_beside(lab, path)
    assert (layout == "file") == (not (path / MANIFEST).exists())


@pytest.mark.at_length
def test_a_packed_file_is_packed_once(lab: Lab, out: Path) -> None:
    parts = named(lab, out / "rows.csv.gz", layout="file")
    lab.done(assemble_job(parts=fetched(lab, parts)))
    assert duckdb.sql(f"SELECT count(*) FROM read_csv('{out}/rows.csv.gz')").fetchall() == [(ROWS,)]


@pytest.mark.at_length
def test_an_object_store_serves_as_well(lab: Lab) -> None:
    bucket = Bucket()
    lab.filesystems = {"bucket": bucket}
    parts = named(lab, "bucket://b/rows/", layout="folder", format="csv")
    assert lab.done(assemble_job(parts=fetched(lab, parts)))["rows"] == ROWS
    assert sorted(bucket.objects) == [f"b/rows/{name}" for name in [MANIFEST, *(f"part-{n:05d}.csv" for n in range(6))]]


@pytest.mark.at_length
def test_a_part_that_is_missing_twice_there_or_changed_is_named_and_nothing_committed(lab: Lab, out: Path) -> None:
    outcomes = fetched(lab, named(lab, out / "rows", format="csv"))
    with pytest.raises(OdsIncomplete, match="parts 2 are missing, of 6"):
        lab.done(assemble_job(parts=[*outcomes[:2], None, *outcomes[3:]]))
    with pytest.raises(OdsIncomplete, match="a part is there twice"):
        lab.done(assemble_job(parts=[*outcomes, outcomes[0]]))
    Path(outcomes[1]["path"]).write_text("id\n1\n")
    with pytest.raises(OdsMismatch, match=r"part 1 .* does not stand there as it was written"):
        lab.done(assemble_job(parts=outcomes))
    assert not (out / "rows").exists()


@pytest.mark.at_length
def test_a_republished_dataset_asks_for_new_parts(lab: Lab, portal: LocalPortal, out: Path) -> None:
    parts = named(lab, out / "rows")
    older = fetched(lab, parts[:3])
    portal.touch("synthetic-rows")
    with pytest.raises(OdsMoved, match="republished since its parts were named"):
        fetched(lab, parts[3:])
    newer = fetched(lab, named(lab, out / "rows"))
    with pytest.raises(OdsMismatch, match="named by different runs"):
        lab.done(assemble_job(parts=[*older, *newer[3:]]))
    assert lab.done(assemble_job(parts=newer))["rows"] == ROWS


@pytest.mark.at_length
@pytest.mark.parametrize("left", [0, 3])
@pytest.mark.parametrize("layout", ["folder", "file"])
def test_an_assembly_that_was_ended_after_its_commit_finds_its_work_done(
    lab: Lab, out: Path, layout: str, left: int
) -> None:
    path = out / ("rows.csv" if layout == "file" else "rows")
    outcomes = fetched(lab, named(lab, path, format="csv", layout=layout))
    kept = {Path(each["path"]): Path(each["path"]).read_bytes() for each in outcomes[:left]}
    first = lab.done(assemble_job(parts=outcomes))
    for part, content in kept.items():
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(content)
    assert lab.done(assemble_job(parts=outcomes)) == first
    expect_nothing_beside(lab, path)
    (path if layout == "file" else path / MANIFEST).write_text("{}\n")
    with pytest.raises(OdsMismatch, match="does not stand there as it was written"):
        lab.done(assemble_job(parts=outcomes))


@pytest.mark.at_length
@pytest.mark.parametrize("layout", ["folder", "file"])
def test_an_assembly_that_was_killed_before_it_could_report_reports_the_next_time(
    lab: Lab, out: Path, layout: str
) -> None:
    path = out / ("rows.csv" if layout == "file" else "rows")
    outcomes = fetched(lab, named(lab, path, format="csv", layout=layout))
    command = [sys.executable, "-c", _KILLED, lab.url, str(lab.folder), json.dumps(outcomes)]
    ended = subprocess.run(command, cwd=Path(__file__).parents[1], timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not any(Path(each["path"]).exists() for each in outcomes)
    result = lab.done(assemble_job(parts=outcomes))
    assert (result["rows"], result["parts"], result["path"]) == (ROWS, 6, str(path))
    expect_nothing_beside(lab, path)


@pytest.mark.at_length
def test_a_file_of_other_parts_is_no_work_done(lab: Lab, out: Path) -> None:
    path = out / "rows.csv"
    few = fetched(lab, named(lab, path, format="csv", layout="file", where="id < 100"))
    assert lab.done(assemble_job(parts=few))["rows"] == 100
    assert lab.done(assemble_job(parts=fetched(lab, named(lab, path, format="csv", layout="file"))))["rows"] == ROWS
    with pytest.raises(OdsMismatch, match="does not stand there as it was written"):
        lab.done(assemble_job(parts=few))


@pytest.mark.at_length
def test_a_part_is_not_asked_for_again_by_the_run_that_has_it(lab: Lab, portal: LocalPortal, out: Path) -> None:
    parts = named(lab, out / "rows", format="csv")
    first, again = fetched(lab, parts), fetched(lab, parts)
    assert again == first
    assert asked_of(portal) == len(parts)
    Path(first[1]["path"]).write_text("id\n1\n")
    repaired = fetched(lab, parts)
    assert asked_of(portal) == len(parts) + 1
    assert lab.done(assemble_job(parts=repaired))["rows"] == ROWS
    assert [name for name in lab.files() if name.startswith(".")] == []


def test_parts_that_nobody_put_together_are_removed_by_a_later_run(lab: Lab, out: Path) -> None:
    (abandoned,) = {Path(part["path"]).parent for part in named(lab, out / "rows")}
    abandoned.mkdir(parents=True)
    (abandoned / "part-00000.parquet").touch()
    for path in (abandoned / "part-00000.parquet", abandoned):
        os.utime(path, (0, 0))
    lab.done(partition_job(dataset_id="synthetic-rows", path=str(out / "others")), name="another run")
    assert not abandoned.exists()


def asked_of(portal: LocalPortal) -> int:
    return sum("/exports/" in entry.path for entry in portal.requests)


def test_what_is_no_part_is_said(lab: Lab, out: Path) -> None:
    (part, *_) = named(lab, out / "rows")
    with pytest.raises(OdsConfigError, match="part excludes select, limit"):
        download_job(**part, select="id", limit=3)
    with pytest.raises(OdsConfigError, match="no part that was named"):
        download_job(dataset_id=None, path=None, part={"number": 1})
    for wrong in ([], [{"rows": 1}], None, "x"):
        with pytest.raises(OdsConfigError):
            assemble_job(parts=wrong)
    with pytest.raises(OdsConfigError, match="the path has to be a text"):
        partition_job(dataset_id="d", path=out)


@pytest.mark.at_length
def test_many_parts_are_cut_by_the_number_that_was_asked_for(lab: Lab, out: Path) -> None:
    parts = named(lab, out / "rows", parts=300)
    assert {part["part"]["field"] for part in parts} == {"id"}
    assert len(parts) == 301


def test_a_quota_is_reckoned_with_what_each_worker_asks(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.settings["max_wait_s"] = 1
    portal.set_quota(limit=1_000, remaining=30, reset_in_s=3_600)
    outcomes = fetched(lab, named(lab, out / "rows", format="csv"))
    assert lab.done(assemble_job(parts=outcomes))["rows"] == ROWS
    assert 2 < len(outcomes) < 6


def test_a_folder_may_hold_more_than_one_of_its_files_can(make_lab: Callable[..., Lab], out: Path) -> None:
    with LocalPortal(synthetic_rows=SHP_ROWS + 1) as large:
        lab = make_lab(large.url)
        assert len(named(lab, out / "rows", format="shp", parts=2)) == 3
        with pytest.raises(OdsConfigError, match="50,001 rows do not fit into a shapefile export"):
            named(lab, out / "rows", format="shp", parts=1, partition_by=None)


def expect_nothing_beside(lab: Lab, path: Path) -> None:
    """Check that nothing hidden is left but what tells of which parts a file was made."""
    told = [f".{path.name}.ods.json"] if path.suffix else []
    assert [name for name in lab.files() if name.startswith(".")] == told
