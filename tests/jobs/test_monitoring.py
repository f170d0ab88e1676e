"""Jobs at the monitoring source, and a dataset of the catalogue with the same id beside it: neither is the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from lab import Lab

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.outcome import Wait
from ods_provider.jobs.arguments import (
    analysis_job,
    assemble_job,
    download_job,
    partition_job,
    search_job,
    watch_job,
)
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.search import SearchJob
from ods_provider.testing.portal import LocalPortal

STATISTICS = "ods-datasets-monitoring"
THERE = {"dataset_id": STATISTICS, "source": "monitoring"}
STEADY = "dataset_id, records_count"


@pytest.fixture(scope="session")
def _big_portal(few_rows: LocalPortal) -> LocalPortal:
    return few_rows


@pytest.fixture
def published(portal: LocalPortal) -> LocalPortal:
    """A portal that shows statistics to everybody, as one does on purpose."""
    rows = [{"dataset_id": f"published-{number}", "records_count": number} for number in range(3)]
    portal.add_dataset(STATISTICS, {"dataset_id": "text", "records_count": "int"}, rows)
    return portal


def sources(portal: LocalPortal) -> set[str]:
    return {entry.path.split("/")[4] for entry in portal.requests}


def test_a_search_and_an_analysis_ask_there_and_say_so(lab: Lab, portal: LocalPortal, out: Path) -> None:
    rows = lab.done(search_job(**THERE, select=STEADY, order_by="dataset_id"))
    assert {row["dataset_id"] for row in rows} == set(portal.store.datasets)
    listed = lab.done(search_job(source="monitoring"))
    assert [row["dataset_id"] for row in listed] == ["ods-api-monitoring", STATISTICS]
    result = lab.done(analysis_job(**THERE, select="count(*) as n", group_by="publisher", path=str(out / "n.jsonl")))
    assert (result["dataset_id"], result["source"], result["rows"]) == (STATISTICS, "monitoring", 1)
    assert sources(portal) == {"monitoring"}


@pytest.mark.at_length
def test_what_one_source_wrote_is_not_kept_for_the_other(lab: Lab, published: LocalPortal, out: Path) -> None:
    def load(**source: str) -> Any:
        asked = {"dataset_id": STATISTICS, "path": str(out / "x.csv"), "select": STEADY, "if_unchanged": "keep"}
        return lab.done(download_job(**asked, **source))

    first = load()
    assert ("source" in first, load()["unchanged"], first["rows"]) == (False, True, 3)
    there = load(source="monitoring")
    assert (there["unchanged"], there["source"], there["rows"]) == (
        False,
        "monitoring",
        len(published.store.datasets),
    )
    again = load(source="monitoring")
    assert (again["unchanged"], again["source"]) == (True, "monitoring")
    assert load()["unchanged"] is False, "the catalogue's file was replaced"


def test_the_pages_of_one_source_are_not_those_of_the_other(lab: Lab) -> None:
    here = SearchJob(STATISTICS, search_job(dataset_id=STATISTICS).query)
    there = search_job(**THERE)
    assert isinstance(there, SearchJob)
    assert here._asked() == {"dataset_id": STATISTICS, "query": here.query, "limit": None}
    assert there._asked() != here._asked()


def test_work_at_the_catalogue_is_named_as_before_there_was_a_source(out: Path) -> None:
    job = download_job(dataset_id="x", path=str(out / "x.csv"), source="catalog")
    assert isinstance(job, DownloadJob)
    assert set(job.asked()) == {"job", "dataset_id", "query", "limit", "format", "options"}
    assert job.asked()["dataset_id"] == "x"


@pytest.mark.parametrize("parallel", [1, 4])
def test_a_download_is_whole_over_one_stream_and_several(
    lab: Lab, portal: LocalPortal, out: Path, parallel: int
) -> None:
    job = download_job(
        **THERE,
        path=str(out / "x.parquet"),
        select=STEADY,
        parallel=parallel,
        partition_by="dataset_id" if parallel > 1 else None,
    )
    result = lab.done(job)
    assert (result["source"], result["rows"]) == ("monitoring", len(portal.store.datasets))
    assert parallel == 1 or result["partition_by"] == "dataset_id"
    found = duckdb.sql(f"SELECT dataset_id FROM '{out}/x.parquet'").fetchall()
    assert {name for (name,) in found} == set(portal.store.datasets)
    assert sources(portal) == {"monitoring"}


@pytest.mark.at_length
def test_parts_carry_their_source_from_task_to_task(lab: Lab, published: LocalPortal, out: Path) -> None:
    asked = {**THERE, "path": str(out / "x"), "format": "jsonl", "parts": 3, "partition_by": "dataset_id"}
    parts = json.loads(json.dumps(lab.done(partition_job(**asked, select=STEADY), name="parts")))
    assert {part["part"]["source"] for part in parts} == {"monitoring"}
    made = [lab.done(download_job(**part), name=f"part {number}") for number, part in enumerate(parts)]
    result = lab.done(assemble_job(parts=json.loads(json.dumps(made))), name="assemble")
    assert (result["source"], result["rows"]) == ("monitoring", len(published.store.datasets))
    assert sources(published) == {"monitoring"}
    # A folder is of one source.
    other = download_job(dataset_id=STATISTICS, path=str(out / "x"), format="jsonl", layout="folder")
    with pytest.raises(OdsConfigError, match="x"):
        lab.done(other, name="other")
    named = lab.done(partition_job(dataset_id="synthetic-rows", path=str(out / "y"), parts=2), name="named")
    assert "source" not in named[0]["part"]


def test_a_watch_sees_an_update_of_the_statistics(lab: Lab, portal: LocalPortal) -> None:
    seen = lab.done(watch_job(**THERE))
    assert (seen["dataset_id"], seen["source"]) == (STATISTICS, "monitoring")
    wait = lab.run(watch_job(**THERE, since=seen))
    assert isinstance(wait, Wait)
    assert f"monitoring/{STATISTICS} has not been updated" in wait.reason
    portal.touch("landmark-photos")
    assert lab.done(watch_job(**THERE, since=seen))["data_processed"] > seen["data_processed"]


def test_a_log_that_grows_while_it_is_read_is_taken_with_accept(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.done(search_job(dataset_id="world-capitals", limit=3))
    log = {"dataset_id": "ods-api-monitoring", "source": "monitoring", "path": str(out / "log.csv")}
    result = lab.done(download_job(**log, select="timestamp, api, dataset_id", if_moved="accept"))
    assert (result["moved"], result["verified"], result["rows"] >= 3) == (True, "counted", True)
