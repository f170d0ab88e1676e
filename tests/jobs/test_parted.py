"""Downloads over several streams: the parts are all of it, each is kept, and they become one file or one folder."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from bucket import Bucket
from lab import Lab

from ods_provider.core.errors import OdsConfigError, OdsMismatch, OdsMoved, OdsServerError
from ods_provider.core.events import DatasetDescribed, Partitioned, Progress
from ods_provider.core.outcome import Wait
from ods_provider.jobs.arguments import download_job
from ods_provider.jobs.parts.assembling import MANIFEST, UNFINISHED
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.manager import Plugins
from ods_provider.testing.portal import LocalPortal

ROWS = 2_000
JOINED = ("csv", "jsonl", "json", "parquet")


@pytest.fixture(scope="session")
def _big_portal(few_rows: LocalPortal) -> LocalPortal:
    return few_rows


def job(path: Any, **given: Any) -> Any:
    return download_job(**{"dataset_id": "synthetic-rows", "path": path, "parallel": 4, "partition_by": "id"} | given)


def ids(path: Path, format: str) -> list[int]:
    reader = {"csv": "read_csv", "parquet": "read_parquet"}.get(format, "read_json_auto")
    return [int(one) for (one,) in duckdb.sql(f"SELECT id FROM {reader}('{path}')").fetchall()]


def exports(portal: LocalPortal) -> list[str]:
    return [call.query for call in portal.requests if "/exports/" in call.path]


@pytest.mark.at_length(but=2)
@pytest.mark.parametrize("format", JOINED)
def test_parts_become_one_file_that_holds_every_row_once(lab: Lab, portal: LocalPortal, out: Path, format: str) -> None:
    path = out / f"rows.{format}"
    result = lab.done(job(path, where="id is not null"))
    assert sorted(ids(path, format)) == sorted(row["id"] for row in portal.rows("synthetic-rows"))
    assert (result["rows"], result["verified"], result["parts"], result["partition_by"]) == (ROWS, "counted", 5, "id")
    assert (result["path"], result["size_bytes"], result["moved"]) == (str(path), path.stat().st_size, False)
    assert result["calls"] == len(portal.requests)
    assert lab.files() == [path.name]
    (told,) = lab.heard(Partitioned)
    assert (told.field, told.parts, told.done) == ("id", 5, 0)


@pytest.mark.at_length
def test_a_joined_file_is_what_one_stream_writes(lab: Lab, out: Path) -> None:
    for format in ("csv", "jsonl", "json"):
        lab.done(job(out / f"parts.{format}"))
        lab.done(job(out / f"one.{format}", parallel=1, partition_by=None))
        parts, one = ((out / f"{name}.{format}").read_bytes() for name in ("parts", "one"))
        assert (json.loads(parts) == json.loads(one)) if format == "json" else (parts == one), format
    lab.done(job(out / "parts.parquet"))
    lab.done(job(out / "one.parquet", parallel=1, partition_by=None))
    assert pq.read_schema(out / "parts.parquet").equals(pq.read_schema(out / "one.parquet"))


def test_shapes_are_joined_within_one_collection(lab: Lab, portal: LocalPortal, out: Path) -> None:
    result = lab.done(job(out / "a.geojson", dataset_id="world-capitals", partition_by="population"))
    shapes = json.loads((out / "a.geojson").read_text())
    assert shapes["type"] == "FeatureCollection"
    names = [feature["properties"]["name"] for feature in shapes["features"]]
    assert sorted(names) == sorted(row["name"] for row in portal.rows("world-capitals"))
    assert (result["rows"], result["parts"]) == (110, 5)


def test_a_joined_file_may_be_gzip(lab: Lab, out: Path) -> None:
    result = lab.done(job(out / "rows.csv.gz"))
    assert result["rows"] == len(gzip.decompress((out / "rows.csv.gz").read_bytes()).splitlines()) - 1 == ROWS


@pytest.mark.parametrize("format", ["parquet", "csv", "xlsx"])
def test_a_folder_keeps_the_parts_and_tells_of_them(lab: Lab, out: Path, format: str) -> None:
    folder = out / "rows"
    result = lab.done(job(f"{folder}/", format=format, layout="folder", where="id < 300"))
    names = [f"part-{number:05d}.{format}" for number in range(5)]
    assert lab.files() == ["rows", *sorted(f"rows/{name}" for name in [MANIFEST, *names])]
    told = [json.loads(line) for line in (folder / MANIFEST).read_text().splitlines()]
    assert [each["file"] for each in told] == names
    assert sum(each["rows"] for each in told) == result["rows"] == 300
    assert sum((folder / name).stat().st_size for name in names) == result["size_bytes"]
    assert (result["manifest"], result["sha256"]) == (str(folder / MANIFEST), None)
    if format == "parquet":
        assert duckdb.sql(f"SELECT count(DISTINCT id) FROM '{folder}/*.parquet'").fetchall() == [(300,)]


@pytest.mark.at_length
def test_a_folder_takes_the_place_of_an_older_one_and_of_nothing_else(lab: Lab, out: Path) -> None:
    folder = out / "rows"
    lab.done(job(folder, format="csv", layout="folder", parallel=6))
    lab.done(job(folder, format="jsonl", layout="folder", parallel=2), name="another")
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST, *(f"part-{n:05d}.jsonl" for n in range(3))]
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(OdsConfigError, match=r"such as 'notes\.txt'"):
        lab.done(job(folder, format="csv", layout="folder"))
    (folder / "notes.txt").unlink()
    (folder / MANIFEST).write_text('{"dataset_id": "other", "file": "part-00000.jsonl", "kind": "parts"}\n')
    with pytest.raises(OdsConfigError, match="holds what is not of this dataset"):
        lab.done(job(folder, format="csv", layout="folder"))
    (out / "file").write_text("mine")
    with pytest.raises(Exception, match="names a file, not a folder"):
        lab.done(job(out / "file", format="csv", layout="folder"))
    assert [name for name in lab.files() if ".part" in name or ".progress" in name] == []


def test_only_what_is_unfinished_is_asked_for_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.settings["max_retries"] = 0
    portal.fault("status", path="/exports/", skip=3, times=1, status=500)
    with pytest.raises(OdsServerError):
        lab.done(job(out / "rows.csv"))
    before = exports(portal)
    portal.requests.clear()
    result = lab.done(job(out / "rows.csv", parallel=2))
    assert result["rows"] == ROWS
    assert sorted(ids(out / "rows.csv", "csv")) == sorted(row["id"] for row in portal.rows("synthetic-rows"))
    assert len(exports(portal)) + len(before) == 6
    # The parts are those of the first try: nothing is looked up and counted anew but the whole, before and after.
    assert [told.done for told in lab.heard(Partitioned)] == [0, 5 - len(exports(portal))]
    assert len(portal.requests) == 4 + len(exports(portal))


@pytest.mark.at_length
def test_the_others_finish_while_one_part_meets_a_quota(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.settings["max_wait_s"] = 1
    portal.fault("quota", path="/exports/", times=1, reset_in_s=300)
    assert isinstance(lab.run(job(out / "rows.jsonl", parallel=16)), Wait)
    assert len(exports(portal)) == 17 - max(0, 17 - len(exports(portal)))
    asked = len(exports(portal))
    portal.requests.clear()
    assert lab.done(job(out / "rows.jsonl", parallel=16))["rows"] == ROWS
    assert len(exports(portal)) == 17 - (asked - 1)
    assert lab.files() == ["rows.jsonl"]


@pytest.mark.parametrize("if_moved", ["retry", "fail", "accept"])
def test_a_dataset_that_is_republished_while_parts_are_read(
    lab: Lab, portal: LocalPortal, out: Path, if_moved: str
) -> None:
    portal.fault("stall", path="/exports/", seconds=1, times=1)
    begun = threading.Event()

    def republish() -> None:
        while not exports(portal):
            begun.wait(0.01)
        portal.touch("synthetic-rows")

    other = threading.Thread(target=republish)
    other.start()
    try:
        if if_moved == "fail":
            with pytest.raises(OdsMoved):
                lab.done(job(out / "rows.csv", if_moved=if_moved))
        else:
            result = lab.done(job(out / "rows.csv", if_moved=if_moved))
            assert result["moved"] == (if_moved == "accept")
            assert len(exports(portal)) == (5 if if_moved == "accept" else 10)
    finally:
        other.join()
    assert lab.files() == ([] if if_moved == "fail" else ["rows.csv"]) or if_moved == "fail"


def test_a_part_that_is_short_by_one_row_is_fetched_again_and_then_an_error(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    portal.fault("short_rows", path="/exports/", rows=1, skip=2)
    assert lab.done(job(out / "rows.parquet"))["rows"] == ROWS
    assert len(exports(portal)) == 6
    portal.fault("short_rows", path="/exports/", rows=1, times=None)
    with pytest.raises(OdsMismatch, match=r"part \d \(.+\) holds \d+ rows where the portal counts"):
        lab.done(job(out / "again.parquet"))
    assert "again.parquet" not in lab.files()


def test_parts_of_json_are_no_units_of_progress(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.settings["max_retries"] = 0
    portal.fault("status", path="/exports/", skip=3, times=1, status=500)
    with pytest.raises(OdsServerError):
        lab.done(job(out / "rows.json"))
    assert lab.done(job(out / "rows.json"))["rows"] == ROWS
    assert len(exports(portal)) == 6


@pytest.mark.parametrize("layout", ["file", "folder"])
def test_a_part_that_another_run_wrote_anew_is_not_put_together_with_ours(lab: Lab, out: Path, layout: str) -> None:
    class Twin:
        looks = 0

        @hookimpl
        def ods_job_event(self, event: Any) -> None:
            if isinstance(event, DatasetDescribed):
                self.looks += 1
                if self.looks == 2:
                    (part,) = out.glob(".*.progress/part-00002*")
                    part.write_bytes(part.read_bytes())

    lab.plugins = Plugins({"lab": lab, "twin": Twin()}, entry_points=False)
    with pytest.raises(OdsMismatch, match="part 2 does not stand there as it was written"):
        lab.done(job(out / "rows", format="csv", layout=layout))
    assert lab.done(job(out / "rows", format="csv", layout=layout))["rows"] == ROWS


@pytest.mark.at_length
def test_a_store_whose_folder_was_left_half_replaced_is_mended_by_the_next_try(lab: Lab) -> None:
    bucket = Bucket()
    lab.filesystems = {"bucket": bucket}
    whole = lab.done(job("bucket://b/rows/", format="csv", layout="folder"))
    manifest = bucket.objects.pop(f"b/rows/{MANIFEST}")
    bucket.objects[f"b/rows/{UNFINISHED}"] = manifest
    again = lab.done(job("bucket://b/rows/", format="csv", layout="folder"), name="another run")
    assert again["rows"] == whole["rows"] == ROWS
    assert sorted(bucket.objects) == [f"b/rows/{n}" for n in [MANIFEST, *(f"part-{n:05d}.csv" for n in range(5))]]
    with pytest.raises(OdsConfigError, match="names a bucket"):
        lab.done(job("bucket://b", format="csv", layout="folder"))


def test_in_memory_no_part_is_fetched_twice_either(lab: Lab, portal: LocalPortal) -> None:
    lab.settings["max_retries"] = 0
    portal.fault("status", path="/exports/", skip=3, times=1, status=500)
    with pytest.raises(OdsServerError):
        lab.done(job("memory://parts/rows.csv"))
    assert lab.done(job("memory://parts/rows.csv"))["rows"] == ROWS
    assert len(exports(portal)) == 6


@pytest.mark.at_length
def test_a_quota_that_is_just_enough_for_fewer_parts_is_enough(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.settings["max_wait_s"] = 1
    for left in (10, 12, 14, 16):
        portal.set_quota(limit=1_000, remaining=left, reset_in_s=3_600)
        assert lab.done(job(out / "rows.csv"))["rows"] == ROWS


def test_a_signal_ends_the_threads_that_wait_to_try_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("status", path="/exports/", times=None, status=503, retry_after=30)

    class Signal(BaseException):
        pass

    class Ear:
        @hookimpl
        def ods_job_event(self, event: Any) -> None:
            if isinstance(event, Progress):
                raise Signal

    lab.plugins = Plugins({"lab": lab, "ear": Ear()}, entry_points=False)
    with pytest.raises(Signal):
        lab.run(job(out / "rows.csv"))
    ends = time.monotonic() + 5
    while [one for one in threading.enumerate() if one.name.startswith("ods-part")]:
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.at_length
@pytest.mark.parametrize("layout", ["file", "folder"])
def test_on_an_object_store_no_part_is_fetched_twice(lab: Lab, portal: LocalPortal, layout: str) -> None:
    bucket = Bucket()
    lab.filesystems = {"bucket": bucket}
    lab.settings["max_retries"] = 0
    portal.fault("status", path="/exports/", skip=3, times=1, status=500)
    path = "bucket://b/rows" if layout == "folder" else "bucket://b/rows.csv"
    with pytest.raises(OdsServerError):
        lab.done(job(path, format="csv", layout=layout))
    assert lab.done(job(path, format="csv", layout=layout))["rows"] == ROWS
    assert len(exports(portal)) == 6
    expected = (
        ["rows.csv"]
        if layout == "file"
        else [f"rows/{n}" for n in [MANIFEST, *(f"part-{n:05d}.csv" for n in range(5))]]
    )
    assert sorted(bucket.objects) == sorted(f"b/{name}" for name in expected)
    assert bucket.pending == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"order_by": "id"}, "order_by is kept by one stream only"),
        ({"group_by": "id"}, "group_by is kept by one stream only"),
        ({"limit": 10}, "limit is kept by one stream only"),
        ({"path": "x.xlsx"}, "parts of xlsx do not make one file"),
        ({"dataset_id": None, "path": "x.csv"}, "the catalogue is one stream"),
        ({"parallel": 1}, "one stream is not cut"),
        ({"parallel": 33}, "parallel=33"),
        ({"layout": "heap"}, "layout='heap' is not known"),
        ({"v1": {"q": "x"}}, "v1 excludes parallel, partition_by"),
        ({"layout": "file", "path": "x/"}, "names a folder, not a file"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_asked_for(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OdsConfigError, match=re.escape(said)):
        job(**{"path": "x.csv"} | given)


def test_by_itself_it_takes_as_many_streams_as_pay(lab: Lab, portal: LocalPortal, out: Path) -> None:
    for given in ({}, {"order_by": "id"}):
        portal.requests.clear()
        assert lab.done(job(out / "rows.csv", parallel="auto", partition_by=None, **given))["rows"] == ROWS
        assert len(exports(portal)) == 1
    first, second = lab.heard(Partitioned)
    assert (first.field, first.tried) == (None, ("2,000 rows are not worth several",))
    assert second.tried == ("order_by is kept by one stream only",)


@pytest.mark.at_length
def test_the_options_of_a_format_hold_for_every_part(lab: Lab, out: Path) -> None:
    options = {"delimiter": ";", "with_bom": True, "use_labels": True}
    lab.done(job(out / "a.csv", format_options=options))
    lab.done(job(out / "b.csv", format_options=options, parallel=1, partition_by=None))
    assert (out / "a.csv").read_bytes() == (out / "b.csv").read_bytes()
