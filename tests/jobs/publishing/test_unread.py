"""A key that may publish a dataset and not read it: known at the first look, told, and never waited for."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from publishing_desk import Desk

from ods_provider.core.events import Noticed
from ods_provider.core.outcome import Wait
from ods_provider.core.share import share
from ods_provider.jobs.publishfile import PublishFileJob

OTHER = "name;n\nd;4\ne;5\nf;6\n"


@pytest.fixture
def blind(desk: Desk) -> Lab:
    """Jobs of somebody who publishes every dataset, and reads no restricted one, such as ours is."""
    with desk.client() as client:
        client.automation.datasets.update("mine", is_restricted=True)
    desk.publish(desk.file())
    desk.office.add_key("no-reader", ["edit_dataset", "publish_dataset"], user="editor")
    desk.portal.requests.clear()
    return Lab(desk.portal.url, desk.lab.folder / "editor", api_key="no-reader")


def publish(lab: Lab, desk: Desk, **given: Any) -> Any:
    return lab.ended(PublishFileJob("mine", desk.file(content=OTHER), **{"lag_s": 0.0, **given}))


@pytest.mark.at_length
def test_it_is_known_before_the_upload_and_told(desk: Desk, blind: Lab) -> None:
    result = publish(blind, desk)
    assert (result["rows"], result["rows_shown"], result["verified"]) == (3, None, "published")
    assert "Explore shows this key nothing of mine (404, " in result["note"]
    assert result["note"].endswith("its rows are not counted")
    (told,) = blind.heard(Noticed)
    assert told.sentence == result["note"]
    paths = [call.path for call in desk.portal.requests]
    (look,) = [number for number, path in enumerate(paths) if "/api/explore/" in path]
    assert look < next(number for number, path in enumerate(paths) if path.endswith("/files/"))
    assert sorted(row["name"] for row in desk.rows()) == ["d", "e", "f"]


@pytest.mark.at_length
def test_that_nobody_knows_how_many_rows_stood_is_told(desk: Desk, blind: Lab) -> None:
    with desk.client() as client:
        # Somebody else's file, which no run of ours remembers.
        file = client.automation.resources.upload("mine", desk.file("other.csv", "name;n\na;1\n"))
        source = {"type": "uploaded_file", "file": {"uid": file["uid"]}}
        client.automation.resources.update("mine", desk.resources()[0].uid, datasource=source)
    result = publish(blind, desk, max_drop=share("max_drop", "20%", "20%"))
    assert result["note"].endswith("its rows are not counted, nor held against max_drop")


@pytest.mark.at_length
def test_it_is_not_published_again_unchanged(desk: Desk, blind: Lab) -> None:
    publish(blind, desk, if_unchanged="keep")
    assert publish(blind, desk, if_unchanged="keep")["unchanged"] is True
    assert desk.posts("/publish/") == 1


def test_a_dry_run_tells_it_too(desk: Desk, blind: Lab) -> None:
    assert "its rows are not counted" in publish(blind, desk, dry_run=True)["note"]


@pytest.mark.at_length
def test_what_may_just_not_show_yet_is_waited_for(desk: Desk, blind: Lab) -> None:
    # Published a moment ago: it may be the index that lags.
    waits = blind.run(PublishFileJob("mine", desk.file(content=OTHER), lag_s=300.0))
    assert isinstance(waits, Wait)
    assert "Explore does not show it yet" in waits.reason


def test_a_refusal_is_known_whenever_it_comes(desk: Desk) -> None:
    desk.portal.fault("status", path="/api/explore/", status=403, times=None, body='{"message": "Not for you"}')
    result = desk.publish(desk.file(), lag_s=300.0)
    assert (result["rows_shown"], result["verified"]) == (None, "published")
    assert result["note"] == "Explore shows this key none of its rows: they are not counted"


@pytest.mark.at_length
def test_a_run_that_somebody_else_began_proves_nothing(desk: Desk, blind: Lab) -> None:
    # The order's answer is lost, and what runs then may have read another file.
    desk.portal.fault("status", path="/publish/", method="POST", status=403, times=1, body='{"message": "no"}')
    with pytest.raises(Exception, match="no"):
        publish(blind, desk)
    desk.office.publications.order(desk.office.drafts.find(desk.uid), "publish", by="other")
    with pytest.raises(Exception, match="whether it read this file is not known"):
        publish(blind, desk)
    assert publish(blind, desk)["verified"] == "published"
