"""Datasets of the Automation API: lists, ids, rights, and the words of its refusals."""

import pytest
import requests

from ods_provider.testing.keyring import EVERYTHING


def ids(edit, **params):
    return [item["dataset_id"] for item in edit.done("GET", "/datasets/", params=params)["results"]]


def test_a_list_is_walked_page_by_page(edit):
    walked, url = [], edit.ask.portal.url + "/api/automation/v1.0/datasets/?limit=3"
    while url:
        page = requests.get(url, headers={"Authorization": "apikey demo-key"}, timeout=20).json()
        walked += [item["dataset_id"] for item in page["results"]]
        assert page["total_count"] == 7
        url = page["next"]
    assert walked == ids(edit, limit=1000) == list(edit.ask.portal.store.datasets)
    assert edit.done("GET", "/datasets/", params={"limit": 0})["results"] == []
    assert edit.refused("GET", "/datasets/", params={"limit": "many"}) == (400, "validation_error")


def test_a_page_may_be_worse_than_asked_for(edit):
    edit.office.switch(most_page=2, next_elsewhere="other.example", total_count_as_text=True, unknown_keys=True)
    page = edit.done("GET", "/datasets/", params={"limit": 100})
    assert (len(page["results"]), page["total_count"]) == (2, "7")
    assert page["next"].startswith("http://other.example/api/automation/v1.0/datasets/?limit=2&offset=2")
    assert "new_in_this_portal" in page["results"][0]
    edit.office.switch(page_above_most="refuse")
    assert edit.refused("GET", "/datasets/", params={"limit": 100}) == (400, "validation_error")


def test_a_dataset_is_made_changed_copied_and_deleted(edit):
    at = edit.new(is_restricted=True)
    made = edit.done("GET", f"{at}/")
    assert (made["dataset_id"], made["is_published"], made["is_restricted"]) == ("mine", False, True)
    assert made["metadata"] == {"default": {"title": {"value": "Mine"}}}
    edit.done("PUT", f"{at}/", json={"dataset_id": "ours"})
    assert (ids(edit, dataset_id="mine"), ids(edit, dataset_id="ours")) == ([], ["ours"])
    copied = edit.done("POST", f"{at}/copy/", 201)
    assert (copied["dataset_id"], copied["is_published"]) == ("ours-copy", False)
    assert copied["uid"] != made["uid"]
    assert edit.call("DELETE", f"{at}/").status_code == 204
    assert edit.refused("DELETE", f"{at}/") == (404, "not_found")


def test_the_id_of_a_published_dataset_stays(edit):
    at = edit.of("world-capitals")
    assert edit.refused("PUT", f"{at}/", json={"dataset_id": "other"}) == (400, "validation_error")


def test_a_published_dataset_that_is_deleted_is_gone_everywhere(edit):
    edit.done("DELETE", f"{edit.of('live-readings')}/", 204)
    assert edit.ask.get("/datasets/live-readings").status_code == 404
    pushed = edit.ask("/api/push/1.0/live-readings/realtime/push/?pushkey=demo-push-key", method="POST", json={})
    assert pushed.status_code == 404
    edit.ask.portal.reset()
    assert edit.ask.total("live-readings") == 3


@pytest.mark.parametrize(("switch", "found"), [("allow", ["mine", "mine"]), ("alter", ["mine"]), ("refuse", ["mine"])])
def test_an_id_that_is_taken(edit, switch, found):
    edit.office.switch(taken_dataset_id=switch)
    edit.new()
    metadata = {"default": {"title": {"value": "Again"}}}
    answer = edit.call("POST", "/datasets/", json={"dataset_id": "mine", "metadata": metadata})
    assert answer.status_code == (400 if switch == "refuse" else 201)
    assert ids(edit, dataset_id="mine") == found


def test_without_an_id_each_post_makes_another_dataset(edit):
    made = [edit.new(dataset_id=None) for _ in range(2)]
    assert len(set(made)) == 2
    assert "mine1" in ids(edit)


@pytest.mark.parametrize(
    "given",
    [{}, {"metadata": {}}, {"metadata": []}, {"metadata": {"default": {"title": "bare"}}}, [], "text"],
)
def test_what_is_no_dataset_is_refused(edit, given):
    status, code = edit.refused("POST", "/datasets/", json=given)
    assert (status, code) in {(400, "validation_error"), (400, "bad_request")}


def test_both_envelopes_and_both_spellings_of_an_address(edit):
    at = edit.new()
    assert edit.call("GET", at).json() == edit.call("GET", f"{at}/").json()
    assert edit.call("GET", "/datasets/da_nothing/").json() == {
        "error_code": "not_found",
        "message": "Dataset not found",
    }
    assert edit.call("GET", "/nothing/").json()["error_code"] == "not_found"
    assert edit.call("PATCH", f"{at}/").json()["error_code"] == "method_not_allowed"
    edit.office.switch(envelope="old", slash="redirect")
    told = edit.call("GET", "/datasets/da_nothing/").json()
    assert told["error_key"] == "NotFoundException"
    assert set(told) == {"status_code", "message", "raw_params", "raw_message", "error_key"}
    assert edit.call("GET", at, allow_redirects=False).headers["location"].endswith(f"{at}/")


RIGHTS = {
    "GET /datasets/{at}/": {"edit_dataset"},
    "POST /datasets/": {"create_dataset"},
    "PUT /datasets/{at}/metadata/default/title/": {"edit_dataset"},
    "GET /datasets/{at}/status/": {"edit_dataset", "publish_dataset"},
    "POST /datasets/{at}/publish/": {"edit_dataset", "publish_dataset"},
    "GET /datasets/{at}/security/users/": {"edit_dataset", "manage_dataset"},
    "GET /harvesters/": {"create_dataset", "edit_dataset", "publish_dataset"},
    "GET /users/": {"edit_domain"},
}


@pytest.mark.parametrize("call", RIGHTS)
def test_a_call_needs_its_rights_and_no_more(edit, call):
    method, path = call.split()
    path = path.replace("/datasets/{at}", edit.new())
    body = {"metadata": {"default": {"title": {"value": "T"}}}, "value": "T"}
    sent = {"json": body if method != "GET" else None, "headers": {"Authorization": "Apikey other"}}
    edit.office.add_key("other", RIGHTS[call])
    assert edit.call(method, path, **sent).status_code < 300
    for one in RIGHTS[call]:
        edit.office.add_key("other", EVERYTHING - {one})
        assert edit.call(method, path, **sent).status_code == 403
    del sent["headers"]
    assert edit.ask("/api/automation/v1.0" + path, method=method, **sent).status_code == 401


def test_a_rule_of_a_dataset_gives_its_user_that_dataset(edit):
    at = edit.new()
    rule = {"user": {"username": "ann"}, "permissions": ["edit_dataset"], "security": {"is_data_visible": True}}
    edit.done("POST", f"{at}/security/users/", 201, json=rule)
    edit.office.add_key("of-ann", {"publish_dataset"}, user="ann")
    headers = {"Authorization": "Apikey of-ann"}
    listed = edit.done("GET", "/datasets/", headers=headers)["results"]
    assert "mine" in [item["dataset_id"] for item in listed]
    edit.office.add_key("of-bob", set(), user="bob")
    assert edit.done("GET", "/datasets/", headers={"Authorization": "Apikey of-bob"})["total_count"] == 0
    edit.done("DELETE", f"{at}/security/users/ann/", 204)
    assert edit.call("GET", f"{at}/metadata/", headers={"Authorization": "Apikey of-bob"}).status_code == 403


def test_keys_are_made_listed_changed_and_revoked(edit):
    made = edit.done("POST", "/apikeys/", 201, json={"label": "mine", "permissions": ["edit_dataset"]})
    headers = {"Authorization": f"Apikey {made['key']}"}
    assert edit.call("GET", "/datasets/", headers=headers).status_code == 200
    assert made["key"] not in edit.call("GET", "/apikeys/").text
    assert edit.refused("PUT", f"/apikeys/{made['uid']}/", json={}) == (400, "bad_request")
    edit.done("POST", f"/apikeys/{made['uid']}/revoke/", json={"reason": "lost"})
    assert edit.call("GET", "/datasets/", headers=headers).status_code == 401
    assert [user["username"] for user in edit.done("GET", "/users/")["results"]] == ["admin", "reader"]
    assert edit.done("GET", "/groups/publishers/users/")["results"] == [{"username": "admin"}]


def test_only_who_may_sees_what_is_restricted(edit):
    at = edit.of("world-capitals")
    edit.done("PUT", f"{at}/", data={"is_restricted": "True"})
    assert edit.ask.total() == 110
    edit.publish(at)
    ask = edit.ask
    v1 = {"dataset": "world-capitals"}
    anonymous = [
        ask.get("/datasets/world-capitals"),
        ask.get("/datasets/world-capitals/records"),
        ask.get("/datasets/world-capitals/exports/csv"),
        ask("/api/records/1.0/search/", params=v1),
    ]
    assert [answer.status_code for answer in anonymous] == [404] * 4
    assert ask.whole("/datasets")["total_count"] == ask("/api/datasets/1.0/search/").json()["nhits"] == 6
    assert len(ask.get("/exports/json").json()) == 6
    headers = {"Authorization": "Apikey demo-key"}
    assert ask("/api/explore/v2.1/catalog/datasets", headers=headers).json()["total_count"] == 7
    edit.office.switch(security_needs_publish=False)
    edit.done("PUT", f"{at}/", json={"is_restricted": False})
    assert ask.total() == 110
