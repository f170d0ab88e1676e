"""Sensors: the first look, the memory between runs, and the ways of waiting."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralTimeout,
    TaskDeferred,
)
from airflow_task import at_once, context_of, events_of, resume_task, revived, run_task

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsPluginError
from ods_provider.core.patience import patient_with
from ods_provider.core.schema import Dataset
from ods_provider.core.watermark import moved_on, watermark
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor
from ods_provider.sensors.looking import OdsLookingSensor
from ods_provider.sensors.quota import OdsQuotaResetSensor
from ods_provider.testing.portal import LocalPortal
from ods_provider.triggers.dataset import OdsDatasetUpdateTrigger
from ods_provider.triggers.quota import OdsQuotaResetTrigger

DATASET = "world-capitals"


def freshness(portal: LocalPortal) -> dict[str, Any]:
    with OdsClient(portal.url) as client:
        return client.dataset(DATASET).freshness()


def update_sensor(**arguments: Any) -> OdsDatasetUpdateSensor:
    return OdsDatasetUpdateSensor(**{"task_id": "t", "dataset_id": DATASET, "poke_interval": 0.2} | arguments)


@pytest.mark.parametrize("sensor", [OdsDatasetUpdateSensor, OdsQuotaResetSensor], ids=lambda sensor: sensor.__name__)
def test_every_argument_is_a_template_and_only_assigned(sensor: type[OdsLookingSensor]) -> None:
    own = {name for name, p in inspect.signature(sensor.__init__).parameters.items() if p.kind is p.KEYWORD_ONLY}
    assert set(sensor.template_fields) == own | {"ods_conn_id"}
    given: dict[str, Any] = {name: object() for name in sensor.template_fields}
    task = sensor(task_id="t", **given)
    assert all(getattr(task, name) is value for name, value in given.items())


# What it compares with


def test_the_very_first_run_succeeds_at_once_and_returns_what_the_next_compares_with(
    connect: Any, ods_portal: LocalPortal, capfd: pytest.CaptureFixture[str]
) -> None:
    found = run_task(update_sensor())
    assert "The first look at world-capitals: what is there now is recorded" in "".join(capfd.readouterr())
    assert found == freshness(ods_portal)
    assert set(found) == {"dataset_id", "data_processed", "modified", "records_count"}


def test_a_later_run_compares_with_what_the_last_one_returned(
    connect: Any, ods_portal: LocalPortal, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = run_task(update_sensor())
    task = update_sensor()
    capsys.readouterr()
    with pytest.raises(TaskDeferred):
        run_task(task, context_of(task, earlier=earlier))
    then = earlier["data_processed"]
    told = capsys.readouterr().out
    assert f"{DATASET}: data_processed is {then}, and was {then}: nothing newer" in told
    assert "Looking again in 0.2 s" in told
    ods_portal.touch(DATASET, rows=2)
    found = run_task(update_sensor(), context_of(task, earlier=earlier))
    assert f"data_processed is {found['data_processed']}, and was {then}: newer" in capsys.readouterr().out
    assert found["data_processed"] > earlier["data_processed"]
    assert found["records_count"] == earlier["records_count"] + 2


def test_the_third_run_compares_with_the_second_and_not_with_both(connect: Any, ods_portal: LocalPortal) -> None:
    first = run_task(update_sensor())
    ods_portal.touch(DATASET)
    second = run_task(update_sensor(), context_of(update_sensor(), earlier=[first]))
    task = update_sensor()
    with pytest.raises(TaskDeferred):
        run_task(task, context_of(task, earlier=[first, second]))


def test_what_was_seen_of_another_dataset_is_not_compared_with(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.touch("live-readings")
    other = run_task(update_sensor(dataset_id="live-readings"))
    task = update_sensor()
    assert run_task(task, context_of(task, earlier=other)) == freshness(ods_portal)


@pytest.mark.parametrize("form", ["text", "spaced", "mapping", "mapping as text", "datetime"])
def test_since_is_understood_in_every_form_that_a_template_leaves(
    form: str, connect: Any, ods_portal: LocalPortal
) -> None:
    seen = freshness(ods_portal)
    moment = datetime.fromisoformat(seen["data_processed"])
    forms: dict[str, Any] = {
        "text": seen["data_processed"],
        "spaced": f"{moment:%Y-%m-%d %H:%M:%S.%f+00:00}",
        "mapping": seen,
        "mapping as text": str(seen),
        "datetime": moment,
    }
    task = update_sensor(since="{{ params.since }}" if form.endswith("text") else forms[form])
    context = context_of(task, params={"since": forms[form]})
    with pytest.raises(TaskDeferred):
        run_task(task, context)
    ods_portal.touch(DATASET)
    assert run_task(task, context)["data_processed"] > seen["data_processed"]


def test_a_template_that_renders_to_none_is_no_since(connect: Any) -> None:
    task = update_sensor(since="{{ params.since }}")
    assert run_task(task, context_of(task, params={"since": None}))["dataset_id"] == DATASET


def test_a_since_that_is_no_time_fails_before_anything_is_asked(connect: Any, ods_portal: LocalPortal) -> None:
    with pytest.raises(AirflowFailException, match=r"argument since"):
        run_task(update_sensor(since="yesterday-ish"))
    assert not ods_portal.requests


def test_what_decides_which_times_are_compared(connect: Any, ods_portal: LocalPortal) -> None:
    seen = freshness(ods_portal)
    ods_portal.touch(DATASET, metadata_only=True)
    with pytest.raises(TaskDeferred):
        run_task(update_sensor(since=seen, what="data"))
    for what in ("metadata", "any"):
        assert run_task(update_sensor(since=seen, what=what))["modified"] != seen["modified"]
    with pytest.raises(AirflowFailException, match="Use data, metadata or any"):
        run_task(update_sensor(since=seen, what="everything"))


# How it waits


def test_it_looks_once_and_defers_to_a_trigger_that_knows_the_same(connect: Any, ods_portal: LocalPortal) -> None:
    seen = freshness(ods_portal)
    ods_portal.requests.clear()
    with pytest.raises(TaskDeferred) as deferred:
        run_task(update_sensor(since=seen, timeout=600))
    assert len(ods_portal.requests) == 1
    assert deferred.value.timeout == timedelta(seconds=600)
    trigger = deferred.value.trigger
    assert isinstance(trigger, OdsDatasetUpdateTrigger)
    assert trigger.since == {"data_processed": seen["data_processed"]}
    assert trigger.poll_interval_s == 0.2


def test_it_returns_what_the_trigger_saw(connect: Any, ods_portal: LocalPortal) -> None:
    task = update_sensor(since=freshness(ods_portal))
    context = context_of(task)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    (event,) = events_of(at_once(deferred.value.trigger), meanwhile=lambda: ods_portal.touch(DATASET))
    assert resume_task(task, context, deferred.value, event) == freshness(ods_portal)


def test_an_error_that_the_trigger_met_fails_the_task_for_good(connect: Any, ods_portal: LocalPortal) -> None:
    task = update_sensor(since=freshness(ods_portal))
    context = context_of(task)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    ods_portal.fault("status", status=401, times=None)
    (event,) = events_of(at_once(deferred.value.trigger))
    with pytest.raises(AirflowFailException, match="OdsAuthError"):
        resume_task(task, context, deferred.value, event)


def test_a_connection_that_the_trigger_could_not_look_up_leaves_the_task_its_retries() -> None:
    task = update_sensor(ods_conn_id="gone")
    trigger = OdsDatasetUpdateTrigger(ods_conn_id="gone", dataset_id=DATASET, since=None)
    (event,) = events_of(revived(trigger))
    with pytest.raises(OdsConfigError, match=r"there is no connection 'gone'.*a retry looks again"):
        task.execute_complete({}, event)


@pytest.mark.parametrize("event", [None, {"status": "success"}, "text"])
def test_an_event_of_somebody_else_fails_clearly(event: Any) -> None:
    with pytest.raises(AirflowFailException, match="none of ours"):
        update_sensor().execute_complete({}, event)


def test_a_wait_that_lasts_too_long_is_a_sensor_timeout(connect: Any) -> None:
    with pytest.raises(AirflowSensorTimeout):
        update_sensor().resume_execution("__fail__", {"error": "Trigger timeout"}, {})
    with pytest.raises(AirflowSkipException):
        update_sensor(soft_fail=True).resume_execution("__fail__", {"error": "Trigger timeout"}, {})
    assert issubclass(TaskDeferralTimeout, Exception)


def test_without_a_triggerer_reschedule_frees_the_worker_between_looks(connect: Any, ods_portal: LocalPortal) -> None:
    seen = freshness(ods_portal)
    task = update_sensor(since=seen, deferrable=False, mode="reschedule", poke_interval=60)
    context = context_of(task)
    with pytest.raises(AirflowRescheduleException) as rescheduled:
        run_task(task, context)
    assert timedelta(seconds=50) < rescheduled.value.reschedule_date - datetime.now(UTC) < timedelta(seconds=61)
    ods_portal.touch(DATASET)
    assert run_task(task, context) == freshness(ods_portal)


def test_without_a_triggerer_poke_holds_the_worker(connect: Any, ods_portal: LocalPortal) -> None:
    seen = freshness(ods_portal)
    with pytest.raises(AirflowSensorTimeout):
        run_task(update_sensor(since=seen, deferrable=False, timeout=0.5))
    ods_portal.touch(DATASET)
    assert run_task(update_sensor(since=seen, deferrable=False, timeout=0.5)) == freshness(ods_portal)


# When the portal is in trouble at the first look


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "drop"}])
@pytest.mark.parametrize("known", [True, False])
def test_a_portal_in_trouble_at_the_first_look_is_left_to_the_trigger(
    fault: dict[str, Any], known: bool, connect: Any, ods_portal: LocalPortal
) -> None:
    connect(extra={"max_retries": 0})
    since = freshness(ods_portal) if known else None
    ods_portal.fault(**fault)
    task = update_sensor(since=since)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task)
    if known:
        ods_portal.touch(DATASET)
    (event,) = events_of(at_once(deferred.value.trigger))
    assert resume_task(task, context_of(task), deferred.value, event) == freshness(ods_portal)


def test_a_wrong_key_at_the_first_look_fails_for_good(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.fault("status", status=401)
    with pytest.raises(AirflowFailException, match="OdsAuthError"):
        run_task(update_sensor())


@pytest.mark.parametrize("how", ["soft_fail", "never_fail"])
@pytest.mark.parametrize("deferrable", [True, False])
def test_a_sensor_that_may_be_skipped_is_skipped_at_the_first_look_too(
    how: str, deferrable: bool, connect: Any, ods_portal: LocalPortal
) -> None:
    ods_portal.fault("status", status=401, times=None)
    with pytest.raises(AirflowSkipException):
        run_task(update_sensor(deferrable=deferrable, **{how: True}))


def test_an_unknown_dataset_fails_for_good(connect: Any) -> None:
    with pytest.raises(AirflowFailException, match="OdsNotFound"):
        run_task(update_sensor(dataset_id="no-such"))


def test_a_missing_connection_leaves_the_task_its_retries() -> None:
    with pytest.raises(OdsConfigError, match="AIRFLOW_CONN_GONE"):
        run_task(update_sensor(ods_conn_id="gone"))


# What only delays


@pytest.mark.parametrize("fault", [{"kind": "html"}, {"kind": "login_html"}, {"kind": "status", "status": 503}])
def test_a_page_of_maintenance_does_not_end_a_sensor_that_was_deferred(
    fault: dict[str, Any], connect: Any, ods_portal: LocalPortal
) -> None:
    connect(extra={"max_retries": 0})
    task = update_sensor(since=freshness(ods_portal))
    context = context_of(task)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    ods_portal.touch(DATASET)
    ods_portal.fault(**fault, times=2)
    (event,) = events_of(at_once(deferred.value.trigger))
    assert resume_task(task, context, deferred.value, event) == freshness(ods_portal)


@pytest.mark.parametrize("rescheduled", [True, False])
def test_a_page_of_maintenance_ends_no_rescheduled_sensor_but_the_first_look_of_all(
    rescheduled: bool, connect: Any, ods_portal: LocalPortal
) -> None:
    task = update_sensor(since=freshness(ods_portal), deferrable=False, mode="reschedule")
    context = context_of(task)
    if rescheduled:
        context["ti"].get_first_reschedule_date = lambda context: datetime.now(UTC)
    ods_portal.fault("html")
    with pytest.raises(AirflowRescheduleException if rescheduled else AirflowFailException):
        run_task(task, context)


def test_a_key_that_was_rotated_while_the_sensor_was_deferred_is_looked_up_anew(
    connect: Any, ods_portal: LocalPortal
) -> None:
    trigger = OdsDatasetUpdateTrigger(
        ods_conn_id="ods_default", dataset_id=DATASET, since=freshness(ods_portal), poll_interval_s=0.2
    )

    def rotated() -> None:
        connect(password=None)
        ods_portal.fault("status", status=401)
        ods_portal.touch(DATASET)

    (event,) = events_of(revived(trigger), meanwhile=rotated)
    assert event["status"] == "updated"
    assert (ods_portal.requests[-2].status, ods_portal.requests[-2].auth) == (401, "apikey")
    assert (ods_portal.requests[-1].status, ods_portal.requests[-1].auth) == (200, None)


def test_a_host_that_moved_while_the_sensor_was_deferred_is_looked_up_anew(
    connect: Any, ods_portal: LocalPortal
) -> None:
    since = freshness(ods_portal)
    ods_portal.touch(DATASET)
    connect(host="http://127.0.0.1:1", extra={"max_retries": 0})
    trigger = OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id=DATASET, since=since, poll_interval_s=0.3)
    (event,) = events_of(revived(trigger), meanwhile=connect)
    assert event["status"] == "updated"


def test_a_vault_that_is_slow_for_a_moment_only_delays_the_sensor(connect: Any, ods_portal: LocalPortal) -> None:
    error = OdsPluginError("the plugin vault failed: TimeoutError", where="ods_resolve_connection")
    assert patient_with(error, answered=False)


@pytest.mark.parametrize(
    "task",
    [
        lambda: update_sensor(since="2020-01-01T00:00:00Z"),
        lambda: OdsQuotaResetSensor(task_id="t", poke_interval=0.2),
    ],
    ids=["update", "quota"],
)
def test_a_vault_that_is_slow_at_the_first_look_leaves_the_sensor_to_its_trigger(
    task: Callable[[], Any], connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect()

    def slow(*_: Any, **__: Any) -> Any:
        raise TimeoutError("the vault")

    with monkeypatch.context() as patched:
        patched.setattr(BaseHook, "get_connection", slow)
        with pytest.raises(TaskDeferred) as deferred:
            run_task(task())
    trigger = at_once(deferred.value.trigger)
    trigger.until = None
    (event,) = events_of(trigger)
    assert event["status"] == "updated"


@pytest.mark.parametrize(
    "trigger",
    [
        OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id=DATASET, since=None, poll_interval_s=0.2),
        OdsQuotaResetTrigger(ods_conn_id="ods_default", poll_interval_s=0.2),
    ],
    ids=["update", "quota"],
)
def test_a_vault_that_is_slow_when_a_triggerer_starts_only_delays_its_triggers(
    trigger: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect()
    real, failures = BaseHook.get_connection, [TimeoutError("the vault")] * 2

    def slow(*given: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(*given, **named)

    monkeypatch.setattr(BaseHook, "get_connection", slow)
    (event,) = events_of(revived(trigger))
    assert event["status"] == "updated"
    assert not failures


def test_a_bad_argument_fails_though_no_connection_is_found() -> None:
    with pytest.raises(AirflowFailException, match="argument min_remaining"):
        run_task(OdsQuotaResetSensor(task_id="t", min_remaining="many", ods_conn_id="gone"))


# Nothing at first, and lists that shift


def unprocessed(portal: LocalPortal) -> dict[str, Any]:
    return freshness(portal) | {"data_processed": None}


def test_a_result_of_its_own_without_a_time_is_compared_with(connect: Any, ods_portal: LocalPortal) -> None:
    task = update_sensor()
    assert run_task(task, context_of(task, earlier=unprocessed(ods_portal))) == freshness(ods_portal)
    assert watermark(str(unprocessed(ods_portal)), "data") == {"data_processed": None}


def test_a_dataset_that_is_still_not_processed_is_waited_for(connect: Any, ods_portal: LocalPortal) -> None:
    seen = Dataset.from_json({"dataset_id": "d", "metas": {"default": {"data_processed": None}}})
    assert not moved_on(seen, {"data_processed": None}, "data")
    with pytest.raises(OdsIncomplete, match="does not say when d changed"):
        moved_on(seen, {"data_processed": datetime.now(UTC)}, "data")


def test_a_mapped_sensor_knows_its_dataset_wherever_the_list_has_it(connect: Any, ods_portal: LocalPortal) -> None:
    kept: dict[str, list[Any]] = {}
    for index, dataset_id in enumerate(["landmark-photos", DATASET]):
        first = update_sensor(dataset_id=dataset_id)
        assert run_task(first, context_of(first, map_index=index, kept=kept))["dataset_id"] == dataset_id
    shifted = update_sensor()
    with pytest.raises(TaskDeferred):
        run_task(shifted, context_of(shifted, map_index=0, kept=kept))
    ods_portal.touch(DATASET)
    assert run_task(shifted, context_of(shifted, map_index=0, kept=kept)) == freshness(ods_portal)
    grown = update_sensor()
    with pytest.raises(TaskDeferred):
        run_task(grown, context_of(grown, map_index=1, kept=kept))


def test_a_sensor_whose_dataset_changes_from_run_to_run_finds_what_it_saw_of_this_one(
    connect: Any, ods_portal: LocalPortal
) -> None:
    other = freshness(ods_portal) | {"dataset_id": "live-readings"}
    task = update_sensor()
    with pytest.raises(TaskDeferred):
        run_task(task, context_of(task, earlier=[freshness(ods_portal), other]))


# How long it lasts


def test_no_deferral_is_shorter_than_airflow_can_bear(connect: Any, ods_portal: LocalPortal) -> None:
    began = datetime.now(UTC)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(update_sensor(since=freshness(ods_portal)))
    assert datetime.fromisoformat(deferred.value.trigger.first_at) >= began + timedelta(seconds=10)
    ods_portal.set_quota(limit=100, remaining=0, reset_in_s=1)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(OdsQuotaResetSensor(task_id="t"))
    assert datetime.fromisoformat(deferred.value.trigger.until) >= began + timedelta(seconds=10)


def test_execution_timeout_limits_the_deferral_where_it_is_shorter(connect: Any, ods_portal: LocalPortal) -> None:
    task = update_sensor(since=freshness(ods_portal), timeout=600, execution_timeout=timedelta(seconds=60))
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task)
    assert timedelta(seconds=30) < deferred.value.timeout <= timedelta(seconds=60)
    with pytest.raises(AirflowTaskTimeout, match="execution_timeout was over while the sensor waited"):
        task.resume_execution("__fail__", {"error": "Trigger timeout"}, {})
    with pytest.raises(AirflowSkipException):
        update_sensor(soft_fail=True, execution_timeout=timedelta(seconds=1)).resume_execution(
            "__fail__", {"error": "Trigger timeout"}, {}
        )


def test_a_final_error_is_one_traceback(connect: Any) -> None:
    with pytest.raises(AirflowFailException) as caught:
        run_task(update_sensor(dataset_id="no-such"))
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


# The quota sensor


def test_more_calls_than_the_quota_has_are_never_left(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.set_quota(limit=1000, remaining=500)
    with pytest.raises(AirflowFailException, match=r"min_remaining=1000 is never left of 1000 calls.*Ask for 999"):
        run_task(OdsQuotaResetSensor(task_id="t", min_remaining=1000))
    with pytest.raises(TaskDeferred):
        run_task(OdsQuotaResetSensor(task_id="t", min_remaining=999))


def test_enough_calls_left_succeeds_at_once(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.set_quota(limit=1000, remaining=500)
    found = run_task(OdsQuotaResetSensor(task_id="t", min_remaining="{{ 400 }}"))
    assert (found["limit"], found["remaining"]) == (1000, 499)
    assert datetime.fromisoformat(found["reset_at"]).tzinfo is not None


def test_a_quota_that_is_spent_defers_to_its_reset(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.set_quota(limit=1000, remaining=0, reset_in_s=1000)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(OdsQuotaResetSensor(task_id="t"))
    trigger = deferred.value.trigger
    assert isinstance(trigger, OdsQuotaResetTrigger)
    assert trigger.until is not None
    left = datetime.fromisoformat(trigger.until) - datetime.now(UTC)
    assert timedelta(seconds=990) < left < timedelta(seconds=1002)


def test_too_few_calls_left_waits_for_the_reset_and_then_looks_again(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.set_quota(limit=1000, remaining=5, reset_in_s=2)
    task = OdsQuotaResetSensor(task_id="t", min_remaining=100, poke_interval=1)
    context = context_of(task)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    trigger = at_once(deferred.value.trigger)
    trigger.until = None
    (event,) = events_of(trigger)
    assert resume_task(task, context, deferred.value, event)["remaining"] == 999
    assert len(ods_portal.requests) <= 4


def test_a_dataset_may_have_a_quota_of_its_own(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.set_quota(limit=50, remaining=3, reset_in_s=500, dataset_id=DATASET)
    assert run_task(OdsQuotaResetSensor(task_id="t", min_remaining=10))["remaining"] > 10
    with pytest.raises(TaskDeferred) as deferred:
        run_task(OdsQuotaResetSensor(task_id="t", min_remaining=10, dataset_id=DATASET))
    assert deferred.value.trigger.serialize()[1]["dataset_id"] == DATASET


def test_a_portal_in_trouble_leaves_the_quota_to_the_trigger(connect: Any, ods_portal: LocalPortal) -> None:
    connect(extra={"max_retries": 0})
    ods_portal.fault("status", status=503)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(OdsQuotaResetSensor(task_id="t", poke_interval=0.2))
    trigger = at_once(deferred.value.trigger)
    trigger.until = None
    (event,) = events_of(trigger)
    assert event["result"]["remaining"] > 0
