"""A double that an export holds as a decimal is the double that its digits say."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ods_provider.tables.scalars import read_double


@pytest.mark.parametrize("scale", [0, 2, 9, 20])
def test_the_nearest_double_is_taken(scale: int) -> None:
    @given(st.lists(st.integers(-(10**21), 10**21) | st.none(), min_size=1))
    def holds(digits: list[int | None]) -> None:
        texts = [None if each is None else f"{each}e-{scale}" for each in digits]
        array = pa.array([text and Decimal(text) for text in texts], pa.decimal128(38, scale))
        assert read_double(array).to_pylist() == [text and float(text) for text in texts]

    holds()


def test_prices_are_those_of_the_portal() -> None:
    array = pa.array([Decimal("37002.59"), Decimal("4.81")], pa.decimal128(22, 2))
    assert read_double(array).to_pylist() == [37002.59, 4.81]
