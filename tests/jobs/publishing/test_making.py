"""A file whose dataset is not there yet makes it: once, restricted, under the id that was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lab import Lab
from publishing_desk import CSV, Desk

from ods_provider import OdsClient
from ods_provider.core.errors import (
    OdsAuthError,
    OdsConfigError,
    OdsIncomplete,
    OdsNotFound,
    OdsPublicationFailed,
)
from ods_provider.jobs.publishfile import PublishFileJob

TITLE = "Trees of the town"


def job(path: Path | None, **given: Any) -> PublishFileJob:
    return PublishFileJob("trees", path, **{"new_title": TITLE, "lag_s": 1.5, **given})


def publish(desk: Desk, path: Path | None, **given: Any) -> Any:
    return desk.lab.ended(job(path, **given))


def trees(desk: Desk) -> list[Any]:
    return desk.office.drafts.named("trees")


def made(desk: Desk) -> int:
    return desk.posts("/v1.0/datasets/") - 1  # the desk's own


@pytest.mark.at_length
@pytest.mark.parametrize("template", ["default", "asset"])
def test_it_is_made_once_and_published_as_any_other(desk: Desk, template: str) -> None:
    desk.office.switch(template=template)
    result = publish(desk, desk.file())
    assert (result["rows"], result["verified"], result["dataset_id"]) == (3, "counted", "trees")
    assert result["note"] == f"the dataset was made as {TITLE!r}: restricted, until somebody opens it"
    (dataset,) = trees(desk)
    assert (dataset.is_restricted, dataset.metadata.get("default", "title")) == (True, TITLE)
    with OdsClient(desk.portal.url) as anybody, pytest.raises(OdsNotFound):
        anybody.dataset("trees")
    # From now on the title changes nothing, and no dataset.
    result = publish(desk, desk.file("b.csv", "name;n\nd;4\ne;5\nf;6\n"), new_title="Other", dry_run=False)
    assert (result["rows"], result.get("note")) == (3, None)
    (dataset,) = trees(desk)
    assert (dataset.metadata.get("default", "title"), len(dataset.resources), made(desk)) == (TITLE, 1, 1)


def test_records_make_one_too(desk: Desk) -> None:
    assert publish(desk, None, records=[{"name": "a"}, {"name": "b"}])["rows_shown"] == 2
    assert made(desk) == 1


def test_a_dry_run_makes_none_and_says_so(desk: Desk) -> None:
    result = publish(desk, desk.file(), dry_run=True)
    assert (result["dry_run"], result["rows"], result["resource"]) == (True, 3, None)
    assert f"would be made, restricted, as {TITLE!r}" in result["note"]
    assert (trees(desk), made(desk)) == ([], 0)


def test_a_missing_dataset_is_an_error_that_names_the_title(desk: Desk) -> None:
    with pytest.raises(OdsNotFound, match=r"no dataset of this id .*dataset trees.* pass new_title='Its title'"):
        publish(desk, desk.file(), new_title=None)
    assert made(desk) == 0


@pytest.mark.parametrize("kind", ["lost", "drop", "status"])
def test_a_lost_answer_makes_no_second_one(desk: Desk, kind: Any) -> None:
    desk.portal.fault(kind, method="POST", path="/v1.0/datasets/", times=1)
    assert publish(desk, desk.file())["rows"] == 3
    assert len(trees(desk)) == 1
    assert made(desk) == (1 if kind == "lost" else 2)


@pytest.mark.at_length(but=1)
@pytest.mark.parametrize(
    ("method", "path", "skip"),
    [("GET", "/v1.0/datasets/", 2), ("GET", "/resources/", 0), ("POST", "/files/", 0), ("POST", "/resources/", 0)],
)
def test_whoever_comes_after_one_that_died_finds_it(desk: Desk, method: str, path: str, skip: int) -> None:
    desk.portal.fault("lost", method="POST", path="/v1.0/datasets/", times=1)
    desk.portal.fault("status", method=method, path=path, status=400, times=None, skip=skip)
    with pytest.raises(Exception, match="HTTP 400"):
        publish(desk, desk.file())
    desk.portal.clear_faults()
    assert publish(desk, desk.file())["rows"] == 3
    assert (len(trees(desk)), made(desk), len(trees(desk)[0].resources)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("name", "content", "given", "error", "said"),
    [
        ("a.csv", 'name;n\na;"1\n', {}, OdsConfigError, "no CSV"),
        ("a.json", "[{}][{}]", {}, OdsConfigError, "more text follows"),
        ("a.csv", CSV, {"min_rows": 4}, OdsIncomplete, "fewer than min_rows=4"),
        ("a.csv", CSV, {"resource": "re_abc123"}, OdsConfigError, "re_abc123 is none of its own"),
    ],
)
def test_what_cannot_be_published_makes_none(
    desk: Desk, name: str, content: str, given: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        publish(desk, desk.file(name, content), **given)
    assert (trees(desk), made(desk)) == ([], 0)


def test_a_uid_is_no_id_of_a_new_one(desk: Desk) -> None:
    with pytest.raises(OdsConfigError, match="da_abc123 reads like the uid of a dataset"):
        desk.lab.ended(PublishFileJob("da_abc123", desk.file(), new_title=TITLE))
    assert made(desk) == 0


def test_a_key_that_makes_none_is_told_so(desk: Desk) -> None:
    desk.office.add_key("edits", ["edit_dataset", "publish_dataset"], user="editor")
    with pytest.raises(OdsAuthError, match="takes a key with create_dataset"):
        Lab(desk.portal.url, desk.lab.folder / "other", api_key="edits").ended(job(desk.file()))
    assert trees(desk) == []


@pytest.mark.at_length
def test_a_first_publication_that_fails_leaves_a_draft_that_the_next_one_uses(desk: Desk) -> None:
    path = desk.file()
    desk.portal.fault("status", method="POST", path="/publish/", status=400, body='{"message": "no"}', times=None)
    with pytest.raises(Exception, match="no"):
        publish(desk, path)
    desk.portal.clear_faults()
    (dataset,) = trees(desk)
    desk.office.outcome(dataset_id="trees", status="error", message="No such encoding")
    with pytest.raises(OdsPublicationFailed, match="No such encoding"):
        publish(desk, path)
    assert publish(desk, path)["rows"] == 3
    assert (trees(desk), made(desk)) == ([dataset], 1)


@pytest.mark.at_length
def test_what_is_unchanged_is_skipped_as_with_any_other(desk: Desk) -> None:
    path = desk.file()
    first = publish(desk, path, if_unchanged="keep")
    assert publish(desk, path, if_unchanged="keep")["sha256"] == first["sha256"]
    assert desk.posts("/files/") == 1
