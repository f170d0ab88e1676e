"""Values in JSON's own types, equal to what was given: what has no such form is refused, never bent.

One rule for whichever encoder writes them, and for ODSQL literals. A number must be one that a portal can hold: a whole
one of 64 bits, or a double.

Source: Q15 (64-bit integers); RFC 8259, 6 (no NaN, no infinity) and 8.1 (UTF-8).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from math import isfinite, nan
from numbers import Integral, Real
from typing import Any
from uuid import UUID

from ods_provider.core.legible import kind_of

DEEPEST = 100  # a geometry collection needs ten; beyond some hundreds the interpreter itself gives up
_LEAST, _MOST = -(2**63), 2**63 - 1
_SINGLE = frozenset({str, bool, type(None)})
_MISSING = "Write None where a value is missing"


class Unfaithful(ValueError):
    """A value has no faithful form; ``path`` leads to it, ``advice`` says what to do."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.what, self.advice = what, advice
        self.path: list[str] = []

    @property
    def field(self) -> str:
        """Where in the record the value stands: ``shape.coordinates.0``."""
        return ".".join(self.path)


def is_flat(record: dict[Any, Any]) -> bool:
    """Return whether names are texts, and values texts, numbers that fit, booleans or None: nothing has to be made."""
    for name, value in record.items():
        kind = type(value)
        if kind is float:
            if not isfinite(value):
                return False
        elif kind is int:
            if not _LEAST <= value <= _MOST:
                return False
        elif kind not in _SINGLE:
            return False
        if type(name) is not str:
            return False
    return True


def faithful(value: Any, *, depth: int = 0) -> Any:
    """Return ``value`` as dict, list, str, int, float, bool or None.

    Dates and times become ISO 8601 text, UUIDs text, members of enumerations their values, tuples and arrays lists,
    scalars of numpy and whole or double Decimals numbers.

    Raises:
        Unfaithful: It is NaN, infinite, NaT, bytes, a Decimal with more digits than a double, half a character, a set,
            nested deeper than ``DEEPEST``, or of a type without a JSON form.
    """
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind in _SINGLE:
        return value
    if kind is int or kind is float:
        return number(value)
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, (list, tuple)) or _is_array(value):
        return _list(value, depth)
    return scalar(value)


def scalar(value: Any) -> Any:
    """Return what is neither a mapping nor a list as ``faithful`` does."""
    if isinstance(value, Enum):
        return faithful(value.value)
    if isinstance(value, str):
        return _text(str.__str__(value))
    if value is None or isinstance(value, bool):
        return value
    moment = _moment(value)
    if moment is not None:
        return moment
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (Decimal, Real)):
        return number(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.bool_):
        return bool(value)
    raise Unfaithful(f"{kind_of(value)} has no plain form", _advice(value))


def number(value: Any) -> int | float:
    """Return a number as int or float, equal to it.

    Raises:
        Unfaithful: It is not finite, or no number of 64 bits equals it.
    """
    if isinstance(value, Integral):
        whole = int(value)
        if _LEAST <= whole <= _MOST:
            return whole
        raise _beyond(whole)
    try:
        near = float(value)
    except (OverflowError, ValueError):  # a signalling NaN; a fraction that no double comes near
        near = nan
    if not isfinite(near):
        raise Unfaithful(f"{_short(value)} is no finite number", _MISSING)
    if near == value:
        return near
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return number(int(value))
    # 0.1 is no double either; what counts is that it comes back from its shortest spelling.
    if isinstance(value, Decimal) and Decimal(repr(near)) == value:
        return near
    raise _beyond(value)


def _beyond(value: Any) -> Unfaithful:
    return Unfaithful(f"{_short(value)} holds more digits than 64 bits do", "Round it, or push it as text into a text")


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    _expect_shallow(depth)
    made: dict[str, Any] = {}
    for key, item in value.items():
        name = _key(key)
        if name in made:
            raise Unfaithful(f"two keys are called {name!r}", "Name them apart")
        made[name] = _inside(name, item, depth)
    return made


def _list(value: Any, depth: int) -> list[Any]:
    _expect_shallow(depth)
    return [_inside(str(at), item, depth) for at, item in enumerate(value)]


def _inside(name: str, item: Any, depth: int) -> Any:
    try:
        return faithful(item, depth=depth + 1)
    except Unfaithful as error:
        error.path.insert(0, name)
        raise


def _expect_shallow(depth: int) -> None:
    if depth > DEEPEST:
        raise Unfaithful(f"it is nested more than {DEEPEST} deep", "Flatten it, or push it as text")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return _text(str.__str__(key))
    if not isinstance(key, bool) and isinstance(key, Integral):
        return str(int(key))
    raise Unfaithful(f"a key is {kind_of(key)}, not a text", "Name fields by texts")


def _text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unfaithful("the text holds half a character", "Repair it: an emoji was cut in two") from None
    return value


def _moment(value: Any) -> str | None:
    if isinstance(value, (date, datetime, time)):
        told = value.isoformat()
        if told == "NaT":  # which is a datetime by its class
            raise Unfaithful("NaT is no moment", _MISSING)
        return told
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.datetime64):
        if numpy.isnat(value):
            raise Unfaithful("NaT is no moment", _MISSING)
        return str(value)
    # By its class a span of numpy's is a whole number.
    if numpy is not None and isinstance(value, numpy.timedelta64):
        raise Unfaithful("a timedelta64 has no plain form", _advice(value))
    return None


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray) and value.ndim > 0


def _short(value: Any) -> str:
    # The text of a number of thousands of digits is refused by the interpreter.
    return f"{value!s:.60}" if not isinstance(value, int) or value.bit_length() < 1_000 else "a number"


def _advice(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "Decode it into a text; a push sends files by their paths"
    if isinstance(value, (set, frozenset)):
        return "Pass a list: a set has no order"
    if type(value).__name__ == "NAType":
        return _MISSING
    return "Convert it into a text or a number"
