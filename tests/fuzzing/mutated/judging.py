"""What may come of an operation: an error of ours that is fit to be shown, a wait, or the right result."""

from __future__ import annotations

import json
import pickle
import traceback
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shaken import keys_in

from ods_provider.core.errors import OdsError
from ods_provider.core.outcome import Wait

MOST_CHARS = 8_000  # three pieces of a message, each of at most 2,000
MOST_WAIT = timedelta(hours=27)
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class End:
    """How one run of an operation ended: by an exception, or with a value."""

    error: BaseException | None = None
    value: Any = None


def complaints(end: End, right: Any, *, visible: bool, keys: Iterable[str]) -> list[str]:
    """Return what is wrong with an end.

    Args:
        end: The end.
        right: What comes of it when nothing is changed.
        visible: Whether what was changed can be seen; else any value of the right type will do.
        keys: What no error may show or hold.
    """
    if isinstance(end.error, OdsError):
        return _of_error(end.error, list(keys))
    if end.error is not None:
        return [f"no error of ours: {type(end.error).__name__}", "".join(traceback.format_exception(end.error))[-6000:]]
    if isinstance(end.value, Wait):
        return _of_wait(end.value)
    misshapen = _misshapen(end.value, right)
    if misshapen:
        return [f"{misshapen}: {end.value!r:.300}"]
    if visible and not same(end.value, right):
        return [f"another result:\n  is    {_difference(end.value, right)}\n  right {_difference(right, end.value)}"]
    return []


def _misshapen(value: Any, right: Any) -> str | None:
    """Say in what a value is not of the right one's kind, whatever it says."""
    if isinstance(right, Wait):
        return None
    if type(value) is not type(right):
        return f"a {type(value).__name__} where a {type(right).__name__} is right"
    if isinstance(right, list) and right:
        strange = {type(each).__name__ for each in value} - {type(each).__name__ for each in right}
        if strange:
            return f"a list of {', '.join(sorted(strange))} where one of {type(right[0]).__name__} is right"
    try:
        # Dates and points may stand in it, and numbers that are none may not.
        json.dumps(value, allow_nan=False, default=repr)
    except ValueError as error:
        return str(error)
    return None


def _of_error(error: OdsError, keys: list[str]) -> list[str]:
    found = []
    for text in (str(error), repr(error)):
        if not text or len(text) > MOST_CHARS:
            found.append(f"a message of {len(text)} characters: {text[:300]!r}")
        signs = {sign for sign in text if not _harmless(sign)}
        if signs:
            found.append(f"a message that steers: {signs!r} in {text[:300]!r}")
    again = pickle.loads(pickle.dumps(error))
    if str(again) != str(error) or not isinstance(error.transient, bool):
        found.append("it does not survive pickling, or does not know whether it passes")
    held = keys_in(error, keys)
    return found + [f"a key is held: {each[:500]}" for each in held[:3]]


def _harmless(sign: str) -> bool:
    return sign.isprintable() or sign in _JOINERS or unicodedata.category(sign) == "Zs"


def _of_wait(wait: Wait) -> list[str]:
    found = []
    if wait.until.tzinfo is None or wait.until - datetime.now(UTC) > MOST_WAIT:
        found.append(f"a wait until {wait.until}")
    if len(wait.reason) > MOST_CHARS or not all(map(_harmless, wait.reason)):
        found.append(f"a reason that is not legible: {wait.reason[:300]!r}")
    json.dumps(dict(wait.checkpoint), allow_nan=False)
    return found


def same(one: Any, other: Any) -> bool:
    """Return whether two results are one, in whatever order their rows came."""
    if one == other:
        return True
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    return False


def _difference(one: Any, other: Any) -> str:
    if isinstance(one, list) and isinstance(other, list):
        known = set(map(repr, other))
        left = [repr(row) for row in one if repr(row) not in known]
        return f"{len(one)} rows; only here: {left[:2]}"[:600]
    if isinstance(one, dict) and isinstance(other, dict):
        return str({name: value for name, value in one.items() if other.get(name, NotImplemented) != value})[:600]
    return f"{one!r:.600}"
