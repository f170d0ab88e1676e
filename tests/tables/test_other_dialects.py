"""The statements for SQL Server and Redshift, which no server here runs: each is one that sqlglot reads as theirs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
import sqlglot

from ods_provider.tables import keyed
from ods_provider.tables.applying import changes
from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.load import Load, Memory, TableName, Window
from ods_provider.tables.memory import create_memory, recall, remember
from ods_provider.tables.statements import Statements
from ods_provider.tables.types import Dialect, takes

COLUMNS = tuple(Column(kind, kind, kind, label="it's 城市") for kind in get_args(Kind))
TABLE, STAGED = TableName('ta]b"le', "dbo"), TableName("_ods_rows", "dbo")
AT = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
MEMORY = Memory("id", "t", "p", "d", None, None, None, None, "it's", 1, 1, "r", AT.isoformat(), "{}")


def statements(dialect: Dialect) -> list[str]:
    sql = Statements(dialect)
    load = Load(TABLE, COLUMNS, mode="merge", key=("int", "text"), delete_missing=True, add=COLUMNS[:1])
    given: list[dict[str, Any]] = [
        {"mode": "replace", "key": ()},
        {"mode": "append", "window": Window("datetime", AT), "key": ()},
        {"mode": "merge"},
        {"mode": "scd2"},
    ]
    from dataclasses import replace

    made = [
        change.sql
        for how in given
        for standing in (None, ())
        for change in changes(sql, replace(load, **how), standing, STAGED, AT)
    ]
    checks = [
        keyed.nulls_in_key(sql, STAGED, load.key),
        keyed.repeated_keys(sql, STAGED, load.key),
        keyed.repeated_sample(sql, STAGED, load.key),
        recall(sql, TABLE, "id"),
        recall(sql, TABLE, None),
    ]
    return [*made, *checks, *remember(sql, TABLE, MEMORY), sql.drop(STAGED), sql.count(TABLE)]


@pytest.mark.parametrize("dialect", ["tsql", "redshift"])
def test_each_statement_is_one_that_is_read_as_theirs(dialect: Dialect) -> None:
    for statement in statements(dialect):
        assert len(sqlglot.parse(statement, dialect=dialect)) == 1, statement
        assert "IS DISTINCT FROM" not in statement


def test_sql_server_is_told_what_only_it_says() -> None:
    made = statements("tsql")
    assert all("LIMIT" not in each and "TRUE" not in each and "IF NOT EXISTS" not in each for each in made)
    assert any(each.startswith("SELECT TOP 3 [int], [text]") for each in made)
    assert any("ADD [int] BIGINT" in each for each in made)
    assert any('[ta]]b"le]' in each for each in made)
    assert any("N'\"it''s\"'" in each for each in made)
    assert create_memory(Statements("tsql"), TABLE).startswith("IF OBJECT_ID(N'[dbo].[_ods_loads]') IS NULL CREATE")


@pytest.mark.parametrize(
    ("dialect", "type_name", "kind"),
    [
        ("tsql", "bigint", "int"),
        ("tsql", "float", "double"),
        ("tsql", "decimal(38, 9)", "decimal"),
        ("tsql", "bit", "bool"),
        ("tsql", "nvarchar", "text"),
        ("tsql", "date", "date"),
        ("tsql", "datetimeoffset(6)", "datetime"),
        ("tsql", "varbinary", "binary"),
        ("redshift", "bigint", "int"),
        ("redshift", "double precision", "double"),
        ("redshift", "numeric(38, 9)", "decimal"),
        ("redshift", "boolean", "bool"),
        ("redshift", "character varying", "text"),
        ("redshift", "date", "date"),
        ("redshift", "timestamp with time zone", "datetime"),
    ],
)
def test_a_type_as_the_database_tells_it_takes_the_kind_that_it_was_made_for(
    dialect: Dialect, type_name: str, kind: Kind
) -> None:
    assert kind in takes(type_name, dialect)
