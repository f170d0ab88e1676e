"""What became of the columns: added, widened, left out, or refused before anything is loaded, field by field."""

from __future__ import annotations

import pytest
from tables_values import field

from ods_provider.core.errors import OdsColumnsChanged, OdsConfigError
from ods_provider.tables.changes import Rules, compared, expected
from ods_provider.tables.columns import Column
from ods_provider.tables.load import StandingColumn
from ods_provider.tables.types import takes

A = Column("a", "int", "a")
B = Column("b", "text", "b")


def _standing(**types: str) -> list[StandingColumn]:
    return [StandingColumn(name, type, takes(type, "postgres")) for name, type in types.items()]


def _refused(*given, **rules) -> str:
    with pytest.raises(OdsColumnsChanged) as caught:
        compared(*given, Rules(**rules), where="table t")
    return str(caught.value)


@pytest.mark.parametrize("mode", ["evolve", "freeze", "discard"])
def test_the_same_columns_are_loaded_and_nothing_is_told(mode):
    assert compared([A, B], _standing(a="BIGINT", b="TEXT"), Rules(mode)).columns == (A, B)
    assert compared([A, B], _standing(a="BIGINT", b="TEXT"), Rules(mode)).told == ()
    assert compared([A, B], None, Rules(mode)).columns == (A, B)


def test_a_new_column_is_added_refused_or_left_out():
    standing = _standing(a="BIGINT")
    found = compared([A, B], standing, Rules())
    assert (found.columns, found.add) == ((A, B), (B,))
    assert found.told == ("b (text) is new and was added",)
    found = compared([A, B], standing, Rules("discard"))
    assert (found.columns, found.left_out) == ((A,), (B,))
    assert _refused([A, B], standing, columns="freeze").startswith(
        "the columns changed, and nothing was loaded: b (text) is new (table t)."
    )


def test_a_vanished_column_stays_empty_unless_it_is_required_or_frozen():
    standing = _standing(a="BIGINT", b="TEXT")
    for mode in ("evolve", "discard"):
        found = compared([A], standing, Rules(mode))
        assert (found.columns, found.vanished) == ((A,), ("b",))
        assert found.told == ("b (TEXT) is gone; its column stays, empty in new rows",)
    assert "b (TEXT) is gone" in _refused([A], standing, columns="freeze")
    required = [standing[0], StandingColumn("b", "TEXT", takes("TEXT", "postgres"), required=True)]
    assert "the table demands a value" in _refused([A], required)
    assert compared([A], standing, Rules("freeze", ours=frozenset({"b"}))).columns == (A,)


@pytest.mark.parametrize(
    ("kind", "type", "kept", "widened"),
    [
        ("int", "DOUBLE PRECISION", "double", False),
        ("int", "NUMERIC(38, 9)", "int", False),
        ("int", "TEXT", "text", False),
        ("date", "TIMESTAMPTZ", "datetime", False),
        ("datetime", "TEXT", "text", False),
        ("json", "TEXT", "json", False),
        ("decimal", "BIGINT", "decimal", True),
        ("datetime", "DATE", "datetime", True),
        ("text", "BIGINT", "text", True),
        ("text", "TIMESTAMPTZ", "text", True),
    ],
)
def test_another_type_is_kept_as_the_columns_or_widens_it_where_nothing_is_lost(kind, type, kept, widened):
    column = Column("a", kind, "a")
    found = compared([column], _standing(a=type), Rules())
    assert [each.kind for each in found.columns] == [kept]
    assert bool(found.widen) is widened
    assert bool(found.told) is (widened or kept != kind)
    if widened:
        assert "cannot be both" in _refused([column], _standing(a=type), widens=False)
        assert compared([column, B], _standing(a=type, b="TEXT"), Rules("discard")).left_out == (column,)


@pytest.mark.parametrize(
    ("kind", "type"), [("double", "BIGINT"), ("int", "BOOLEAN"), ("bool", "BIGINT"), ("int", "UUID"), ("text", "BYTEA")]
)
def test_what_no_type_holds_both_of_is_refused(kind, type):
    assert f"a is {kind} now, and its column is {type}: it cannot be both" in _refused(
        [Column("a", kind, "a")], _standing(a=type)
    )


def test_an_int_becomes_a_double_only_where_no_row_stays():
    double = Column("a", "double", "a")
    assert compared([double], _standing(a="BIGINT"), Rules(replaces=True)).widen == (double,)
    assert "cannot be both" in _refused([double], _standing(a="BIGINT"))


def test_all_differences_are_told_at_once():
    told = _refused(
        [A, B, Column("n", "bool", "n")],
        _standing(a="TEXT", c="TEXT", z="DATE"),
        columns="freeze",
        fixed=frozenset("k"),
    )
    for difference in (
        "k is part of the key or the cursor, and is gone",
        "a is int now, and its column is TEXT",
        "n (bool) is new",
        "c (TEXT) is gone, and b is new and of its type: perhaps it was renamed",
        "z (DATE) is gone",
        'columns="discard"',
    ):
        assert difference in told


def test_a_label_tells_which_of_several_was_renamed():
    new = [Column("x", "int", "x"), Column("y", "int", "y", "old")]
    told = compared(new, _standing(old="BIGINT", other="BIGINT"), Rules()).told
    assert "old (BIGINT) is gone, and y is new and of its type: perhaps it was renamed" in " ".join(told)
    assert sum("perhaps" in each for each in told) == 1


def test_the_key_and_the_cursor_are_neither_missed_nor_left_out():
    fixed = frozenset({"b"})
    assert "b is part of the key or the cursor, and is gone" in _refused([A], None, fixed=fixed)
    assert "cannot be left out" in _refused([A, B], _standing(a="BIGINT"), columns="discard", fixed=fixed)
    assert "no column is left" in _refused([B], _standing(a="BIGINT"), columns="discard")


def test_the_tables_own_spelling_is_used_where_case_is_folded():
    found = compared([A], _standing(A="BIGINT"), Rules("freeze", folds_case=True))
    assert [(column.name, column.field) for column in found.columns] == [("A", "a")]
    assert "a (int) is new" in _refused([A], _standing(A="BIGINT"), columns="freeze")


def test_expected_fields_are_there_with_their_types():
    columns, fields = [A, B, Column("n", "int", "n")], [field("int", "a"), field("text", "b")]

    def among(expect, mode="evolve", **rules):
        return expected(columns, fields, expect, Rules(mode, **rules), where="dataset d")

    assert among({"a": "int"}) == tuple(columns)
    assert among({"a": "int"}, "discard") == (A,)
    with pytest.raises(OdsColumnsChanged) as caught:
        among({"a": "double", "c": "date", "n": "int"}, "freeze")
    told = str(caught.value)
    for difference in (
        "a is expected to be double, and is int",
        "c is expected to be date, and is not there",
        "n is expected to be int, and is computed by select",
        "b is there, and is not expected",
    ):
        assert difference in told
    with pytest.raises(OdsColumnsChanged, match="b is part of the key"):
        among({"a": "int"}, "discard", fixed=frozenset({"b"}))


def test_an_unknown_rule_is_refused():
    with pytest.raises(OdsConfigError, match="evolve, freeze, discard"):
        Rules("drop")  # type: ignore[arg-type]
