"""What we quote, read back by the grammar of the local portal, which shares no code with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from lark import Token, Tree

from fuzzing.properties import holds
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.odsql import any_of, identifier, literal
from ods_provider.testing.odsql import literals
from ods_provider.testing.odsql.parse import parse

NASTY = st.sampled_from(
    ['"', "'", "\\", '\\"', '" OR ""="', "`", ")", "--", "/*", "%", "*", "\\\\", "date'", "\n", "\u2028", "é", "城"]
)
TEXT = st.one_of(st.text(), st.lists(st.one_of(NASTY, st.text(max_size=3)), max_size=8).map("".join))


def quoted(value: Any) -> str:
    try:
        return literal(value)
    except OdsConfigError:
        assume(False)
        raise AssertionError from None


def the_one(tree: Tree[Any], kind: str) -> Any:
    found = list(tree.find_data(kind))
    assert len(found) == 1, tree.pretty()
    return found[0]


@holds(TEXT)
def a_quoted_text_is_read_back_as_it_was(value: str) -> None:
    tree = parse(f"name = {quoted(value)}", "where")
    (token,) = the_one(tree, "string").children
    assert literals.text(token) == value


@holds(TEXT, TEXT)
def a_quoted_text_cannot_be_broken_out_of(one: str, other: str) -> None:
    tree = parse(f"a = {quoted(one)} AND (b LIKE {quoted(other)} OR c IN ({quoted(one)}, {quoted(other)}))", "where")
    shape = [node.data for node in tree.iter_subtrees_topdown()]
    assert shape.count("string") == 4
    assert sorted(set(shape) - {"string", "field", "where"}) == sorted(
        {"all_of", "any_of", "compare", "like", "in_list"}
    )


@holds(
    st.one_of(
        st.from_regex(r"\A[A-Za-z0-9_.\-]{1,12}\Z"),
        st.text(max_size=8),
        st.sampled_from(
            [
                "in",
                "is",
                "like",
                "to",
                "or",
                "date",
                "1",
                "1d",
                "5m",
                "1.5",
                "a-b",
                "custom.data-owner",
                "_",
                "count",
                "null",
            ]
        ),
    )
)
def a_name_is_read_back_as_one_field(name: str) -> None:
    try:
        emitted = identifier(name)
    except OdsConfigError:
        return
    for clause, text in (
        ("where", f"{emitted} = 1"),
        ("group_by", f"{emitted} as x"),
        ("order_by", f"{emitted} desc"),
        ("select", emitted),
    ):
        (token,) = the_one(parse(text, clause), "field").children
        assert str(token).strip("`") == name


@holds(st.lists(st.one_of(TEXT, st.integers(), st.booleans()), min_size=1, max_size=6))
def a_list_holds_as_many_values_as_it_was_given(values: list[Any]) -> None:
    for value in values:
        quoted(value)
    node = the_one(parse(any_of("name", values), "where"), "in_list")
    assert len(node.children) == len(values) + 1


@holds(
    st.one_of(
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.decimals(allow_nan=False, allow_infinity=False, places=4),
    )
)
def a_number_is_read_back_exactly_or_refused_where_no_portal_holds_it(value: Any) -> None:
    try:
        emitted = literal(value)
    except OdsConfigError:
        # Whole numbers of more than 64 bits, and Decimals beyond what a double reaches.
        assert not -(2**63) <= value < 2**63
        return
    tree = parse(f"n = {emitted}", "where")
    (token,) = the_one(tree, "number").children
    read = Decimal(str(token))
    if list(tree.find_data("minus")):
        read = read.copy_negate()
    assert read == Decimal(value) if not isinstance(value, float) else float(read) == value


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes))


@holds(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)), st.one_of(st.none(), OFFSETS))
def a_moment_is_read_back_as_the_same_moment(moment: datetime, offset: timedelta | None) -> None:
    from datetime import timezone

    aware = moment.replace(tzinfo=UTC if offset is None else timezone(offset))
    tree = parse(f"d >= {literal(aware)}", "where")
    (token,) = the_one(tree, "date").children
    assert literals.moment(token, "UTC", "where") == aware.astimezone(UTC).replace(tzinfo=None)


@holds(st.dates())
def a_day_is_read_back_as_the_same_day(day: date) -> None:
    (token,) = the_one(parse(f"d = {literal(day)}", "where"), "date").children
    assert isinstance(token, Token)
    assert literals.moment(token, "UTC", "where").date() == day
