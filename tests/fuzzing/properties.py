"""Properties that hold for every input, run shortly with the tests and for longer by ``tests/system/fuzz``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

Check = Callable[..., None]
PROPERTIES: dict[str, tuple[Check, tuple[SearchStrategy[Any], ...]]] = {}


def holds(*strategies: SearchStrategy[Any]) -> Callable[[Check], Check]:
    """Register a property of what the strategies give; the function's name is the sentence."""

    def register(check: Check) -> Check:
        PROPERTIES[check.__name__] = (check, strategies)
        return check

    return register


def examine(name: str, *, examples: int, at_random: bool) -> None:
    """Try a property on so many examples: always the same ones, or others each time."""
    check, strategies = PROPERTIES[name]
    rules = settings(
        max_examples=examples,
        derandomize=not at_random,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    rules(given(*strategies)(check))()
