"""Triggers: through JSON and back, run against the portal, patient, and quiet where nothing happens."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset, AssetWatcher
from airflow.triggers.base import BaseEventTrigger
from airflow_task import events_of, revived

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsConfigError
from ods_provider.testing.portal import LocalPortal
from ods_provider.triggers import polling
from ods_provider.triggers.dataset import OdsDatasetEventTrigger, OdsDatasetUpdateTrigger
from ods_provider.triggers.quota import OdsQuotaResetTrigger
from ods_provider.triggers.wait import OdsWaitTrigger

DATASET = "world-capitals"
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRIGGERS = [
    OdsWaitTrigger(MOMENT, "a quota", {"page": 3}),
    OdsWaitTrigger(MOMENT, "a quota", {"page": 3}, MOMENT.isoformat()),
    OdsDatasetUpdateTrigger(
        ods_conn_id="c", dataset_id="d", since={"data_processed": MOMENT.isoformat()}, what="any", poll_interval_s=7
    ),
    OdsDatasetUpdateTrigger(ods_conn_id="c", dataset_id="d", since=None, first_at=MOMENT.isoformat()),
    OdsDatasetEventTrigger(ods_conn_id="c", dataset_id="d", what="metadata", poll_interval_s=7),
    OdsQuotaResetTrigger(ods_conn_id="c", dataset_id="d", min_remaining=9, until=MOMENT.isoformat(), poll_interval_s=7),
]


class AssetState:
    """As Airflow's accessor for the one asset of a watcher."""

    def __init__(self, kept: dict[str, Any] | None = None) -> None:
        self.kept = kept or {}

    async def aget(self, key: str, default: Any = None) -> Any:
        return json.loads(self.kept[key]) if key in self.kept else default

    async def aset(self, key: str, value: Any) -> None:
        self.kept[key] = json.dumps(value)


class OfAnotherShape:
    """An accessor that cannot tell whose state is meant, and does not show whose there are."""

    async def aget(self, key: str, default: Any = None) -> Any:
        raise ValueError("asset_state_store has 2 inlets; subscript it")

    async def aset(self, key: str, value: Any) -> None:
        raise ValueError("asset_state_store has 2 inlets; subscript it")


class OfTwoAssets(OfAnotherShape):
    """What Airflow gives to a trigger that two assets share."""

    def __init__(self, one: AssetState | None = None, other: AssetState | None = None) -> None:
        self._by_name = {"one": one or AssetState(), "other": other or AssetState()}
        self._by_uri: dict[str, Any] = {}


def freshness(portal: LocalPortal) -> dict[str, Any]:
    with OdsClient(portal.url) as client:
        return client.dataset(DATASET).freshness()


def watcher(**arguments: Any) -> OdsDatasetEventTrigger:
    made = revived(OdsDatasetEventTrigger(**{"dataset_id": DATASET, "poll_interval_s": 0.2} | arguments))
    assert isinstance(made, OdsDatasetEventTrigger)
    return made


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: type(trigger).__name__)
def test_a_trigger_comes_back_from_json_as_it_was(trigger: Any) -> None:
    again = revived(trigger)
    assert type(again) is type(trigger)
    assert again.serialize() == trigger.serialize()


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: type(trigger).__name__)
def test_a_trigger_passes_airflows_own_serialisation(trigger: Any) -> None:
    from airflow.serialization.serialized_objects import BaseSerialization

    assert BaseSerialization.deserialize(BaseSerialization.serialize(trigger.serialize()[1])) == trigger.serialize()[1]


# The wait


def test_a_wait_ends_at_its_time_and_brings_the_state_along() -> None:
    started = time.monotonic()
    trigger = revived(OdsWaitTrigger(datetime.now(UTC) + timedelta(seconds=0.6), "a quota", {"page": 3}))
    assert events_of(trigger) == [{"status": "resume", "checkpoint": {"page": 3}}]
    assert time.monotonic() - started > 0.4


def test_a_wait_that_is_over_already_ends_at_once() -> None:
    assert events_of(OdsWaitTrigger(MOMENT - timedelta(days=1000)))[0]["status"] == "resume"


# The dataset trigger of a sensor


def test_it_fires_when_the_dataset_is_republished_and_then_stops(connect: Any, ods_portal: LocalPortal) -> None:
    trigger = OdsDatasetUpdateTrigger(
        ods_conn_id="ods_default", dataset_id=DATASET, since=freshness(ods_portal), poll_interval_s=0.2
    )
    found = events_of(revived(trigger), count=2, meanwhile=lambda: ods_portal.touch(DATASET, rows=1))
    assert found == [{"status": "updated", "result": freshness(ods_portal)}]


@pytest.mark.at_length
def test_its_looks_are_told_once_while_they_show_the_same_and_the_last_one_says_why_it_fires(
    connect: Any, ods_portal: LocalPortal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    since = {"data_processed": freshness(ods_portal)["data_processed"]}
    trigger = OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id=DATASET, since=since, poll_interval_s=1)
    events_of(revived(trigger), meanwhile=lambda: ods_portal.touch(DATASET), answers=3)
    told = [entry.message for entry in caplog.records if entry.message.startswith(DATASET)]
    assert len(told) == 2
    assert re.fullmatch(r".*data_processed is (\S+), and was \1: nothing newer\. Looking again at .*", told[0])
    assert told[1].endswith(": newer")


def test_the_same_is_told_again_after_ten_minutes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    telling, now = polling.Telling(), [1_000.0]
    # The module's own name only: a portal that serves beside this would set its timers by that clock, and never wake.
    monkeypatch.setattr(polling, "time", SimpleNamespace(monotonic=lambda: now[0]))
    for seconds in range(0, 1_300, 100):
        now[0] = 1_000.0 + seconds
        telling.tell("it sleeps", MOMENT)
    assert [entry.message for entry in caplog.records] == [f"it sleeps. Looking again at {MOMENT.isoformat()}"] * 3
    telling.tell("it moves", MOMENT)
    assert caplog.records[-1].message.startswith("it moves")


def test_it_outlives_a_portal_in_trouble(connect: Any, ods_portal: LocalPortal) -> None:
    connect(extra={"max_retries": 0})
    since = freshness(ods_portal)
    for kind in ("drop", "bare_429", "quota"):
        ods_portal.fault(kind, **({"reset_in_s": 1} if kind == "quota" else {}))
    ods_portal.fault("status", status=502)
    ods_portal.touch(DATASET)
    trigger = OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id=DATASET, since=since, poll_interval_s=0.2)
    assert events_of(revived(trigger))[0]["status"] == "updated"
    statuses = [entry.status for entry in ods_portal.requests]
    assert statuses[-5:] == [0, 429, 429, 502, 200]


def test_it_asks_nothing_while_a_quota_is_spent(connect: Any, ods_portal: LocalPortal) -> None:
    connect(extra={"max_wait_s": 0})
    since = freshness(ods_portal)
    ods_portal.touch(DATASET)
    ods_portal.requests.clear()
    ods_portal.fault("quota", reset_in_s=1.5)
    trigger = OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id=DATASET, since=since, poll_interval_s=0.1)
    events_of(revived(trigger))
    assert [entry.status for entry in ods_portal.requests] == [429, 200]
    assert ods_portal.requests[1].at - ods_portal.requests[0].at > 1.0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"dataset_id": "no-such"}, "OdsNotFound"),
        ({"what": "weather"}, "OdsConfigError"),
        ({"since": {"data_processed": "not a time"}}, "OdsConfigError"),
    ],
)
def test_what_no_waiting_cures_is_an_event_that_says_so(changed: dict[str, Any], said: str, connect: Any) -> None:
    arguments = {"ods_conn_id": "ods_default", "dataset_id": DATASET, "since": {"data_processed": MOMENT.isoformat()}}
    (event,) = events_of(OdsDatasetUpdateTrigger(**arguments | changed))
    assert event["status"] == "failed"
    assert said in event["error"]
    assert event["transient"] is False


def test_the_event_loop_stays_free_while_a_portal_is_silent(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.fault("stall", seconds=2)

    async def beats_in_the_silence() -> int:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.02)
                beats += [entry.status for entry in ods_portal.requests] == [0]

        beating = asyncio.create_task(beat())
        trigger = OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id=DATASET, since=None)
        async for _ in trigger.run():
            break
        beating.cancel()
        return beats

    # A hundred where nothing else runs; one or two if the loop waited for the answer.
    assert asyncio.run(beats_in_the_silence()) > 5


# The event trigger of an asset watcher


def test_it_is_one_that_an_asset_watcher_takes() -> None:
    trigger = OdsDatasetEventTrigger(dataset_id="trees")
    assert isinstance(trigger, BaseEventTrigger)
    asset = Asset(uri="ods://data.example.org/trees", watchers=[AssetWatcher(name="trees", trigger=trigger)])
    assert asset.uri == "ods://data.example.org/trees"


def test_what_it_cannot_watch_is_refused_where_the_dag_is_written() -> None:
    with pytest.raises(OdsConfigError, match="Use data, metadata or any"):
        OdsDatasetEventTrigger(dataset_id="trees", what="weather")


@pytest.mark.parametrize("state", [None, AssetState, OfAnotherShape, OfTwoAssets])
def test_its_first_look_is_the_beginning_and_every_update_after_it_an_event(
    state: Any, connect: Any, ods_portal: LocalPortal
) -> None:
    trigger = watcher()
    if state is not None:
        trigger.asset_state_store = state()
    (event,) = events_of(trigger, meanwhile=lambda: ods_portal.touch(DATASET, rows=3))
    assert event == freshness(ods_portal)


def test_its_first_look_fires_when_told_to_and_only_then(connect: Any, ods_portal: LocalPortal) -> None:
    state = AssetState()
    first, again = watcher(fire_first=True), watcher(fire_first=True)
    first.asset_state_store = again.asset_state_store = state
    (event,) = events_of(first)
    assert event == freshness(ods_portal)
    state.kept[next(iter(state.kept), f"ods/{DATASET}/data")] = json.dumps(event)
    (event,) = events_of(again, meanwhile=lambda: ods_portal.touch(DATASET, rows=3))
    assert event == freshness(ods_portal)


def test_an_update_while_no_triggerer_ran_is_seen_afterwards(connect: Any, ods_portal: LocalPortal) -> None:
    state = AssetState()
    first = watcher()
    first.asset_state_store = state
    events_of(first, meanwhile=lambda: ods_portal.touch(DATASET))
    ods_portal.touch(DATASET, rows=1)
    second = watcher()
    second.asset_state_store = state
    assert events_of(second) == [freshness(ods_portal)]


def test_two_assets_with_one_trigger_remember_and_none_of_them_misses_an_update(
    connect: Any, ods_portal: LocalPortal
) -> None:
    one, other, key = AssetState(), AssetState(), f"ods/{DATASET}/data"
    first = watcher()
    first.asset_state_store = OfTwoAssets(one, other)
    events_of(first, count=2, meanwhile=lambda: ods_portal.touch(DATASET), again=lambda: ods_portal.touch(DATASET))
    assert one.kept[key] == other.kept[key]
    behind = json.loads(one.kept[key]) | {"data_processed": "2020-01-01T00:00:00+00:00"}
    second = watcher()
    second.asset_state_store = OfTwoAssets(AssetState({key: json.dumps(behind)}), other)
    assert events_of(second) == [freshness(ods_portal)]
    third = watcher()
    third.asset_state_store = OfTwoAssets(AssetState(), AssetState({key: json.dumps(behind)}))
    assert events_of(third) == [freshness(ods_portal)]


def test_a_watcher_that_dies_after_it_told_an_update_tells_it_again(connect: Any, ods_portal: LocalPortal) -> None:
    state, key = AssetState(), f"ods/{DATASET}/data"
    beginning = freshness(ods_portal)
    dies = watcher()
    dies.asset_state_store = state
    told = events_of(dies, meanwhile=lambda: ods_portal.touch(DATASET))
    assert json.loads(state.kept[key]) == beginning
    lives = watcher()
    lives.asset_state_store = state
    # A look later it is kept: whoever dies then repeats nothing.
    found = events_of(lives, count=2, again=lambda: ods_portal.touch(DATASET))
    assert found == [*told, freshness(ods_portal)]
    assert json.loads(state.kept[key]) == told[0]


def test_a_state_that_cannot_be_kept_for_a_moment_loses_nothing(connect: Any, ods_portal: LocalPortal) -> None:
    class Flaky(AssetState):
        failures = 2

        async def aset(self, key: str, value: Any) -> None:
            if self.failures:
                self.failures -= 1
                raise TimeoutError("the state backend is slow")
            await super().aset(key, value)

    trigger = watcher()
    trigger.asset_state_store = state = Flaky()
    assert events_of(trigger, meanwhile=lambda: ods_portal.touch(DATASET)) == [freshness(ods_portal)]
    assert state.failures == 0


@pytest.mark.parametrize("pause", [0, -1])
def test_a_pause_of_nothing_is_a_second(pause: float, connect: Any, ods_portal: LocalPortal) -> None:
    since = freshness(ods_portal)
    ods_portal.requests.clear()
    trigger = OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id=DATASET, since=since, poll_interval_s=pause)
    (event,) = events_of(revived(trigger), meanwhile=lambda: ods_portal.touch(DATASET))
    assert event["status"] == "updated"
    assert 2 <= len(ods_portal.requests) <= 3


def test_it_tells_every_update_once(connect: Any, ods_portal: LocalPortal) -> None:
    trigger = watcher()
    found = events_of(trigger, count=2, meanwhile=lambda: ods_portal.touch(DATASET), looks=4)
    assert found == [freshness(ods_portal)]


def test_it_watches_only_what_it_was_told_to(connect: Any, ods_portal: LocalPortal) -> None:
    assert events_of(watcher(), meanwhile=lambda: ods_portal.touch(DATASET, metadata_only=True), looks=4) == []
    assert events_of(watcher(what="any"), meanwhile=lambda: ods_portal.touch(DATASET, metadata_only=True))


def test_a_wrong_key_is_logged_and_the_connection_looked_up_again(
    connect: Any, ods_portal: LocalPortal, capfd: pytest.CaptureFixture[str]
) -> None:
    connect(password="not-the-key-any-more")
    began = time.monotonic()

    def corrected() -> None:
        polls = (time.monotonic() - began) / 0.2
        assert 1 <= len(ods_portal.requests) <= 2 * (polls + 2), "it asks at the pace of its polls, not in a loop"
        connect()

    trigger = watcher()
    trigger.asset_state_store = AssetState({f"ods/{DATASET}/data": json.dumps(freshness(ods_portal))})
    ods_portal.touch(DATASET)
    # After two refusals: what it says of the first may come after whatever is done about it.
    assert events_of(trigger, meanwhile=corrected, answers=2) == [freshness(ods_portal)]
    said = "".join(capfd.readouterr())
    assert "Looking again in 0 s: " in said
    assert "not-the-key-any-more" not in said


def test_a_page_of_maintenance_does_not_end_a_trigger_that_knows_its_portal(
    connect: Any, ods_portal: LocalPortal
) -> None:
    ods_portal.fault("html", times=2)
    trigger = OdsDatasetUpdateTrigger(
        ods_conn_id="ods_default",
        dataset_id=DATASET,
        since={"data_processed": "2000-01-01T00:00:00+00:00"},
        poll_interval_s=0.2,
    )
    assert events_of(revived(trigger))[0]["status"] == "updated"
    ods_portal.fault("html")
    trigger = OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id=DATASET, since=None)
    assert events_of(revived(trigger))[0]["status"] == "failed"


# The quota trigger


@pytest.mark.parametrize("fault", [{"kind": "html"}, {"kind": "status", "status": 503}])
def test_what_only_delays_does_not_end_the_wait_for_a_quota(
    fault: dict[str, Any], connect: Any, ods_portal: LocalPortal
) -> None:
    connect(extra={"max_retries": 0})
    ods_portal.fault(**fault)
    (event,) = events_of(revived(OdsQuotaResetTrigger(ods_conn_id="ods_default", poll_interval_s=0.2)))
    assert event["status"] == "updated"


def test_a_quota_that_became_smaller_than_what_is_waited_for_ends_the_wait(
    connect: Any, ods_portal: LocalPortal
) -> None:
    ods_portal.set_quota(limit=10, remaining=5)
    (event,) = events_of(OdsQuotaResetTrigger(ods_conn_id="ods_default", min_remaining=50))
    assert (event["status"], event["transient"]) == ("failed", False)
    assert "min_remaining=50 is never left of 10 calls" in event["error"]


def test_it_looks_once_at_the_reset(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.set_quota(limit=10, remaining=0, reset_in_s=1)
    until = (datetime.now(UTC) + timedelta(seconds=1.2)).isoformat()
    (event,) = events_of(revived(OdsQuotaResetTrigger(ods_conn_id="ods_default", until=until)))
    assert event["status"] == "updated"
    assert event["result"]["remaining"] == 9
    assert len(ods_portal.requests) == 1


def test_a_quota_that_was_spent_by_others_meanwhile_is_waited_for_again(
    connect: Any, ods_portal: LocalPortal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ods_portal.set_quota(limit=10, remaining=0, reset_in_s=1)
    (event,) = events_of(revived(OdsQuotaResetTrigger(ods_conn_id="ods_default", poll_interval_s=0.2)))
    assert event["result"]["remaining"] == 9
    assert len(ods_portal.requests) <= 4
    told = [entry.message for entry in caplog.records if " calls of the portal left, 1 wanted: " in entry.message]
    assert told[0].startswith("0 calls of the portal left") and "waiting for the reset at 20" in told[0]
    assert told[-1] == "9 of 10 calls of the portal left, 1 wanted: enough"


def test_a_wrong_key_ends_the_wait_for_a_quota(connect: Any) -> None:
    connect(password="wrong")
    (event,) = events_of(OdsQuotaResetTrigger(ods_conn_id="ods_default"))
    assert (event["status"], "OdsAuthError" in event["error"]) == ("failed", True)


ADDRESS = "https://data.example.org/explore/dataset/world-capitals/table/"


def test_an_address_is_no_id_of_a_watched_dataset(connect: Any, ods_portal: LocalPortal) -> None:
    with pytest.raises(OdsConfigError, match="'world-capitals'"):
        OdsDatasetEventTrigger(dataset_id=ADDRESS)
    with pytest.raises(OdsConfigError, match="if it is a template"):
        OdsDatasetEventTrigger(dataset_id="")
    for trigger in (
        OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id=ADDRESS, since=None),
        OdsQuotaResetTrigger(ods_conn_id="ods_default", dataset_id=ADDRESS),
    ):
        [event] = events_of(trigger)
        assert event["status"] == "failed"
        assert "Pass 'world-capitals'" in event["error"]
    assert not ods_portal.requests


def test_blanks_around_an_id_are_no_part_of_it(connect: Any, ods_portal: LocalPortal) -> None:
    trigger = OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id=f" {DATASET}\n", since=None)
    [event] = events_of(trigger)
    assert event["result"]["dataset_id"] == DATASET
