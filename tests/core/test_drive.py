"""The loop: what is repeated, how long it waits, and that threads and event loops decide alike."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from ods_provider.core.drive import Terms, adrive, drive
from ods_provider.core.errors import OdsError, OdsQueryError, OdsQuotaExceeded, OdsServerError, OdsTimeout
from ods_provider.core.events import Event, RetryScheduled
from ods_provider.core.plans.records import page
from ods_provider.core.query import Query
from ods_provider.core.retry import RetryRules, backoff_s
from ods_provider.core.wire import Headers, Request, Response

ROWS = [{"n": 1}, {"n": 2}, {"n": 3}]
OK = Response(200, Headers(), "https://h/x", body=json.dumps({"total_count": 3, "results": ROWS}).encode())


def answer(status: int, **headers: str) -> Response:
    return Response(status, Headers({name.replace("_", "-"): value for name, value in headers.items()}), "https://h/x")


@dataclass
class Stage:
    """A scripted portal with a clock that only sleeping moves."""

    script: list[Response | OdsError]
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        self.asked.append(request)
        item = self.script.pop(0)
        if isinstance(item, OdsError):
            raise item
        return item

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)

    def terms(self, **rules: float) -> Terms:
        return Terms(
            transport=self,
            rules=RetryRules(**rules),  # type: ignore[arg-type]
            emit=self.events.append,
            now=lambda: self.now,
            sleep=self.sleep,
            asleep=self.asleep,
        )


Drive = Callable[[Stage, Terms], list[object]]


def in_thread(stage: Stage, terms: Terms) -> list[object]:
    return list(drive(page(None, Query(), limit=3), terms).rows)


def in_loop(stage: Stage, terms: Terms) -> list[object]:
    return list(asyncio.run(adrive(page(None, Query(), limit=3), terms)).rows)


@pytest.fixture(params=[in_thread, in_loop])
def run(request: pytest.FixtureRequest) -> Iterator[Drive]:
    yield request.param


def test_a_passing_failure_is_sent_again_until_it_works(run: Drive) -> None:
    stage = Stage([answer(503), OdsTimeout("silent"), OK])
    assert run(stage, stage.terms()) == ROWS
    assert [event.attempt for event in stage.events if isinstance(event, RetryScheduled)] == [1, 2]
    assert len(stage.slept) == 2


def test_a_refusal_is_never_sent_again(run: Drive) -> None:
    stage = Stage([answer(400)])
    with pytest.raises(OdsQueryError):
        run(stage, stage.terms())
    assert len(stage.asked) == 1
    assert stage.slept == []


def test_max_retries_bounds_the_attempts_and_zero_means_none(run: Drive) -> None:
    stage = Stage([answer(500)] * 10)
    with pytest.raises(OdsServerError):
        run(stage, stage.terms(max_retries=2))
    assert len(stage.asked) == 3
    stage = Stage([answer(500)])
    with pytest.raises(OdsServerError):
        run(stage, stage.terms(max_retries=0))


def test_retry_after_is_honoured_and_not_anticipated(run: Drive) -> None:
    stage = Stage([answer(503, retry_after="20"), OK])
    assert run(stage, stage.terms()) == ROWS
    assert 20 <= stage.slept[0] <= 21.5


def test_a_wait_beyond_max_wait_is_never_begun(run: Drive) -> None:
    stage = Stage([answer(429, retry_after="90"), OK])
    with pytest.raises(OdsQuotaExceeded) as caught:
        run(stage, stage.terms())
    assert stage.slept == []
    assert caught.value.reset_at == stage.now + timedelta(seconds=90)


def test_all_waits_of_one_request_together_stay_under_max_wait(run: Drive) -> None:
    stage = Stage([answer(429, retry_after="25")] * 5)
    with pytest.raises(OdsQuotaExceeded):
        run(stage, stage.terms(max_wait_s=60))
    assert len(stage.slept) == 2
    assert sum(stage.slept) <= 60


def test_a_429_that_says_nothing_takes_the_reset_from_the_last_known_quota(run: Drive) -> None:
    spent = Response(
        200,
        Headers(
            {"x-ratelimit-limit": "5", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-01-02 00:00:00+00:00"}
        ),
        "https://h/x",
        body=OK.body,
    )
    stage = Stage([spent, *[answer(429)] * 9])
    terms = stage.terms(max_retries=1)
    run(stage, terms)
    with pytest.raises(OdsQuotaExceeded) as caught:
        run(stage, terms)
    assert caught.value.reset_at == datetime(2026, 1, 2, tzinfo=UTC)


def test_a_plan_may_handle_the_error_of_its_request() -> None:
    def plan():  # type: ignore[no-untyped-def]
        try:
            yield Request("/a")
        except OdsQueryError:
            return (yield Request("/b")).json()["results"]

    stage = Stage([answer(400), OK])
    assert drive(plan(), stage.terms()) == ROWS
    assert [request.path for request in stage.asked] == ["/a", "/b"]


def test_backoff_grows_to_its_cap() -> None:
    assert [backoff_s(n) for n in (1, 2, 3, 8, 5000)] == [0.5, 1.0, 2.0, 30.0, 30.0]
