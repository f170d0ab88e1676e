"""How long properties and worst cases are tried: a little by ``make test``, at length by nox's sessions.

A whole test that takes seconds is marked ``at_length`` (tests/conftest.py).
"""

import os
from typing import TypeVar

T = TypeVar("T")


def effort(little: T, *, at_length: T) -> T:
    """Return which of the two this run takes (``ODS_THOROUGH``)."""
    return at_length if os.environ.get("ODS_THOROUGH") else little
