"""A span of time as people write it: ``3 days``, ``36h``, ``1 h 30 min``."""

from __future__ import annotations

import re
from datetime import timedelta

_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s{0,3}([a-z]+)")
_UNITS_S = {"s": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_UNITS_S |= {"d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800}


def span_said(text: str) -> timedelta | None:
    """Return the span that a text says, None where it says none."""
    said = text.strip().lower()
    found = [(float(number), unit) for number, unit in _PART.findall(said)]
    seconds = [number * _UNITS_S.get(unit.removesuffix("s") or "s", -1) for number, unit in found]
    rest = _PART.sub("", said).replace("and", "").strip(" ,")
    return None if not found or rest or min(seconds) < 0 else timedelta(seconds=sum(seconds))
