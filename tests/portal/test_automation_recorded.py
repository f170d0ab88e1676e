"""The Automation API beside bodies of real portals and of the vendor's description.

Requests are taken as they were sent, and answers have the keys and the words that those have.
"""

import json
import re
from pathlib import Path

import pytest
from recording import content as recorded
from recording import index


@pytest.fixture(autouse=True)
def _there():
    index()


CSV = b"Name;Field_ID;original_field_id;AnzahlPP;tags\na;1;x;2;p,q\n"
# Filed under this API, and about another: users' exports, feedbacks and the ancestor's own objects.
ELSEWHERE = {
    "automation-feedback.json",
    "automation-users-export-csv.json",
    "automation-mgmt2-change-object.json",
    "automation-mgmt2-create-empty-201.json",
    "automation-mgmt2-create-strict-400.json",
    "automation-mgmt2-harvesters-list.json",
    "automation-mgmt2-processor-expression.json",
    "automation-mgmt2-user-ruleset.json",
    "automation-mgmt2-file-object.json",
}
TOLD = {
    "uploaded_file": "automation-resource-uploaded-file-201.json",
    "federated": "automation-resource-federated-201.json",
}


@pytest.mark.parametrize(
    "name",
    [
        "automation-create-dataset-request-bs.json",
        "automation-create-dataset-minimal-request-bs.json",
        "automation-create-dataset-template-request-tg.json",
    ],
)
def test_a_dataset_is_made_as_scripts_make_it(edit, name):
    given = recorded(name)
    made = edit.done("POST", "/datasets/", 201, json=given)
    assert made["metadata"] == given["metadata"]
    assert made["is_restricted"] == given["is_restricted"]
    assert made["dataset_id"] == (given["dataset_id"] or "template-metadata")


@pytest.mark.parametrize("name", ["automation-datasets-page-bs.json", "automation-dataset-uid-lookup-bs.json"])
def test_a_page_of_datasets_has_the_keys_of_a_real_one(edit, name):
    theirs = recorded(name)
    ours = edit.done("GET", "/datasets/", params={"limit": 3})
    assert set(ours) == set(theirs)
    assert set(theirs["results"][0]) <= set(ours["results"][0])
    if theirs["next"]:
        assert ours["next"].partition("?")[2] == "limit=3&offset=3"
        assert theirs["next"].partition("?")[2] == "limit=10&offset=10"


def test_a_status_has_the_keys_of_a_real_one(edit):
    edit.office.switch(since_in_seconds=True)
    theirs = recorded("automation-status-idle-bs.json")
    ours = edit.status(edit.of("world-capitals"))
    assert ours | {"since": ""} == theirs | {"since": ""}
    assert len(ours["since"]) == len(theirs["since"])
    for name in ("automation-mgmt2-status-error.json", "automation-mgmt2-status-limit-reached.json"):
        assert recorded(name)["name"] in ("error", "limit_reached")


def test_an_error_of_a_record_says_what_a_real_one_does(edit):
    (theirs,) = recorded("automation-mgmt2-status-idle-records-errors.json")["records_errors"]
    at = edit.new()
    edit.resource(at, "a.csv", "column_1\na\n")
    edit.done("POST", f"{at}/fields/", 201, json={"type": "type", "field": "column_1", "type_param": "int"})
    (ours,) = edit.publish(at)["records_errors"]
    assert set(ours) == set(theirs) - {"raw_message", "raw_params"}
    assert (ours["message"], ours["field_uid"]) == (theirs["message"], theirs["field_uid"])
    assert len(ours["record_id"]) == len(theirs["record_id"])


def test_refusals_have_the_words_of_real_ones(edit):
    at = edit.new()
    assert edit.call("GET", "/nothing/").json() == recorded("automation-not-found-404.json")
    assert edit.call("GET", "/datasets/da_nothing/").json() == recorded("automation-not-found-404-bs.json")
    theirs = recorded("automation-validation-fields-400-bs.json")
    ours = edit.call("POST", "/datasets/", json={"metadata": {}}).json()
    assert {name: ours[name] for name in theirs} == theirs
    edit.done("POST", "/harvesters/town-gardens/start/")
    edit.office.switch(queued_s=None, processing_s=None)
    edit.office.settle()
    edit.done("POST", "/harvesters/town-gardens/start/")
    edit.office.step()
    refused = edit.call("POST", "/harvesters/town-gardens/start/").json()
    assert refused == recorded("automation-harvester-invalid-status-400.json")
    edit.office.switch(envelope="old")
    edit.done("POST", f"{at}/publish/")
    assert edit.call("POST", f"{at}/publish/").json() == recorded("automation-publish-queued-400-bs.json")
    theirs = recorded("automation-mgmt2-unknown-username-404.json")
    assert edit.call("GET", "/users/toto/").json() == theirs
    made = edit.done("POST", "/apikeys/", 201, json=recorded("automation-apikey-create-request-tg.json"))
    theirs = recorded("automation-mgmt2-apikey-update-400.json")
    assert edit.call("PUT", f"/apikeys/{made['uid']}/", json={}).json() == theirs


def test_orders_are_acknowledged_in_the_same_words(edit):
    at = edit.new()
    assert edit.done("POST", f"{at}/publish/") == recorded("automation-action-ok.json")


def test_metadata_is_kept_as_it_was_sent(edit):
    at = edit.new()
    whole = recorded("automation-metadata-all-bs.json")
    edit.done("PUT", f"{at}/metadata/", json=whole)
    assert edit.done("GET", f"{at}/metadata/") == whole
    assert edit.publish(at)["status"] == "error"
    custom = recorded("automation-metadata-custom.json")
    edit.done("PUT", f"{at}/metadata/custom/", json=custom)
    told = edit.done("GET", f"{at}/metadata/custom/")
    assert {name: value["value"] for name, value in told.items()} == {
        name: value["value"] for name, value in custom.items()
    }


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("default", "automation-metadata-default-remote.json"),
        ("internal", "automation-metadata-internal-remote.json"),
        ("asset_content_configuration", "automation-metadata-asset-content-configuration.json"),
    ],
)
def test_harvested_metadata_reads_as_real_one(edit, template, name):
    theirs = recorded(name)
    remote = {template: {field: value["remote_value"] for field, value in theirs.items()}}
    found = [{"dataset_id": "far", "metadata": {"default": {"title": "Far"}} | remote, "rows": [{"title": "a"}]}]
    edit.office.add_harvester("Far", datasets=found)
    edit.done("POST", "/harvesters/far/start/")
    edit.office.settle()
    at = edit.of("far")
    assert edit.done("GET", f"{at}/metadata/{template}/") == theirs
    assert edit.publish(at)["status"] == "idle"
    assert edit.ask.total("far") == 1
    value = recorded("automation-metadata-value-remote.json")
    field = next(iter(theirs))
    assert set(edit.done("GET", f"{at}/metadata/{template}/{field}/")) == set(value)


def test_a_file_is_acknowledged_with_the_same_keys(edit):
    theirs = recorded("automation-file-upload-201.json")
    at = edit.new()
    ours = edit.done("POST", f"{at}/resources/files/", 201, files={"file": ("fromages.csv", CSV)})
    assert ours | {"created_at": theirs["created_at"]} == theirs


@pytest.mark.parametrize(
    "name",
    [
        "automation-resource-uploaded-file-request.json",
        "automation-resource-uploaded-file-request-bercy.json",
        "automation-resource-http-request.json",
        "automation-resource-http-basicauth-request.json",
        "automation-resource-http-reusable-connection-request.json",
        "automation-resource-http-geojson-request-bs.json",
        "automation-resource-federated-request.json",
    ],
)
def test_a_resource_is_taken_as_scripts_send_it(edit, name):
    given = recorded(name)
    at = edit.new()
    made = edit.done("POST", f"{at}/resources/", 201, json=given)
    kind = given["datasource"]["type"]
    kind = kind if kind in TOLD else "federated"
    theirs = recorded(TOLD[kind])
    assert set(made) == set(theirs)
    assert made["params"] == given.get("params", {})
    assert (made["type"], made["title"]) == (given["type"], given["title"])
    assert "my_password" not in json.dumps(made)
    assert set(given["datasource"]) <= set(made["datasource"])


def test_what_a_file_is_guessed_to_be_reads_as_real_guesses(edit):
    at = edit.new()
    datasource = {"type": "uploaded_file", "file": {"uid": edit.upload(at, "fromages.csv", CSV)}}
    ours = edit.done("POST", f"{at}/resources/guess_extractor_params/", json={"datasource": datasource})
    assert ours == recorded("automation-resource-guess-extractor-params.json")
    older = recorded("automation-mgmt2-guess-extractor-params.json")
    assert older["params"].items() <= ours["params"].items()
    shown = edit.done("POST", f"{at}/resources/preview/", json={"type": "csvfile", "datasource": datasource})
    theirs = recorded("automation-resource-preview.json")
    assert (set(shown), set(shown["fields"][0])) == (set(theirs), set(theirs["fields"][0]))
    theirs = recorded("automation-extractor-parameters.json")
    (ours,) = [one for one in edit.done("GET", "/extractors/") if one["type"] == theirs["type"]]
    assert set(ours) == set(theirs)
    told = [(one["name"], one["type"], one["is_mandatory"]) for one in theirs["parameters"]]
    assert [(one["name"], one["type"], one["is_mandatory"]) for one in ours["parameters"]] == told


@pytest.mark.at_length
def test_field_configurations_and_processors_are_taken_as_scripts_send_them(edit):
    at = edit.new()
    edit.resource(at, "a.csv", CSV, separator=";")
    steps = [
        *recorded("automation-field-configurations-requests.json").values(),
        *recorded("automation-field-processors-request-bs.json"),
    ]
    for given in steps:
        made = edit.done("POST", f"{at}/fields/", 201, json=given)
        assert made.items() >= given.items()
    theirs = recorded("automation-field-configuration.json")
    shown = edit.done("GET", f"{at}/fields/", params={"limit": 100})["results"]
    assert [one | {"uid": ""} for one in shown if one["label"] == theirs["label"]] == [theirs | {"uid": ""}]
    assert edit.publish(at)["status"] == "idle"
    fields = {one["name"]: one for one in edit.ask.whole("/datasets/mine")["fields"]}
    assert (fields["anzahlpp"]["type"], fields["anzahlpp"]["label"]) == ("int", "Anzahl PP")
    assert fields["anzahlpp"]["description"] == "Number of parking places"
    assert fields["new_field_id"]["label"] == "New user friendly label"
    assert "field_id" not in fields
    replace = recorded("automation-processor-string-replace-request.json")
    made = edit.done("POST", f"{at}/processors/", 201, json=replace)
    assert made | {"uid": ""} == recorded("automation-processor-string-replace.json") | {"uid": ""}
    join = recorded("automation-join-processor-request.json")
    assert edit.done("POST", f"{at}/processors/", 201, json=join).items() >= join.items()


def test_errors_of_a_harvest_have_the_words_of_real_ones(edit):
    theirs = recorded("automation-harvester-errors.json")
    ((remote, why),) = theirs["resources"].items()
    edit.office.add_harvester("Far", datasets=[{"dataset_id": remote, "metadata": {}, "error": why}])
    edit.done("POST", "/harvesters/far/start/")
    edit.office.settle()
    assert edit.done("GET", "/harvesters/far/errors/")["resources"] == theirs["resources"]
    edit.office.add_harvester("Far", fatal=theirs["harvester"])
    edit.done("POST", "/harvesters/far/start/")
    edit.office.settle()
    assert edit.done("GET", "/harvesters/far/errors/")["harvester"] == theirs["harvester"]


def test_application_metadata_has_the_groups_of_a_real_one(edit):
    (theirs,) = recorded("automation-explore-include-app-metas-bercy.json")["results"]
    edit.publish(edit.of("world-capitals"))
    ours = edit.ask.whole("/datasets/world-capitals", include_app_metas="true")["metas"]
    for group in ("processing", "publishing", "explore"):
        assert set(ours[group]) == set(theirs["metas"][group])


def test_every_recorded_body_of_this_api_is_named_here():
    names = {name for name in index() if name.startswith("automation-")}
    assert names == set(re.findall(r'"(automation-[a-z0-9-]+\.json)"', Path(__file__).read_text()))
    assert len(ELSEWHERE) == 9
