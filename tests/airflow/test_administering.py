"""Airflow harvests, and says who sees a dataset: deferred while the portal works, and told right however that ends."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow_task import at_once, context_of, events_of, finish_task, resume_task, revived, run_task

from ods_provider import OdsClient
from ods_provider.core.errors import OdsNotFound
from ods_provider.operators.harvest import OdsHarvestOperator
from ods_provider.operators.visibility import OdsVisibilityOperator
from ods_provider.testing.portal import LocalPortal
from ods_provider.triggers.harvest import OdsHarvestTrigger
from ods_provider.triggers.publication import OdsPublicationTrigger


@pytest.fixture(autouse=True)
def _connected(connect: Any) -> None:
    pass


def _soon(trigger: Any) -> Any:
    made = at_once(trigger)
    made.poll_interval_s = 0.2
    return made


@pytest.mark.at_length
def test_a_harvest_is_followed_in_the_triggerer_from_its_start_to_its_last_publication(ods_portal: LocalPortal) -> None:
    ods_portal.office.switch(processing_s=None)
    task = OdsHarvestOperator(task_id="t", harvester_id="town-gardens")
    context = context_of(task)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    settle = {"harvest": ods_portal.office.harvesters.settle, "publications": ods_portal.office.settle}
    for what in ("harvest", "harvest", "publications"):
        leg = deferred.value
        assert isinstance(leg.trigger, OdsHarvestTrigger)
        assert leg.trigger.followed()[what]
        (event,) = events_of(_soon(leg.trigger), meanwhile=settle[what])
        if what == "harvest":
            with pytest.raises(TaskDeferred) as deferred:
                resume_task(task, context, leg, event)
    result = resume_task(task, context, leg, event)
    assert (result["published"], result["new"]) == (2, ["town-benches", "town-gardens"])
    posts = [call.path.rsplit("/", 2)[1] for call in ods_portal.requests if call.method == "POST"]
    assert posts == ["start", "publish"]


@pytest.mark.at_length
def test_what_the_portal_says_of_datasets_fails_the_task_for_good(ods_portal: LocalPortal) -> None:
    bad = {"dataset_id": "bad", "metadata": {}, "error": "The source has no rows"}
    ods_portal.office.add_harvester("Lakes", datasets=[bad])
    with pytest.raises(AirflowFailException, match="harvest of bad: The source has no rows"):
        finish_task(OdsHarvestOperator(task_id="t", harvester_id="lakes"))
    assert finish_task(OdsHarvestOperator(task_id="u", harvester_id="lakes", max_errors="1"))["errors"] == 1


@pytest.mark.at_length
def test_a_trigger_whose_harvester_is_gone_leaves_it_to_the_task(ods_portal: LocalPortal) -> None:
    harvest = {"harvester_uid": "gone", "order": "start"}
    trigger = OdsHarvestTrigger(ods_conn_id="ods_default", harvest=harvest, checkpoint={"a": 1})
    (event,) = events_of(revived(trigger))
    assert (event["status"], event["checkpoint"]) == ("resume", {"a": 1})


@pytest.mark.at_length
def test_a_dataset_is_closed_while_the_task_is_deferred(ods_portal: LocalPortal) -> None:
    ods_portal.office.switch(processing_s=None)
    task = OdsVisibilityOperator(task_id="t", dataset_id="world-capitals", public="False")
    context = context_of(task)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    assert isinstance(deferred.value.trigger, OdsPublicationTrigger)
    (event,) = events_of(_soon(deferred.value.trigger), meanwhile=ods_portal.office.settle)
    result = resume_task(task, context, deferred.value, event)
    assert (result["public"], result["anonymous"]["seen"]) == (False, False)
    with OdsClient(ods_portal.url) as anybody, pytest.raises(OdsNotFound):
        anybody.dataset("world-capitals")
