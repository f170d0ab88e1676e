"""Harvests: started once, published once, and each dataset told right."""

from __future__ import annotations

from typing import Any

import pytest
from publishing_desk import Desk

from ods_provider.core.errors import OdsConfigError, OdsNotFound, OdsPublicationFailed, OdsPublicationRunning
from ods_provider.core.outcome import Done, Wait
from ods_provider.jobs.harvest import HarvestJob

GARDENS = "town-gardens"


def remote(name: str, **more: Any) -> dict[str, Any]:
    metadata = {"default": {"title": name, "language": "en"}}
    return {"dataset_id": name, "metadata": metadata, "rows": [{"name": name}], **more}


def harvest(desk: Desk, harvester: str = GARDENS, **given: Any) -> Any:
    return desk.lab.done(HarvestJob(harvester, **given))


def orders(desk: Desk) -> list[str]:
    posted = [call.path.split("/v1.0")[1] for call in desk.portal.requests if call.method == "POST"]
    return [path.rsplit("/", 2)[1] for path in posted if path.startswith("/harvesters/")]


class TestAHarvest:
    def test_what_it_found_is_public_when_it_is_done(self, desk: Desk) -> None:
        result = harvest(desk)
        told = ("attached", "new", "gone", "published", "errors", "failed")
        assert [result[name] for name in told] == [2, ["town-benches", "town-gardens"], [], 2, 0, []]
        assert (len(desk.portal.rows("town-gardens")), len(desk.portal.rows("town-benches"))) == (5, 7)
        assert orders(desk) == ["start", "publish"]
        assert not desk.lab.checkpoints.exists()

    @pytest.mark.at_length
    def test_it_may_be_harvested_and_not_published(self, desk: Desk) -> None:
        result = harvest(desk, publish=False)
        assert (result["attached"], result["published"], orders(desk)) == (2, None, ["start"])
        assert "town-gardens" not in desk.portal.store.datasets

    @pytest.mark.at_length
    def test_a_second_one_tells_what_came_and_what_went(self, desk: Desk) -> None:
        desk.office.add_harvester("Lakes", datasets=[remote("one"), remote("two")], delete_missing_datasets=True)
        harvest(desk, "lakes")
        desk.office.add_harvester("Lakes", datasets=[remote("two"), remote("three")])
        result = harvest(desk, "Lakes")
        assert (result["harvester"], result["attached"]) == ("lakes", 2)
        assert (result["new"], result["gone"], result["published"]) == (["three"], ["one"], 2)
        assert "one" not in desk.portal.store.datasets

    @pytest.mark.at_length
    def test_nothing_found_is_nothing_to_publish(self, desk: Desk) -> None:
        desk.office.add_harvester("Lakes")
        assert (harvest(desk, "lakes")["published"], orders(desk)) == (0, ["start"])

    @pytest.mark.at_length
    def test_a_dry_run_orders_nothing(self, desk: Desk) -> None:
        result = harvest(desk, dry_run=True)
        assert (result["dry_run"], orders(desk)) == (True, [])
        assert "town-gardens (new) would be started" in result["note"]

    @pytest.mark.at_length
    def test_moments_that_are_told_to_the_second_prove_it_too(self, desk: Desk) -> None:
        desk.office.switch(since_in_seconds=True)
        for _ in range(2):
            assert harvest(desk)["published"] == 2
        assert orders(desk) == ["start", "publish"] * 2

    @pytest.mark.at_length
    def test_a_portal_without_a_list_of_a_harvester_s_datasets(self, desk: Desk) -> None:
        desk.portal.fault("status", status=404, path=f"/harvesters/{GARDENS}/datasets/", times=None)
        first, second = harvest(desk), harvest(desk)
        assert (first["new"], first["published"]) == (["town-benches", "town-gardens"], 2)
        assert (second["attached"], second["new"], second["gone"], second["published"]) == (2, [], [], 2)


class TestWhatFails:
    @pytest.mark.at_length
    def test_a_run_that_fails_tells_what_the_portal_says(self, desk: Desk) -> None:
        desk.office.add_harvester("Lakes", datasets=[remote("one")], fatal="The source does not answer")
        with pytest.raises(OdsPublicationFailed, match="the portal says: The source does not answer"):
            harvest(desk, "lakes")
        assert not desk.lab.checkpoints.exists()

    def test_single_datasets_that_fail_are_told_after_all_others_are_public(self, desk: Desk) -> None:
        bad = [remote(f"bad-{number:02}", error=f"No rows in {number}") for number in range(12)]
        desk.office.add_harvester("Lakes", datasets=[remote("one"), *bad])
        with pytest.raises(OdsPublicationFailed, match="12 datasets failed: harvest of bad-00: No rows in 0;") as told:
            harvest(desk, "lakes")
        assert "No rows in 9" in str(told.value)
        assert "No rows in 10" not in str(told.value)
        assert "and 2 more" in str(told.value)
        assert len(desk.portal.rows("one")) == 1

    @pytest.mark.at_length
    def test_a_publication_that_fails_is_told_of_its_own_dataset(self, desk: Desk) -> None:
        harvest(desk)
        desk.office.outcome(dataset_id="town-benches", status="error", message="No such encoding")
        result = harvest(desk, max_errors=1)
        assert (result["published"], result["errors"]) == (1, 1)
        (failed,) = result["failed"]
        assert (failed["dataset_id"], failed["step"]) == ("town-benches", "publish")
        assert "No such encoding" in failed["message"]
        desk.office.outcome(dataset_id="town-benches", status="limit_reached", message="Enough")
        with pytest.raises(OdsPublicationFailed, match="publish of town-benches: limit_reached: Enough"):
            harvest(desk)

    @pytest.mark.at_length
    def test_an_unknown_harvester_is_answered_with_what_is_like_it(self, desk: Desk) -> None:
        with pytest.raises(OdsNotFound, match="Perhaps 'town-gardens' or 'Town gardens' is meant"):
            harvest(desk, "town-garden")
        with pytest.raises(OdsNotFound, match="There are 'town-gardens'"):
            harvest(desk, "xyz")

    @pytest.mark.at_length
    def test_a_name_of_two_is_refused_with_their_ids(self, desk: Desk) -> None:
        desk.office.add_harvester("Lakes")
        with desk.client() as client:
            other = desk.office.harvesters.find("lakes")
            desk.office.harvesters.find(GARDENS).name = other.name
            assert len(client.automation.harvesters.list()) == 2
        with pytest.raises(OdsConfigError, match="2 harvesters have the name 'LAKES': town-gardens and lakes"):
            harvest(desk, "LAKES")


class TestWaiting:
    @pytest.mark.at_length
    def test_each_step_is_waited_for_in_legs_and_ordered_once(self, desk: Desk) -> None:
        desk.office.switch(processing_s=None)
        job, watched = HarvestJob(GARDENS), []
        for _ in range(8):
            ended = desk.lab.run(job)
            if isinstance(ended, Done):
                break
            watched += list(ended.watching or {"": None})
            desk.office.harvesters.settle()
            if "publications" in watched:
                desk.office.settle()
        assert isinstance(ended, Done)
        assert watched == ["harvest", "harvest", "publications"]
        assert (ended.result["published"], orders(desk)) == (2, ["start", "publish"])

    @pytest.mark.at_length
    def test_a_run_that_is_under_way_is_waited_for_and_not_started_again(self, desk: Desk) -> None:
        desk.office.switch(processing_s=None)
        with desk.client() as client:
            client.automation.harvesters.start(GARDENS)
        job = HarvestJob(GARDENS)
        waiting = desk.lab.run(job)
        assert isinstance(waiting, Wait)
        desk.office.switch(processing_s=0.0)
        desk.office.settle()
        ended = desk.lab.done(job)
        assert (ended["published"], orders(desk)) == (2, ["start", "publish"])

    @pytest.mark.at_length
    def test_what_runs_and_is_no_harvest_is_waited_for_and_then_it_is_started(self, desk: Desk) -> None:
        harvest(desk)
        desk.portal.requests.clear()
        desk.office.switch(processing_s=None)
        with desk.client() as client:
            client.automation.harvesters.publish(GARDENS)
        job = HarvestJob(GARDENS, publish=False)
        assert isinstance(desk.lab.run(job), Wait)
        desk.office.switch(processing_s=0.0)
        desk.office.settle()
        assert isinstance(desk.lab.run(job), Wait)
        assert desk.lab.done(job)["attached"] == 2
        assert orders(desk) == ["publish", "start"]

    @pytest.mark.at_length
    def test_a_dataset_that_is_deleted_meanwhile_keeps_no_other(self, desk: Desk) -> None:
        desk.office.switch(processing_s=None)
        job = HarvestJob(GARDENS, max_errors=1)
        for _ in range(2):
            assert isinstance(desk.lab.run(job), Wait)
            desk.office.harvesters.settle()
        with desk.client() as client:
            client.automation.datasets.delete("town-benches")
        desk.office.settle()
        result = desk.lab.done(job)
        assert (result["published"], result["failed"][0]["message"]) == (1, "it was deleted meanwhile")

    @pytest.mark.at_length
    @pytest.mark.parametrize("order", ["start", "publish"])
    def test_a_lost_answer_makes_no_second_order(self, desk: Desk, order: str) -> None:
        harvest(desk)
        desk.portal.requests.clear()
        desk.portal.fault("lost", path=f"/{order}/", method="POST")
        assert harvest(desk)["published"] == 2
        assert orders(desk) == ["start", "publish"]

    @pytest.mark.at_length
    def test_a_deadline_leaves_the_portal_at_work_and_the_next_run_goes_on(self, desk: Desk) -> None:
        desk.office.switch(processing_s=None)
        with pytest.raises(OdsPublicationRunning, match=r"not done after 0 s .*It goes on there"):
            harvest(desk, timeout_s=0.0)
        assert desk.office.harvesters.find(GARDENS).status in ("queued", "processing")
        desk.office.switch(processing_s=0.0)
        desk.office.settle()
        assert harvest(desk)["published"] == 2
        assert orders(desk) == ["start", "publish"]

    @pytest.mark.at_length
    def test_many_publications_are_looked_at_in_few_calls(self, desk: Desk) -> None:
        desk.office.add_harvester("Lakes", datasets=[remote(f"lake-{number:02}") for number in range(30)])
        harvest(desk, "lakes")
        desk.office.switch(processing_s=None)
        job = HarvestJob("lakes")
        for _ in range(2):
            assert isinstance(desk.lab.run(job), Wait)
            desk.office.harvesters.settle()
        assert isinstance(desk.lab.run(job), Wait)
        desk.portal.requests.clear()
        waiting = desk.lab.run(job)
        assert isinstance(waiting, Wait)
        assert waiting.watching is not None
        assert len(waiting.watching["publications"]) == 30
        looks = sum("/catalog/datasets" in call.path for call in desk.portal.requests)
        asked = sum(call.path.endswith("/status/") for call in desk.portal.requests)
        assert asked <= 30 * looks / 2
