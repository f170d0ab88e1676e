"""What holds for every test, wherever it runs: nothing depends on how busy the machine is."""

from __future__ import annotations

import gc
import os
import sys
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from effort import ONLY, effort
from hypothesis import HealthCheck, settings

# An example may take as long as a busy machine makes it take; what must be fast is measured in `benchmarks/`.
settings.register_profile(
    "any machine",
    deadline=None,
    max_examples=effort(25, at_length=100),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")

# Rooms that are tried whole by a session which wants what is tried at length only.
WHOLE = {"airflow", "system"}

# A process that a test spawns finds the tests by this path, as `tests.…`; at its end, since the package that is tested
# is the installed one.
sys.path.append(str(Path(__file__).parents[1]))


@pytest.fixture(autouse=True)
def _state_of_its_own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Remember nothing of other tests, and write nothing into the folder of whoever runs them.

    Real schedulers are told where theirs is by their own tests.
    """
    if "system" in request.path.parts:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        # Made by the first that writes into it.
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state" / uuid4().hex))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave modules and tests, which live until the end, out of every search for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give them back at the very end, or extension modules complain of what they were never asked to free.

    What is added first is done last: after pytest's own searches, each of which would go through all of them.
    """
    config.add_cleanup(gc.unfreeze)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what takes seconds to nox's sessions, unless it was named; and to one that wants that only, the rest."""
    if any("::" in word for word in config.args):
        return
    if ONLY:
        kept = [item for item in items if _differs_at_length(item)]
    elif effort(False, at_length=True):
        return
    else:
        kept = _a_little(items)
    chosen = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = kept


def _a_little(items: list[pytest.Item]) -> list[pytest.Item]:
    """Leave out what is marked; of the cases of a test that is marked with ``but=N``, keep so many, spread over all."""
    families: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        families[item.nodeid.partition("[")[0]].append(item)

    def wanted(item: pytest.Item) -> bool:
        marker = item.get_closest_marker("at_length")
        if marker is None:
            return True
        cases = families[item.nodeid.partition("[")[0]]
        few = int(marker.kwargs.get("but", 0))
        return cases.index(item) * few % len(cases) < few

    return [item for item in items if wanted(item)]


def _differs_at_length(item: pytest.Item) -> bool:
    marked = item.get_closest_marker("at_length") or hasattr(getattr(item, "obj", None), "hypothesis")
    rooms = set(item.path.relative_to(item.config.rootpath).parts)  # wherever the checkout lies
    return bool(marked) or "effort" in vars(item.getparent(pytest.Module).obj) or bool(WHOLE & rooms)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return five workers for two cores: a test waits half of its time, for a portal, a process or a clock."""
    return 5 * len(os.sched_getaffinity(0)) // 2
