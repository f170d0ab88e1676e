"""``max_quota_wait_s`` bounds the sum of the waits of one piece of work, whatever the portal says each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lab import Lab

from ods_provider.core.errors import OdsServerError, OdsWaitTooLong
from ods_provider.core.events import JobFailed, JobStarted
from ods_provider.core.outcome import Done, Wait
from ods_provider.core.query import Query
from ods_provider.jobs.running.waited import Waited
from ods_provider.jobs.search import SearchJob
from ods_provider.testing.portal import LocalPortal

JOB = SearchJob("world-capitals", Query(), limit=3)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
A_DAY_S = 26 * 3600.0


def refused(*, for_s: float) -> OdsServerError:
    return OdsServerError("Service Unavailable", status=503, retry_at=NOW + timedelta(seconds=for_s))


def test_waits_that_each_are_short_enough_end_in_failure_once_their_sum_is_too_long(make_lab: Any, portal: LocalPortal):
    lab: Lab = make_lab(portal.url, max_quota_wait_s=1000, max_wait_s=0)
    portal.fault("status", status=503, retry_after=400, times=None)
    checkpoint: dict[str, Any] = {}
    for _ in range(2):
        wait = lab.run(JOB, checkpoint=checkpoint)
        assert isinstance(wait, Wait)
        checkpoint = dict(wait.checkpoint)
    with pytest.raises(OdsWaitTooLong, match=r"with the \d{3} s of the waits so far, longer than max_quota_wait_s"):
        lab.run(JOB, checkpoint=checkpoint)
    assert not lab.heard(JobFailed)[-1].error.transient
    assert [event.resumed for event in lab.heard(JobStarted)] == [False, True, True]


def test_a_single_wait_that_is_too_long_fails_at_once_and_says_when_to_come_back(lab: Lab, portal: LocalPortal):
    portal.set_quota(remaining=0, reset_in_s=40 * 3600)
    with pytest.raises(OdsWaitTooLong, match=r"longer than max_quota_wait_s allows \(93,600 s\).*Run it again") as e:
        lab.run(JOB)
    assert e.value.reset_at is not None
    assert e.value.reset_at > lab.now() + timedelta(hours=39)


def test_come_back_in_a_second_said_for_ever_ends_after_dozens_of_tries():
    waited, tries = Waited(), 0
    now = NOW
    with pytest.raises(OdsWaitTooLong):
        while True:
            error = OdsServerError("Service Unavailable", status=503, retry_at=now + timedelta(seconds=1))
            wait = waited.wait_for(error, longest_s=A_DAY_S, now=now)
            assert isinstance(wait, Wait)
            now, waited, tries = wait.until, Waited.of(wait.checkpoint), tries + 1
    assert 20 < tries < 60
    assert now - NOW == timedelta(seconds=A_DAY_S)


def test_the_first_wait_is_as_long_as_the_portal_says_and_so_are_all_that_could_not_be_sat_out():
    first = Waited().wait_for(refused(for_s=5), longest_s=A_DAY_S, now=NOW)
    assert first is not None
    assert first.until == NOW + timedelta(seconds=5)
    waited = Waited(seconds=3000, in_vain=9)
    long = waited.wait_for(refused(for_s=300), longest_s=A_DAY_S, now=NOW)
    assert long is not None
    assert long.until == NOW + timedelta(seconds=300)
    assert Waited.of(long.checkpoint) == Waited(seconds=3300, in_vain=0)


def test_a_moment_that_nobody_named_or_that_is_over_is_no_wait():
    assert Waited().wait_for(refused(for_s=-1), longest_s=10, now=NOW) is None
    assert Waited().wait_for(OdsServerError("x", status=500), longest_s=10, now=NOW) is None


@pytest.mark.parametrize("kept", [None, {}, {"waited_s": "long"}, {"waited_s": -1, "waits_in_vain": 1.5}, {"page": 3}])
def test_what_no_wait_of_ours_left_is_no_wait(kept: Any):
    assert Waited.of(kept) == Waited()


def test_a_policy_that_makes_a_wait_of_its_own_does_not_make_the_sum_forgotten(lab: Lab, portal: LocalPortal):
    lab.policy = lambda wait: Wait(wait.until + timedelta(hours=1), "at night")
    portal.set_quota(remaining=0, reset_in_s=600)
    wait = lab.run(JOB)
    assert isinstance(wait, Wait)
    assert wait.reason == "at night"
    assert 590 < Waited.of(wait.checkpoint).seconds < 605
    portal.set_quota(remaining=5, reset_in_s=600)
    assert isinstance(lab.run(JOB, checkpoint=wait.checkpoint), Done)
