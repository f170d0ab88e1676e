"""How often a job says how far it is: not at once, not too often, at its end once; and how fast it is."""

from __future__ import annotations

import pytest

from ods_provider.jobs.running import pace
from ods_provider.jobs.running.pace import Pace


class Clock:
    """A monotonic clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    return made


def said(told: Pace, done: int, total: int | None = 100, unit: str = "rows") -> bool:
    return told.is_time(done, total, unit, every_s=5.0)


def test_it_is_said_after_a_while_and_at_the_end_once(clock: Clock) -> None:
    told = Pace()
    assert not said(told, 0)
    clock.now += 4
    assert not said(told, 10)
    clock.now += 2
    assert said(told, 30)
    assert told.per_s == 5.0
    clock.now += 1
    assert not said(told, 40)
    assert said(told, 100)
    # The end may be told of again and again, while something else is waited for.
    clock.now += 60
    assert not any(said(told, 100) for _ in range(3))


def test_what_is_over_at_once_is_said_without_a_rate(clock: Clock) -> None:
    told = Pace()
    assert said(told, 100)
    assert told.per_s is None


def test_another_part_of_the_work_and_one_that_was_begun_before_have_a_pace_of_their_own(clock: Clock) -> None:
    told = Pace()
    said(told, 0)
    clock.now += 10
    assert said(told, 90)
    # The same job sends now what it has read.
    assert not said(told, 0, 200)
    clock.now += 10
    assert said(told, 20, 200) and told.per_s == 2.0
    # A stream that is fetched again.
    assert not said(told, 1, 200)
    resumed = Pace()
    said(resumed, 50)
    clock.now += 10
    assert said(resumed, 60) and resumed.per_s == 1.0
