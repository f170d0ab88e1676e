"""The suite for adapters can fail: adapters that break the contract are told how.

``test_reference`` holds the whole of it, with its waits, against the smallest adapter.
"""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ods_provider.conformance.reference import Reference
from ods_provider.conformance.suite import AdapterSuite, Ran, Work
from ods_provider.testing.portal import LocalPortal


@pytest.fixture
def portal():
    with LocalPortal(api_key="secret-a-1", push_key="secret-p-1", synthetic_rows=520) as portal:
        yield portal


class Impatient(Reference, AdapterSuite):
    """Comes back before the portal's time."""

    reset_s = 60.0  # never waited for: too early on the slowest machine

    def sleep_until(self, until):
        return None


class Forgetful(Reference, AdapterSuite):
    """Calls every try another run."""

    tries = 0

    def run(self, work: Work) -> Ran:
        type(self).tries += 1
        return super().run(replace(work, name=f"{work.name}-{self.tries}"))


class Talkative(Reference, AdapterSuite):
    """Shows the key to whoever reads."""

    def run(self, work: Work) -> Ran:
        ran = super().run(work)
        return replace(ran, text=f"{ran.text}\nconnected with {work.api_key}")


class Deaf(Reference, AdapterSuite):
    """Keeps the environment of the work from the job."""

    def run(self, work: Work) -> Ran:
        return super().run(replace(work, environ={**work.environ, "ODS_PLUGINS": ""}))


class Stubborn(Reference, AdapterSuite):
    """Tries again what no retry cures."""

    def run(self, work: Work) -> Ran:
        super().run(work)
        return super().run(work)


@pytest.mark.parametrize(
    ("adapter", "test", "said"),
    [
        (Impatient, "test_pages_wait_for_a_quota_twice_and_come_once_each", "before the portal's time"),
        (Forgetful, "test_a_killed_job_goes_on_where_it_was", "Run.key must be the same"),
        (Talkative, "test_a_listener_that_fails_changes_nothing", "connected with <here>"),
        (Deaf, "test_a_killed_job_goes_on_where_it_was", "never killed"),
        (Stubborn, "test_an_error_that_no_retry_cures_fails_once_and_says_what_to_do", "tried 2 times"),
    ],
)
def test_an_adapter_that_breaks_the_contract_is_told_how(adapter, test, said, portal, tmp_path: Path):
    with pytest.raises(pytest.fail.Exception) as failure:
        getattr(adapter(), test)(portal, tmp_path)
    assert said in str(failure.value)


def test_the_smallest_adapter_goes_on_after_a_kill(portal, tmp_path: Path):
    adapter = type("Bare", (Reference, AdapterSuite), {})()
    adapter.test_a_killed_job_goes_on_where_it_was(portal, tmp_path)


def held_against(adapter, *options, **environ):
    """Run what the page tells authors to run, and return what pytest said."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, "--pyargs", "ods_provider.conformance"],
        capture_output=True,
        text=True,
        check=False,
        env={"ODS_ADAPTER": adapter, "PYTHONPATH": str(Path(__file__).parents[3]), **environ},
    )


@pytest.mark.parametrize(
    "adapter",
    ["", "tests.system.conformance.test_suite:Talkative", "ods_provider.conformance.reference:Reference"],
    ids=["none", "a suite", "a class without the suite"],
)
def test_the_suite_is_found_by_its_package_name(adapter):
    found = held_against(adapter, "--collect-only")
    assert found.returncode == 0, found.stdout
    assert "TestAdapter::test_a_killed_job_goes_on_where_it_was" in found.stdout


def test_the_smallest_adapter_keeps_the_contract_when_it_is_named_as_the_page_says():
    found = held_against("ods_provider.conformance.reference:Reference", "-k", "no_retry_cures")
    assert (found.returncode, "1 passed" in found.stdout) == (0, True), found.stdout


class Idle:
    """An adapter that runs nothing."""


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        ("my_adapter", "'my_adapter' names no class (ODS_ADAPTER=my_adapter). Write module:Class, such as"),
        (":Mine", "':Mine' names no class"),
        ("no_such_module:Mine", "the module no_such_module cannot be imported: No module named 'no_such_module'"),
        ("ods_provider.conformance.reference:Refrence", "has no Refrence"),
        ("ods_provider.conformance.reference:main", "ods_provider.conformance.reference:main is no class"),
        (
            "tests.system.conformance.test_suite:Idle",
            "Idle has no run (ODS_ADAPTER=tests.system.conformance.test_suite:Idle). Name a",
        ),
    ],
)
def test_a_name_that_is_no_adapter_is_explained(adapter, said):
    found = held_against(adapter, "--collect-only")
    assert found.returncode == 2
    assert said in found.stdout
    assert "Traceback" not in found.stdout + found.stderr
