"""Every property on new examples each time, for ``ODS_FUZZ_SECONDS`` (40) in all."""

import os
import time

import fuzzing.answers
import fuzzing.files
import fuzzing.queries  # noqa: F401  importing them registers their properties
import pytest
from fuzzing.properties import PROPERTIES, examine

SECONDS = float(os.environ.get("ODS_FUZZ_SECONDS") or 40.0)


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_it_holds_for_long(name: str) -> None:
    until = time.monotonic() + SECONDS / len(PROPERTIES)
    tried = 0
    while time.monotonic() < until:
        examine(name, examples=50, at_random=True)
        tried += 50
    print(f"{name}: about {tried} examples")
    assert tried
