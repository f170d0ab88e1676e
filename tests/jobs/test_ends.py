"""What a job reads and writes, told by its arguments, its events and its Outcome."""

from __future__ import annotations

from typing import Any

import pytest

from ods_provider.core.events import DatasetDescribed, JobStarted, RequestSent
from ods_provider.core.schema import Dataset, Field
from ods_provider.jobs.arguments import download_job, load_job, media_job, push_job, search_job, sync_job
from ods_provider.jobs.ends import Ends, FileAt, Heard, PortalData, TableIn, ends_of, watched

CITIES = Dataset("cities", (Field("name", "text"), Field("place", "geo_point_2d"), Field("people", "int")))


def heard(*events: Any) -> Heard:
    made = Heard()
    for event in (JobStarted("job", "cities", resumed=False, portal="https://h"), DatasetDescribed(CITIES), *events):
        made(event)
    return made


def test_before_a_job_ran_its_arguments_tell() -> None:
    assert ends_of(download_job(dataset_id="cities", path="/x/c.csv"), Heard()) == Ends(
        (PortalData("cities"),), (FileAt("/x/c.csv"),)
    )
    load = load_job(dataset_id="cities", table="open.cities", destination="duckdb:////x/c.duckdb", mode="append")
    assert ends_of(load, Heard()).writes == (TableIn("duckdb:////x/c.duckdb", "open.cities", whole=False),)
    push = push_job(dataset_id="live", resource_id="r", path="/x/c.csv")
    assert ends_of(push, Heard()) == Ends((FileAt("/x/c.csv"),), (PortalData("live"),))
    assert ends_of(search_job(), Heard()).reads == (PortalData("catalog/*"),)
    assert ends_of(search_job(source="monitoring", dataset_id="x"), Heard()).reads == (PortalData("monitoring/x"),)


def test_what_came_of_it_is_counted() -> None:
    job = download_job(dataset_id="cities", path="c.csv", select="name, people as inhabitants")
    result = {"dataset_id": "cities", "path": "/x/c.csv", "rows": 3, "size_bytes": 9, "data_processed": "2026-01-01"}
    ends = ends_of(job, heard(), result)
    assert ends.reads == (PortalData("cities", CITIES, 3, "2026-01-01"),)
    assert ends.writes == (FileAt("/x/c.csv", 3, 9),)
    assert ends.same == {"name": "name", "inhabitants": "people"}


@pytest.mark.parametrize(
    "result", [None, {"dataset_id": "cities", "path": "/x/c.csv", "unchanged": True}], ids=["skipped", "kept"]
)
def test_what_was_not_written_is_no_output(result: Any) -> None:
    ends = ends_of(download_job(dataset_id="cities", path="/x/c.csv"), heard(), result)
    assert [each.name for each in ends.reads if isinstance(each, PortalData)] == ["cities"]
    assert not ends.writes


def test_a_plan_of_changes_changes_nothing() -> None:
    job = sync_job(dataset_id="cities", resource_id="r", records=[{"name": "a"}], dry_run=True)
    ends = ends_of(job, heard(), {"dataset_id": "cities", "dry_run": True, "rows": 1})
    assert not ends.writes
    assert len(ends.reads) == 1


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ({}, {"name", "place", "people"}),
        ({"select": "*, people as p"}, {"name", "place", "people", "p"}),
        ({"select": "upper(name) as n, people"}, set()),
        ({"group_by": "name", "select": "count(*) as n"}, set()),
        ({"format": "xlsx", "path": "/x/c.xlsx"}, set()),
        ({"format_options": {"use_labels": True}}, set()),
    ],
    ids=["all", "star", "computed", "grouped", "labelled by format", "labelled"],
)
def test_columns_are_the_same_only_where_that_is_certain(asked: dict[str, Any], same: set[str]) -> None:
    job = download_job(**{"dataset_id": "cities", "path": "/x/c.csv"} | asked)
    assert set(ends_of(job, heard(), {"dataset_id": "cities", "path": "/x/c.csv"}).same) == same


def test_a_point_in_a_table_is_another_column_and_a_folder_of_images_has_none() -> None:
    load = load_job(dataset_id="cities", table="c", destination="duckdb:////x/c.duckdb")
    assert set(ends_of(load, heard(), {"dataset_id": "cities", "table": "c"}).same) == {"name", "people"}
    media = media_job(dataset_id="cities", path="/x", kind="attachments")
    assert not ends_of(media, heard(), {"dataset_id": "cities", "path": "/x", "files": 2}).same


def test_a_job_that_says_nothing_of_itself_is_told_by_its_calls() -> None:
    class Unheard:
        name, dataset_id = "new", "cities"

    wrote = heard(RequestSent("PUT", "https://h/api/automation/v1.0/datasets/da_1/", 200, 0.1))
    assert ends_of(Unheard(), wrote, {"dataset_id": "cities"}).writes[0] == PortalData("cities", CITIES)
    assert not ends_of(Unheard(), heard(), {"dataset_id": "cities"}).writes


def test_the_query_is_the_call_that_brought_the_data() -> None:
    urls = ["/datasets/c?t=1", "/datasets/c/records?limit=0", "/datasets/c/records?limit=20", "/datasets/c?t=2"]
    made = heard(*(RequestSent("GET", url, 200, 0.1) for url in urls))
    assert made.query == urls[2]
    made(RequestSent("GET", "/datasets/c/exports/csv", 200, 0.1, "export"))
    made(RequestSent("GET", "/datasets/c/records?limit=1", 200, 0.1))
    made(RequestSent("POST", "/api/push/1.0/c/r/push/", 200, 0.1, "push"))
    assert made.query == "/datasets/c/exports/csv"


def test_who_watches_reads() -> None:
    assert watched(None, None, Heard(), None).reads == (PortalData("catalog/*"),)
    seen = {"records_count": 4, "data_processed": "2026-01-01"}
    assert watched("c", "monitoring", Heard(), seen).reads == (
        PortalData("monitoring/c", rows=4, version="2026-01-01"),
    )
