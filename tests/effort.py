"""How long properties and worst cases are tried: a little by ``make test``, at length by nox's sessions.

A whole test that takes seconds is marked ``at_length`` (tests/conftest.py).
"""

import os
from typing import TypeVar

T = TypeVar("T")
_HOW = os.environ.get("ODS_THOROUGH")

ONLY = _HOW == "only"
"""Whether nothing else is wanted: what a little is tried of, and what is not tried otherwise."""


def effort(little: T, *, at_length: T) -> T:
    """Return which of the two this run takes (``ODS_THOROUGH``)."""
    return at_length if _HOW else little
