"""Harvesters: what they make, what they publish, and what people have changed of it."""

import pytest

ONE = "/harvesters/town-gardens"


def started(edit, path=ONE, order="start"):
    edit.done("POST", f"{path}/{order}/")
    edit.office.settle()
    return edit.done("GET", f"{path}/")


def test_a_harvester_makes_datasets_that_it_publishes_when_told(edit):
    told = edit.done("GET", f"{ONE}/")
    assert (told["status"], told["attached_datasets_count"], told["last_started_at"]) == ("new", 0, None)
    told = started(edit)
    assert (told["status"], told["has_error"]) == ("idle", False)
    assert (told["attached_datasets_count"], told["published_datasets_count"]) == (2, 0)
    assert edit.ask.get("/datasets/town-gardens").status_code == 404
    told = started(edit, order="publish")
    assert told["published_datasets_count"] == 2
    assert edit.ask.rows("town-gardens")[0] == {"name": "Garden 1", "area_m2": 120}
    assert edit.ask.rows("town-benches")[0]["place"] == {"lon": 7.1, "lat": 41.5}
    attached = edit.done("GET", f"{ONE}/datasets/")["results"]
    assert [one["dataset_id"] for one in attached] == ["town-gardens", "town-benches"]
    assert started(edit)["attached_datasets_count"] == 2
    assert started(edit, order="unpublish")["published_datasets_count"] == 0


def test_that_a_harvester_is_idle_proves_nothing_of_its_datasets(edit):
    started(edit)
    edit.office.switch(processing_s=None)
    edit.done("POST", f"{ONE}/publish/")
    edit.office.harvesters.settle()
    assert edit.done("GET", f"{ONE}/")["status"] == "idle"
    assert edit.status(edit.of("town-gardens"))["status"] == "processing"


def test_a_busy_harvester_takes_no_order_but_an_abort(edit):
    edit.office.switch(queued_s=None)
    edit.done("POST", f"{ONE}/start/")
    assert edit.call("POST", f"{ONE}/start/").json() == {
        "error_code": "invalid_harvester_status",
        "message": "Invalid transition from queued to processing",
    }
    assert edit.done("POST", f"{ONE}/abort/") == {"detail": "ok"}
    edit.office.settle()
    told = edit.done("GET", f"{ONE}/")
    assert (told["status"], told["attached_datasets_count"]) == ("idle", 0)
    assert edit.refused("POST", f"{ONE}/abort/") == (400, "invalid_harvester_status")


def test_what_people_changed_survives_the_next_harvest(edit):
    started(edit)
    title = f"{edit.of('town-gardens')}/metadata/default/title/"
    remote = "Gardens of the town"
    assert edit.done("GET", title) == {"value": remote, "remote_value": remote, "override_remote_value": False}
    edit.done("PUT", title, json={"value": "Ours", "override_remote_value": True})
    started(edit)
    assert edit.done("GET", title) == {"value": "Ours", "remote_value": remote, "override_remote_value": True}
    edit.done("PUT", title, json={"value": "Ours", "override_remote_value": False})
    assert edit.done("GET", title)["value"] == remote
    edit.done("PUT", title, json={"value": "Without a flag"})
    assert edit.done("GET", title)["value"] == "Without a flag"
    edit.done("DELETE", title, 204)
    assert edit.done("GET", title)["value"] == remote
    edit.office.switch(value_overrides=False)
    assert edit.done("PUT", title, json={"value": "Without a flag"})["value"] == remote


def test_errors_of_a_harvest_are_told(edit):
    rows = [{"n": 1}]
    given = {
        "name": "Lake levels",
        "type": "ckan",
        "datasets": [
            {"dataset_id": "lakes", "metadata": {"default": {"title": "Lakes"}}, "rows": rows},
            {"dataset_id": "rivers", "metadata": {}, "error": "Could not harvest the dataset."},
        ],
    }
    assert edit.ask("/_control/automation/harvesters", method="POST", json=given).json() == {"done": "lake-levels"}
    told = started(edit, "/harvesters/lake-levels")
    assert (told["has_error"], told["resource_errors_count"], told["attached_datasets_count"]) == (False, 1, 1)
    errors = edit.done("GET", "/harvesters/lake-levels/errors/")
    assert errors == {"harvester": None, "resources": {"rivers": "Could not harvest the dataset."}}
    edit.office.add_harvester("Lake levels", fatal="A fatal error occured.")
    told = started(edit, "/harvesters/lake-levels")
    assert told["has_error"] is True
    assert edit.done("GET", "/harvesters/lake-levels/errors/")["harvester"] == "A fatal error occured."
    with pytest.raises(ValueError, match="no harvester of type"):
        edit.office.add_harvester("x", type="gopher")


def test_harvesters_are_made_changed_and_deleted(edit):
    made = edit.done("POST", "/harvesters/", 201, json={"type": "ods", "name": "A b", "api_key": "s3cret"})
    assert (made["uid"], made["status"], made["api_key"]) == ("a-b", "new", None)
    assert edit.done("PUT", "/harvesters/a-b/", json={"delete_missing_datasets": True})["delete_missing_datasets"]
    assert edit.done("GET", "/harvesters/")["total_count"] == 2
    assert edit.refused("POST", "/harvesters/", json={"type": "gopher", "name": "x"})[0] == 400
    assert edit.refused("DELETE", "/harvesters/a-b/")[0] == 400
    started(edit)
    assert edit.call("DELETE", f"{ONE}/", params={"delete_attached_datasets": "true"}).status_code == 204
    assert edit.done("GET", "/datasets/", params={"dataset_id": "town-gardens"})["results"] == []
    assert edit.refused("GET", f"{ONE}/") == (404, "not_found")
    assert len(edit.done("GET", "/datasets/")["results"]) == 7


def test_datasets_that_their_source_lost_go_where_told(edit):
    gardens = [{"dataset_id": "g", "metadata": {"default": {"title": "G"}}, "rows": [{"n": 1}]}]
    edit.office.add_harvester("Town gardens", datasets=gardens)
    started(edit)
    edit.office.add_harvester("Town gardens")
    assert started(edit)["attached_datasets_count"] == 1
    edit.done("PUT", f"{ONE}/", json={"delete_missing_datasets": True})
    assert started(edit)["attached_datasets_count"] == 0
