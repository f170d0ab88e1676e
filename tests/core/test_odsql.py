"""Literals and identifiers cannot be broken out of."""

import math
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.odsql import RESERVED, any_of, identifier, literal


def read_back(text: str) -> str:
    """Read a double-quoted literal as the reference describes it: a backslash guards the next character."""
    assert text[0] == text[-1] == '"'
    out, guarded = [], False
    for char in text[1:-1]:
        if not guarded and char == "\\":
            guarded = True
            continue
        assert guarded or char != '"', "the literal ends early"
        out.append(char)
        guarded = False
    assert not guarded, "the closing quote is guarded"
    return "".join(out)


@given(st.text())
def test_any_text_stays_inside_its_literal(value: str) -> None:
    try:
        quoted = literal(value)
    except OdsConfigError:
        assume(False)
    assert "\n" not in quoted and "\r" not in quoted
    assert read_back(quoted) == value


@pytest.mark.parametrize("value", ["a\x00b", "bell\x07", "esc\x1b[0m", "\x7f"])
def test_control_characters_are_refused(value: str) -> None:
    with pytest.raises(OdsConfigError, match="control character"):
        literal(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "TRUE"),
        (False, "FALSE"),
        (2**63 - 1, "9223372036854775807"),
        (1.5, "1.5"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 1, 2), "date'2026-01-02'"),
        (datetime(2026, 1, 2, 3, 4), "date'2026-01-02T03:04:00'"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2))), "date'2026-01-02T01:04:00+00:00'"),
        ("Zürich\t1", '"Zürich\t1"'),
        ("a\u2028b\u2029c\x85d", '"a\u2028b\u2029c\x85d"'),
        (np.float64(1.5), "1.5"),
        (np.float32(0.5), "0.5"),
        (np.int64(-3), "-3"),
        (np.bool_(True), "TRUE"),
        (np.str_("x"), '"x"'),
        (np.datetime64("2026-01-02"), "date'2026-01-02'"),
        ('say "hi" \\', '"say \\"hi\\" \\\\"'),
    ],
)
def test_values_become_the_literals_of_the_reference(value: object, expected: str) -> None:
    assert literal(value) == expected


@pytest.mark.parametrize("value", ["two\r\nlines", "a\nb", "a\r"])
def test_a_line_break_is_refused_since_no_literal_can_ask_for_it(value: str) -> None:
    with pytest.raises(OdsConfigError, match="line break"):
        literal(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        math.nan,
        math.inf,
        [1],
        {"a": 1},
        b"x",
        Decimal("NaN"),
        "cut \ud83d",
        pytest.param(10**5000, id="huge"),
        np.float64("nan"),
        np.datetime64("NaT", "s"),
        np.timedelta64(1, "s"),
    ],
)
def test_values_without_a_literal_are_refused(value: object) -> None:
    with pytest.raises(OdsConfigError):
        literal(value)


@given(st.text())
def test_a_name_is_emitted_bare_or_in_backquotes_or_refused(name: str) -> None:
    try:
        emitted = identifier(name)
    except OdsConfigError:
        return
    assert emitted in (name, f"`{name}`")
    assert not set("`'\"\\ ;()\n") & set(name)


@pytest.mark.parametrize("name", ["12", "and", "YEAR", *sorted(RESERVED)])
def test_digits_and_reserved_words_go_into_backquotes(name: str) -> None:
    assert identifier(name) == f"`{name}`"


def test_catalogue_names_may_hold_dots_and_hyphens() -> None:
    assert identifier("custom.data-owner") == "custom.data-owner"


def test_any_of_compares_dates_one_by_one_and_refuses_an_empty_list() -> None:
    assert any_of("country", ["FR", 'D"E']) == 'country IN ("FR", "D\\"E")'
    assert (
        any_of("day", [date(2026, 1, 2), date(2026, 1, 3)]) == "(`day` = date'2026-01-02' OR `day` = date'2026-01-03')"
    )
    with pytest.raises(OdsConfigError, match="matches nothing"):
        any_of("country", [])
