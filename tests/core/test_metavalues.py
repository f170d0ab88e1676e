"""Values of metadata: what typed ones become, and when two of them say the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.metavalues import fitted, same


@pytest.mark.parametrize(
    ("given", "described", "stands", "made"),
    [
        ("2024", "text", None, "2024"),
        (2024, "text", None, "2024"),
        ("a", "list", None, ["a"]),
        ("['a', 'b']", "enumlist", None, ["a", "b"]),
        ("[open", "list", None, ["[open"]),
        ({"b", "a"}, "list", None, ["a", "b"]),
        (["a", 2024], "list", None, ["a", "2024"]),
        ([{"field_name": "a"}], None, [{"field_name": "b"}], [{"field_name": "a"}]),  # nobody says that it holds texts
        ("a", "text", ["b"], ["a"]),  # what stands is a list
        ("No", "boolean", None, False),
        ("1.5", "double", None, 1.5),
        (datetime(2024, 1, 31, 12, tzinfo=UTC), "datetime", None, "2024-01-31T12:00:00Z"),
        ("2024-01-31T12:00:00.5+01:00", "datetime", None, "2024-01-31T11:00:00.500000Z"),
        (date(2024, 1, 31), "date", None, "2024-01-31"),
        ("12", None, 7, 12),
        ("twelve", None, 7, "twelve"),  # what only stands there forbids nothing
        ("0123", None, None, "0123"),
        ("True", None, None, True),
        ('{"a": 1}', "geo_shape", None, {"a": 1}),
        ("null", "list", None, None),
        (None, "int", 7, None),
    ],
)
def test_a_value_becomes_what_its_field_holds(given: Any, described: str | None, stands: Any, made: Any) -> None:
    found, _ = fitted("custom.x", given, described, stands)
    assert (found, type(found)) == (made, type(made))


@pytest.mark.parametrize(
    ("given", "described"),
    [
        ("", "text"),
        ("None", "list"),
        (True, "text"),
        ("nan", "double"),
        (True, "int"),
        ("1e999", "double"),
        ("2024-01-31T00:00:00Z", "date"),
        ("2024-02-30", "date"),
        ("now", "datetime"),
        ("maybe", "boolean"),
        ({"a": 1}, "list"),
        (["a", {"b": 1}], "enumlist"),
        (["a", None], "list"),
        ('["a", ["b"]]', "list"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(given: Any, described: str) -> None:
    with pytest.raises(OdsConfigError, match=r"custom\.x"):
        fitted("custom.x", given, described, None)


def test_moments_are_the_same_in_every_spelling_and_truths_are_no_numbers() -> None:
    assert same("2024-01-31T00:00:00Z", "2024-01-31 01:00:00+01:00", "datetime")
    assert not same("2024-01-31T00:00:00Z", "2024-01-31 01:00:00+01:00", "text")
    assert same(1, 1.0, "double")
    assert not same(True, 1, None)
    assert not same(None, False, "boolean")
