"""The state machine: orders, statuses, what Explore shows meanwhile, and the ways in which it goes wrong."""

import pytest

CSV = "name;n\na;1\nb;2\n"


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def timed(another, editor):
    """An editor of a portal whose time stands still unless told."""
    clock = Clock()
    edit = editor(another(clock=clock))
    edit.clock = clock
    return edit


def made(edit, content=CSV):
    at = edit.new()
    edit.resource(at, "a.csv", content, separator=";")
    return at


def test_a_dataset_goes_from_queued_to_published_and_is_served(edit):
    at = made(edit)
    before = edit.status(at)
    assert (before["status"], before["is_published"], before["records_errors"]) == ("idle", False, [])
    assert edit.ask.get("/datasets/mine").status_code == 404
    assert edit.done("POST", f"{at}/publish/") == {"detail": "ok"}
    edit.office.settle()
    after = edit.status(at)
    assert (after["status"], after["previous"], after["is_published"]) == ("idle", "processing", True)
    assert after["since"] > before["since"]
    assert edit.ask.rows("mine") == [{"name": "a", "n": 1}, {"name": "b", "n": 2}]
    assert edit.ask.export("csv", "mine").text.splitlines() == ["\ufeffname;n", "a;1", "b;2"]
    assert edit.ask("/api/records/1.0/search/", params={"dataset": "mine"}).json()["nhits"] == 2
    assert edit.ask.whole("/datasets/mine")["dataset_uid"] == at.removeprefix("/datasets/")


def test_each_status_lasts_as_long_as_told(timed):
    timed.office.switch(queued_s=10, processing_s=20, deleting_s=5, explore_lag_s=7)
    at = made(timed)
    told = timed.done("POST", f"{at}/publish/") and timed.status(at)
    assert (told["status"], told["previous"], told["next"]) == ("queued", "idle", "processing")
    timed.clock.now += 10
    assert timed.status(at)["status"] == "processing"
    timed.office.publications.wait()
    timed.clock.now += 19
    assert timed.status(at)["status"] == "processing"
    assert timed.ask.get("/datasets/mine").status_code == 404
    timed.clock.now += 1
    assert timed.status(at)["status"] == "idle"
    assert timed.ask.get("/datasets/mine").status_code == 404
    timed.clock.now += 7
    assert timed.ask.total("mine") == 2
    timed.done("POST", f"{at}/unpublish/")
    timed.clock.now += 10
    assert timed.status(at)["status"] == "deleting"
    assert timed.ask.total("mine") == 2
    timed.clock.now += 5
    told = timed.status(at)
    assert (told["status"], told["is_published"]) == ("idle", False)
    assert timed.ask.total("mine") == 2
    timed.clock.now += 7
    assert timed.ask.get("/datasets/mine").status_code == 404


@pytest.mark.at_length
def test_a_queue_takes_so_many_at_a_time_and_waits_for_steps(edit):
    edit.office.switch(queued_s=None, processing_s=None, at_once=2)
    names = [f"d{number}" for number in range(4)]
    at = {name: edit.new(name) for name in names}
    for name in names:
        edit.resource(at[name], "a.csv", CSV, separator=";")
        edit.done("POST", f"{at[name]}/publish/")
    edit.office.step()
    assert [edit.status(at[name])["status"] for name in names] == ["processing"] * 2 + ["queued"] * 2
    edit.office.step("d0")
    assert [edit.status(at[name])["status"] for name in names] == ["idle", "processing", "processing", "queued"]
    edit.office.settle()
    assert [edit.status(at[name])["status"] for name in names] == ["idle"] * 4


def test_a_busy_dataset_takes_no_order_and_says_which_it_would(edit):
    edit.office.switch(queued_s=None)
    at = made(edit)
    edit.done("POST", f"{at}/publish/")
    for order in ("publish", "publish_metadata", "unpublish"):
        told = edit.call("POST", f"{at}/{order}/")
        assert told.status_code == 400
        assert told.json()["error_code"] == "invalid_dataset_status"
        assert "'queued' but must be one of 'idle, error, limit_reached'" in told.json()["message"]
    assert "processing_dataset" in edit.call("POST", f"{at}/abort/").json()["message"]
    assert edit.call("PUT", f"{at}/", json={"is_restricted": True}).status_code == 200
    edit.office.switch(refuse_busy_edits=True)
    assert edit.refused("PUT", f"{at}/", json={"is_restricted": True}) == (400, "invalid_dataset_status")


def test_the_old_idle_may_be_told_once_more(edit):
    at = made(edit)
    before = edit.publish(at)
    edit.office.switch(stale_idle=2, queued_s=None)
    edit.done("POST", f"{at}/publish/")
    assert [edit.status(at) for _ in range(2)] == [before, before]
    assert edit.status(at)["status"] == "queued"


def test_a_failed_extraction_keeps_what_was_public(edit):
    at = made(edit)
    edit.publish(at)
    uid = edit.done("GET", f"{at}/resources/")["results"][0]["uid"]
    broken = {"type": "csvfile", "datasource": {"type": "uploaded_file", "file": {"uid": "gone.csv"}}}
    edit.done("PUT", f"{at}/resources/{uid}/", json=broken)
    told = edit.publish(at)
    assert (told["status"], told["is_published"]) == ("error", True)
    assert told["message"] == "File gone.csv does not exist"
    assert edit.ask.total("mine") == 2
    again = edit.upload(at, "b.csv", "name;n\nc;3\n")
    mended = {"params": {"separator": ";"}, "datasource": {"type": "uploaded_file", "file": {"uid": again}}}
    edit.done("PUT", f"{at}/resources/{uid}/", json=mended)
    assert edit.publish(at)["status"] == "idle"
    assert edit.ask.rows("mine") == [{"name": "c", "n": 3}]


def test_what_was_never_published_and_fails_is_not(edit):
    at = made(edit, "")
    told = edit.publish(at)
    assert (told["status"], told["is_published"], told["message"]) == ("error", False, "The file holds no row")
    assert edit.ask.get("/datasets/mine").status_code == 404


@pytest.mark.parametrize(
    ("ordered", "served"),
    [
        ({"status": "error", "message": "Processor pr_1 is misconfigured"}, 0),
        ({"status": "limit_reached", "params": {"error": {"limit_type": "records", "limit": 1, "value": 2}}}, 2),
        ({"status": "idle", "records_errors": [{"record_id": "x", "field_uid": "n", "message": "no"}]}, 2),
        ({"status": "under_review"}, 0),
    ],
)
def test_a_run_ends_as_a_test_wants_it(edit, ordered, served):
    at = made(edit)
    edit.ask("/_control/automation/outcome", method="POST", json={"dataset_id": "mine"} | ordered)
    edit.publish(at)
    told = edit.status(at)
    assert {name: told[name] for name in ordered} == ordered
    found = edit.ask.get("/datasets/mine/records")
    assert (found.json()["total_count"] if found.status_code == 200 else 0) == served


def test_two_datasets_of_one_id_cannot_both_be_published(edit):
    first, second = made(edit), edit.new()
    edit.resource(second, "b.csv", "other\n1\n")
    edit.publish(first)
    told = edit.publish(second)
    assert (told["status"], told["is_published"]) == ("error", False)
    assert "Another published dataset" in told["message"]
    assert edit.ask.total("mine") == 2


def test_more_rows_than_the_licence_allows(edit):
    edit.office.switch(most_rows=2)
    told = edit.publish(made(edit, "name;n\na;1\nb;2\nc;3\n"))
    assert (told["status"], told["is_published"]) == ("limit_reached", True)
    assert told["params"] == {"error": {"limit_type": "records", "limit": 2, "value": 3}}
    assert edit.ask.total("mine") == 2


def test_a_run_that_is_aborted_leaves_a_part(edit):
    at = made(edit)
    edit.office.switch(processing_s=None)
    edit.done("POST", f"{at}/publish/")
    assert edit.status(at)["status"] == "processing"
    assert edit.done("POST", f"{at}/abort/") == {"detail": "ok"}
    edit.office.settle()
    told = edit.status(at)
    assert (told["status"], told["previous"]) == ("idle", "aborting_processing")
    assert edit.ask.total("mine") == 1


def test_metadata_alone_is_published_without_its_data(edit):
    at = made(edit)
    assert edit.refused("POST", f"{at}/publish_metadata/") == (400, "bad_request")
    edit.publish(at)
    before = edit.ask.whole("/datasets/mine")["metas"]["default"]
    edit.done("PUT", f"{at}/metadata/default/title/", json={"value": "Renamed"})
    assert edit.ask.whole("/datasets/mine")["metas"]["default"] == before
    edit.publish(at, "publish_metadata")
    after = edit.ask.whole("/datasets/mine")["metas"]["default"]
    assert after["title"] == "Renamed"
    assert after["data_processed"] == before["data_processed"]


def test_a_version_is_put_back_and_shows_when_published(edit):
    at = made(edit)
    edit.publish(at)
    edit.done("PUT", f"{at}/metadata/default/title/", json={"value": "Second"})
    edit.publish(at)
    versions = edit.done("GET", f"{at}/versions/")["results"]
    assert [version["can_restore"] for version in versions] == [False, True]
    edit.done("POST", f"{at}/versions/{versions[1]['uid']}/restore/")
    edit.office.settle()
    assert edit.done("GET", f"{at}/metadata/default/title/") == {"value": "Mine"}
    assert edit.ask.whole("/datasets/mine")["metas"]["default"]["title"] == "Second"
    edit.publish(at)
    assert edit.ask.whole("/datasets/mine")["metas"]["default"]["title"] == "Mine"
    assert edit.refused("POST", f"{at}/versions/ch_nothing/restore/") == (404, "not_found")


def test_what_came_with_the_portal_is_published_again_with_its_rows(edit):
    at = edit.of("world-capitals")
    before = edit.ask.whole("/datasets/world-capitals")["metas"]["default"]["data_processed"]
    assert edit.publish(at)["status"] == "idle"
    assert edit.ask.total() == 110
    assert edit.ask.whole("/datasets/world-capitals")["metas"]["default"]["data_processed"] > before
    edit.publish(at, "unpublish")
    assert edit.ask.get("/datasets/world-capitals").status_code == 404
    edit.publish(at)
    assert edit.ask.total(where="country_code = 'FR'") == 1
    edit.ask.portal.reset()
    assert edit.ask.total() == 110


@pytest.mark.at_length
@pytest.mark.parametrize("steps", [[], [{"type": "delete", "field": "nothing"}]], ids=["as they were", "read again"])
def test_publishing_what_nobody_changed_changes_nothing(edit, steps):
    def shown(dataset_id):
        path, key = f"/api/explore/v2.1/catalog/datasets/{dataset_id}", {"Authorization": "Apikey demo-key"}
        answer = edit.ask(path).json()
        for name in ("modified", "data_processed", "metadata_processed"):
            del answer["metas"]["default"][name]
        return answer, edit.ask(f"{path}/exports/json", headers=key).json()

    for dataset_id in edit.ask.portal.store.datasets:
        before, at = shown(dataset_id), edit.of(dataset_id)
        for step in steps:
            edit.done("POST", f"{at}/fields/", 201, json=step)
        assert edit.publish(at)["message"] is None
        assert shown(dataset_id) == before


def test_the_answer_to_a_post_is_lost_after_it_took_effect(edit):
    at = edit.new()
    edit.ask.portal.fault("lost", path="/resources/", method="POST", skip=1)
    with pytest.raises(Exception, match=r"aborted|Remote end closed"):
        edit.resource(at, "a.csv", CSV)
    assert edit.done("GET", f"{at}/resources/")["total_count"] == 1


def test_an_upload_that_is_cut_leaves_nothing(edit):
    at = edit.new()
    edit.ask.portal.fault("cut_upload", path="/files/", after_bytes=100_000)
    with pytest.raises(Exception, match=r"aborted|Remote end closed|reset|[Bb]roken pipe"):
        edit.upload(at, "a.csv", b"x" * 4_000_000)
    assert edit.refused("GET", f"{at}/resources/files/a.csv/") == (404, "not_found")
    assert edit.upload(at, "a.csv", b"x" * 4_000_000) == "a.csv"


def test_faults_quotas_and_failures_reach_this_api(edit):
    edit.ask.portal.fault("status", status=429, retry_after=1, path="/automation/")
    edit.ask.portal.fault("bare_429", path="/automation/")
    answers = [edit.call("GET", "/datasets/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "1"
    assert "x-ratelimit-limit" not in answers[2].headers
    edit.office.switch(counts_in_quota=True)
    edit.ask.portal.set_quota(limit=1, remaining=1)
    assert [edit.call("GET", "/datasets/").status_code for _ in range(2)] == [200, 429]


def test_switches_are_told_over_http_and_go_back_with_a_reset(edit):
    told = edit.ask("/_control/automation/switches", method="POST", json={"queued_s": None, "most_rows": 5}).json()
    assert (told["done"]["queued_s"], told["done"]["most_rows"]) == (None, 5)
    for wrong in ({"speed": 1}, {"envelope": "blue"}, {"queued_s": "long"}, {"stale_idle": True}):
        answer = edit.ask("/_control/automation/switches", method="POST", json=wrong)
        assert answer.status_code == 400 and answer.json()["error"]
    assert edit.ask("/_control/automation/step", method="POST", json={"dataset_id": "nope"}).status_code == 400
    edit.ask("/_control/automation/keys", method="POST", json={"key": "k", "permissions": ["edit_dataset"]})
    assert edit.call("GET", "/datasets/", headers={"Authorization": "Apikey k"}).status_code == 200
    edit.ask.portal.reset()
    assert edit.ask("/_control/automation/switches").json()["done"]["queued_s"] == 0.0
    assert edit.call("GET", "/datasets/", headers={"Authorization": "Apikey k"}).status_code == 401


@pytest.mark.at_length
def test_a_large_file_is_kept_on_disk_and_gone_with_a_reset(edit):
    at = edit.new()
    line = "x" * 990
    edit.resource(at, "a.csv", "n,text\n" + "".join(f"{number},{line}\n" for number in range(65_000)))
    assert edit.publish(at)["status"] == "idle"
    assert edit.ask.total("mine") == 65_000
    assert edit.ask.portal.store.datasets["mine"].table.startswith("large.")
    edit.ask.portal.reset()
    assert edit.ask.get("/datasets/mine").status_code == 404
    again = edit.new()
    edit.resource(again, "a.csv", "n\n1\n")
    assert edit.publish(again)["status"] == "idle"


def test_a_dataset_that_was_renamed_keeps_its_configuration(edit):
    at = made(edit)
    edit.publish(at)
    edit.ask.portal.rename("mine", "ours")
    assert edit.of("ours") == at
    edit.resource(at, "b.csv", "name;n\nc;3\n", separator=";")
    edit.publish(at)
    assert edit.ask.total("ours") == edit.ask.whole("/datasets/ours")["metas"]["default"]["records_count"] == 3
    assert edit.ask.get("/datasets/mine").status_code == 404
