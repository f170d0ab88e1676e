"""An extractor or a parameter that the portal does not know is refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from publishing_desk import Desk

from ods_provider.core.errors import OdsConfigError
from ods_provider.jobs.publishfile import PublishFileJob


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("a.csv", {"extractor": "csvfiel"}, r"no extractor 'csvfiel' \(argument extractor\). Pass 'csvfile'"),
        ("a.csv", {"extractor": "frobnicate"}, r"no extractor 'frobnicate' .* It has 'csvfile' or 'jsonfile' or"),
        (
            "a.csv",
            {"params": {"seperator": ";"}},
            r"csvfile has no parameter 'seperator' .* Pass 'separator'",
        ),
        ("a.csv", {"params": {"Encoding": "utf-8"}}, r"no parameter 'Encoding' .* Pass 'encoding'"),
        ("a.json", {"params": {"json_rot": "x"}}, r"jsonfile has no parameter 'json_rot' .* Pass 'json_root'"),
        ("a.jsonl", {"params": {"extract_file_name": True}}, r"no parameter .* Pass 'extract_filename'"),
        ("a.geojson", {"params": {"sheet_nr": 1}}, "has no parameter 'sheet_nr' .* Pass 'sheet_no'"),
    ],
)
def test_what_is_mistyped_is_refused_with_what_was_meant(desk: Desk, name: str, given: Any, said: str) -> None:
    content = {
        "a.csv": "name;n\na;1\n",
        "a.json": '[{"a": 1}]',
        "a.jsonl": '{"a": 1}\n',
        "a.geojson": '{"type": "FeatureCollection", "features": [{"properties": {"a": 1}, "geometry": null}]}',
    }[name]
    for new in ("mine", "new"):
        with pytest.raises(OdsConfigError, match=said):
            desk.lab.ended(PublishFileJob(new, desk.file(name, content), new_title="New", **given))
    assert desk.posts("/files/") == 0
    assert not desk.office.drafts.named("new")


@pytest.mark.at_length
def test_what_nobody_can_know_is_allowed(desk: Desk) -> None:
    desk.publish(desk.file(), params={"something_else": 1})
    (resource,) = desk.resources()
    # What the resource is read with already, whoever set it.
    resource.type = "csv"
    result = desk.publish(desk.file(content="name;n\nd;4\ne;5\nf;6\n"), extractor="csv", params={"something_else": 2})
    assert result["rows_shown"] == 3


@pytest.mark.at_length
def test_nothing_is_asked_where_nothing_is_named_and_a_key_that_may_not_ask_goes_on(desk: Desk) -> None:
    desk.publish(desk.file())
    assert not [call for call in desk.portal.requests if call.path.endswith("/extractors/")]
    with desk.client() as client:
        rule = ["edit_dataset", "publish_dataset", "explore_restricted_dataset"]
        client.automation.security.users.set("mine", "ann", permissions=rule)
    desk.office.add_key("ann-s", ["explore_restricted_dataset"], user="ann")
    job = PublishFileJob("mine", desk.file(content="name;n\nd;4\ne;5\nf;6\n"), params={"seperator": ";"}, lag_s=1.5)
    assert Lab(desk.portal.url, desk.lab.folder / "ann", api_key="ann-s").ended(job)["rows"] == 3
