"""The statements for what is remembered of loads: one small table in the schema of the tables that were loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ods_provider.tables.columns import Column
from ods_provider.tables.engine import MEMORY_TABLE
from ods_provider.tables.load import Memory, TableName
from ods_provider.tables.statements import Statements

_OWN_SCHEMA = {"duckdb": "main", "sqlite": "main"}
_COUNTS = {"rows", "table_rows"}
_COLUMNS = tuple(
    Column(field.name, "int" if field.name in _COUNTS else "text", "", description=None) for field in fields(Memory)
)


def memory_table(table: TableName) -> TableName:
    """Return where loads of a table are remembered."""
    return TableName(MEMORY_TABLE, table.schema)


def create_memory(sql: Statements, table: TableName) -> str:
    """Make the memory, unless it stands."""
    made = sql.create(memory_table(table), _COLUMNS)
    if sql.dialect == "tsql":
        return f"IF OBJECT_ID({sql.literal(sql.table(memory_table(table)))}) IS NULL {made}"
    if sql.dialect == "clickhouse":
        # A memory takes the place of the older one by being brought in: one statement, after which one of them counts.
        made = made.replace(
            "MergeTree ORDER BY tuple()", f"ReplacingMergeTree ORDER BY ifNull({sql.quoted('load_id')}, '')"
        )
    return made.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1)


def recall(sql: Statements, table: TableName, load_id: str | None) -> str:
    """Select what is remembered of one load; without a name, of the last one of the table, whatever was asked then."""
    last_ones = " FINAL" if sql.dialect == "clickhouse" else ""
    chosen = f"{sql.names(_COLUMNS)} FROM {sql.table(memory_table(table))}{last_ones}"
    if load_id is not None:
        return f"SELECT {chosen} WHERE {sql.quoted('load_id')} = {sql.literal(load_id)}"
    last = f"{chosen} WHERE {_is_of(sql, table)} ORDER BY {sql.quoted('loaded_at')} DESC"
    return f"SELECT TOP 1 {last}" if sql.dialect == "tsql" else f"SELECT {last} LIMIT 1"


def _is_of(sql: Statements, table: TableName) -> str:
    """Return the condition of loads of a table: each remembers it as it was called then, with its schema or without."""
    schema = table.schema or _OWN_SCHEMA.get(sql.dialect)
    known = [sql.literal(name) for name in (table.name, schema and f"{schema}.{table.name}") if name]
    if sql.dialect == "mysql" and not table.schema:
        known.append(f"CONCAT(DATABASE(), {sql.literal(f'.{table.name}')})")
    held = sql.quoted("table")
    if sql.dialect in _OWN_SCHEMA:  # where tables whose names differ in case only are one
        held, known = f"LOWER({held})", [f"LOWER({name})" for name in known]
    return f"{held} IN ({', '.join(known)})"


def recalled(row: Sequence[Any]) -> Memory:
    """Return the memory that such a row is."""
    values = dict(zip((column.name for column in _COLUMNS), row, strict=True))
    return Memory(**{**values, "watermark": json.loads(values["watermark"] or "null")})


def forget(sql: Statements, table: TableName, load_id: str) -> str:
    """Forget one load."""
    at = sql.table(memory_table(table))
    return f"DELETE FROM {at} WHERE {sql.quoted('load_id')} = {sql.literal(load_id)}"


def remember(sql: Statements, table: TableName, memory: Memory) -> list[str]:
    """Put a memory in the place of the one of the same load."""
    at = sql.table(memory_table(table))
    values = {column.name: getattr(memory, column.name) for column in _COLUMNS}
    values["watermark"] = json.dumps(memory.watermark)
    listed = ", ".join(sql.literal(value) for value in values.values())
    if sql.dialect in {"databricks", "athena"}:
        return [_merged(sql, table, values)]
    brought = f"INSERT INTO {at} ({sql.names(_COLUMNS)}) VALUES ({listed})"
    return [brought] if sql.dialect == "clickhouse" else [forget(sql, table, memory.load_id), brought]


def _merged(sql: Statements, table: TableName, values: Mapping[str, Any]) -> str:
    """Return the same as one statement, for databases in which each is a transaction of its own."""
    at, new = memory_table(table), TableName("_ods_new")
    given = ", ".join(f"{sql.literal(value)} AS {sql.quoted(name)}" for name, value in values.items())
    sets = ", ".join(f"{sql.quoted(name)} = {sql.of(new, name)}" for name in values)
    brought = ", ".join(sql.of(new, name) for name in values)
    return (
        f"MERGE INTO {sql.table(at)} USING (SELECT {given}) AS {sql.table(new)} "
        f"ON {sql.of(at, 'load_id')} = {sql.of(new, 'load_id')} WHEN MATCHED THEN UPDATE SET {sets} "
        f"WHEN NOT MATCHED THEN INSERT ({sql.names(_COLUMNS)}) VALUES ({brought})"
    )
