"""Airflow publishes: the task is deferred while the portal works, and told right however that ends."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, Param
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralTimeout,
    TaskDeferred,
)
from airflow_task import Runs, Variables, at_once, context_of, events_of, finish_task, resume_task, revived, run_task

from ods_provider import OdsClient
from ods_provider.core.errors import OdsNotFound, OdsPublicationRunning
from ods_provider.core.plans.automation.publications import Publication
from ods_provider.operators.publish import OdsPublishFileOperator, OdsPublishOperator
from ods_provider.sensors.publication import OdsPublicationSensor
from ods_provider.testing.portal import LocalPortal
from ods_provider.triggers.publication import OdsPublicationTrigger
from ods_provider.triggers.publications import looks_of
from ods_provider.triggers.together import together

CSV = "name;n\na;1\nb;2\nc;3\n"


@pytest.fixture
def mine(connect: Any, ods_portal: LocalPortal) -> str:
    """The uid of a dataset of ours."""
    return datasets(ods_portal, "mine")[0]


def datasets(portal: LocalPortal, *names: str) -> list[str]:
    with OdsClient(portal.url, api_key=portal.api_key) as client:
        made = [
            client.automation.datasets.create({"default": {"title": {"value": name}}}, dataset_id=name)
            for name in names
        ]
    return [str(each["uid"]) for each in made]


def publication(portal: LocalPortal, dataset_id: str) -> Publication:
    with OdsClient(portal.url, api_key=portal.api_key) as client:
        return client.automation.datasets.publish(dataset_id)


def resource(portal: LocalPortal, dataset_id: str, path: Path) -> None:
    with OdsClient(portal.url, api_key=portal.api_key) as client:
        file = client.automation.resources.upload(dataset_id, path)
        source = {"type": "uploaded_file", "file": {"uid": file["uid"]}}
        given = {"type": "csvfile", "title": "a", "params": {"separator": ";"}, "datasource": source}
        client.automation.resources.create(dataset_id, given)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "a.csv"
    made.write_text(CSV)
    return made


def _soon(trigger: Any) -> Any:
    made = at_once(trigger)
    made.poll_interval_s = 0.2
    return made


def test_a_file_is_published_while_the_task_is_deferred(mine: str, ods_portal: LocalPortal, path: Path) -> None:
    ods_portal.office.switch(processing_s=None)
    task = OdsPublishFileOperator(task_id="t", dataset_id="mine", path=str(path))
    context = context_of(task)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    trigger = deferred.value.trigger
    assert isinstance(trigger, OdsPublicationTrigger)
    assert trigger.publication["dataset_uid"] == mine
    (event,) = events_of(_soon(trigger), meanwhile=ods_portal.office.settle)
    result = resume_task(task, context, deferred.value, event)
    assert (result["rows"], result["verified"], len(ods_portal.rows("mine"))) == (3, "counted", 3)
    posts = [call.path.rsplit("/", 2)[1] for call in ods_portal.requests if call.method == "POST"]
    assert sorted(posts) == ["datasets", "files", "publish", "resources"]


def test_a_portal_that_never_ends_is_waited_for_no_longer_than_told(
    mine: str, ods_portal: LocalPortal, path: Path
) -> None:
    ods_portal.office.switch(processing_s=None)
    task = OdsPublishFileOperator(task_id="t", dataset_id="mine", path=str(path), timeout="4")
    with pytest.raises(OdsPublicationRunning, match="the portal is not done after 4 s"):
        finish_task(task)


def test_what_the_portal_says_fails_the_task_for_good(mine: str, ods_portal: LocalPortal, path: Path) -> None:
    ods_portal.office.outcome(dataset_id="mine", status="error", message="No such encoding")
    task = OdsPublishFileOperator(task_id="t", dataset_id="mine", path=str(path))
    with pytest.raises(AirflowFailException, match="OdsPublicationFailed: the portal says: error: No such encoding"):
        finish_task(task)


@pytest.mark.at_length
def test_unchanged_content_skips_what_follows(mine: str, ods_portal: LocalPortal, path: Path) -> None:
    task = OdsPublishFileOperator(task_id="t", dataset_id="mine", path=str(path))
    runs = Runs()
    assert runs.succeed(task, day=1, by=finish_task)["rows"] == 3
    for day in (2, 3):
        with pytest.raises(AirflowSkipException, match="holds this already"):
            runs.run(task, day=day)
    path.write_text(CSV + "d;4\n")
    assert runs.succeed(task, day=4, by=finish_task)["rows"] == 4


def test_parameters_of_the_extractor_are_not_those_of_the_dag(mine: str, path: Path) -> None:
    with DAG("d", params={"separator": Param("|"), "day": "2026-01-01"}):
        task = OdsPublishFileOperator(
            task_id="t", dataset_id="mine", path=str(path), params={"escapechar": "{{ params.day }}"}
        )
        plain = OdsPublishFileOperator(task_id="u", dataset_id="mine", path=str(path))
    assert set(task.params) == {"separator", "day"}
    task.render_template_fields(context_of(task, params={"day": "x"}))
    assert task.make_job().params == {"escapechar": "x"}
    assert plain.make_job().params is None


class TestOrders:
    @pytest.fixture(autouse=True)
    def _resource(self, mine: str, ods_portal: LocalPortal, path: Path) -> None:
        resource(ods_portal, "mine", path)

    def test_an_order_is_followed_in_the_triggerer(self, ods_portal: LocalPortal) -> None:
        ods_portal.office.switch(processing_s=None)
        task = OdsPublishOperator(task_id="t", dataset_id="mine")
        context = context_of(task)
        with pytest.raises(TaskDeferred) as deferred:
            run_task(task, context)
        (event,) = events_of(_soon(deferred.value.trigger), meanwhile=ods_portal.office.settle)
        result = resume_task(task, context, deferred.value, event)
        assert (result["action"], result["status"], result["records_errors"]) == ("publish", "idle", 0)
        assert sum(call.path.endswith("/publish/") for call in ods_portal.requests) == 1
        ods_portal.office.switch(processing_s=0.0)
        assert finish_task(OdsPublishOperator(task_id="u", dataset_id="mine", action="unpublish"))["status"] == "idle"
        assert "mine" not in ods_portal.store.datasets

    @pytest.mark.parametrize("told", [True, False])
    def test_a_deadline_stops_the_portal_only_when_told(self, ods_portal: LocalPortal, told: bool) -> None:
        ods_portal.office.switch(processing_s=None)
        task = OdsPublishOperator(
            task_id="t", dataset_id="mine", abort_on_timeout=str(told), execution_timeout=timedelta(hours=1)
        )
        context = context_of(task)
        with pytest.raises(TaskDeferred) as deferred:
            run_task(task, context)
        kwargs = {"error": "Trigger timeout"}
        with pytest.raises((AirflowTaskTimeout, TaskDeferralTimeout)):
            task.resume_execution("__fail__", kwargs, context)
        aborts = [call for call in ods_portal.requests if call.path.endswith("/abort/")]
        assert bool(aborts) is told
        assert deferred.value.timeout is not None

    def test_a_sensor_waits_for_what_was_ordered_and_returns_how_it_ended(self, ods_portal: LocalPortal) -> None:
        ods_portal.office.switch(processing_s=None)
        ordered = run_task(OdsPublishOperator(task_id="t", dataset_id="mine", wait=False))
        sensor = OdsPublicationSensor(
            task_id="s", dataset_id="mine", publication=str(ordered["publication"]), poke_interval=0.2
        )
        context = context_of(sensor)
        with pytest.raises(TaskDeferred) as deferred:
            run_task(sensor, context)
        (event,) = events_of(_soon(deferred.value.trigger), meanwhile=ods_portal.office.settle)
        told = resume_task(sensor, context, deferred.value, event)
        assert (told["status"], told["is_published"], told["records_errors"]) == ("idle", True, 0)

    @pytest.mark.at_length
    def test_failures_that_a_sensor_hears_of_after_it_waited_are_tolerated_so_often_and_no_more(
        self, ods_portal: LocalPortal, variables: Variables
    ) -> None:
        for night, error in (("1", AirflowSkipException), ("2", AirflowFailException)):
            ods_portal.office.outcome(dataset_id="mine", status="error", message="Enough")
            ods_portal.office.switch(processing_s=None)
            ordered = run_task(OdsPublishOperator(task_id="t", dataset_id="mine", wait=False))
            sensor = OdsPublicationSensor(
                task_id="s", dataset_id="mine", publication=ordered["publication"], poke_interval=0.2, max_failures=1
            )
            context = context_of(sensor)
            context["ti"].run_id = night
            with pytest.raises(TaskDeferred) as deferred:
                run_task(sensor, context)
            (event,) = events_of(_soon(deferred.value.trigger), meanwhile=ods_portal.office.settle)
            with pytest.raises(error):
                resume_task(sensor, context, deferred.value, event)
        assert variables.kept == {"ods_failures.a_dag.s": '["1", "2"]'}

    @pytest.mark.parametrize("how", [{"max_failures": 1}, {"soft_fail": True}, {}])
    def test_a_sensor_whose_time_is_over_stops_the_portal_though_that_is_no_failure(
        self, ods_portal: LocalPortal, variables: Variables, how: dict[str, Any]
    ) -> None:
        ods_portal.office.switch(processing_s=None)
        publication(ods_portal, "mine")
        sensor = OdsPublicationSensor(task_id="s", dataset_id="mine", abort_on_timeout=True, **how)
        context = context_of(sensor)
        with pytest.raises(TaskDeferred):
            run_task(sensor, context)
        with pytest.raises(AirflowSkipException if how else AirflowSensorTimeout):
            sensor.resume_execution("__fail__", {"error": "Trigger timeout"}, context)
        assert [call.method for call in ods_portal.requests if call.path.endswith("/abort/")] == ["POST"]

    @pytest.mark.parametrize("how", [{"max_failures": 1}, {"soft_fail": True}, {}])
    def test_so_does_one_that_holds_its_worker(
        self, ods_portal: LocalPortal, variables: Variables, how: dict[str, Any]
    ) -> None:
        ods_portal.office.switch(processing_s=None)
        publication(ods_portal, "mine")
        given = {"deferrable": False, "mode": "poke", "timeout": 0, "poke_interval": 1, **how}
        sensor = OdsPublicationSensor(task_id="s", dataset_id="mine", abort_on_timeout=True, **given)
        with pytest.raises(AirflowSkipException if how else AirflowSensorTimeout):
            run_task(sensor)
        assert [call.method for call in ods_portal.requests if call.path.endswith("/abort/")] == ["POST"]

    @pytest.mark.parametrize("status", ["error", "limit_reached"])
    def test_a_sensor_takes_any_end_for_one(self, ods_portal: LocalPortal, status: str) -> None:
        ods_portal.office.outcome(dataset_id="mine", status=status, message="Enough")
        publication(ods_portal, "mine")
        ods_portal.office.settle()
        sensor = OdsPublicationSensor(task_id="s", dataset_id="mine")
        with pytest.raises(AirflowFailException, match=f"{status}: Enough"):
            finish_task(sensor)


def test_a_trigger_whose_key_was_withdrawn_leaves_it_to_the_task(mine: str, ods_portal: LocalPortal) -> None:
    trigger = OdsPublicationTrigger(
        ods_conn_id="ods_default", publication=Publication(mine, "publish", "idle", None).as_dict(), checkpoint={"a": 1}
    )
    ods_portal.fault("status", status=401, times=None)
    (event,) = events_of(revived(trigger))
    assert (event["status"], event["checkpoint"]) == ("resume", {"a": 1})


@pytest.mark.at_length
def test_fifty_publications_are_looked_at_in_a_handful_of_calls(
    connect: Any, ods_portal: LocalPortal, path: Path
) -> None:
    names = [f"set-{number:02}" for number in range(50)]
    uids = datasets(ods_portal, *names)
    orders = [Publication(uid, "publish", "idle", "x", dataset_id=name) for uid, name in zip(uids, names, strict=True)]

    async def rounds() -> list[int]:
        async with AsyncExitStack() as triggers:
            joined = [await triggers.enter_async_context(together("ods_default")) for _ in orders]
            made, known = [], orders
            for _ in range(6):
                ods_portal.requests.clear()
                seen = await asyncio.gather(
                    *(looks_of(shared).look(order) for shared, order in zip(joined, known, strict=True))
                )
                known = [each.publication for each in seen]
                made.append(len(ods_portal.requests))
            return made

    first, *others = asyncio.run(rounds())
    assert first == 51
    assert max(others) <= 14


def test_a_dataset_that_is_gone_is_an_error_for_its_own_trigger_alone(connect: Any, ods_portal: LocalPortal) -> None:
    (uid,) = datasets(ods_portal, "mine")
    orders = [Publication(each, "publish", "idle", "x") for each in (uid, "da_gone00")]

    async def both() -> list[Any]:
        async with together("ods_default") as one, together("ods_default") as two:
            looks = [looks_of(shared).look(order) for shared, order in zip((one, two), orders, strict=True)]
            return await asyncio.gather(*looks, return_exceptions=True)

    seen, lost = asyncio.run(both())
    assert seen.ended
    assert isinstance(lost, OdsNotFound)
