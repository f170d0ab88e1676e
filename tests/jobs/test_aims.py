"""What a log begins with: what becomes of the data, and what is asked of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ods_provider.core.events import JobStarted, Progress
from ods_provider.jobs.arguments import analysis_job, download_job, load_job, push_job, search_job
from ods_provider.jobs.context import Job
from ods_provider.jobs.running.aims import aim_of
from ods_provider.plugins.run import Run
from ods_provider.testing.portal import LocalPortal

FILTERED = {"dataset_id": "d", "where": ["a > 1", "b"], "refine": {"c": ["x", "y"]}, "limit": 5}


@pytest.mark.parametrize(
    ("job", "aim"),
    [
        (download_job(dataset_id="d", path="/d/x.csv"), "as csv"),
        (
            download_job(path="/d/x", format="parquet", **FILTERED),
            "as parquet, where a > 1 and b, refine c:x and c:y, limit 5",
        ),
        (
            load_job(dataset_id="d", table="town.cities", destination="x.duckdb", where="a > 1"),
            "into town.cities, where a > 1",
        ),
        (search_job(dataset_id="d", order_by="n desc"), "order_by n desc"),
        (
            analysis_job(dataset_id="d", select="count(*) as n", group_by="c"),
            "select count(*) as n, group_by c",
        ),
        (push_job(dataset_id="d", resource_id="r", records=[{"a": 1}]), ""),
    ],
)
def test_it_says_what_becomes_of_the_data_and_what_is_asked_of_it(job: Job, aim: str) -> None:
    assert aim_of(job) == aim


@pytest.mark.at_length(but=2)
@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.json", "x.geojson"])
def test_a_download_says_how_many_rows_of_how_many_have_come(
    make_lab: Any, ods_portal: LocalPortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, parallel: int
) -> None:
    monkeypatch.setattr("ods_provider.plugins.builtin.Run", partial(Run, progress_every_s=0.0))
    lab = make_lab(ods_portal.url)
    lab.done(download_job(dataset_id="world-capitals", path=tmp_path / name, parallel=parallel))
    (started,) = lab.heard(JobStarted)
    assert started.aim == f"as {name.partition('.')[2]}"
    told = lab.heard(Progress)
    counted = [each for each in told if each.unit == "rows"]
    assert all((each.total, each.size_bytes) > (109, 0) for each in counted)
    assert all(each.total == 110 and each.done <= 110 for each in counted)
    assert [each.done for each in counted] == sorted(each.done for each in counted)
