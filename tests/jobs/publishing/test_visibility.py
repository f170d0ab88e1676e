"""Datasets that are opened and closed: done when somebody without a key sees it so."""

from __future__ import annotations

from typing import Any

import pytest
from publishing_desk import Desk

from ods_provider import OdsClient
from ods_provider.core.errors import OdsNotFound, OdsPublicationFailed, OdsPublicationRunning
from ods_provider.core.outcome import Wait
from ods_provider.jobs.visibility import VisibilityJob


@pytest.fixture(autouse=True)
def _published(desk: Desk) -> None:
    desk.publish(desk.file())
    desk.portal.requests.clear()


def show(desk: Desk, public: bool, **given: Any) -> Any:
    return desk.lab.done(VisibilityJob("mine", public, **given))


def changes(desk: Desk) -> list[str]:
    return [f"{call.method} {call.path.rsplit('/', 2)[1]}" for call in desk.portal.requests if call.method != "GET"]


def seen(desk: Desk) -> bool:
    with OdsClient(desk.portal.url) as anybody:
        try:
            anybody.dataset("mine")
        except OdsNotFound:
            return False
    return True


@pytest.mark.at_length
def test_a_dataset_is_closed_and_opened_and_published_for_it(desk: Desk) -> None:
    for public in (False, True):
        desk.portal.requests.clear()
        result = show(desk, public)
        assert (result["public"], result["changed"], result["published"]) == (public, True, True)
        assert result["anonymous"] == {"seen": public, "records": 3 if public else None}
        assert changes(desk) == [f"PUT {desk.uid}", "POST publish"]
        assert seen(desk) is public


@pytest.mark.at_length
def test_nothing_is_published_where_it_shows_at_once(desk: Desk) -> None:
    desk.office.switch(security_needs_publish=False)
    for public in (False, True):
        desk.portal.requests.clear()
        assert show(desk, public)["published"] is False
        assert changes(desk) == [f"PUT {desk.uid}"]
        assert seen(desk) is public


def test_what_is_so_already_is_left_alone(desk: Desk) -> None:
    result = show(desk, public=True)
    assert (result["unchanged"], changes(desk)) == (True, [])
    assert result["anonymous"] == {"seen": True, "records": 3}


@pytest.mark.at_length
def test_a_setting_that_never_became_public_is_published(desk: Desk) -> None:
    with desk.client() as client:
        client.automation.datasets.update("mine", is_restricted=True)
    assert seen(desk)
    desk.portal.requests.clear()
    result = show(desk, public=False)
    assert (result["changed"], result["published"], changes(desk)) == (False, True, ["POST publish"])
    assert not seen(desk)


@pytest.mark.at_length
def test_a_draft_is_closed_without_being_published_and_opened_by_being(desk: Desk) -> None:
    with desk.client() as client:
        client.automation.datasets.wait(client.automation.datasets.unpublish("mine"))
    desk.portal.requests.clear()
    assert show(desk, public=False)["published"] is False
    assert changes(desk) == [f"PUT {desk.uid}"]
    assert show(desk, public=True)["published"] is True
    assert seen(desk)


@pytest.mark.at_length
def test_records_that_its_default_security_hides_are_told(desk: Desk) -> None:
    show(desk, public=False)
    with desk.client() as client:
        client.automation.datasets.update("mine", default_security={"is_data_visible": False})
    result = show(desk, public=True)
    assert result["anonymous"] == {"seen": True, "records": None}
    assert "default security hides its records" in result["note"]


@pytest.mark.at_length
def test_it_is_asked_without_a_key_and_at_the_same_host(desk: Desk) -> None:
    show(desk, public=False)
    explored = [call for call in desk.portal.requests if "/explore/" in call.path]
    assert explored
    assert {call.auth for call in explored} == {None}


@pytest.mark.at_length
def test_a_dry_run_says_what_an_anonymous_call_gets_now(desk: Desk) -> None:
    result = show(desk, public=False, dry_run=True)
    assert (result["dry_run"], changes(desk)) == (True, [])
    assert "is_restricted would be changed" in result["note"]
    assert "an anonymous call gets the dataset and 3 records" in result["note"]
    assert show(desk, public=True, dry_run=True)["note"].startswith("nothing would be changed")


@pytest.mark.at_length
def test_a_publication_that_fails_is_told(desk: Desk) -> None:
    desk.office.outcome(dataset_id="mine", status="error", message="No such encoding")
    with pytest.raises(OdsPublicationFailed, match="the portal says: error: No such encoding"):
        show(desk, public=False)
    assert show(desk, public=False)["published"] is True


@pytest.mark.at_length
def test_what_shows_late_is_waited_for(desk: Desk) -> None:
    desk.office.switch(explore_lag_s=1.0)
    assert show(desk, public=False)["published"] is True
    desk.office.switch(explore_lag_s=3600)
    job = VisibilityJob("mine", public=True)
    waiting = desk.lab.run(job)
    assert isinstance(waiting, Wait)
    assert "an anonymous call still gets nothing" in waiting.reason
    with pytest.raises(OdsPublicationRunning, match="does not show after 0 s: an anonymous call still gets nothing"):
        show(desk, public=True, timeout_s=0.0)
    desk.office.settle()
    assert desk.lab.done(job)["published"] is True
    assert changes(desk).count("POST publish") == 2


@pytest.mark.at_length
def test_a_publication_is_waited_for_in_the_triggerer_and_ordered_once(desk: Desk) -> None:
    desk.office.switch(processing_s=None)
    job = VisibilityJob("mine", public=False)
    waiting = desk.lab.run(job)
    assert isinstance(waiting, Wait)
    assert waiting.watching is not None
    desk.office.settle()
    assert desk.lab.done(job)["published"] is True
    assert changes(desk) == [f"PUT {desk.uid}", "POST publish"]


@pytest.mark.at_length
def test_lost_answers_do_nothing_twice(desk: Desk) -> None:
    for method, place in (("PUT", f"/{desk.uid}/"), ("POST", "/publish/")):
        desk.portal.fault("lost", path=place, method=method)
    assert show(desk, public=False)["published"] is True
    assert changes(desk).count("POST publish") == 1


@pytest.mark.at_length
@pytest.mark.parametrize("public", [True, False])
def test_a_first_publication_that_runs_is_waited_for(desk: Desk, public: bool) -> None:
    with desk.client() as client:
        made = client.automation.datasets.create(
            {"default": {"title": {"value": "First"}}}, dataset_id="first", is_restricted=public
        )
        file = client.automation.resources.upload("first", desk.file())
        source = {"type": "uploaded_file", "file": {"uid": file["uid"]}}
        given = {"type": "csvfile", "title": "a", "params": {"separator": ";"}, "datasource": source}
        client.automation.resources.create("first", given)
        desk.office.switch(processing_s=None)  # until it is told to end
        client.automation.datasets.publish("first")
    desk.portal.requests.clear()
    waits = desk.lab.run(VisibilityJob("first", public))
    assert isinstance(waits, Wait) and "visibility of first: it is at something else" in waits.reason
    assert changes(desk) == [f"PUT {made['uid']}"]
    desk.office.switch(processing_s=0.0)
    desk.office.settle()
    result = desk.lab.ended(VisibilityJob("first", public))
    assert result["anonymous"]["seen"] is public
    with desk.client() as client:
        assert client.automation.datasets.status("first").ready


@pytest.mark.at_length
def test_a_deadline_while_the_portal_is_at_work_says_so(desk: Desk) -> None:
    desk.office.switch(processing_s=None)
    with desk.client() as client:
        client.automation.datasets.publish("mine")
    with pytest.raises(OdsPublicationRunning, match=r"not done after 1 s \((queued|processing)"):
        for _ in range(3):
            desk.lab.run(VisibilityJob("mine", True, timeout_s=1.0))
