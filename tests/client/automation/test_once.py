"""What may not be sent twice is not: a POST whose answer is lost is looked for before it is sent again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from replay import answer, sent
from replay import replay as replayed

from ods_provider import OdsClient
from ods_provider.core.errors import OdsIncomplete, OdsServerError, OdsTransportError


def _resource(automation, uid):
    return automation.resources.create(uid, {"type": "csvfile", "title": "a", "datasource": {"type": "http"}})


SENDS = {
    "datasets": (
        "/datasets/",
        lambda a, uid: a.datasets.create({"default": {"title": {"value": "x"}}}, dataset_id="x"),
    ),
    "datasets without an id": ("/datasets/", lambda a, uid: a.datasets.create({"default": {"title": {"value": "x"}}})),
    "copies": ("/copy/", lambda a, uid: a.datasets.copy(uid)),
    "resources": ("/resources/", _resource),
}


def listed(desk, uid, what):
    draft = desk.office.drafts.find(uid)
    return len(desk.office.drafts.all()) if what.startswith(("datasets", "copies")) else len(getattr(draft, what))


@pytest.mark.parametrize("what", SENDS)
def test_what_was_done_although_no_answer_came_is_not_sent_again(desk, what):
    ending, send = SENDS[what]
    uid = desk.new()
    before, sent = listed(desk, uid, what), len(desk.calls("POST", ending))
    desk.portal.fault("lost", path=ending, method="POST")
    made = send(desk.automation, uid)
    assert len(desk.calls("POST", ending)) == sent + 1
    assert listed(desk, uid, what) == before + 1
    assert made["uid"]
    # One that is like it is made all the same: what there was before is no answer.
    if what != "datasets":
        assert send(desk.automation, uid)["uid"] != made["uid"]
        assert listed(desk, uid, what) == before + 2


@pytest.mark.parametrize("fault", ["drop", "status"])
@pytest.mark.parametrize("what", SENDS)
def test_what_was_not_done_is_sent_again_until_it_is(desk, what, fault):
    ending, send = SENDS[what]
    uid = desk.new()
    before = listed(desk, uid, what)
    desk.portal.fault(fault, path=ending, method="POST", times=2)
    assert send(desk.automation, uid)["uid"]
    assert listed(desk, uid, what) == before + 1
    # With a pause before each look, as before any other try.
    assert len(desk.slept) == 2
    assert desk.slept[0] < desk.slept[1]


@pytest.mark.parametrize("what", SENDS)
def test_what_never_gets_through_is_an_error_that_passes(desk, what):
    ending, send = SENDS[what]
    uid = desk.new()
    desk.portal.fault("drop", path=ending, method="POST", times=None)
    with pytest.raises(OdsTransportError) as caught:
        send(desk.automation, uid)
    assert caught.value.transient
    assert len(desk.calls("POST", ending)) - (ending == "/datasets/") == 3


def test_a_refusal_is_sent_once_and_a_quota_is_waited_for(desk):
    uid = desk.new()
    desk.portal.fault("quota", path="/resources/", method="POST", reset_in_s=1.0)
    assert _resource(desk.automation, uid)["uid"]
    assert len(desk.office.drafts.find(uid).resources) == 1
    desk.portal.fault("status", status=400, path="/resources/", method="POST")
    before = len(desk.calls("POST", "/resources/"))
    with pytest.raises(Exception, match="HTTP 400"):
        _resource(desk.automation, uid)
    assert len(desk.calls("POST", "/resources/")) == before + 1


@pytest.mark.parametrize("title", ["a", "another"])
def test_what_others_added_meanwhile_is_told_from_ones_own_or_left_to_people(desk, title):
    uid = desk.new()
    desk.portal.fault("lost", path="/resources/", method="POST")
    sleep = desk.client.terms.sleep

    def meanwhile(seconds):
        # Somebody else adds one of the same type while this client waits.
        draft = desk.office.drafts.find(uid)
        draft.resources.append(replace(draft.resources[0], uid="re_other1", title=title))
        sleep(seconds)

    desk.client.terms = replace(desk.client.terms, sleep=meanwhile)
    if title == "a":
        with pytest.raises(OdsIncomplete, match="2 things like what was sent are there") as caught:
            _resource(desk.automation, uid)
        assert not caught.value.transient
    else:
        assert _resource(desk.automation, uid)["uid"] == desk.office.drafts.find(uid).resources[0].uid


def test_what_the_portal_writes_in_its_own_way_is_known_all_the_same():
    there = {"uid": "re_1", "type": "federated", "title": "re_1", "params": {"as": "it likes"}}
    empty = {"total_count": 0, "next": None, "results": []}
    listed = {"total_count": 1, "next": None, "results": [there]}
    answers = [json.dumps(each).encode() for each in (empty, listed)]
    with (
        replayed(answer(answers[0]), sent(b"", keep=False), answer(answers[1])) as server,
        OdsClient(server.url, api_key="k3y", sleep=lambda _: None) as client,
    ):
        made = client.automation.resources.create("da_1", {"type": "federated", "title": "mine", "params": {}})
    assert made == there


def test_a_deletion_whose_answer_is_lost_is_done(desk, tmp_path):
    uid = desk.new()
    resource = desk.resource(uid, desk.file(tmp_path))
    desk.portal.fault("lost", path=f"/resources/{resource}/", method="DELETE")
    desk.automation.resources.delete(uid, resource)
    assert len(desk.calls("DELETE")) == 2
    assert desk.automation.resources.list(uid) == []
    desk.portal.fault("lost", path=f"/datasets/{uid}/", method="DELETE")
    desk.automation.datasets.delete(uid)
    assert desk.automation.datasets.find(uid) is None


def test_a_renewed_key_is_renewed_once(desk):
    uid = desk.new()
    made = desk.automation.resources.create(uid, {"type": "realtime", "title": "live"})
    before = desk.automation.resources.push_key(uid, made["uid"])
    desk.portal.fault("lost", path="/renew_api_key/", method="POST")
    key = desk.automation.resources.renew_push_key(uid, made["uid"])
    assert len(desk.calls("POST", "/renew_api_key/")) == 1
    assert key != before
    assert key.reveal() == desk.office.drafts.find(uid).resources[0].push_key


def test_a_portal_that_fails_every_time_says_so(desk):
    uid = desk.new()
    body = '{"error_code": "internal_error", "message": "A server error occurred.", "trace_id": "6b52"}'
    desk.portal.fault("status", status=500, body=body, path="/resources/", method="POST", times=None)
    with pytest.raises(OdsServerError, match="A server error occurred") as caught:
        _resource(desk.automation, uid)
    assert caught.value.code == "internal_error"
