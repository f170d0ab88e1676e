"""A look at a dataset: its freshness when it moved on, a wait until the next look when it did not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from lab import Lab

from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsNotAPortal, OdsNotFound, OdsPluginError
from ods_provider.core.events import JobDone, Waiting
from ods_provider.core.outcome import Wait
from ods_provider.core.query import Query
from ods_provider.jobs.runner import run_job
from ods_provider.jobs.search import SearchJob
from ods_provider.jobs.watch import WatchJob
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.manager import Plugins
from ods_provider.testing.portal import LocalPortal

DATASET = "world-capitals"


def test_the_first_look_returns_what_is_there(lab: Lab):
    seen = lab.done(WatchJob(DATASET))
    assert (seen["dataset_id"], seen["records_count"]) == (DATASET, 110)


def test_no_update_is_a_wait_and_no_error_and_an_update_ends_it(lab: Lab, portal: LocalPortal):
    job = WatchJob(DATASET, since=lab.done(WatchJob(DATASET)), poll_interval_s=600)
    began = lab.now()
    wait = lab.run(job)
    assert isinstance(wait, Wait)
    assert timedelta(seconds=590) < wait.until - began < timedelta(seconds=610)
    assert "has not been updated since" in wait.reason
    assert (len(lab.heard(Waiting)), len(lab.heard(JobDone))) == (1, 1)
    portal.touch(DATASET, rows=2)
    assert lab.done(job)["records_count"] == 112


def test_what_passes_only_delays_the_look(make_lab, portal: LocalPortal):
    lab = make_lab(portal.url, max_retries=0)
    portal.fault("status", status=503)
    wait = lab.run(WatchJob(DATASET, poll_interval_s=60))
    assert isinstance(wait, Wait)
    assert "the look failed: " in wait.reason


@pytest.mark.parametrize("kind", ["html", "login_html"])
def test_a_page_of_maintenance_only_delays_the_look_once_the_portal_has_answered(lab: Lab, portal: LocalPortal, kind):
    seen = lab.done(WatchJob(DATASET))
    portal.fault(kind, times=2)
    wait = lab.run(WatchJob(DATASET, since=seen))
    assert isinstance(wait, Wait)
    assert wait.poll
    with pytest.raises((OdsNotAPortal, OdsAuthError)):
        lab.run(WatchJob(DATASET))


def test_a_vault_that_is_slow_for_a_moment_only_delays_the_look(lab: Lab):
    class Vault:
        @hookimpl
        def ods_resolve_connection(self, ref):
            raise TimeoutError("slow")

    plugins = Plugins({"lab": lab, "vault": Vault()}, entry_points=False)
    wait = run_job(WatchJob(DATASET), scheduler="cli", native="x", plugins=plugins)
    assert isinstance(wait, Wait)
    assert (wait.poll, "the look failed: the plugin vault failed" in wait.reason) == (True, True)
    with pytest.raises(OdsPluginError):
        run_job(SearchJob(DATASET, Query()), scheduler="cli", native="x", plugins=plugins)


def test_a_dataset_without_a_time_is_compared_with_its_own_result(lab: Lab):
    seen = lab.done(WatchJob(DATASET))
    assert lab.done(WatchJob(DATASET, since=seen | {"data_processed": None})) == seen


def test_a_spent_quota_is_waited_for_until_the_portals_own_time(make_lab, portal: LocalPortal):
    lab = make_lab(portal.url, max_wait_s=1)
    portal.fault("quota", reset_in_s=7200)
    wait = lab.run(WatchJob(DATASET, poll_interval_s=60))
    assert isinstance(wait, Wait)
    assert wait.until - lab.now() > timedelta(seconds=7000)


def test_what_never_passes_and_what_cannot_be_compared_are_errors(lab: Lab, portal: LocalPortal):
    with pytest.raises(OdsNotFound):
        lab.run(WatchJob("no-such-dataset"))
    portal.reset()
    with pytest.raises(OdsConfigError, match="since='yesterday' holds no time"):
        lab.run(WatchJob(DATASET, since="yesterday"))
    with pytest.raises(OdsConfigError, match="poll_interval_s=0 is no time"):
        WatchJob(DATASET, poll_interval_s=0)
    assert portal.requests == []
