"""What a record holds arrives equal to what was given, or is refused with its number and field."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ods_provider.core.batches import batches, encoded, encoder
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faithful import DEEPEST

ENCODERS = pytest.mark.parametrize("encode", [encoder(), encoder(fast=False)], ids=["msgspec", "stdlib"])


class _NaT(datetime):
    """pandas' mark for a missing time, which is a datetime by its class."""

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        return "NaT"


class _Colour(Enum):
    RED = "red"


class _Level(IntEnum):
    HIGH = 3


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@ENCODERS
@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (Decimal("0.1"), 0.1),
        (Decimal("12.50"), 12.5),
        (Decimal("1E+3"), 1000),
        (Decimal(9007199254740993), 9007199254740993),
        (2**63 - 1, 2**63 - 1),
        (Fraction(1, 4), 0.25),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "2026-01-02T03:04:05.000006+00:00"),
        (time(3, 4), "03:04:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (_Colour.RED, "red"),
        (_Level.HIGH, 3),
        ((1, "a", None), [1, "a", None]),
        (MappingProxyType({"lon": Decimal("2.5")}), {"lon": 2.5}),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        ({1: "one"}, {"1": "one"}),
        ("tab\t, \u2028, \x00", "tab\t, \u2028, \x00"),
    ],
    ids=repr,
)
def test_a_value_arrives_equal_to_what_was_given(encode: Any, value: Any, arrives: Any) -> None:
    (batch,) = [encoded(encode, {"deep": {"x": [value]}, "x": value}, 0)]
    assert json.loads(batch) == {"deep": {"x": [arrives]}, "x": arrives}


@ENCODERS
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "nan is no finite number"),
        (-math.inf, "-inf is no finite number"),
        (Decimal("NaN"), "NaN is no finite number"),
        (Decimal("sNaN"), "sNaN is no finite number"),
        (Decimal("1E+400"), "no finite number"),
        (Decimal("0.12345678901234567890123"), "more digits"),
        (Decimal(123456789012345678901234567890), "more digits"),
        (Fraction(1, 3), "more digits"),
        (2**63, "more digits"),
        (10**5000, "more digits"),
        (_NaT(2026, 1, 1), "NaT is no moment"),
        (b"abc", "a bytes has no plain form"),
        (bytearray(b"abc"), "a bytearray has no plain form"),
        ({1, 2}, "a set has no plain form"),
        (1j, "a complex has no plain form"),
        (object(), "an object has no plain form"),
        ("half \ud83d", "half a character"),
        ({"half \ud83d": 1}, "half a character"),
        ({None: 1}, "a key is a NoneType"),
        ({1: "a", "1": "b"}, "two keys are called '1'"),
        (_nested(DEEPEST + 1), "nested more than"),
        (_nested(100_000), "nested more than"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_faithful_form_is_refused_with_number_and_field(encode: Any, value: Any, said: str) -> None:
    for record, field in [({"a": 1, "x": value}, "x"), ({"deep": [0, {"x": value}]}, r"deep\.1\.x")]:
        with pytest.raises(OdsConfigError, match=rf"record 7: .*{said}.*field {field}"):
            encoded(encode, record, 7)


def test_the_number_counts_from_the_beginning_of_the_whole() -> None:
    with pytest.raises(OdsConfigError, match=r"record 41: .*field b"):
        list(batches([{"b": 1}, {"b": math.nan}], first_row=40))


def test_names_that_are_no_texts_are_spelled_or_refused() -> None:
    (batch,) = batches([{0: "a", "b": 1}])
    assert json.loads(batch.body) == [{"0": "a", "b": 1}]
    for name in (1.5, True, None, "\ud83d"):
        with pytest.raises(OdsConfigError, match="record 0"):
            list(batches([{name: 1}]))  # type: ignore[dict-item]


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=3), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.text("xyz", min_size=1), _PLAIN, max_size=5))
def test_both_encoders_write_the_same_values(record: Mapping[str, Any]) -> None:
    written = [json.loads(encoded(encode, record, 0)) for encode in (encoder(), encoder(fast=False))]
    assert written == [record, record]
