"""Triggers that look at datasets of one portal share their calls."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import Any

import pytest
from effort import effort

from ods_provider.core.errors import OdsAuthError, OdsNotFound, OdsQueryError
from ods_provider.core.plans.records import count
from ods_provider.core.query import Query
from ods_provider.hooks.ods import OdsHook
from ods_provider.testing.portal import LocalPortal
from ods_provider.triggers import together as room
from ods_provider.triggers.dataset import OdsDatasetUpdateTrigger
from ods_provider.triggers.together import together

FUTURE = {"data_processed": "2099-01-01T00:00:00+00:00"}


def calls(portal: LocalPortal) -> list[str]:
    return [entry.path.removeprefix("/api/explore/v2.1") for entry in portal.requests]


async def look(*dataset_ids: str, conn_id: str = "ods_default") -> list[Any]:
    async with AsyncExitStack() as triggers:
        # All have joined before the first one looks: how long joining takes is no matter of these tests.
        joined = [await triggers.enter_async_context(together(conn_id)) for _ in dataset_ids]
        looks = (shared.look(dataset_id) for shared, dataset_id in zip(joined, dataset_ids, strict=True))
        return await asyncio.gather(*looks, return_exceptions=True)


def test_looks_that_come_together_are_one_call(ods_portal, connect):
    seen = asyncio.run(look("world-capitals", "live-readings", "landmark-photos", "world-capitals"))
    assert [one.dataset_id for one in seen] == ["world-capitals", "live-readings", "landmark-photos", "world-capitals"]
    assert calls(ods_portal) == ["/catalog/datasets"]
    assert room._OPEN == []


def test_a_look_alone_asks_for_its_dataset(ods_portal, connect):
    (seen,) = asyncio.run(look("world-capitals"))
    assert seen.records_count == 110
    assert calls(ods_portal) == ["/catalog/datasets/world-capitals"]


def test_a_dataset_that_is_not_there_is_an_error_for_its_own_trigger_alone(ods_portal, connect):
    seen = asyncio.run(look("world-capitals", "no-such-dataset"))
    assert seen[0].dataset_id == "world-capitals"
    assert isinstance(seen[1], OdsNotFound)
    assert calls(ods_portal) == ["/catalog/datasets", "/catalog/datasets/no-such-dataset"]


@pytest.mark.parametrize("letter", effort(["é"], at_length=["x", "é", "'"]))
def test_long_ids_share_as_many_calls_as_their_urls_take(ods_portal, connect, letter):
    unknown = [f"{number:02}-".ljust(90, letter) for number in range(99)]
    seen = asyncio.run(look("world-capitals", *unknown))
    assert seen[0].dataset_id == "world-capitals"
    assert {type(one) for one in seen[1:]} == {OdsNotFound}
    assert 1 < calls(ods_portal).count("/catalog/datasets") < 10
    assert 414 not in {entry.status for entry in ods_portal.requests}


def test_an_id_too_long_for_any_url_fails_for_its_own_trigger_alone(ods_portal, connect):
    seen = asyncio.run(look("world-capitals", "x" * 9_000, "live-readings"))
    assert [seen[0].dataset_id, seen[2].dataset_id] == ["world-capitals", "live-readings"]
    assert isinstance(seen[1], OdsQueryError)
    assert seen[1].status == 414


def test_a_query_that_the_portal_refuses_fails_only_for_the_dataset_that_is_to_blame(ods_portal, connect):
    ods_portal.fault("status", status=400, path="/catalog/datasets")
    ods_portal.fault("status", status=400, path="/catalog/datasets/live-readings")
    seen = asyncio.run(look("landmark-photos", "live-readings", "world-capitals"))
    assert [seen[0].dataset_id, seen[2].dataset_id] == ["landmark-photos", "world-capitals"]
    assert isinstance(seen[1], OdsQueryError)
    assert len(ods_portal.requests) == 4


def test_a_wrong_key_is_everybodys_error_and_costs_one_call(ods_portal, connect):
    ods_portal.fault("status", status=401, times=None)
    seen = asyncio.run(look("landmark-photos", "world-capitals"))
    assert {type(one) for one in seen} == {OdsAuthError}
    assert calls(ods_portal) == ["/catalog/datasets"]


def test_another_key_is_another_conversation(ods_portal, connect):
    connect("other", password=None)

    async def both() -> None:
        await asyncio.gather(look("world-capitals", "live-readings"), look("landmark-photos", conn_id="other"))

    asyncio.run(both())
    assert sorted(calls(ods_portal)) == ["/catalog/datasets", "/catalog/datasets/landmark-photos"]
    assert {entry.auth for entry in ods_portal.requests} == {"apikey", None}


def test_a_trigger_that_is_cancelled_takes_nothing_from_the_others(ods_portal, connect):
    async def cancelled() -> Any:
        async with together("ods_default") as shared:
            gone = asyncio.ensure_future(shared.look("world-capitals"))
            kept = asyncio.ensure_future(shared.look("world-capitals"))
            await asyncio.sleep(0.05)
            gone.cancel()
            return await kept

    assert asyncio.run(cancelled()).dataset_id == "world-capitals"


def test_triggers_that_poll_as_often_meet_at_every_beat(ods_portal, connect):
    def waiting(dataset_id: str) -> OdsDatasetUpdateTrigger:
        return OdsDatasetUpdateTrigger(
            ods_conn_id="ods_default", dataset_id=dataset_id, since=FUTURE, poll_interval_s=0.8
        )

    async def watch() -> None:
        async def run(trigger: OdsDatasetUpdateTrigger, after_s: float) -> None:
            await asyncio.sleep(after_s)
            async for _ in trigger.run():
                pytest.fail("nothing was updated")

        ids = ["world-capitals", "live-readings", "landmark-photos"]
        tasks = [asyncio.ensure_future(run(waiting(name), number * 0.3)) for number, name in enumerate(ids)]
        # They begin at different moments; soon their looks are one call at each beat.
        async with asyncio.timeout(60):
            while calls(ods_portal)[-2:] != ["/catalog/datasets"] * 2:  # noqa: ASYNC110  the portal is another thread
                await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(watch())


def test_an_exception_that_nobody_expects_hangs_no_trigger(ods_portal, connect):
    async def surprised() -> list[Any]:
        async with together("ods_default") as shared:

            async def run(plan: Any, source: str) -> Any:
                raise ZeroDivisionError("a bug")

            shared.asking.run = run
            looks = [shared.look("world-capitals"), shared.look("live-readings")]
            return await asyncio.wait_for(asyncio.gather(*looks, return_exceptions=True), 10)

    assert [type(one) for one in asyncio.run(surprised())] == [ZeroDivisionError, ZeroDivisionError]


def test_a_bug_in_a_look_is_an_event_and_leaves_the_task_its_retries(ods_portal, connect):
    async def event() -> Any:
        trigger = OdsDatasetUpdateTrigger(ods_conn_id="ods_default", dataset_id="world-capitals", since=FUTURE)
        trigger.poll_interval_s = "soon"
        async for found in trigger.run():
            return found.payload

    found = asyncio.run(event())
    assert (found["status"], found["transient"]) == ("failed", True)
    assert found["error"].startswith("TypeError: ")


def test_looks_at_a_portal_that_is_silent_keep_no_other_portal_waiting(ods_portal, connect):
    async def watch() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.setblocking(False)
            connect("silent", host=f"http://127.0.0.1:{silent.getsockname()[1]}", extra={"max_retries": 0})

            async def stuck() -> None:
                with await OdsHook("silent").aget_conn() as client:
                    await client.arun(count("world-capitals", Query()))

            held = [asyncio.ensure_future(stuck()) for _ in range(9)]
            # As many as may be on their way at once have come, and none of them gets an answer.
            lines = [(await asyncio.get_running_loop().sock_accept(silent))[0] for _ in range(8)]
            (seen,) = await look("world-capitals")
            assert seen.dataset_id == "world-capitals"
            assert not any(one.done() for one in held)
            for line in lines:
                line.close()
        await asyncio.gather(*held, return_exceptions=True)

    asyncio.run(watch())


async def _held(conn_id: str = "ods_default") -> None:
    async with together(conn_id):
        await asyncio.Event().wait()


@pytest.mark.parametrize("turns", range(6))
def test_who_is_cancelled_while_joining_takes_the_portal_from_nobody_and_leaves_nothing_open(
    ods_portal, connect, turns
):
    async def main() -> None:
        cancelled = [asyncio.ensure_future(_held()) for _ in range(3)]
        stays = asyncio.ensure_future(look("world-capitals", "live-readings"))
        for _ in range(turns):
            await asyncio.sleep(0.002 if turns > 3 else 0)
        for each in cancelled:
            each.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)
        assert [one.dataset_id for one in await stays] == ["world-capitals", "live-readings"]

    asyncio.run(main())
    assert room._OPEN == room._JOINING == []


@pytest.mark.parametrize("turns", [0, 1, 2, 40])
def test_where_all_are_cancelled_while_joining_nothing_stays_open(ods_portal, connect, turns):
    async def main() -> None:
        cancelled = [asyncio.ensure_future(_held()) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0.001)
        for each in cancelled:
            each.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)
        # A look-up that is under way ends by itself.
        async with asyncio.timeout(60):
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    asyncio.run(main())
    assert room._OPEN == room._JOINING == []


def test_a_bad_connection_is_an_error_for_everybody_who_joins(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", "ods://:key@")

    async def main() -> list[Any]:
        return await asyncio.gather(*(_held() for _ in range(3)), return_exceptions=True)

    assert {type(error).__name__ for error in asyncio.run(main())} == {"OdsConfigError"}
    assert room._OPEN == room._JOINING == []
