"""The types of six databases: what is made is taken again, and what would lose something is not."""

from __future__ import annotations

from typing import get_args

import pytest

from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.load import StandingColumn
from ods_provider.tables.types import TYPES, Dialect, as_staged, as_stored, takes


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_every_type_that_is_made_takes_its_kind(dialect: Dialect) -> None:
    for kind in get_args(Kind):
        assert kind in takes(TYPES[dialect][kind], dialect), kind


@pytest.mark.parametrize(
    ("dialect", "told", "kinds"),
    [
        ("postgres", "integer", "int"),
        ("postgres", "numeric", "int decimal"),
        ("postgres", "numeric(10,2)", ""),
        ("postgres", "numeric(20,0)", "int"),
        ("postgres", "real", ""),
        ("postgres", "character varying(20)", "text json"),
        ("postgres", "character(3)", ""),
        ("postgres", "timestamp without time zone", "datetime"),
        ("postgres", "timestamp(3) with time zone", ""),
        ("postgres", "json", "json"),
        ("postgres", "bytea", "binary geometry"),
        ("postgres", "integer[]", ""),
        ("postgres", "USER-DEFINED", ""),
        ("postgres", "no such type (", ""),
        ("duckdb", "HUGEINT", "int"),
        ("duckdb", "UBIGINT", ""),
        ("duckdb", "DECIMAL(18,3)", ""),
        ("duckdb", "TIMESTAMP_NS", ""),
        ("duckdb", "STRUCT(a INTEGER)", ""),
        ("duckdb", "GEOMETRY('EPSG:4326')", "geometry"),
        ("mysql", "bigint(20)", "int"),
        ("mysql", "bigint unsigned", ""),
        ("mysql", "tinyint(1)", "bool"),
        ("mysql", "datetime", ""),
        ("mysql", "float", ""),
        ("mysql", "binary(8)", ""),
        ("mysql", "decimal", ""),
        ("snowflake", "NUMBER(38,0)", "int"),
        ("snowflake", "TIMESTAMP_NTZ(9)", "datetime"),
        ("snowflake", "VARCHAR(16777216)", "text json"),
        ("bigquery", "BIGNUMERIC", "int decimal"),
        ("bigquery", "DATETIME", "datetime"),
        ("sqlite", "VARCHAR(20)", "text json decimal date datetime"),
        ("sqlite", "UNSIGNED BIG INT", "int bool"),
        ("sqlite", "DECIMAL(10,2)", "int"),
        ("sqlite", "", " ".join(get_args(Kind))),
    ],
)
def test_a_column_that_stands_takes_what_it_holds_without_loss(dialect: Dialect, told: str, kinds: str) -> None:
    assert takes(told, dialect) == frozenset(kinds.split())


def test_json_may_stand_as_text_and_geometries_as_bytes() -> None:
    columns = (Column("j", "json", "j"), Column("g", "geometry", "g"), Column("i", "int", "i"))
    standing = (
        StandingColumn("j", "text", frozenset({"text", "json"})),
        StandingColumn("g", "geometry", frozenset({"geometry"})),
    )
    assert [column.kind for column in as_stored(columns, standing)] == ["text", "geometry", "int"]
    assert [column.kind for column in as_staged(columns)] == ["text", "binary", "int"]
