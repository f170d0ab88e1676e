"""Datasets: all of them, one of them, made once, changed, copied, gone; lists whole whatever the portal's pages are."""

import pytest

from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsNotFound, OdsQueryError


def test_a_dataset_is_made_found_changed_and_deleted(desk):
    datasets = desk.automation.datasets
    made = datasets.create({"default": {"title": {"value": "Trees"}, "description": {"value": ""}}}, dataset_id="trees")
    assert (made["dataset_id"], made["is_restricted"], made["is_published"]) == ("trees", True, False)
    assert "description" not in made["metadata"]["default"]
    assert datasets.get("trees")["uid"] == datasets.get(made["uid"])["uid"] == made["uid"]
    assert datasets.find("trees") == datasets.find(made["uid"])
    assert datasets.find("nothing") is None
    assert datasets.find("da_nothing") is None
    assert datasets.update("trees", is_restricted=False)["is_restricted"] is False
    assert datasets.update("trees", dataset_id="oaks")["dataset_id"] == "oaks"
    with pytest.raises(OdsNotFound, match="no dataset of this id that the key may edit"):
        datasets.get("trees")
    copied = datasets.copy("oaks")
    assert (copied["dataset_id"], copied["is_published"]) == ("oaks-copy", False)
    datasets.delete("oaks")
    assert datasets.find(made["uid"]) is None
    assert datasets.find(copied["uid"]) is not None


def test_a_dataset_without_an_id_gets_one_of_its_title(desk):
    assert desk.automation.datasets.create({"default": {"title": {"value": "A b"}}})["dataset_id"] == "a-b"


def test_two_datasets_of_one_id_are_an_error_that_names_both(desk):
    first = desk.new("twice")
    body = {"dataset_id": "twice", "metadata": {"default": {"title": {"value": "Again"}}}}
    second = desk.office.drafts.create(body, by="somebody").uid
    for call in (desk.automation.datasets.get, desk.automation.resources.list, desk.automation.datasets.publish):
        with pytest.raises(OdsConfigError, match=f"2 datasets have the id 'twice': {first} and {second}"):
            call("twice")
    assert desk.automation.datasets.get(second)["metadata"]["default"]["title"]["value"] == "Again"


def test_a_taken_id_is_refused_before_anything_is_made(desk):
    uid = desk.new("mine")
    with pytest.raises(OdsConfigError, match=f"there is a dataset with the id 'mine' already: {uid}"):
        desk.new("mine")
    assert len(desk.calls("POST", "/datasets/")) == 1


def test_an_id_that_the_portal_altered_is_an_error_that_names_the_dataset(desk):
    # The key sees nothing of the other one, since it may edit its own datasets only.
    desk.office.drafts.create({"dataset_id": "mine", "metadata": {"default": {"title": {"value": "x"}}}}, by="admin")
    desk.office.switch(taken_dataset_id="alter")
    desk.office.add_key("only-makes", ["create_dataset"], user="maker")
    with (
        type(desk.client)(desk.portal.url, api_key="only-makes") as client,
        pytest.raises(OdsConfigError, match=r"made the dataset da_.* as 'mine1': 'mine' is taken"),
    ):
        client.automation.datasets.create({"default": {"title": {"value": "x"}}}, dataset_id="mine")


def test_an_id_that_became_another_datasets_is_looked_up_again(desk):
    first = desk.new("mine")
    assert desk.automation.metadata.get("mine", "default.title") == {"value": "Mine"}
    desk.office.drafts.delete(desk.office.drafts.find(first))
    desk.office.drafts.create({"dataset_id": "mine", "metadata": {"default": {"title": {"value": "Next"}}}}, by="x")
    assert desk.automation.metadata.get("mine", "default.title") == {"value": "Next"}


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"most_page": 3},
        {"most_page": 3, "page_above_most": "refuse", "default_page": 2},
        {"total_count_as_text": True, "most_page": 2},
        {"unknown_keys": True},
    ],
)
def test_a_list_is_whole_whatever_the_pages_are(desk, switches):
    uid = desk.new()
    for number in range(7):
        desk.automation.datasets.create({"default": {"title": {"value": f"{number}"}}}, dataset_id=f"d{number}")
    desk.office.switch(**switches)
    listed = [each["dataset_id"] for each in desk.automation.datasets.list()]
    assert listed == [draft.dataset_id for draft in desk.office.drafts.all()]
    assert listed[-8:] == ["mine", *(f"d{number}" for number in range(7))]
    if switches.get("unknown_keys"):
        assert desk.automation.datasets.get(uid)["new_in_this_portal"] == 1


def test_the_next_page_of_another_host_is_asked_only_where_the_connection_allows_it(desk):
    desk.office.switch(most_page=3, next_elsewhere="elsewhere.example:443")
    with pytest.raises(OdsConfigError, match=r"names an address of another host .*allowed_hosts") as caught:
        desk.automation.datasets.list()
    assert "elsewhere.example" in str(caught.value)
    # The same portal under another name: what is on that port answers.
    desk.office.switch(next_elsewhere=f"localhost:{desk.portal.port}")
    with type(desk.client)(
        desk.portal.url, api_key=desk.portal.api_key, allowed_hosts=[f"localhost:{desk.portal.port}"]
    ) as client:
        assert len(client.automation.datasets.list()) == len(desk.office.drafts.all())


def test_versions_are_told_and_one_is_restored(desk, tmp_path):
    uid = desk.new()
    desk.resource(uid, desk.file(tmp_path))
    datasets = desk.automation.datasets
    for title in ("one", "two"):
        desk.automation.metadata.set(uid, {"default.title": title})
        datasets.wait(datasets.publish(uid))
    last, first = datasets.versions(uid)
    assert (first["can_restore"], last["can_restore"]) == (True, False)
    assert datasets.wait(datasets.restore(uid, first["uid"])).status.previous == "saving_version"
    assert desk.automation.metadata.get(uid, "default.title") == {"value": "one"}


@pytest.mark.parametrize(
    ("permissions", "call", "needed"),
    [
        ([], lambda a: a.datasets.create({"default": {"title": {"value": "x"}}}, dataset_id="new"), "create_dataset"),
        ([], lambda a: a.metadata.all("da_capita"), "edit_dataset"),
        (["edit_dataset"], lambda a: a.datasets.publish("world-capitals"), "edit_dataset and publish_dataset"),
        (["edit_dataset"], lambda a: a.datasets.status("world-capitals"), "edit_dataset and publish_dataset"),
    ],
)
def test_a_key_that_may_not_is_told_which_permission_is_missing(desk, permissions, call, needed):
    capitals = desk.automation.datasets.get("world-capitals")["uid"]
    desk.office.add_key("may-little", permissions)
    with type(desk.client)(desk.portal.url, api_key="may-little") as client:
        client.automation._office._uids["da_capita"] = capitals
        with pytest.raises(OdsAuthError, match=f"takes a key with {needed}"):
            call(client.automation)
    with (
        type(desk.client)(desk.portal.url) as client,
        pytest.raises(OdsAuthError, match=r"accept the credentials, or wants some: this call takes a key with"),
    ):
        client.automation.datasets.list()


@pytest.mark.parametrize("envelope", ["new", "old"])
def test_both_envelopes_of_errors_are_read(desk, envelope):
    desk.office.switch(envelope=envelope)
    with pytest.raises(OdsNotFound) as caught:
        desk.automation.datasets.versions("da_nothing")
    assert caught.value.status == 404
    with pytest.raises(OdsQueryError) as refused:
        desk.automation.datasets.create({"default": {"language": {"value": "en"}}}, dataset_id="new")
    assert refused.value.code == {"new": "validation_error", "old": "ValidationErrorException"}[envelope]
    if envelope == "new":
        assert "Invalid field value (title: This field is required)" in str(refused.value)
    uid = desk.new()
    desk.office.switch(queued_s=None)
    desk.automation.datasets.publish(uid)
    with pytest.raises(OdsQueryError, match="Wait until what runs has ended"):
        desk.automation.datasets.abort(uid)
