"""Harvesters, followed to the end of the run that was ordered; and who works at a portal."""

from __future__ import annotations

import json

import pytest

from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsPublicationFailed, OdsPublicationRunning
from ods_provider.core.plans.automation.harvesters import Harvest

GARDENS = "town-gardens"


@pytest.fixture
def slow(desk):
    desk.office.switch(queued_s=None, processing_s=None, aborting_s=None)
    return desk.automation.harvesters


def test_a_harvest_is_followed_from_new_to_what_is_public(desk, slow):
    assert slow.status(GARDENS) == "new"
    seen = []
    ended = slow.wait(slow.start(GARDENS), seen=lambda look: seen.append((look.state, look.harvester["status"])))
    assert seen == [("running", "queued"), ("running", "processing"), ("done", "idle")]
    assert ended.harvester["attached_datasets_count"] == 2
    made = [each["dataset_id"] for each in slow.datasets(GARDENS)]
    assert made == ["town-gardens", "town-benches"]
    assert [desk.automation.datasets.status(name).is_published for name in made] == [False, False]
    slow.wait(slow.publish(GARDENS))
    # Idle again, and nothing is public yet: each is a publication of its own.
    assert [desk.automation.datasets.status(name).is_published for name in made] == [False, False]
    desk.office.settle()
    assert desk.client.count(GARDENS) == 5


def test_the_idle_of_before_is_not_the_end_of_a_run(desk, slow):
    slow.wait(slow.start(GARDENS))
    found = desk.office.harvesters.find(GARDENS)
    run = slow.start(GARDENS)
    # As a portal that tells the old state once more.
    began, found.last_started_at = found.last_started_at, desk.office.clock() - 3600
    told = run.as_dict() | {"before_started_at": slow.get(GARDENS)["last_started_at"]}
    run = Harvest.of(json.loads(json.dumps(told)))
    status, found.status = found.status, "idle"
    assert slow.look(run).state == "running"
    found.status, found.last_started_at = status, began
    assert slow.wait(run).state == "done"


def test_a_run_that_fails_says_why_and_single_datasets_that_fail_are_listed(desk, slow):
    remotes = [{"dataset_id": "a", "metadata": {}}, {"dataset_id": "b", "metadata": {}, "error": "Not reachable"}]
    name = desk.office.add_harvester("Some", datasets=remotes)
    assert slow.wait(slow.start(name)).state == "done"
    assert slow.errors(name) == {"harvester": None, "resources": {"b": "Not reachable"}}
    desk.office.add_harvester("Some", datasets=remotes, fatal="The domain does not answer")
    with pytest.raises(OdsPublicationFailed, match="the portal says: The domain does not answer"):
        slow.wait(slow.start(name))


def test_a_harvester_at_work_takes_no_order_and_can_be_stopped(desk, slow):
    run = slow.start(GARDENS)
    with pytest.raises(OdsPublicationRunning, match="is at something else"):
        slow.publish(GARDENS)
    with pytest.raises(OdsPublicationRunning, match="has not ended after 0 s"):
        slow.wait(run, timeout_s=0)
    slow.abort(GARDENS)
    assert slow.status(GARDENS) == "aborting"


@pytest.mark.parametrize("fault", ["lost", "drop"])
def test_a_start_whose_answer_is_lost_is_one_start(desk, slow, fault):
    desk.portal.fault(fault, path="/start/", method="POST")
    slow.wait(slow.start(GARDENS))
    assert len(desk.calls("POST", "/start/")) == (1 if fault == "lost" else 2)
    assert len(slow.datasets(GARDENS)) == 2


def test_credentials_among_its_settings_are_not_shown(desk, slow):
    made = desk.office.add_harvester("By ftp", type="ftp", host="h", user="u", password="s3cret")
    desk.office.harvesters.find(made).settings["client_secret"] = "0ther"
    told = slow.get(made)
    assert (told["user"], told["password"], told["client_secret"]) == ("u", None, "***")
    assert "0ther" not in repr(slow.list())


def test_what_is_no_harvest_is_refused():
    for value in ({}, {"order": "start"}, {"order": "plough", "harvester_uid": "x"}):
        with pytest.raises(OdsConfigError, match="no harvest"):
            Harvest.of(value)


def test_people_are_read(desk):
    desk.office.add_key("another", ["edit_dataset"], user="ann")
    automation = desk.automation
    assert [each["username"] for each in automation.users.list(search="an")] == ["ann"]
    assert automation.users.get("ann")["permissions"] == ["edit_dataset"]
    (group,) = automation.groups.list()
    assert automation.groups.get(group["uid"]) == group
    assert automation.groups.users(group["uid"]) == [{"username": "admin"}]
    keys = automation.keys.list()
    assert {each["key"] for each in keys} == {"***"}
    assert desk.portal.api_key not in repr(keys)
    with (
        type(desk.client)(desk.portal.url, api_key="another") as client,
        pytest.raises(OdsAuthError, match="takes a key with edit_domain"),
    ):
        client.automation.users.list()
