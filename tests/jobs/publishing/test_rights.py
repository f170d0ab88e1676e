"""A key that may edit and not publish: refused before anything is changed, by every job that publishes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from lab import Lab
from publishing_desk import Desk

from ods_provider.core.errors import OdsAuthError
from ods_provider.jobs.harvest import HarvestJob
from ods_provider.jobs.metadata import MetadataJob
from ods_provider.jobs.publish import PublishJob
from ods_provider.jobs.publishfile import PublishFileJob
from ods_provider.jobs.visibility import VisibilityJob

EDITOR = "edits-and-no-more"
JOBS: dict[str, Callable[[Desk], Any]] = {
    "publish-file": lambda desk: PublishFileJob("mine", desk.file("b.csv", "name;n\nd;4\ne;5\nf;6\n")),
    "publish-file of records": lambda desk: PublishFileJob("mine", records=[{"name": "d"}], max_drop=None),
    "publish": lambda desk: PublishJob("mine"),
    "publish_metadata": lambda desk: PublishJob("mine", "publish_metadata"),
    "unpublish": lambda desk: PublishJob("mine", "unpublish"),
    "metadata": lambda desk: MetadataJob("mine", {"default.title": "Other"}),
    "metadata and records": lambda desk: MetadataJob("mine", {"default.title": "Other"}, publish="full"),
    "visibility": lambda desk: VisibilityJob("mine", public=False),
    "harvest": lambda desk: HarvestJob("town-gardens"),
}


@pytest.fixture
def editor(desk: Desk) -> Lab:
    """Jobs of somebody who may edit every dataset, and publish none."""
    desk.publish(desk.file())
    desk.office.add_key(EDITOR, ["edit_dataset", "create_dataset", "explore_restricted_dataset"], user="editor")
    desk.portal.requests.clear()
    return Lab(desk.portal.url, desk.lab.folder / "editor", api_key=EDITOR)


def sent(desk: Desk) -> list[str]:
    return [f"{call.method} {call.path}" for call in desk.portal.requests if call.method != "GET"]


@pytest.mark.at_length(but=4)
@pytest.mark.parametrize("dry_run", [False, True], ids=["at work", "dry run"])
@pytest.mark.parametrize("name", JOBS)
def test_it_is_refused_before_anything_is_changed(desk: Desk, editor: Lab, name: str, dry_run: bool) -> None:
    job = replace(JOBS[name](desk), dry_run=dry_run)
    with pytest.raises(OdsAuthError) as refused:
        editor.done(job)
    said = str(refused.value)
    assert "publish_dataset" in said and "api_key" in said and EDITOR not in said
    if name != "harvest":
        assert "The right publish_dataset is missing" in said and "dataset mine" in said and "Nothing was" in said
    assert sent(desk) == []


@pytest.mark.at_length
def test_a_rule_on_the_dataset_gives_the_right(desk: Desk, editor: Lab) -> None:
    with desk.client() as client:
        client.automation.security.users.set("mine", "editor", permissions=["edit_dataset", "publish_dataset"])
    assert editor.ended(JOBS["publish-file"](desk))["rows"] == 3


@pytest.mark.at_length
def test_what_needs_no_publication_needs_no_right_to_publish(desk: Desk, editor: Lab) -> None:
    assert editor.done(MetadataJob("mine", {"default.title": "Other"}, publish=None))["changed_fields"]
    assert editor.done(MetadataJob("mine", {"default.title": "Other"}))["unchanged"]
    assert editor.done(VisibilityJob("mine", public=True))["unchanged"]


@pytest.mark.at_length
def test_a_portal_that_tells_nothing_of_rights_refuses_the_order_itself(desk: Desk, editor: Lab) -> None:
    desk.office.switch(status_to_editors=True)
    with pytest.raises(OdsAuthError, match="a key with edit_dataset and publish_dataset"):
        editor.done(JOBS["publish-file"](desk))
    assert [call.rsplit("/", 2)[1] for call in sent(desk)][-1] == "publish"


@pytest.mark.at_length
def test_it_is_one_call_more(desk: Desk) -> None:
    desk.publish(desk.file())
    desk.portal.requests.clear()
    desk.publish(desk.file("b.csv", "name;n\nd;4\ne;5\nf;6\n"))
    before = [call.path.rsplit("/", 2)[1] for call in desk.portal.requests]
    assert before[: before.index("files")].count("status") == 1
