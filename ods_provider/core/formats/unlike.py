"""Parts that are to become one file, and what is said of one that is not like the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from ods_provider.core.errors import OdsMismatch

Part = Callable[[], IO[bytes]]
"""Opens a part, which can be jumped about in; whoever joins closes it."""


def unlike(what: str, number: int) -> OdsMismatch:
    """Return the error of a part that has ``what`` and so does not fit."""
    return OdsMismatch(
        f"part {number} has {what}, so that the parts do not make one file",
        advice="Pass layout='folder', which keeps the parts apart, or parallel=1",
    )
