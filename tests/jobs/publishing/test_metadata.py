"""Metadata set field by field: what differs, what people pinned, what the records say, and what of it is public."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from publishing_desk import Desk

from ods_provider.core.errors import (
    OdsConfigError,
    OdsIncomplete,
    OdsNotFound,
    OdsPublicationFailed,
    OdsPublicationRunning,
)
from ods_provider.core.outcome import Wait
from ods_provider.jobs.arguments import metadata_job

COLUMNS = {"planted": "date", "seen": "datetime", "name": "text"}
ROWS = [
    {"planted": "2019-05-01", "seen": "2020-01-01T10:00:00Z", "name": "a"},
    {"planted": "2024-10-30", "seen": "2024-02-01T23:30:00.25Z", "name": "b"},
    {"planted": None, "seen": None, "name": "c"},
]
START, END = "dcat.temporal_coverage_start", "dcat.temporal_coverage_end"


@pytest.fixture(autouse=True)
def _trees(desk: Desk) -> None:
    desk.portal.add_dataset("trees", COLUMNS, ROWS)
    desk.portal.requests.clear()


def change(desk: Desk, metadata: Any = None, dataset_id: str = "trees", **given: Any) -> Any:
    return desk.lab.ended(metadata_job(dataset_id=dataset_id, metadata=metadata, **given))


def calls(desk: Desk, *methods: str) -> list[str]:
    return [
        f"{call.method} {call.path.partition('/da_')[2].partition('/')[2]}"
        for call in desk.portal.requests
        if call.method in methods
    ]


def shown(desk: Desk, dataset_id: str = "trees") -> Any:
    with desk.client() as client:
        return client.dataset(dataset_id).metas


def changes(result: Any) -> dict[str, tuple[Any, Any]]:
    return {each["field"]: (each["old"], each["new"]) for each in result["changed_fields"]}


def harvested(desk: Desk) -> None:
    desk.office.harvesters.start(desk.office.harvesters.find("town-gardens"))
    desk.office.settle()


def test_only_what_differs_is_sent_and_published_once(desk: Desk) -> None:
    values = {"default.title": "Trees", "internal.license_id": "ccby40", "default.language": "en"}
    result = change(desk, values)
    assert changes(result) == {"default.title": ("trees", "Trees"), "internal.license_id": (None, "ccby40")}
    assert (result["action"], result["status"], result["unchanged"]) == ("publish_metadata", "idle", False)
    assert calls(desk, "PUT", "POST", "DELETE") == [
        "PUT metadata/default/title/",
        "PUT metadata/internal/license_id/",
        "POST publish_metadata/",
    ]
    assert (shown(desk)["default"]["title"], shown(desk)["default"]["license"]) == ("Trees", "CC BY 4.0")
    assert not desk.lab.checkpoints.exists()
    desk.portal.requests.clear()
    again = change(desk, values)
    assert (again["changed_fields"], again["unchanged"], again["action"]) == ([], True, None)
    assert calls(desk, "PUT", "POST", "DELETE") == []
    assert again["calls"] == 4


def test_a_plan_tells_all_and_changes_nothing(desk: Desk) -> None:
    result = change(desk, {"default.title": "Trees"}, coverage_of="planted", dry_run=True)
    assert changes(result) == {
        "default.title": ("trees", "Trees"),
        START: (None, "2019-05-01T00:00:00Z"),
        END: (None, "2024-10-30T00:00:00Z"),
    }
    assert (result["dry_run"], result["note"]) == (True, "nothing was changed")
    assert calls(desk, "PUT", "POST", "DELETE") == []


@pytest.mark.parametrize(("publish", "order"), [("full", "POST publish/"), ("none", None), (None, None)])
def test_what_is_published_is_what_was_asked(desk: Desk, publish: str | None, order: str | None) -> None:
    result = change(desk, {"default.title": "Trees"}, publish=publish)
    assert calls(desk, "POST") == ([order] if order else [])
    assert result["status"] == ("idle" if order else None)
    assert shown(desk)["default"]["title"] == ("Trees" if order else "trees")


def test_of_a_dataset_that_is_not_published_the_values_are_set_and_nothing_is_ordered(desk: Desk) -> None:
    result = change(desk, {"default.title": "Ours"}, "mine")
    assert "the values show once it is" in result["note"]
    assert calls(desk, "POST") == []
    with pytest.raises(OdsNotFound, match="publish the dataset first"):
        change(desk, dataset_id="mine", coverage_of="n")


@pytest.mark.parametrize("template", [pytest.param("default", marks=pytest.mark.at_length), "asset"])
def test_either_spelling_is_understood_and_one_value_is_given_once(desk: Desk, template: str) -> None:
    desk.office.switch(template=template)
    assert changes(change(desk, {"asset.title": "Trees"})) == {"asset.title": ("trees", "Trees")}
    assert change(desk, {"default.title": "Trees", "custom.data_owner": "me"})["changed_fields"][0]["field"] == (
        "custom.data_owner"
    )
    assert f"PUT metadata/{template}/title/" in calls(desk, "PUT")
    assert "PUT metadata/custom/data-owner/" in calls(desk, "PUT")
    with pytest.raises(OdsConfigError, match=r"asset\.title and default\.title are one value"):
        change(desk, {"default.title": "a", "asset.title": "b"})


REFUSED = [
    ({"default.title": "x", "default.titel": "x"}, r"there is no field 'titel' of default.*Did you mean 'title'"),
    ({"default.title": "x", "dact.created": "x"}, r"there is no template 'dact'.*Did you mean 'dcat'"),
    ({"default.title": "x", "custom.data_ownr": "x"}, "Did you mean 'data-owner'"),
    ({"default.title": "x", "dcat.issued": "soon"}, r"dcat\.issued='soon' is no day"),
    ({"default.title": "x", "dcat.created": "2024"}, r"dcat\.created='2024' is no moment"),
    ({"default.title": "x", "internal.draft": "perhaps"}, "is neither true nor false"),
    ({"default.title": "x", "custom.trees_counted": "1.5"}, "is no whole number"),
    ({"default.title": "x", "default.publisher": ["a"]}, "is no text"),
    ({"default.title": "x", "default.publisher": " "}, r"default\.publisher is empty.*null takes back"),
]


def test_what_is_not_known_or_does_not_fit_is_told_before_anything_is_changed(desk: Desk) -> None:
    for given, said in REFUSED:
        with pytest.raises(OdsConfigError, match=said):
            change(desk, given)
    assert calls(desk, "PUT", "POST", "DELETE") == []


def test_where_the_portal_describes_nothing_to_this_key_values_go_as_those_that_stand(desk: Desk) -> None:
    desk.portal.fault("status", status=403, path="/metadata/templates/", times=None)
    result = change(
        desk, {"default.modified_updates_on_data_change": "false", "default.title": 2024, "extra.codes": "[1, 2]"}
    )
    assert {name: new for name, (_, new) in changes(result).items()} == {
        "default.modified_updates_on_data_change": False,
        "default.title": "2024",
        "extra.codes": [1, 2],
    }


@pytest.mark.at_length
def test_values_of_python_are_spelled_as_portals_do_and_moments_are_compared_as_such(desk: Desk) -> None:
    values = {
        "dcat.created": datetime(2024, 1, 31, 12, tzinfo=UTC),
        "dcat.issued": date(2024, 1, 31),
        "default.keyword": ("a", "b"),
    }
    result = changes(change(desk, values))
    assert [new for _, new in result.values()] == ["2024-01-31T12:00:00Z", "2024-01-31", ["a", "b"]]
    assert change(desk, {"dcat.created": "2024-01-31T13:00:00+01:00"})["unchanged"]


class TestHarvested:
    """Values that a source fills: they are pinned once somebody sets another, and kept then."""

    @pytest.fixture(autouse=True)
    def _gardens(self, desk: Desk) -> None:
        harvested(desk)
        desk.office.switch(value_overrides=False)
        desk.portal.requests.clear()

    def test_a_value_of_the_source_is_replaced_and_one_that_people_pinned_is_kept(self, desk: Desk) -> None:
        with desk.client() as client:
            client.automation.metadata.set("town-gardens", {"default.title": "Our gardens"})
        asked = {"default.title": "Theirs", "default.publisher": "Parks", "default.language": "en"}
        result = change(desk, asked, "town-gardens", publish=None)
        assert changes(result) == {"default.publisher": ("Town", "Parks")}
        assert result["kept_fields"] == [{"field": "default.title", "value": "Our gardens", "asked": "Theirs"}]
        assert result["note"] == "kept what people pinned: default.title"
        with desk.client() as client:
            assert client.automation.metadata.get("town-gardens", "default.publisher")["override_remote_value"] is True
        told = change(desk, asked, "town-gardens", publish=None, override=True)
        assert told["changed_fields"] == [
            {"field": "default.title", "old": "Our gardens", "new": "Theirs", "pinned": True}
        ]

    @pytest.mark.at_length
    def test_a_value_that_an_earlier_try_pinned_is_nobody_else_s(self, desk: Desk) -> None:
        with desk.client() as client:
            client.automation.datasets.wait(client.automation.datasets.publish("town-gardens"))
        desk.office.switch(processing_s=None)
        first = metadata_job(dataset_id="town-gardens", metadata={"default.title": "Ours"})
        assert isinstance(desk.lab.run(first), Wait)
        desk.office.switch(processing_s=0.0)
        desk.office.settle()
        # The same task, whose template renders to something else by now.
        result = change(desk, {"default.title": "Ours, too"}, "town-gardens")
        assert changes(result) == {"default.title": ("Gardens of the town", "Ours, too")}
        assert shown(desk, "town-gardens")["default"]["title"] == "Ours, too"

    def test_a_value_that_is_taken_back_is_the_source_s_again(self, desk: Desk) -> None:
        assert change(desk, {"default.title": None}, "town-gardens")["unchanged"]
        change(desk, {"default.title": "Ours"}, "town-gardens", publish=None)
        assert change(desk, {"default.title": None}, "town-gardens", publish=None)["kept_fields"]
        result = change(desk, {"default.title": None}, "town-gardens", publish=None, override=True)
        assert changes(result) == {"default.title": ("Ours", "Gardens of the town")}
        assert calls(desk, "DELETE") == ["DELETE metadata/default/title/"]


class TestCoverage:
    """From when to when the records reach, by one aggregate call."""

    def test_days_are_those_of_the_dataset_s_time_zone(self, desk: Desk) -> None:
        change(desk, {"default.timezone": "Europe/Zurich"}, publish=None)
        desk.portal.requests.clear()
        assert changes(change(desk, coverage_of="planted")) == {
            START: (None, "2019-04-30T22:00:00Z"),
            END: (None, "2024-10-29T23:00:00Z"),
        }
        asked = [call.path for call in desk.portal.requests if call.path.endswith("/records")]
        assert len(asked) == 1
        assert shown(desk)["dcat"]["temporal_coverage_start"] == "2019-04-30T22:00:00Z"
        assert change(desk, coverage_of="planted")["unchanged"]

    @pytest.mark.at_length
    def test_moments_are_to_the_second_and_hold_all_records(self, desk: Desk) -> None:
        assert changes(change(desk, coverage_of="seen")) == {
            START: (None, "2020-01-01T10:00:00Z"),
            END: (None, "2024-02-01T23:30:01Z"),
        }
        assert change(desk, coverage_of="seen")["unchanged"]

    @pytest.mark.at_length
    def test_a_field_of_years_reaches_to_the_end_of_the_last_one(self, desk: Desk) -> None:
        yearly = {"year": {"type": "date", "annotations": {"timeserie_precision": "year"}}}
        desk.portal.add_dataset("years", yearly, [{"year": "2019-01-01"}, {"year": "2023-01-01"}])
        assert changes(change(desk, dataset_id="years", coverage_of="year")) == {
            START: (None, "2019-01-01T00:00:00Z"),
            END: (None, "2023-12-31T00:00:00Z"),
        }

    def test_what_says_no_time_is_refused_and_nothing_is_changed(self, desk: Desk) -> None:
        desk.portal.add_dataset("bare", COLUMNS, [])
        with pytest.raises(OdsConfigError, match=r"is of type text, and says no time.*are planted, seen"):
            change(desk, {"default.title": "x"}, coverage_of="name")
        with pytest.raises(OdsConfigError, match=r"has no field 'plantd'.*Did you mean 'planted'"):
            change(desk, coverage_of="plantd")
        with pytest.raises(OdsIncomplete, match="no record has a value of planted"):
            change(desk, {"default.title": "x"}, "bare", coverage_of="planted")
        assert calls(desk, "PUT", "POST", "DELETE") == []


class TestPublication:
    """An order is given once, and what was set is public in the end."""

    def test_a_run_that_goes_on_follows_the_order_and_publishes_what_differs_by_then(self, desk: Desk) -> None:
        desk.office.switch(processing_s=None)
        job = metadata_job(dataset_id="trees", metadata={"default.title": "Trees"})
        assert isinstance(desk.lab.run(job), Wait)
        wait = desk.lab.run(job)
        assert isinstance(wait, Wait)
        assert wait.watching
        assert calls(desk, "PUT", "POST") == ["PUT metadata/default/title/", "POST publish_metadata/"]
        # Meanwhile somebody else wrote it.
        with desk.client() as client:
            client.automation.metadata.set("trees", {"default.title": "Other trees"})
        desk.office.switch(processing_s=0.0)
        desk.office.settle()
        result = desk.lab.ended(job)
        assert changes(result) == {"default.title": ("trees", "Trees")}
        assert shown(desk)["default"]["title"] == "Trees"
        assert calls(desk, "POST").count("POST publish_metadata/") == 2

    def test_a_failed_publication_is_told_and_ordered_again_by_the_next_run(self, desk: Desk) -> None:
        desk.office.outcome(dataset_id="trees", status="error", message="Too much")
        job = metadata_job(dataset_id="trees", metadata={"default.title": "Trees"})
        with pytest.raises(OdsPublicationFailed, match=r"the values are set, and not public.*Too much"):
            desk.lab.ended(job)
        result = desk.lab.ended(job)
        assert (changes(result), result["status"]) == ({"default.title": ("trees", "Trees")}, "idle")
        assert calls(desk, "PUT").count("PUT metadata/default/title/") == 1

    @pytest.mark.at_length
    def test_where_changes_are_refused_while_the_portal_works_they_wait(self, desk: Desk) -> None:
        desk.office.switch(processing_s=None, refuse_busy_edits=True)
        with desk.client() as client:
            client.automation.datasets.publish("trees")
        job = metadata_job(dataset_id="trees", metadata={"default.title": "Trees"})
        wait = desk.lab.run(job)
        assert isinstance(wait, Wait)
        assert "at something else" in wait.reason
        with pytest.raises(OdsPublicationRunning, match="it is at something else"):
            desk.lab.run(metadata_job(dataset_id="trees", metadata={"default.title": "Trees"}, timeout="0.01"))
        desk.office.switch(processing_s=0.0)
        desk.office.settle()
        assert desk.lab.ended(job)["status"] == "idle"

    @pytest.mark.at_length
    def test_a_deadline_leaves_the_portal_at_its_work(self, desk: Desk) -> None:
        desk.office.switch(processing_s=None)
        job = metadata_job(dataset_id="trees", metadata={"default.title": "Trees"}, timeout="0.01")
        with pytest.raises(OdsPublicationRunning, match="It goes on there"):
            desk.lab.done(job)
        assert not calls(desk, "DELETE")

    @pytest.mark.parametrize("kind", ["lost", pytest.param("drop", marks=pytest.mark.at_length)])
    def test_lost_answers_order_nothing_twice(self, desk: Desk, kind: str) -> None:
        desk.portal.fault(kind, path="/metadata/default/title/", method="PUT")
        desk.portal.fault("lost", path="/publish_metadata/", method="POST")
        assert change(desk, {"default.title": "Trees"})["status"] == "idle"
        assert desk.posts("/publish_metadata/") == 1
        assert shown(desk)["default"]["title"] == "Trees"

    def test_who_does_not_agree_changes_nothing(self, desk: Desk) -> None:
        def refuse(plan: Any) -> None:
            assert plan["changed_fields"]
            raise OdsConfigError("no")

        with pytest.raises(OdsConfigError, match="no"):
            desk.lab.done(replace(metadata_job(dataset_id="trees", metadata={"default.title": "x"}), agree=refuse))
        assert calls(desk, "PUT", "POST") == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_id_of_another_portal_is_refused_before_anything_is_sent(desk: Desk, dry_run: bool) -> None:
    values = {"default.title": "Trees", "default.license_id": "5sylls5"}
    with pytest.raises(OdsConfigError, match=r"lists no '5sylls5'.*There is ccby40 \(CC BY 4.0\), cc0") as refused:
        change(desk, values, dry_run=dry_run)
    assert "license_id" in str(refused.value)
    assert calls(desk, "PUT", "POST", "DELETE") == []


@pytest.mark.parametrize("status", [403, 404, 400])
def test_where_the_portal_lists_no_ids_it_is_believed_to_know_them(desk: Desk, status: int) -> None:
    desk.portal.fault("status", status=status, times=None, path="/suggest/")
    result = change(desk, {"internal.license_id": "5sylls5"}, publish=None)
    assert changes(result) == {"internal.license_id": (None, "5sylls5")}
