"""Statements in six databases' words: whatever a name or a text holds, it ends where it should."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
import sqlglot
from engine_contract import memory_of
from sqlglot import exp

from ods_provider.core.errors import OdsConfigError
from ods_provider.tables import keyed
from ods_provider.tables.applying import changes
from ods_provider.tables.columns import Column
from ods_provider.tables.load import Load, StandingColumn, TableName, Window
from ods_provider.tables.memory import create_memory, recall, remember
from ods_provider.tables.statements import Statements, staging_name, staging_prefix
from ods_provider.tables.types import Dialect

HARD = "a\"b`c'd\\e]f\n; -- é {}"
AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_each_statement_is_one_statement_with_its_names_whole(dialect: Dialect) -> None:
    sql = Statements(dialect)
    table = TableName(HARD, HARD)
    columns = (Column(HARD, "text", "x", label=HARD), Column("v", "double", "v"), Column("d", "date", "d"))
    made: list[str] = []
    for standing in (None, (StandingColumn("old", "text", frozenset({"text"})),)):
        for mode in ("replace", "append", "merge", "scd2"):
            load = Load(
                table,
                columns,
                mode=mode,
                key=(HARD,),
                delete_missing=True,
                window=Window(HARD, HARD),
                comment=HARD,
                add=(columns[1],),
                widen=(columns[2],),
            )
            made += [change.sql for change in changes(sql, load, standing, staging_name(table, "t"), AT)]
    staged = staging_name(table, "t")
    made += [sql.drop(staged), sql.count(table), keyed.nulls_in_key(sql, staged, (HARD,))]
    made += [keyed.repeated_keys(sql, staged, (HARD,)), keyed.repeated_sample(sql, staged, (HARD,))]
    made += [
        create_memory(sql, table),
        recall(sql, table, HARD),
        recall(sql, table, None),
        *remember(sql, table, memory_of(load, state=HARD)),
    ]
    assert len(made) > 40
    for text in made:
        parsed = sqlglot.parse(text, dialect=dialect)
        assert len(parsed) == 1, text
        assert parsed[0] is not None
        if not isinstance(parsed[0], exp.Command):  # which sqlglot does not look into
            names = {each.name for each in parsed[0].find_all(exp.Table)}
            assert names <= {HARD, staged.name, "_ods_loads"}, text


@pytest.mark.parametrize("dialect", get_args(Dialect))
@pytest.mark.parametrize("text", ["", "'", "\\", "\\'", "it's \\n\n\r\t\0x", "é 🚲", "%s", "$1 :a ?"])
def test_a_text_is_read_as_it_was_written(dialect: Dialect, text: str) -> None:
    reads = "trino" if dialect == "athena" else dialect  # as Athena's statements of rows are; sqlglot tries Hive first
    parsed = sqlglot.parse_one(f"SELECT {Statements(dialect).literal(text)}", dialect=reads)
    assert [each.this for each in parsed.find_all(exp.Literal, exp.National)] == [text]


@pytest.mark.parametrize(
    ("value", "sqlite", "postgres"),
    [
        (None, "NULL", "NULL"),
        (True, "TRUE", "TRUE"),
        (-(2**63), "-9223372036854775808", "-9223372036854775808"),
        (0.1, "0.1", "0.1"),
        (date(1, 1, 1), "'0001-01-01'", "CAST('0001-01-01' AS DATE)"),
        (
            datetime(2026, 3, 29, 3, tzinfo=timezone(timedelta(hours=2))),
            "'2026-03-29T01:00:00+00:00'",
            "CAST('2026-03-29 01:00:00+00:00' AS TIMESTAMPTZ)",
        ),
    ],
)
def test_values_are_written_so_that_nothing_of_them_is_lost(value: Any, sqlite: str, postgres: str) -> None:
    assert Statements("sqlite").literal(value) == sqlite
    assert Statements("postgres").literal(value) == postgres


def test_what_cannot_be_written_is_refused() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(OdsConfigError):
            Statements("postgres").literal(value)
    for name in ("", "a\0b"):
        with pytest.raises(OdsConfigError, match="cannot be a name"):
            Statements("postgres").quoted(name)


def test_names_of_what_is_staged_tell_runs_apart_and_fit() -> None:
    table = TableName("é" * 100, "s")
    one, other = staging_name(table, "run-1"), staging_name(table, "run-2")
    assert one != other
    assert one.schema == "s"
    assert one.name.startswith(staging_prefix("run-1"))
    assert len(one.name.encode()) <= 63
