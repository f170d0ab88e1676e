"""Publications: ordered once, followed to this order's own end, and told as what they are."""

from __future__ import annotations

import asyncio
import json

import pytest
from replay import answer
from replay import replay as replayed

from ods_provider import OdsClient
from ods_provider.core.errors import OdsConfigError, OdsPublicationFailed, OdsPublicationRunning, OdsQueryError
from ods_provider.core.plans.automation import publications
from ods_provider.core.plans.automation.publications import Publication, judged
from ods_provider.core.plans.automation.status import Status


@pytest.fixture
def published(desk, tmp_path):
    """The uid of a dataset with a file; each of its orders takes as many looks as it has statuses."""
    return with_a_file(desk, tmp_path)


def with_a_file(desk, tmp_path):
    uid = desk.new()
    desk.resource(uid, desk.file(tmp_path))
    desk.office.switch(queued_s=None, processing_s=None, deleting_s=None, saving_version_s=None, aborting_s=None)
    return uid


def states(desk, publication):
    """Every look until the end: what it says of the publication, and the status."""
    seen = []
    try:
        desk.automation.datasets.wait(publication, seen=seen.append)
    except OdsPublicationFailed:
        pass
    return [(look.state, look.status.status) for look in seen]


def test_a_publication_is_followed_from_the_queue_to_what_explore_serves(desk, published):
    ordered = desk.automation.datasets.publish("mine")
    assert states(desk, ordered) == [("running", "queued"), ("running", "processing"), ("done", "idle")]
    assert [row["n"] for row in desk.client.records("mine", order_by="n")] == [1, 2]
    ordered = desk.automation.datasets.unpublish(published)
    assert states(desk, ordered) == [("running", "queued"), ("running", "deleting"), ("done", "idle")]
    assert desk.automation.datasets.status(published).is_published is False


@pytest.mark.at_length
@pytest.mark.parametrize("in_seconds", [False, True])
@pytest.mark.parametrize("times", [1, 3])
def test_the_old_idle_that_is_still_told_is_not_the_end(timed, tmp_path, times, in_seconds):
    published, desk, datasets = with_a_file(timed, tmp_path), timed, timed.automation.datasets
    datasets.wait(datasets.publish(published))
    desk.office.switch(stale_idle=times, since_in_seconds=in_seconds)
    ordered = datasets.publish(published)
    told = states(desk, ordered)
    assert told[:times] == [("running", "idle")] * times
    assert told[-1] == ("done", "idle")


@pytest.mark.at_length
def test_a_run_that_nobody_saw_at_work_is_known_by_its_moment(timed, tmp_path):
    # Faster than any look; moments are told to the second, so that the order waits for the next one.
    published, datasets = with_a_file(timed, tmp_path), timed.automation.datasets
    timed.office.switch(since_in_seconds=True)
    datasets.wait(datasets.publish(published))
    for _ in range(3):
        timed.slept.clear()
        ordered = datasets.publish(published)
        timed.office.settle()
        assert len(timed.slept) == 1
        assert 0 < timed.slept[0] <= 2
        look = datasets.look(ordered)
        assert (look.state, look.proven, look.publication.seen_busy) == ("done", True, False)
        assert look.status.since > ordered.before_since


@pytest.mark.parametrize("status", ["idle", "error", "limit_reached"])
def test_every_terminal_status_ends_the_wait(desk, published, status):
    datasets = desk.automation.datasets
    datasets.wait(datasets.publish(published))
    limit = {"error": {"limit_type": "records", "limit": 1, "value": 2}} if status == "limit_reached" else {}
    desk.office.outcome(
        dataset_id="mine", status=status, message=None if status == "idle" else "Bad file", params=limit
    )
    ordered = datasets.publish(published)
    if status == "idle":
        assert datasets.wait(ordered).state == "done"
        return
    with pytest.raises(OdsPublicationFailed, match=f"the portal says: {status}: Bad file") as caught:
        datasets.wait(ordered)
    assert caught.value.transient is False
    said = {"error": "what was public before still is", "limit_reached": "limit_type records, limit 1, value 2"}[status]
    assert said in str(caught.value)


def test_a_word_that_nobody_knows_is_waited_for_as_long_as_was_told(desk, published):
    desk.office.outcome(dataset_id="mine", status="resting")
    ordered = desk.automation.datasets.publish(published)
    desk.office.settle()
    with pytest.raises(OdsPublicationRunning, match=r"publish of da_.*: resting") as caught:
        desk.automation.datasets.wait(ordered, timeout_s=0)
    assert caught.value.transient
    assert desk.automation.datasets.look(ordered).state == "running"


def test_errors_of_records_are_told_with_a_publication_that_is_done(desk, published):
    errors = [{"record_id": "r", "field_uid": "n", "processor_uid": "pr_1", "message": "no number"}]
    desk.office.outcome(dataset_id="mine", records_errors=errors)
    look = desk.automation.datasets.wait(desk.automation.datasets.publish(published))
    assert (look.state, [dict(each) for each in look.status.records_errors]) == ("done", errors)


def test_what_a_portal_tells_besides_or_not_at_all_is_no_trouble(desk, published):
    desk.office.switch(unknown_keys=True, null_is_published=True)
    look = desk.automation.datasets.wait(desk.automation.datasets.publish(published))
    assert (look.state, look.status.is_published, look.status.raw["new_in_this_portal"]) == ("done", None, 1)
    assert desk.automation.resources.list(published)[0]["new_in_this_portal"]


def test_an_abort_is_told_as_one(desk, published):
    datasets = desk.automation.datasets
    ordered = datasets.publish(published)
    with pytest.raises(OdsQueryError):
        datasets.abort(published)  # it is queued only
    desk.office.step()
    datasets.abort(published)
    with pytest.raises(OdsPublicationFailed, match="it was aborted: the records may be incomplete"):
        datasets.wait(ordered)


def test_a_publication_waits_for_one_that_runs_and_is_ordered_after_it(desk, published):
    desk.automation.datasets.publish(published)
    assert desk.client.run(publications.ordered(published)) is None
    desk.slept.clear()
    second = desk.automation.datasets.publish(published)
    assert len(desk.slept) == 2  # queued, processing
    assert desk.automation.datasets.status(published).status == "queued"
    assert states(desk, second)[-1] == ("done", "idle")
    assert len(desk.calls("POST", "/publish/")) == 2
    desk.automation.datasets.publish(published)
    with pytest.raises(OdsPublicationRunning, match="at something else for more than 0 s"):
        desk.automation.datasets.publish(published, most_busy_s=1)


def test_a_publication_goes_through_json_and_is_followed_by_another_process(desk, published):
    ordered = desk.automation.datasets.publish("mine")
    kept = json.loads(json.dumps(ordered.as_dict() | {"of_a_later_version": 1}))
    again = Publication.of(kept)
    assert again == ordered
    assert states(desk, again)[-1] == ("done", "idle")
    with pytest.raises(OdsConfigError):
        Publication.of({})
    with pytest.raises(OdsConfigError, match="Use publish, publish_metadata, unpublish"):
        Publication.of(kept | {"action": "print"})


def test_a_look_needs_no_thread_of_its_own(desk, published):
    ordered = desk.automation.datasets.publish(published)
    look = asyncio.run(desk.client.arun(publications.look(ordered)))
    assert (look.state, look.publication.seen_busy) == ("running", True)


def test_a_status_that_never_moves_is_taken_for_the_end_after_a_grace_only():
    before = Publication("da_1", "publish_metadata", "idle", "2026-02-06T15:13:13Z", "2026-02-06T16:00:00+00:00")
    since, at = "2026-02-06T15:13:13Z", "Fri, 06 Feb 2026 16:01:0{} GMT"
    body = json.dumps({"status": "idle", "since": since, "is_published": True}).encode()
    early, late = (answer(body, "200 OK", f"Date: {at.format(second)}") for second in (0, 1))
    with replayed(early, late) as server, OdsClient(server.url, api_key="k") as client:
        first = client.run(publications.look(before, grace_s=61))
        assert (first.state, first.proven) == ("running", True)
        assert "the status of before" in first.message
        second = client.run(publications.look(first.publication, grace_s=61))
        assert (second.state, second.proven) == ("done", False)


@pytest.mark.parametrize(
    ("action", "told", "state"),
    [
        ("publish", {"status": "idle", "is_published": None}, "done"),
        ("publish", {"status": "idle", "is_published": False}, "failed"),
        ("publish_metadata", {"status": "idle", "is_published": True}, "done"),
        ("unpublish", {"status": "idle", "is_published": False}, "done"),
        ("unpublish", {"status": "idle", "is_published": True}, "failed"),
        ("unpublish", {"status": "error", "is_published": True, "message": "no"}, "failed"),
        ("restore", {"status": "idle", "is_published": False}, "done"),
        ("publish", {"name": "limit_reached", "published": True}, "failed"),
        ("publish", {"status": "processing", "is_published": True}, "running"),
    ],
)
def test_what_a_status_says_depends_on_what_was_ordered(action, told, state):
    ordered = Publication("da_1", action, "idle", "2026-01-01T00:00:00Z")
    assert judged(ordered, Status.of(told | {"since": "2026-01-01T00:00:01Z"})).state == state


@pytest.mark.at_length(but=2)
@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("stale", [0, 1, 2])
def test_an_order_whose_answer_is_lost_is_given_once(desk, published, accepted, stale):
    desk.office.switch(stale_idle=stale)
    desk.portal.fault("lost" if accepted else "drop", path="/publish/", method="POST")
    ordered = desk.automation.datasets.publish(published)
    # A status that is stale shows nothing of it, and is not believed at once.
    assert len(desk.calls("POST", "/publish/")) == (1 if accepted else 2)
    assert states(desk, ordered)[-1] == ("done", "idle")
    assert len(desk.office.drafts.find(published).versions) == 1


@pytest.mark.at_length
@pytest.mark.parametrize("order", ["publish_metadata", "unpublish", "abort", "restore"])
@pytest.mark.parametrize("fault", ["lost", "drop"])
def test_every_other_order_is_given_once_too(desk, published, order, fault):
    datasets = desk.automation.datasets
    for _ in range(2):
        datasets.wait(datasets.publish(published))
    if order == "abort":
        datasets.publish(published)
        desk.office.step()
        desk.office.switch(aborting_s=0.0)
    path = f"/{order}/"
    desk.portal.fault(fault, path=path, method="POST")
    given = [datasets.versions(published)[-1]["uid"]] if order == "restore" else []
    made = getattr(datasets, order)(published, *given)
    # A run that ended while nobody looked cannot be stopped, and is over.
    assert len(desk.calls("POST", path)) == (1 if fault == "lost" or order == "abort" else 2)
    if order != "abort":
        assert states(desk, made)[-1] == ("done", "idle")


def test_an_end_of_before_that_was_not_seen_before_is_not_this_orders():
    # The status was read before the order while the portal was behind by a publication, and is behind again.
    ordered = Publication("da_1", "publish", "idle", "2026-02-06T15:00:00Z", "2026-02-06T16:00:00+00:00")
    of_before = Status.of({"status": "idle", "is_published": True, "since": "2026-02-06T15:59:57Z"})
    own = Status.of({"status": "idle", "is_published": True, "since": "2026-02-06T16:00:00Z"})
    other_clock = Status.of({"status": "idle", "is_published": True, "since": "2020-02-06T16:00:00Z"})
    assert [judged(ordered, each).state for each in (of_before, own, other_clock)] == ["running", "done", "done"]


def test_whoever_changes_a_dataset_may_wait_until_it_is_at_nothing(desk, published):
    desk.office.switch(refuse_busy_edits=True)
    desk.automation.datasets.publish(published)
    with pytest.raises(OdsQueryError, match="Wait until what runs has ended"):
        desk.automation.metadata.set("mine", {"default.title": "New"})
    with pytest.raises(OdsPublicationRunning, match="dataset mine: queued"):
        desk.automation.datasets.wait_ready("mine", timeout_s=0)
    assert desk.automation.datasets.wait_ready("mine").status == "idle"
    desk.automation.metadata.set("mine", {"default.title": "New"})


@pytest.mark.at_length
def test_many_are_looked_at_with_a_list_and_a_few_calls(desk, published, tmp_path):
    names = ["mine", *(f"d{number}" for number in range(11))]
    for name in names[1:]:
        desk.resource(desk.new(name, is_restricted=False), desk.file(tmp_path))
    desk.office.outcome(dataset_id="d3", status="error", message="Bad file")
    desk.office.switch(queued_s=None, processing_s=None)  # none goes on but where it is stepped
    datasets = desk.automation.datasets
    waiting = {name: datasets.publish(name) for name in names}
    calls, ended = [], {}
    for round_ in range(9):
        before = len(desk.portal.requests)
        looks = datasets.look_many(list(waiting.values()))
        calls.append(len(desk.portal.requests) - before)
        ended |= {name: (look.state, round_) for name, look in zip(waiting, looks, strict=True) if look.ended}
        waiting = {n: look.publication for n, look in zip(waiting, looks, strict=True) if not look.ended}
        if round_ == 0:
            desk.office.step()
        if round_ == 1:
            for name in ("d0", "d1", "d3"):
                desk.office.step(name)
    assert calls[0] == len(names) + 1
    assert max(calls[1:]) <= 1 + len(names) // 2
    # What Explore shows is seen at the next look; a failure, which it does not show, within six.
    assert (ended["d0"], ended["d1"]) == (("done", 2), ("done", 2))
    assert ended["d3"][0] == "failed"
    assert ended["d3"][1] <= 7
    assert set(ended) == {"d0", "d1", "d3"}


def test_many_are_looked_at_one_by_one_where_explore_tells_nothing(desk, published):
    ordered = desk.automation.datasets.publish(published)
    with_id = [Publication.of(ordered.as_dict() | {"dataset_id": f"no-{number}"}) for number in range(6)]
    desk.portal.fault("status", status=403, path="/catalog/datasets", times=None)
    looks = desk.automation.datasets.look_many(with_id)
    assert [look.status.status for look in looks] == ["queued"] * 6
    assert [look.publication.dataset_uid for look in looks] == [published] * 6
