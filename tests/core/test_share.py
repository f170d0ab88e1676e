from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.share import Share, share


@pytest.mark.parametrize(
    ("value", "meant", "said"),
    [
        (None, Share(percent=Decimal(10)), "10%"),
        ("", Share(percent=Decimal(10)), "10%"),
        (" 0.5 %", Share(percent=Decimal("0.5")), "0.5%"),
        ("100%", Share(percent=Decimal(100)), "100%"),
        (0, Share(number=0), "0"),
        ("25", Share(number=25), "25"),
    ],
)
def test_a_share_is_a_percentage_or_a_number(value: Any, meant: Share, said: str) -> None:
    found = share("most", value, "10%")
    assert found == meant and str(found) == said
    assert found.all is (said == "100%")


@pytest.mark.parametrize("value", ["101%", "-1%", "-1", "1.5", "nan%", "inf%", "%", "ten", True, 0.1, [1]])
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(OdsConfigError, match=r"most=.* is neither a share nor a number .argument most.*such as 10%"):
        share("most", value, "10%")


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 1000))
def test_a_percentage_allows_as_many_as_it_says_and_no_more(part: int, whole: int, tenths: int) -> None:
    allowed = share("most", f"{tenths / 10}%", "10%").allows(part, whole)
    assert allowed is (part * 1000 <= tenths * whole)
