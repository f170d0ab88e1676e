"""What Databricks and Athena are told, of which there is no server here: DuckDB does it in their place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, get_args

import duckdb
import pytest
import sqlglot

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.load import Load, Memory, StandingColumn, TableName, Window
from ods_provider.tables.memory import create_memory, forget, recall, recalled, remember
from ods_provider.tables.onestatement import merging, prepared
from ods_provider.tables.statements import Statements
from ods_provider.tables.types import Dialect, takes

ID, NAME, DAY = Column("id", "int", "id"), Column("na`me", "text", "n", label="it's 城市"), Column("day", "date", "d")
COLUMNS = (ID, NAME, DAY)
TABLE, STAGED = TableName("cities", "city"), TableName("_ods_rows", "city")
STANDING = tuple(StandingColumn(column.name, column.kind, frozenset({column.kind})) for column in COLUMNS)
MARCH = date(2026, 3, 1)
OLD = [(1, "Ghent", date(2026, 2, 1)), (2, "Bruges", MARCH), (3, "Antwerp", date(2026, 3, 2)), (None, "?", None)]
NEW = [(2, "Bruges", MARCH), (3, "corrected", date(2026, 3, 2)), (4, "new", date(2026, 3, 3))]
MEMORY = Memory("id", "city.cities", "p", "d", None, None, None, None, "it's; 100%", 1, 1, "r", "2026-03-01", "{}")
DIALECTS: list[Dialect] = ["databricks", "athena"]
LOADS = [
    (Load(TABLE, COLUMNS), NEW),
    (Load(TABLE, COLUMNS, mode="append"), [*OLD, *NEW]),
    (Load(TABLE, COLUMNS, mode="append", window=Window("day", MARCH)), [OLD[0], *NEW]),
    (Load(TABLE, COLUMNS, mode="merge", key=("id",)), [OLD[0], *NEW, OLD[3]]),
    (Load(TABLE, COLUMNS, mode="merge", key=("id",), delete_missing=True), NEW),
]


def ordered(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def run(database: duckdb.DuckDBPyConnection, statement: str, dialect: Dialect) -> None:
    read = sqlglot.parse(statement, dialect=dialect)
    assert len(read) == 1
    for each in sqlglot.transpile(statement, read=dialect, write="duckdb"):
        database.execute(each)


@pytest.mark.parametrize(("load", "expected"), LOADS, ids=[f"{load.mode} {at}" for at, (load, _) in enumerate(LOADS)])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_rows_change_as_the_mode_says(dialect: Dialect, load: Load, expected: list[tuple[Any, ...]]) -> None:
    sql = Statements(dialect)
    database = duckdb.connect()
    database.execute("CREATE SCHEMA city")
    for name, rows in (("cities", OLD), ("_ods_rows", NEW)):
        database.execute(f'CREATE TABLE city.{name} (id BIGINT, "na`me" VARCHAR, day DATE)')
        database.executemany(f"INSERT INTO city.{name} VALUES (?, ?, ?)", rows)
    told = merging(sql, load, STANDING, STAGED)
    # The one who merges no rows that a source lacks takes two for it.
    assert len(told) == (2 if dialect == "athena" and load.delete_missing else 1)
    for statement in told:
        if statement.startswith("INSERT OVERWRITE"):  # of which DuckDB has no word
            database.execute("DELETE FROM city.cities")
        run(database, statement.replace("INSERT OVERWRITE", "INSERT INTO", 1), dialect)
    assert ordered(database.execute("FROM city.cities").fetchall()) == ordered(expected)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_memory_takes_the_place_of_the_older_one_in_one_statement(dialect: Dialect) -> None:
    sql = Statements(dialect, "s3://lake/tables")
    database = duckdb.connect()
    database.execute("CREATE SCHEMA city")
    made = create_memory(sql, TABLE).partition(" LOCATION")[0].partition(" TBLPROPERTIES")[0]
    database.execute(made.replace("`", '"').replace("STRING", "VARCHAR"))
    for memory in (MEMORY, replace(MEMORY, watermark=7, table_rows=None), replace(MEMORY, load_id="other")):
        (told,) = remember(sql, TABLE, memory)
        run(database, told, dialect)
    for load_id, watermark in (("id", 7), ("other", "it's; 100%")):
        (asked,) = sqlglot.transpile(recall(sql, TABLE, load_id), read=dialect, write="duckdb")
        (row,) = database.execute(asked).fetchall()
        assert recalled(row).watermark == watermark
    run(database, forget(sql, TABLE, "other"), dialect)
    assert database.execute("SELECT count(*) FROM city._ods_loads").fetchall() == [(1,)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_new_table_holds_every_kind(dialect: Dialect) -> None:
    columns = tuple(Column(kind, kind, kind, label="it's 城市") for kind in get_args(Kind))
    sql = Statements(dialect, "s3://lake/tables/")
    told = prepared(sql, Load(TABLE, columns, comment="it's so"), None)
    for statement in told:
        assert len(sqlglot.parse(statement, dialect="hive" if dialect == "athena" else dialect)) == 1, statement
    if dialect == "athena":
        assert told[0].endswith(" LOCATION 's3://lake/tables/city/cities/' TBLPROPERTIES ('table_type' = 'ICEBERG')")
        assert len(told) == 1
    else:
        assert told[0].endswith(" TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
        assert told[1].startswith("COMMENT ON TABLE `city`.`cities` IS 'it")
        assert "ALTER TABLE `city`.`cities` ALTER COLUMN `int` COMMENT 'it\\'s 城市'" in told


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_column_that_would_have_to_be_wider_is_refused(dialect: Dialect) -> None:
    load = Load(TABLE, (replace(ID, kind="text"),), widen=(replace(ID, kind="text"),))
    with pytest.raises(OdsTableError, match="'id' would have to become STRING"):
        prepared(Statements(dialect), load, STANDING)


@pytest.mark.parametrize(
    ("dialect", "type_name", "kinds"),
    [
        ("databricks", "bigint", {"int"}),
        ("databricks", "decimal(38,9)", {"decimal", "int"}),
        ("databricks", "string", {"text", "json"}),
        ("databricks", "timestamp", {"datetime"}),
        ("databricks", "binary", {"binary", "geometry"}),
        ("athena", "bigint", {"int"}),
        ("athena", "varchar", {"text", "json"}),
        ("athena", "timestamp(6)", {"datetime"}),
        ("athena", "timestamp(3)", set()),
        ("athena", "varbinary", {"binary", "geometry"}),
        ("clickhouse", "Int64", {"int"}),
        ("clickhouse", "Nullable(UInt64)", set()),
        ("clickhouse", "Int32", set()),
        ("clickhouse", "LowCardinality(Nullable(String))", {"text", "json", "binary", "geometry"}),
        ("clickhouse", "Date", set()),
        ("clickhouse", "DateTime64(3, 'UTC')", set()),
        ("clickhouse", "Nullable(DateTime64(9))", {"datetime"}),
        ("clickhouse", "Decimal(38, 9)", {"int", "decimal"}),
        ("clickhouse", "Decimal(10, 2)", set()),
        ("clickhouse", "Array(String)", set()),
    ],
)
def test_a_column_takes_what_it_holds_unchanged(dialect: Dialect, type_name: str, kinds: set[str]) -> None:
    assert takes(type_name, dialect) == kinds


def test_moments_are_told_in_utc() -> None:
    at = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
    assert Statements("athena").literal(at) == "CAST('2026-03-01 12:00:00.000005' AS TIMESTAMP)"
    assert Statements("clickhouse").literal(at).startswith("CAST('2026-03-01 12:00:00.000005' AS Nullable(DateTime64")
    assert Statements("databricks").literal(at) == "CAST('2026-03-01 12:00:00.000005+00:00' AS TIMESTAMP)"
