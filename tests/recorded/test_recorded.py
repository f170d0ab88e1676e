"""What portals really said goes through our own parsers, and each file says what is expected of it.

The expectations are in ``expecting/``: one module for Explore v2.1 and the rest, one for Search API v1.0.
"""

import expecting.explore
import expecting.search_v1  # noqa: F401  importing them registers what they expect
import pytest
from recording import CLAIMS, OUT_OF_SCOPE, index


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_a_recorded_answer_is_understood(name: str) -> None:
    assert name in index(), f"{name} is claimed and not among the recorded answers"
    CLAIMS[name](name)


def test_every_recorded_answer_is_claimed() -> None:
    in_scope = {name for name, entry in index().items() if entry["api"] != OUT_OF_SCOPE}
    assert in_scope - set(CLAIMS) == set()
