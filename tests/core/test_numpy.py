"""Values of numpy, where it is installed: the base install does without."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ods_provider.core.batches import encoded, encoder
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.odsql import literal

np = pytest.importorskip("numpy")
ENCODERS = pytest.mark.parametrize("encode", [encoder(), encoder(fast=False)], ids=["msgspec", "stdlib"])


@ENCODERS
@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (np.float64(1.5), 1.5),
        (np.int64(-7), -7),
        (np.uint8(7), 7),
        (np.bool_(True), True),
        (np.str_("ü"), "ü"),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.datetime64("2026-01-02T03:04"), "2026-01-02T03:04"),
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
        (np.float32("nan"), "nan is no finite number"),
        (np.datetime64("NaT", "s"), "NaT is no moment"),
        (np.timedelta64(1, "s"), "timedelta64"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_faithful_form_is_refused_with_number_and_field(encode: Any, value: Any, said: str) -> None:
    with pytest.raises(OdsConfigError, match=rf"record 7: .*{said}.*field deep\.1\.x"):
        encoded(encode, {"deep": [0, {"x": value}]}, 7)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(1.5), "1.5"),
        (np.float32(0.5), "0.5"),
        (np.int64(-3), "-3"),
        (np.bool_(True), "TRUE"),
        (np.str_("x"), '"x"'),
        (np.datetime64("2026-01-02"), "date'2026-01-02'"),
    ],
    ids=repr,
)
def test_a_value_becomes_the_literal_of_the_reference(value: Any, expected: str) -> None:
    assert literal(value) == expected


@pytest.mark.parametrize("value", [np.float64("nan"), np.datetime64("NaT", "s"), np.timedelta64(1, "s")], ids=repr)
def test_a_value_without_a_literal_is_refused(value: Any) -> None:
    with pytest.raises(OdsConfigError):
        literal(value)
