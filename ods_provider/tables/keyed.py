"""The statements that compare staged rows with those of a table by their key: merges, and what rows were (scd2).

Tables are told apart by their own names, without aliases: not every database takes one in ``update`` and ``delete``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.load import TableName
from ods_provider.tables.statements import Statements
from ods_provider.tables.types import Dialect

VALID_FROM = Column("valid_from", "datetime", "")
"""Since when a row of ``scd2`` is in force."""
VALID_TO = Column("valid_to", "datetime", "")
"""Until when it was; without a value it still is."""

# How values that have no equality are compared.
_COMPARED: dict[tuple[Dialect, Kind], str] = {
    ("postgres", "json"): "CAST({} AS TEXT)",
    # Byte by byte: a table of somebody else may have a collation to which "a" and "A" are one.
    ("mysql", "text"): "BINARY {}",
    ("tsql", "text"): "CAST({} AS VARBINARY(MAX))",
    ("tsql", "json"): "CAST({} AS VARBINARY(MAX))",
    ("clickhouse", "double"): "reinterpretAsInt64({})",  # to it no NaN is another
    ("mysql", "json"): "BINARY {}",
    ("bigquery", "json"): "TO_JSON_STRING({})",
    ("bigquery", "geometry"): "ST_ASBINARY({})",
    ("snowflake", "geometry"): "ST_ASWKB({})",
}


def nulls_in_key(sql: Statements, staged: TableName, key: Sequence[str]) -> str:
    """Count what was staged without a value in one of the key's columns."""
    missing = " OR ".join(f"{sql.quoted(name)} IS NULL" for name in key)
    return f"SELECT COUNT(*) FROM {sql.table(staged)} WHERE {missing}"


def repeated_keys(sql: Statements, staged: TableName, key: Sequence[str]) -> str:
    """Count the keys that more than one staged row has: keys, and rows that have them."""
    rows, keys = sql.quoted("_ods_rows"), sql.quoted("_ods_keys")
    return f"SELECT COUNT(*), SUM({rows}) FROM ({_repeated(sql, staged, key)}) AS {keys}"


def repeated_sample(sql: Statements, staged: TableName, key: Sequence[str], most: int = 3) -> str:
    """Show some of those keys, each with how many rows have it."""
    listed = ", ".join(sql.quoted(name) for name in key)
    found = _repeated(sql, staged, key)
    if sql.dialect == "tsql":
        return f"SELECT TOP {most}{found.removeprefix('SELECT')} ORDER BY {listed}"
    return f"{found} ORDER BY {listed} LIMIT {most}"


def _repeated(sql: Statements, staged: TableName, key: Sequence[str]) -> str:
    listed, rows = ", ".join(sql.quoted(name) for name in key), sql.quoted("_ods_rows")
    return f"SELECT {listed}, COUNT(*) AS {rows} FROM {sql.table(staged)} GROUP BY {listed} HAVING COUNT(*) > 1"


def update_changed(
    sql: Statements, table: TableName, staged: TableName, key: Sequence[str], columns: Sequence[Column]
) -> str | None:
    """Bring rows up to date that differ from the staged row of their key; None where there is nothing but a key."""
    rest = [column for column in columns if column.name not in key]
    if not rest:
        return None
    if sql.dialect == "mysql":
        sets = ", ".join(f"{sql.of(table, each.name)} = {sql.value(staged, each)}" for each in rest)
        return (
            f"UPDATE {sql.table(table)} JOIN {sql.table(staged)} ON {same(sql, table, staged, key)} "
            f"SET {sets} WHERE {differs(sql, table, staged, rest)}"
        )
    sets = ", ".join(f"{sql.quoted(each.name)} = {sql.value(staged, each)}" for each in rest)
    return (
        f"UPDATE {sql.table(table)} SET {sets} FROM {sql.table(staged)} "
        f"WHERE {same(sql, table, staged, key)} AND ({differs(sql, table, staged, rest)})"
    )


def insert_new(
    sql: Statements, table: TableName, staged: TableName, key: Sequence[str], columns: Sequence[Column]
) -> str:
    """Bring in the staged rows whose key the table does not have."""
    return f"{sql.insert(table, staged, columns)} WHERE {_unknown(sql, table, staged, key)}"


def delete_missing(sql: Statements, table: TableName, staged: TableName, key: Sequence[str]) -> str:
    """Remove the rows whose key was not staged; those without a value in the key are among them."""
    return f"DELETE FROM {sql.table(table)} WHERE {_missing(sql, table, staged, key)}"


def _unknown(sql: Statements, table: TableName, staged: TableName, key: Sequence[str], *among: str) -> str:
    """Return the condition of staged rows whose key no row of the table has, ``among`` those that are looked at."""
    if sql.dialect == "sqlite":
        # It looks through a table without an index once for each row, but makes one for a list.
        held = ", ".join(sql.of(table, name) for name in key)
        filled = [
            f"{sql.of(table, name)} IS NOT NULL" for name in key
        ]  # with a NULL among it, nothing is NOT IN a list
        listed = f"SELECT {held} FROM {sql.table(table)} WHERE {' AND '.join((*filled, *among))}"
        return f"({', '.join(sql.of(staged, name) for name in key)}) NOT IN ({listed})"
    known = " AND ".join((same(sql, table, staged, key), *among))
    return f"NOT EXISTS (SELECT 1 FROM {sql.table(table)} WHERE {known})"


def _missing(sql: Statements, table: TableName, staged: TableName, key: Sequence[str]) -> str:
    # Never NOT IN, which compares each row with each where it does not fit into memory.
    return f"NOT EXISTS (SELECT 1 FROM {sql.table(staged)} WHERE {same(sql, table, staged, key)})"


def same(sql: Statements, table: TableName, staged: TableName, key: Sequence[str]) -> str:
    """Return the condition that a row of the table and a staged one have the same key."""
    return " AND ".join(f"{sql.of(table, name)} = {sql.of(staged, name)}" for name in key)


def differs(sql: Statements, table: TableName, staged: TableName, columns: Iterable[Column]) -> str:
    """Return the condition that they differ in one of these columns."""
    return " OR ".join(_distinct(sql, table, staged, column) for column in columns)


def _distinct(sql: Statements, table: TableName, staged: TableName, column: Column) -> str:
    compared = _COMPARED.get((sql.dialect, column.kind), "{}")
    old = compared.replace("{}", sql.of(table, column.name))
    new = compared.replace("{}", sql.value(staged, column))
    if sql.dialect == "mysql":
        return f"NOT ({old} <=> {new})"
    if sql.dialect in {"redshift", "tsql"}:  # they, or many that still run, know no IS DISTINCT FROM
        return f"({old} <> {new} OR ({old} IS NULL AND {new} IS NOT NULL) OR ({old} IS NOT NULL AND {new} IS NULL))"
    return f"{old} IS {'NOT' if sql.dialect == 'sqlite' else 'DISTINCT FROM'} {new}"


def close_changed(
    sql: Statements, table: TableName, staged: TableName, key: Sequence[str], columns: Sequence[Column], at: datetime
) -> str | None:
    """End the rows in force that differ from the staged row of their key; None where there is nothing but a key."""
    rest = [column for column in columns if column.name not in key]
    if not rest:
        return None
    found = (
        f"SELECT 1 FROM {sql.table(staged)} WHERE {same(sql, table, staged, key)} "
        f"AND ({differs(sql, table, staged, rest)})"
    )
    return f"{_close(sql, table, at)} AND EXISTS ({found})"


def close_missing(sql: Statements, table: TableName, staged: TableName, key: Sequence[str], at: datetime) -> str:
    """End the rows in force whose key was not staged."""
    return f"{_close(sql, table, at)} AND {_missing(sql, table, staged, key)}"


def _close(sql: Statements, table: TableName, at: datetime) -> str:
    valid_to = sql.quoted(VALID_TO.name)
    return f"UPDATE {sql.table(table)} SET {valid_to} = {sql.literal(at)} WHERE {valid_to} IS NULL"


def insert_versions(
    sql: Statements, table: TableName, staged: TableName, key: Sequence[str], columns: Sequence[Column], at: datetime
) -> str:
    """Bring in the staged rows whose key has no row in force."""
    in_force = f"{sql.of(table, VALID_TO.name)} IS NULL"
    return (
        f"INSERT INTO {sql.table(table)} ({sql.names((*columns, VALID_FROM))}) "
        f"{sql.select(staged, columns, sql.literal(at))} WHERE {_unknown(sql, table, staged, key, in_force)}"
    )
