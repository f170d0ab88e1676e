from __future__ import annotations

import csv
import gzip
import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from bucket import Bucket
from fsspec.implementations.memory import MemoryFileSystem
from lab import Lab
from replay import answer, chunked, replay

from ods_provider.client import OdsClient
from ods_provider.core.errors import (
    OdsAuthError,
    OdsConfigError,
    OdsError,
    OdsIncomplete,
    OdsMoved,
    OdsNotAPortal,
    OdsNotFound,
    OdsQueryError,
    OdsTimeout,
    OdsTransportError,
    OdsTruncated,
)
from ods_provider.core.events import JobDone, RetryScheduled
from ods_provider.core.formats.registry import format_named
from ods_provider.core.outcome import Wait
from ods_provider.core.query import Query
from ods_provider.jobs.context import Suspended
from ods_provider.jobs.download import DownloadJob
from ods_provider.testing.portal import LocalPortal

COUNTED = ("csv", "json", "jsonl", "geojson", "parquet", "xlsx")


def _job(path: Path, format: str = "csv", dataset_id: str = "world-capitals", **how: Any) -> DownloadJob:
    return DownloadJob(dataset_id, path, format_named(format), **how)


def _names(path: Path, format: str) -> list[str]:
    if format == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            return [row["name"] for row in csv.DictReader(file)]
    if format == "jsonl":
        return [json.loads(line)["name"] for line in path.read_text().splitlines()]
    if format == "json":
        return [row["name"] for row in json.loads(path.read_text())]
    if format == "geojson":
        return [feature["properties"]["name"] for feature in json.loads(path.read_text())["features"]]
    if format == "parquet":
        return pq.read_table(path).column("name").to_pylist()
    with path.open("rb") as file:
        header, *rows = openpyxl.load_workbook(file).active.iter_rows(values_only=True)
    return [row[header.index("name")] for row in rows]


@pytest.mark.parametrize("format", COUNTED)
def test_every_counted_format_holds_exactly_the_rows_of_the_source(
    lab: Lab, portal: LocalPortal, out: Path, format: str
) -> None:
    path = out / f"cities.{format}"
    result = lab.done(_job(path, format))
    assert sorted(_names(path, format)) == sorted(row["name"] for row in portal.rows("world-capitals"))
    assert "Kābul" in _names(path, format)
    assert result["verified"] == "counted"
    assert result["rows"] == 110
    assert result["size_bytes"] == path.stat().st_size
    assert result["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert result["moved"] is False
    assert result["data_processed"] == "2026-01-05T08:00:00+00:00"
    assert result["calls"] == len(portal.requests)
    assert lab.files() == [path.name]


def test_csv_comes_comma_separated_without_a_bom_unless_told_otherwise(lab: Lab, out: Path) -> None:
    lab.done(_job(out / "a.csv"))
    assert (out / "a.csv").read_bytes().startswith(b"geoname_id,name,")
    lab.done(_job(out / "b.csv", format_options={"delimiter": ";", "with_bom": True, "quote_all": True}))
    assert (out / "b.csv").read_bytes().startswith('\ufeff"geoname_id";"name";'.encode())


def test_a_query_is_counted_too(lab: Lab, portal: LocalPortal, out: Path) -> None:
    query = Query.of(select="name", where="population > 1000000", order_by="name", exclude={"timezone": "Europe"})
    result = lab.done(_job(out / "a.jsonl", "jsonl", query=query))
    rows = portal.rows("world-capitals")
    expected = sorted(
        row["name"] for row in rows if row["population"] > 1_000_000 and not row["timezone"].startswith("Europe")
    )
    assert sorted(_names(out / "a.jsonl", "jsonl")) == expected
    assert result["rows"] == len(expected)


def test_a_limit_is_the_number_of_rows(lab: Lab, out: Path) -> None:
    assert lab.done(_job(out / "a.parquet", "parquet", limit=17))["rows"] == 17


def test_groups_are_not_capped_and_prove_the_container_only(lab: Lab, out: Path) -> None:
    query = Query.of(select="count(*) as n", group_by="id")
    result = lab.done(_job(out / "a.csv", dataset_id="synthetic-rows", query=query))
    assert (result["rows"], result["verified"]) == (12_345, "container")


def test_an_older_file_is_replaced_only_by_a_whole_one(lab: Lab, portal: LocalPortal, out: Path) -> None:
    (out / "a.csv").write_text("the older file")
    portal.fault("short_rows", path="/exports/", times=None)
    with pytest.raises(OdsIncomplete):
        lab.run(_job(out / "a.csv"))
    assert (out / "a.csv").read_text() == "the older file"
    portal.clear_faults()
    lab.done(_job(out / "a.csv"))
    assert (out / "a.csv").read_text().startswith("geoname_id")
    assert lab.files() == ["a.csv"]


@pytest.mark.parametrize("format", COUNTED)
def test_a_stream_cut_once_is_fetched_again(lab: Lab, portal: LocalPortal, out: Path, format: str) -> None:
    portal.fault("cut", path="/exports/", after_bytes=900)
    result = lab.done(_job(out / "a", format))
    assert result["rows"] == 110
    assert len(lab.heard(RetryScheduled)) == 1
    assert lab.files() == ["a"]


@pytest.mark.parametrize("format", COUNTED)
def test_a_gzip_stream_that_ends_early_inside_whole_chunks_is_fetched_again(
    lab: Lab, portal: LocalPortal, out: Path, format: str
) -> None:
    portal.fault("short_gzip", path="/exports/", after_bytes=500)
    assert lab.done(_job(out / "a", format))["rows"] == 110
    assert lab.files() == ["a"]


@pytest.mark.at_length
def test_a_stream_cut_anywhere_never_leaves_a_file(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.settings["max_retries"] = 0
    lab.done(_job(out / "whole.jsonl", "jsonl"))
    (out / "whole.jsonl").unlink()
    size = next(request.bytes_sent for request in portal.requests if "/exports/" in request.path)
    for kind in ("cut", "short_gzip"):
        for after_bytes in [0, 1, 9, 10, 17, *range(100, size, size // 9), size - 9, size - 8, size - 1]:
            portal.fault(kind, path="/exports/", after_bytes=after_bytes)
            with pytest.raises((OdsTruncated, OdsTransportError, OdsIncomplete, OdsNotAPortal)):
                lab.run(_job(out / "a.jsonl", "jsonl"))
            assert lab.files() == [], f"{kind} after {after_bytes}"
            portal.clear_faults()


def test_an_export_short_of_one_row_is_an_error_that_says_so(lab: Lab, portal: LocalPortal, out: Path) -> None:
    for format in COUNTED:
        portal.fault("short_rows", path="/exports/")
        with pytest.raises(OdsIncomplete, match="109 rows where the portal counts 110") as caught:
            lab.run(_job(out / "a", format))
        assert caught.value.transient
        assert lab.files() == []


def test_a_stalled_stream_times_out_and_is_fetched_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.settings["timeout_s"] = 2
    portal.fault("stall", path="/exports/", seconds=60, after_bytes=0)
    assert lab.done(_job(out / "a.csv"))["rows"] == 110


def test_an_export_that_never_begins_is_asked_for_as_often_as_the_connection_says(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    lab.settings |= {"timeout_s": 1.5, "max_retries": 2}
    portal.fault("stall", path="/exports/", seconds=60, times=None)
    with pytest.raises(OdsTimeout):
        lab.run(_job(out / "a.csv"))
    assert sum("/exports/" in request.path for request in portal.requests) == 3


def test_an_export_cut_far_from_its_beginning_is_fetched_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    # Far: past the first bytes, which are looked at while the request is still repeated by itself.
    portal.fault("cut", path="/exports/", after_bytes=100_000, times=2)
    assert lab.done(_job(out / "a.csv", dataset_id="synthetic-rows"))["rows"] == 12_345
    assert sum("/exports/" in request.path for request in portal.requests) == 3


def test_a_portal_that_stays_silent_is_a_timeout(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.settings |= {"timeout_s": 1.5, "max_retries": 0}
    portal.fault("stall", path="/exports/", seconds=60)
    with pytest.raises(OdsTimeout, match="timeout_s"):
        lab.run(_job(out / "a.csv"))
    assert lab.files() == []


def test_a_dropped_connection_is_tried_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("drop", path="/exports/")
    assert lab.done(_job(out / "a.csv"))["rows"] == 110


@pytest.mark.parametrize(
    ("fault", "options", "kind", "said"),
    [
        ("login_html", {}, OdsAuthError, "login page"),
        ("html", {}, OdsNotAPortal, "web page"),
        ("json_error", {}, OdsQueryError, "the export failed"),
        ("json_error", {"error_code": "ForbiddenAccess", "message": "No."}, OdsAuthError, "gated"),
        ("empty_gated", {}, OdsIncomplete, "empty where the portal counts 110 rows.*gated"),
        ("status", {"status": 403}, OdsAuthError, "key"),
        ("redirect", {"location": "https://moved.example.org/x"}, OdsNotAPortal, "moved.example.org"),
    ],
)
def test_what_is_no_export_is_named_and_leaves_no_file(
    lab: Lab, portal: LocalPortal, out: Path, fault: str, options: dict[str, Any], kind: type[OdsError], said: str
) -> None:
    portal.fault(fault, path="/exports/", times=None, **options)
    with pytest.raises(kind, match=said):
        lab.run(_job(out / "a.csv"))
    assert lab.files() == []


def test_gated_data_is_refused_before_anything_is_fetched(lab: Lab, out: Path) -> None:
    lab.api_key = None
    with pytest.raises(OdsAuthError, match=r"permission|gated"):
        lab.run(_job(out / "a.csv", dataset_id="gated-loads"))
    assert lab.files() == []


def test_an_unknown_dataset_is_not_found(lab: Lab, out: Path) -> None:
    with pytest.raises(OdsNotFound, match="nowhere"):
        lab.run(_job(out / "a.csv", dataset_id="nowhere"))


def test_min_rows_refuses_a_file_that_is_too_small(lab: Lab, out: Path) -> None:
    with pytest.raises(OdsIncomplete, match="min_rows=111"):
        lab.run(_job(out / "a.csv", min_rows=111))
    assert lab.files() == []
    assert lab.done(_job(out / "a.csv", min_rows=110))["rows"] == 110


def _republish_during(portal: LocalPortal, *, times: int, rows: int = 1) -> threading.Thread:
    """Republish the dataset each time an export of it begins."""

    def watch() -> None:
        done = 0
        until = time.monotonic() + 120
        while done < times and time.monotonic() < until:
            begun = sum("/exports/" in request.path for request in portal.requests)
            if begun > done:
                done += 1
                portal.touch("world-capitals", rows=rows)
            time.sleep(0.002)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_a_dataset_republished_meanwhile_is_fetched_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("stall", path="/exports/", seconds=0.4)
    watcher = _republish_during(portal, times=1)
    result = lab.done(_job(out / "a.csv"))
    watcher.join()
    assert (result["rows"], result["moved"]) == (111, False)
    assert sum("/exports/" in request.path for request in portal.requests) == 2


def test_a_dataset_that_is_always_republished_fails_after_three_tries(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("stall", path="/exports/", seconds=0.2, times=None)
    watcher = _republish_during(portal, times=3)
    with pytest.raises(OdsMoved, match="republished while it was read"):
        lab.run(_job(out / "a.csv"))
    watcher.join()
    assert sum("/exports/" in request.path for request in portal.requests) == 3
    assert lab.files() == []


def test_if_moved_fail_fails_at_once(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("stall", path="/exports/", seconds=0.4)
    watcher = _republish_during(portal, times=1)
    with pytest.raises(OdsMoved):
        lab.run(_job(out / "a.csv", if_moved="fail"))
    watcher.join()
    assert lab.files() == []


def test_if_moved_accept_keeps_a_file_between_the_two_counts(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("stall", path="/exports/", seconds=0.4)
    watcher = _republish_during(portal, times=1, rows=3)
    result = lab.done(_job(out / "a.csv", if_moved="accept"))
    watcher.join()
    assert result["moved"] is True
    assert 110 <= result["rows"] <= 113


def test_a_spent_quota_becomes_a_wait_and_leaves_nothing_half_done(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.set_quota(remaining=2, reset_in_s=90)
    assert isinstance(lab.run(_job(out / "a.csv")), Wait)
    assert lab.files() == []
    portal.set_quota(remaining=100, reset_in_s=90)
    assert lab.done(_job(out / "a.csv"))["rows"] == 110


def test_a_cancelled_download_stops_and_leaves_nothing(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("throttle", path="/exports/", bytes_per_s=100_000)
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(Suspended):
        lab.run(_job(out / "a.jsonl", "jsonl", dataset_id="synthetic-rows"), cancel=cancel)
    assert lab.files() == []


def test_more_rows_than_a_sheet_holds_are_refused_before_the_download() -> None:
    with pytest.raises(OdsConfigError, match="has no option colour"):
        _job(Path("a.xlsx"), "xlsx", format_options={"colour": "red"})
    with pytest.raises(OdsConfigError, match="if_moved"):
        _job(Path("a.csv"), if_moved="perhaps")


def test_a_destination_that_cannot_be_written_is_named(lab: Lab, out: Path) -> None:
    (out / "file").write_text("")
    with pytest.raises(OdsError, match="out/file is a file, not a folder") as caught:
        lab.run(_job(out / "file" / "a.csv"))
    assert not caught.value.transient


@pytest.mark.parametrize("format", ["csv", "parquet", "xlsx"])
def test_a_download_lands_whole_in_memory_and_in_an_object_store(lab: Lab, portal: LocalPortal, format: str) -> None:
    bucket, memory = Bucket(), MemoryFileSystem()
    lab.filesystems = {"bucket": bucket, "mem": memory}
    MemoryFileSystem.store.clear()
    for root in ("bucket://b", "mem:///b"):
        result = lab.done(_job(f"{root}/cities.{format}", format))
        assert (result["rows"], result["path"]) == (110, f"{root}/cities.{format}")
    assert hashlib.sha256(bucket.objects[f"b/cities.{format}"]).hexdigest() == lab.heard(JobDone)[0].result["sha256"]
    assert list(bucket.objects) == [f"b/cities.{format}"]
    assert list(MemoryFileSystem.store) == [f"/b/cities.{format}"]
    portal.fault("short_rows", path="/exports/", times=None)
    for root in ("bucket://b", "mem:///b"):
        with pytest.raises(OdsIncomplete):
            lab.run(_job(f"{root}/other.{format}", format))
    assert list(bucket.objects) == [f"b/cities.{format}"]
    assert list(MemoryFileSystem.store) == [f"/b/cities.{format}"]
    assert bucket.pending == {}
    MemoryFileSystem.store.clear()


@pytest.mark.at_length
@pytest.mark.parametrize("format", COUNTED)
def test_a_file_that_is_itself_compressed_is_counted_inside(make_lab, out: Path, format: str) -> None:
    rows, plain = 110, {}
    with LocalPortal() as source:
        lab = make_lab(source.url)
        lab.done(_job(out / "plain", format))
        plain["whole"] = gzip.compress((out / "plain").read_bytes())
    dataset = answer(b'{"dataset_id": "d", "metas": {"default": {"records_count": 110}}}')
    count = answer(b'{"total_count": 110, "results": []}')
    binary = "Content-Type: application/octet-stream"
    with replay(dataset, count, chunked([plain["whole"]], binary), dataset, count) as server:
        lab = make_lab(server.url)
        result = lab.done(_job(out / "a.gz", format, format_options={"compressed": True}))
        assert "compressed=true" in server.lines[2]
    assert (result["rows"], result["verified"]) == (rows, "counted")
    assert (out / "a.gz").read_bytes() == plain["whole"]
    (out / "a.gz").unlink()
    with replay(dataset, count, chunked([plain["whole"][:-5]], binary)) as server:
        lab = make_lab(server.url, max_retries=0)
        with pytest.raises(OdsTruncated, match="gzip"):
            lab.run(_job(out / "a.gz", format, format_options={"compressed": True}))
    assert lab.files() == ["plain"]


def test_the_catalogue_is_exported_and_counted(lab: Lab, portal: LocalPortal, out: Path) -> None:
    job = DownloadJob(None, out / "datasets.csv", format_named("csv", catalogue=True))
    result = lab.done(job)
    datasets = len(portal.store.datasets)
    assert (result["rows"], result["verified"], result["dataset_id"]) == (datasets, "counted", None)
    result = lab.done(DownloadJob(None, out / "datasets.json", format_named("json", catalogue=True)))
    assert result["rows"] == len(json.loads((out / "datasets.json").read_text())) == datasets
    with pytest.raises(OdsConfigError, match="no option epsg"):
        DownloadJob(None, out / "x", format_named("csv", catalogue=True), format_options={"epsg": 2154})


def test_a_format_that_is_not_offered_is_answered_with_those_that_are(make_lab, out: Path) -> None:
    dataset = answer(b'{"dataset_id": "d", "metas": {"default": {"records_count": 1}}}')
    count = answer(b'{"total_count": 1, "results": []}')
    refused = answer(b'{"error_code": "InvalidRESTParameterError", "message": "Unknown format."}', "400 Bad Request")
    offer = answer(json.dumps({"links": [{"rel": name, "href": "x"} for name in ("self", "csv", "fgb")]}).encode())
    said = r"does not offer the format ov2.*It offers csv, fgb"
    with replay(dataset, count, refused, offer) as server, pytest.raises(OdsConfigError, match=said):
        make_lab(server.url).run(_job(out / "a.ov2", "ov2"))


def test_rows_that_this_key_does_not_see_are_told_in_the_outcome(make_lab, out: Path) -> None:
    dataset = answer(b'{"dataset_id": "d", "metas": {"default": {"records_count": 9}}}')
    count = answer(b'{"total_count": 2, "results": []}')
    with replay(dataset, count, chunked([b"a\r\n1\r\n2\r\n"]), dataset, count) as server:
        result = make_lab(server.url).done(_job(out / "a.csv"))
    assert (result["rows"], result["hidden_rows"]) == (2, 7)
    assert "holds 9 rows and shows 2" in result["note"]
    with replay(dataset, count, chunked([b"a\r\n1\r\n2\r\n"]), dataset, count) as server:
        result = make_lab(server.url).done(_job(out / "a.csv", query=Query.of(where="a > 0")))
    assert "note" not in result


def test_a_shapefile_that_would_be_partial_is_refused_before_it_is_fetched(make_lab, out: Path) -> None:
    dataset = answer(b'{"dataset_id": "d", "metas": {"default": {"records_count": 60000}}}')
    count = answer(b'{"total_count": 60000, "results": []}')
    with replay(dataset, count) as server, pytest.raises(OdsConfigError, match=r"shapefile export, which holds 50,000"):
        make_lab(server.url).run(_job(out / "a.zip", "shp"))


def test_every_format_that_a_portal_offers_is_fetched_and_checked(lab: Lab, out: Path) -> None:
    with OdsClient(lab.url) as client:
        offered, of_catalogue = client.export_formats("world-capitals"), client.export_formats()
    assert len(offered) > 10
    for format in offered:
        result = lab.done(_job(out / "a", format))
        assert result["rows"] == (110 if format in COUNTED else None), format
    for format in of_catalogue:
        result = lab.done(DownloadJob(None, out / "a", format_named(format, catalogue=True)))
        assert (result["rows"] is not None) == (format in ("csv", "json", "xlsx")), format


def test_a_compressed_export_of_a_portal_is_counted_inside(lab: Lab, out: Path) -> None:
    result = lab.done(_job(out / "a.csv.gz", "csv", format_options={"compressed": True}))
    assert (result["rows"], result["verified"]) == (110, "counted")
    assert gzip.decompress((out / "a.csv.gz").read_bytes()).count(b"\r\n") == 111


_DATASET = answer(b'{"dataset_id": "d", "metas": {"default": {"records_count": 1}}}')


def _count(rows: int) -> bytes:
    return answer(json.dumps({"total_count": rows, "results": []}).encode())


def test_min_rows_holds_for_a_format_that_nobody_counts(make_lab, out: Path) -> None:
    kml = chunked([b"<kml><Document/></kml>"], "Content-Type: application/vnd.google-earth.kml+xml")
    said = "the portal counts 0 rows, fewer than min_rows=100"
    with replay(_DATASET, _count(0), kml, _DATASET, _count(0)) as server, pytest.raises(OdsIncomplete, match=said):
        query = Query.of(where="a > 1")
        make_lab(server.url).run(_job(out / "a.kml", "kml", dataset_id="d", query=query, min_rows=100))
    assert list(out.iterdir()) == []


def test_min_rows_is_refused_where_neither_the_portal_nor_the_file_is_counted(make_lab, out: Path) -> None:
    with replay(_DATASET) as server, pytest.raises(OdsConfigError, match="min_rows says nothing"):
        job = _job(out / "a.kml", "kml", query=Query.of(select="count(*) as n", group_by="a"), min_rows=1)
        make_lab(server.url).run(job)


def test_one_row_with_the_columns_of_an_error_is_a_row(make_lab, out: Path) -> None:
    row = b'{"message": "Not found", "error_code": "E404"}'
    export = chunked([row + b"\n"], "Content-Type: application/x-ndjson")
    page = answer(b'{"total_count": 1, "results": [' + row + b"]}")
    with replay(_DATASET, _count(1), export, page, export, _DATASET, _count(1)) as server:
        result = make_lab(server.url).done(_job(out / "a.jsonl", "jsonl", dataset_id="d"))
    assert (result["rows"], (out / "a.jsonl").read_bytes()) == (1, row + b"\n")


def test_an_error_in_the_place_of_rows_stays_one(make_lab, out: Path) -> None:
    export = chunked([b'{"message": "It broke", "error_code": "ExportFailed"}'], "Content-Type: application/json")
    page = answer(b'{"total_count": 1, "results": [{"name": "Bern"}]}')
    offer = answer(b'{"links": [{"rel": "jsonl", "href": "x"}]}')
    with replay(_DATASET, _count(1), export, page, offer) as server, pytest.raises(OdsQueryError, match="It broke"):
        make_lab(server.url).run(_job(out / "a.jsonl", "jsonl", dataset_id="d"))
    assert list(out.iterdir()) == []
