"""Airflow sets metadata: only what differs, deferred while the portal publishes it, and once."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow_task import at_once, context_of, events_of, finish_task, resume_task, run_task

from ods_provider import OdsClient
from ods_provider.operators.metadata import OdsMetadataOperator
from ods_provider.testing.portal import LocalPortal
from ods_provider.triggers.publication import OdsPublicationTrigger


@pytest.fixture(autouse=True)
def _trees(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.add_dataset("trees", {"planted": "date"}, [{"planted": "2019-05-01"}, {"planted": "2024-10-30"}])
    ods_portal.requests.clear()


def change(**given: Any) -> OdsMetadataOperator:
    return OdsMetadataOperator(task_id="t", **{"dataset_id": "trees", **given})


def sent(portal: LocalPortal) -> list[str]:
    return [call.path.rsplit("/", 2)[1] for call in portal.requests if call.method in ("PUT", "POST", "DELETE")]


def test_a_task_is_deferred_while_the_portal_publishes_and_orders_once(ods_portal: LocalPortal) -> None:
    ods_portal.office.switch(processing_s=None)
    task = change(metadata={"default.title": "{{ ds }}"}, coverage_of="planted")
    context = context_of(task, ds="2026-01-01")
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    trigger = deferred.value.trigger
    assert isinstance(trigger, OdsPublicationTrigger)
    made = at_once(trigger)
    made.poll_interval_s = 0.2
    (event,) = events_of(made, meanwhile=ods_portal.office.settle)
    result = resume_task(task, context, deferred.value, event)
    assert {each["field"]: each["new"] for each in result["changed_fields"]} == {
        "default.title": "2026-01-01",
        "dcat.temporal_coverage_start": "2019-05-01T00:00:00Z",
        "dcat.temporal_coverage_end": "2024-10-30T00:00:00Z",
    }
    assert sent(ods_portal) == ["title", "temporal_coverage_start", "temporal_coverage_end", "publish_metadata"]
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
        assert client.dataset("trees").metas["dcat"]["temporal_coverage_end"] == "2024-10-30T00:00:00Z"


def test_where_nothing_differs_nothing_is_sent(ods_portal: LocalPortal) -> None:
    result = run_task(change(metadata={"default.title": "trees"}))
    assert (result["unchanged"], result["action"], sent(ods_portal)) == (True, None, [])


def test_a_plan_is_an_xcom(ods_portal: LocalPortal) -> None:
    result = run_task(change(metadata="{'default.title': 'Trees'}", dry_run="True"))
    assert result["changed_fields"] == [{"field": "default.title", "old": "trees", "new": "Trees", "pinned": False}]
    assert sent(ods_portal) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metadata": {"default.titel": "x"}}, "there is no field 'titel' of default.*Did you mean 'title'"),
        ({"metadata": {"default.title": "{{ none }}"}}, "default.title is empty"),
        ({"coverage_of": "plantd"}, "has no field 'plantd'"),
        ({"metadata": {"default.title": "x"}, "publish": "all"}, "publish='all' is not known"),
    ],
)
def test_what_is_wrong_fails_the_task_for_good_before_anything_is_changed(
    ods_portal: LocalPortal, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(AirflowFailException, match=said):
        run_task(change(**given))
    assert sent(ods_portal) == []


def test_what_the_portal_says_fails_the_task_for_good(ods_portal: LocalPortal) -> None:
    ods_portal.office.outcome(dataset_id="trees", status="error", message="Too much")
    with pytest.raises(AirflowFailException, match=r"the values are set, and not public.*Too much"):
        finish_task(change(metadata={"default.title": "Trees"}))
