from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lab import Lab

from ods_provider.core.errors import OdsConfigError, OdsNotFound, OdsPluginError
from ods_provider.core.events import JobDone, JobFailed, JobStarted, QuotaSeen, RequestSent, Waiting
from ods_provider.core.outcome import Done, Wait
from ods_provider.core.query import Query
from ods_provider.jobs.runner import run_job
from ods_provider.jobs.search import SearchJob
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.manager import Plugins
from ods_provider.testing.portal import LocalPortal

JOB = SearchJob("world-capitals", Query(), limit=3)


def test_a_run_is_told_from_its_start_to_its_end(lab: Lab) -> None:
    ended = lab.run(JOB)
    assert isinstance(ended, Done)
    kinds = [type(event) for event in lab.events]
    assert kinds[0] is JobStarted
    assert kinds[-1] is JobDone
    assert RequestSent in kinds
    assert QuotaSeen in kinds


def test_a_failure_is_told_and_raised(lab: Lab) -> None:
    with pytest.raises(OdsNotFound) as caught:
        lab.run(SearchJob("nowhere", Query()))
    assert lab.heard(JobFailed)[-1].error is caught.value


def test_a_wait_is_told_and_says_when_and_why(lab: Lab, portal: LocalPortal) -> None:
    portal.set_quota(remaining=0, reset_in_s=600)
    wait = lab.run(JOB)
    assert isinstance(wait, Wait)
    assert lab.heard(Waiting) == [Waiting(wait.until, wait.reason)]
    assert wait.until.tzinfo is not None


def test_a_server_that_names_a_moment_is_waited_for_too(lab: Lab, portal: LocalPortal) -> None:
    portal.fault("status", status=503, retry_after=300)
    wait = lab.run(JOB)
    assert isinstance(wait, Wait)
    assert timedelta(seconds=290) < wait.until - datetime.now(UTC) < timedelta(seconds=310)


def test_the_wait_policy_of_a_plugin_wins(lab: Lab, portal: LocalPortal) -> None:
    class Later:
        @hookimpl
        def ods_wait_policy(self, wait: Wait) -> Wait:
            return Wait(wait.until + timedelta(days=1), "later", wait.checkpoint)

    portal.set_quota(remaining=0, reset_in_s=600)
    plugins = Plugins({"lab": lab, "later": Later()}, entry_points=False)
    wait = run_job(JOB, scheduler="cli", native="x", plugins=plugins)
    assert isinstance(wait, Wait)
    assert wait.reason == "later"


def test_the_built_in_policy_adds_at_most_thirty_seconds(lab: Lab, portal: LocalPortal) -> None:
    class OnlyConnection:
        ods_resolve_connection = lab.ods_resolve_connection

    portal.set_quota(remaining=0, reset_in_s=600)
    plugins = Plugins({"lab": OnlyConnection()}, entry_points=False)
    wait = run_job(JOB, scheduler="cli", native="x", plugins=plugins)
    assert isinstance(wait, Wait)
    assert timedelta(seconds=590) < wait.until - datetime.now(UTC) < timedelta(seconds=632)


def test_a_listener_that_fails_changes_nothing(lab: Lab, recwarn: Any) -> None:
    class Broken:
        @hookimpl
        def ods_job_event(self, event: object) -> None:
            raise RuntimeError("deaf")

    plugins = Plugins({"lab": lab, "broken": Broken()}, entry_points=False)
    assert isinstance(run_job(JOB, scheduler="cli", native="x", plugins=plugins), Done)
    assert lab.heard(JobDone)


def test_a_plugin_that_should_supply_and_fails_is_named(lab: Lab) -> None:
    class Broken:
        @hookimpl
        def ods_resolve_connection(self, ref: str) -> None:
            raise RuntimeError("no vault")

    with pytest.raises(OdsPluginError, match="the plugin broken failed"):
        run_job(JOB, scheduler="cli", native="x", plugins=Plugins({"broken": Broken()}, entry_points=False))


def test_an_unknown_scheduler_is_named(lab: Lab) -> None:
    with pytest.raises(OdsConfigError, match="no plugin knows the scheduler 'abacus'"):
        run_job(JOB, scheduler="abacus", plugins=lab.plugins)
