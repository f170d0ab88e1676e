from __future__ import annotations

import pytest

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.facets import Facet

VALUES = [("10", 1), ("9", 5), ("b", 3), ("a", 3)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("country", Facet("country", "country")),
        ("facet(country)", Facet("facet(country)", "country")),
        (
            """facet(name='a b', sort = "-count", limit=5)""",
            Facet("""facet(name='a b', sort = "-count", limit=5)""", "a b", sort="-count", limit=5),
        ),
        (
            'FACET(name="z", hierarchical=true)',
            Facet('FACET(name="z", hierarchical=true)', "z", separator="/"),
        ),
        ('facet(name="z", separator=",")', Facet('facet(name="z", separator=",")', "z", separator=",")),
        (
            'facet(name="z", hierarchical=false, disjunctive=true)',
            Facet('facet(name="z", hierarchical=false, disjunctive=true)', "z"),
        ),
    ],
)
def test_a_name_and_a_call_are_both_read(text: str, expected: Facet) -> None:
    assert Facet.of(text) == expected


@pytest.mark.parametrize("text", ["facet()", 'facet(sort="count")', "facet(name=x, limit=many)", 'facet(name="x" y)'])
def test_a_call_that_cannot_be_read_says_how_to_write_one(text: str) -> None:
    with pytest.raises(OdsConfigError, match="facet"):
        Facet.of(text)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (None, ["9", "a", "b", "10"]),
        ("-count", ["9", "a", "b", "10"]),
        ("count", ["10", "b", "a", "9"]),
        ("alphanum", ["10", "9", "a", "b"]),
        ("-alphanum", ["b", "a", "9", "10"]),
        ("num", ["9", "10", "a", "b"]),
    ],
)
def test_values_come_in_the_order_asked_for(sort: str | None, expected: list[str]) -> None:
    assert [value for value, _ in Facet("x", "x", sort=sort).arranged(VALUES)] == expected
