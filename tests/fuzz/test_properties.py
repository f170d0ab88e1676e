"""A few examples of every property, the same ones each time; ``tests/system/fuzz`` goes on for longer."""

import fuzzing.answers
import fuzzing.files
import fuzzing.queries  # noqa: F401  importing them registers their properties
import pytest
from effort import effort
from fuzzing.properties import PROPERTIES, examine


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_it_holds(name: str) -> None:
    examine(name, examples=effort(15, at_length=60), at_random=False)
