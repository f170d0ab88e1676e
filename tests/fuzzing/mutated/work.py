"""Every job, each way that it is done."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from fuzzing.mutated.bench import Bench
from fuzzing.mutated.operations import CAPITALS, MANY, PHOTOS, READINGS, ROWS, TYPES, operation
from ods_provider.core.errors import OdsIncomplete
from ods_provider.core.formats.registry import format_names
from ods_provider.jobs.arguments import (
    analysis_job,
    assemble_job,
    download_job,
    harvest_job,
    load_job,
    media_job,
    metadata_job,
    mirror_batch_job,
    mirror_job,
    mirror_plan_job,
    mirror_report_job,
    partition_job,
    publish_file_job,
    publish_job,
    push_job,
    search_job,
    sync_job,
    visibility_job,
    watch_job,
)
from ods_provider.jobs.mirror import expect_none_failed
from ods_provider.jobs.mirroring.working import Due

SHOTS = "camera-shots"
# A file that is listed and not there, or records that are there no more, are taken at their word.
_BELIEVED = frozenset({"another_status", "the_request_sent_back"})
# A thumbnail has two addresses, which give pictures of two sizes: where one is refused, the other is asked.
_ELSEWHERE = _BELIEVED | {"a_redirect", "a_refusal_with_a_time_to_come_back", "quotas_forged"}
# Their rows can be counted, and are.
_COUNTED = ("csv", "json", "jsonl", "geojson", "parquet", "xlsx", "shp")
_ENDINGS = {"turtle": "ttl", "ical": "ics", "rdfxml": "rdf", "data.json": "json"}


def _search(says: str, **given: Any) -> None:
    operation(
        "SearchJob",
        says,
        lambda bench: bench.work(search_job(**_placed(bench, given))),
        counts="record_id" not in given,
    )


def _analysis(says: str, **given: Any) -> None:
    operation("AnalysisJob", says, lambda bench: bench.work(analysis_job(**_placed(bench, given))))


def _placed(bench: Bench, given: dict[str, Any]) -> dict[str, Any]:
    """Put a file into the bench's folder, and an id in the place of its name."""
    made = dict(given)
    if "path" in made:
        made["path"] = bench.path(made["path"])
    if made.get("record_id") in bench.facts:
        made["record_id"] = bench.facts[made["record_id"]]
    return made


_search("the catalogue")
_search("the catalogue, to a file", path="catalogue.jsonl")
_search("a dataset", dataset_id=TYPES)
_search("a dataset, by an export", dataset_id=CAPITALS, path="rows.jsonl")
_search("in pages", dataset_id=MANY, order_by="id", limit=230, path="pages.jsonl")
_search("in pages, kept elsewhere", dataset_id=MANY, order_by="id", limit=230)
_search("narrowed, with links", dataset_id=CAPITALS, where="population > 1000000", limit=150, include_links=True)
_search("one record", dataset_id=CAPITALS, record_id="record_id")
_analysis("one row", dataset_id=CAPITALS, select="count(*) as n, avg(population) as a")
_analysis("groups", dataset_id=CAPITALS, select="count(*) as n", group_by="cou_name_en", path="groups.jsonl")
_analysis("the catalogue", dataset_id=None, select="count(*) as n", group_by="publisher")
_analysis("facets", dataset_id=CAPITALS, facet=["cou_name_en"])
_analysis("clusters", dataset_id=CAPITALS, geo_cluster={"field": "coordinates", "zoom": 6})
_analysis(
    "clusters on a map",
    dataset_id=CAPITALS,
    geo_cluster={"field": "coordinates", "zoom": 6},
    geojson=True,
    path="m.geojson",
)


def _downloads(dataset_id: str | None, says: str, name: str, *, ending: str = "", **given: Any) -> None:
    counts = name in _COUNTED and given.get("group_by") is None and dataset_id is not None
    file = f"file.{ending or _ENDINGS.get(name, name)}"

    def run(bench: Bench) -> Any:
        return bench.work(download_job(dataset_id=dataset_id, path=bench.path(file), format=name, **given))

    operation("DownloadJob", f"{says} as {name}", run, counts=counts, reads=False)


for _name in format_names(catalogue=False):
    # Of every type of field; but there is no point in it for a car to drive to.
    _downloads(CAPITALS if _name == "ov2" else TYPES, "a dataset", _name)
for _name in format_names(catalogue=True):
    _downloads(None, "the catalogue", _name)
_downloads(
    CAPITALS, "many rows", "csv", min_rows=50, if_moved="fail", format_options={"delimiter": ";", "with_bom": True}
)
_downloads(CAPITALS, "few rows", "jsonl", limit=20, where="population > 100")
_downloads(CAPITALS, "compressed", "csv", ending="csv.gz", format_options={"compressed": True})
_downloads(CAPITALS, "groups", "csv", select="count(*) as n", group_by="cou_name_en")
_downloads(CAPITALS, "accepted", "parquet", if_moved="accept")


def _rows_of(result: Any) -> Any:
    """Return what came of a parted download, however the portal's answers had it cut: its rows, in one order."""
    if not isinstance(result, dict):
        return result
    place = Path(result["path"])
    files = sorted(place.glob("part-*")) if place.is_dir() else [place]
    rows = [line for file in files for line in _lines(file)]
    return {"rows": sorted(rows), "data_processed": result["data_processed"], "moved": result["moved"]}


def _lines(file: Path) -> list[str]:
    if file.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(file)
        # A text that was changed need not be text any more.
        columns = [each.cast(pa.binary()) if pa.types.is_string(each.type) else each for each in table.columns]
        return [repr(row) for row in pa.table(columns, table.column_names).to_pylist()]
    return [repr(line) for line in file.read_bytes().splitlines()]


def _parted(says: str, name: str, **given: Any) -> None:
    wanted = {"dataset_id": CAPITALS, "parallel": 2, "partition_by": "population"} | given

    def run(bench: Bench) -> Any:
        result = bench.run(download_job(path=bench.path(name), **wanted))
        return _rows_of(result)

    operation("PartedDownloadJob", says, run, reads=False)


_parted("one file", "parts.csv")
_parted("a folder", "parts", layout="folder", format="parquet", if_moved="fail")
_parted("by itself", "parts.jsonl", parallel="auto", partition_by=None)


def _parts(bench: Bench) -> Any:
    asked = {"dataset_id": CAPITALS, "path": bench.path("spread"), "parts": 2, "partition_by": "population"}
    return bench.run(partition_job(**asked))


def _named(bench: Bench) -> Any:
    parts = _parts(bench)
    return sum(one["part"]["rows"] for one in parts) if isinstance(parts, list) else parts


def _fetched(bench: Bench) -> list[Any]:
    parts = _parts(bench)
    return [bench.run(download_job(**part)) for part in parts] if isinstance(parts, list) else [parts]


def _of_parts(bench: Bench) -> Any:
    made = _fetched(bench)
    waits = [each for each in made if not isinstance(each, dict)]
    return waits[0] if waits else sum(each["rows"] for each in made)


def _assembled(bench: Bench) -> Any:
    made = _fetched(bench)
    waits = [each for each in made if not isinstance(each, dict)]
    return waits[0] if waits else _rows_of(bench.run(assemble_job(parts=made)))


operation("PartitionJob", "two parts and what has no value", _named)
operation("PartJob", "each of the parts", _of_parts, reads=False)
operation("AssembleJob", "all of them", _assembled, reads=False)


def _load(says: str, **given: Any) -> None:
    def run(bench: Bench) -> Any:
        # Not among the files that are told: a database stands after a failure too, with what it held before.
        database = bench.folder / "city.sqlite"
        done = bench.run(load_job(table="rows", destination=f"sqlite:///{database}", **given))
        if not isinstance(done, dict):
            return done
        with closing(sqlite3.connect(database)) as held:
            return [*map(repr, held.execute("SELECT * FROM rows")), f"{done['rows']} rows"]

    operation("LoadJob", says, run, reads=False)


_load("a table", dataset_id=CAPITALS)
_load("of every type", dataset_id=TYPES, geo="geojson")
_load("by key", dataset_id=CAPITALS, mode="merge", primary_key="geoname_id")
_load("of two parts", dataset_id=CAPITALS, parallel=2, partition_by="population")
_load("what is new", dataset_id=CAPITALS, mode="append", cursor="population", lag=10)


def _media(says: str, *, believes: frozenset[str] = frozenset(), **given: Any) -> None:

    def run(bench: Bench) -> Any:
        return bench.work(media_job(dataset_id=PHOTOS, path=bench.path("files"), **given))

    operation("MediaJob", says, run, reads=False, believes=believes)


_media("attachments", kind="attachments", parallel=1)
_media("alternative exports", kind="alternative_exports", parallel=1, if_missing="skip", believes=_ELSEWHERE)
_media("files of records", kind="files", limit=5)
_media("files of records, one after the other", kind="files", limit=4, parallel=1, where="taken_on > date'2025-03-01'")
_media("thumbnails", kind="thumbnails", limit=3, parallel=2, believes=_ELSEWHERE)


def _written(folder: Path, ending: str) -> str:
    """Write the rows as a file to push."""
    file = folder / f"rows.{ending}"
    if ending in ("csv", "tsv"):
        mark = ";" if ending == "csv" else "\t"
        lines = [mark.join(ROWS[0]), *(mark.join(map(str, row.values())) for row in ROWS)]
        file.write_text("\n".join(lines) + "\n")
    elif ending == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(ROWS), out)
        file.write_bytes(out.getvalue())
    elif ending == "json":
        file.write_text(json.dumps({"total_count": len(ROWS), "results": ROWS}))
    elif ending == "geojson":
        features = [{"type": "Feature", "geometry": None, "properties": row} for row in ROWS]
        file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return str(file)


def _push(says: str, *, ending: str | None = None, dataset_id: str = READINGS, **given: Any) -> None:
    def run(bench: Bench) -> Any:
        sent = _placed(bench, given)
        if ending is not None:
            sent["path"] = _written(bench.folder, ending)
        elif "file_fields" in given:
            (bench.folder / "shot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 200)
            sent["records"] = [{"shot": "fuzz", "image": str(bench.folder / "shot.png")}]
        elif "record_id" not in given:
            sent["records"] = ROWS
        return bench.work(push_job(dataset_id=dataset_id, resource_id="realtime", **sent))

    operation("PushJob", says, run, writes=True, believes=_BELIEVED)


_push("records")
_push("records, one a call", batch_bytes=120)
_push("records, read back", confirm=True)
for _name in ("jsonl", "json", "geojson", "csv", "tsv", "parquet"):
    _push(f"a file of {_name}", ending=_name)
_push("a file, unknown fields sent", ending="jsonl", unknown_fields="send", batch_bytes=120)
_push("a picture", dataset_id=SHOTS, file_fields="image")
_push("deleted by value", action="delete", confirm=True)
_push("deleted by id", action="delete", record_id="reading_id")


def _sync(says: str, **given: Any) -> None:
    def run(bench: Bench) -> Any:
        sent = {"records": ROWS, "max_delete": "100%"} | given
        return bench.work(sync_job(dataset_id=READINGS, resource_id="realtime", **sent))

    operation("SyncJob", says, run, writes=True, believes=_BELIEVED)


_sync("records")
_sync("records, by a key", key=["sensor_id", "at"], delete_missing=False)
_sync("a plan", dry_run=True)


def _publishing(of: str, says: str, make: Any, told: str, *, ending: str | None = None, **given: Any) -> None:
    def run(bench: Bench) -> Any:
        sent = given | ({"path": _written(bench.folder, ending)} if ending else {})
        result = bench.run(make(dataset_id=CAPITALS, dry_run=True, **sent))
        return result[told] if isinstance(result, dict) else result

    operation(of, says, run, believes=_BELIEVED)


# Only what is asked before anything is changed: an answer that is kept tells of no publication that goes on.
for _name in ("csv", "jsonl", "parquet"):
    _publishing("PublishFileJob", f"a file of {_name}", publish_file_job, "rows", ending=_name, max_drop=None)
_metadata = {
    "default.title": "Capitals",
    "default.keyword": "a",
    "dcat.created": "2024-01-01",
    "custom.data_owner": "me",
}
_publishing("MetadataJob", "values", metadata_job, "changed_fields", metadata=_metadata)
_publishing("MetadataJob", "a coverage", metadata_job, "changed_fields", coverage_of="modification_date")
_publishing("VisibilityJob", "a plan to open", visibility_job, "public")
operation(
    "HarvestJob",
    "a plan",
    lambda bench: bench.work(harvest_job(harvester_id="town-gardens", dry_run=True)),
    believes=_BELIEVED,
)
_publishing("PublishJob", "of all", publish_job, "action")
_publishing("PublishJob", "of metadata", publish_job, "action", action="publish_metadata")


def _watch(says: str, **given: Any) -> None:
    operation("WatchJob", says, lambda bench: bench.work(watch_job(dataset_id=CAPITALS, **given)))


_watch("whatever is there")
_watch("since long ago", since="2001-01-01T00:00:00Z", what="any")
_watch("since later", since="2099-01-01T00:00:00Z", what="data")
_watch("metadata", since="2001-01-01T00:00:00Z", what="metadata")

COUNTED_V1 = {"q": "population > 100000", "rows": 20}


def _older(of: str, says: str, make: Any, *, counts: bool = True, reads: bool = True) -> None:
    operation(of, says, lambda bench: bench.work(make(bench)), counts=counts, reads=reads)


_older("V1SearchJob", "rows", lambda _: search_job(dataset_id=CAPITALS, v1=COUNTED_V1))
_older(
    "V1SearchJob", "to a file", lambda bench: search_job(dataset_id=CAPITALS, v1={"q": ""}, path=bench.path("v1.jsonl"))
)
_older("V1SearchJob", "the catalogue", lambda _: search_job(v1={"rows": 5}))
_older(
    "V1AnalysisJob",
    "groups",
    lambda _: analysis_job(dataset_id=CAPITALS, v1={"x": "cou_name_en", "y": {"n": {"func": "COUNT"}}}),
    counts=False,
)
_older(
    "V1AnalysisJob", "clusters", lambda _: analysis_job(dataset_id=CAPITALS, v1={"clusterprecision": 2}), counts=False
)
for _name in ("csv", "json", "geojson"):
    _older(
        "V1DownloadJob",
        f"as {_name}",
        lambda bench, _f=_name: download_job(
            dataset_id=CAPITALS, path=bench.path(f"file.{_f}"), v1={"format": _f, "rows": 20}
        ),
        reads=False,
    )
_older(
    "V1MediaJob",
    "files of records",
    lambda bench: media_job(dataset_id=PHOTOS, path=bench.path("files"), kind="files", v1={"rows": 4}),
    counts=False,
    reads=False,
)


_MIRRORED = {"where": f'dataset_id = "{CAPITALS}"', "format": "csv"}


def _mirrored(bench: Bench, report: Any) -> Any:
    """Return the file of the one dataset that is mirrored; whatever else the report tells of it is no result."""
    if not isinstance(report, dict):
        return report
    expect_none_failed(report)
    here = {name: content for name, content in bench.files().items() if name.endswith(".csv")}
    if not here:
        raise OdsIncomplete("the report tells that it is not here", where="mirror")
    return here


def _mirror(bench: Bench) -> Any:
    return _mirrored(bench, bench.run(mirror_job(to=bench.path("mirror"), **_MIRRORED)))


def _plan(bench: Bench) -> Any:
    return bench.run(mirror_plan_job(to=bench.path("mirror"), **_MIRRORED))


def _planned(bench: Bench) -> Any:
    batches = _plan(bench)
    if isinstance(batches, list) and not batches:
        raise OdsIncomplete("the plan leaves it for tomorrow", where="mirror")
    return (
        [Due.of(due).dataset_id for each in batches for due in each["datasets"]]
        if isinstance(batches, list)
        else batches
    )


def _of_batches(bench: Bench) -> Any:
    batches = _plan(bench)
    if not isinstance(batches, list):
        return batches
    where = {"to": bench.path("mirror"), "format": "csv"}
    results = [bench.run(mirror_batch_job(batch=each, **where)) for each in batches]
    return _mirrored(bench, bench.run(mirror_report_job(batches=batches, results=results, **where)))


operation("MirrorJob", "one dataset", _mirror, reads=False)
operation("MirrorPlanJob", "one dataset", _planned)
operation("MirrorBatchJob", "one dataset", _of_batches, reads=False)
operation("MirrorReportJob", "of one dataset", _of_batches, reads=False)
