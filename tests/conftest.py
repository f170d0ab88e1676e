"""What holds for every test, wherever it runs: nothing depends on how busy the machine is."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# An example may take as long as a busy machine makes it take; what must be fast is measured in `benchmarks/`.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return two workers a core for ``-n auto``: a test waits half of its time, for a portal, a process or a clock."""
    return 2 * len(os.sched_getaffinity(0))
