"""What one transaction of MariaDB or MySQL does to a table.

Rows are matched from the table, which may have no index on the key, to the staged ones, which have; what was matched is
taken out of the staged rows, and the rest is new. The other way round would read the table once for every new row.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ods_provider.tables.keyed import VALID_FROM, VALID_TO, close_changed, close_missing, delete_missing, update_changed
from ods_provider.tables.load import Load, TableName
from ods_provider.tables.statements import Statements


def changes(sql: Statements, load: Load, staged: TableName, at: datetime) -> Iterator[tuple[str, str]]:
    """Yield the statements of the transaction, each with what its count of rows is.

    Args:
        sql: The database's words.
        load: What is to be done.
        staged: Where the rows are; fewer of them afterwards.
        at: The moment of the load, which ``scd2`` keeps.
    """
    table, columns = load.table, load.columns
    if load.mode == "replace":
        yield "replaced", sql.delete(table)
    if load.window:
        yield "deleted", sql.delete(table, load.window)
    if load.mode == "merge":
        if load.delete_missing:
            yield "deleted", delete_missing(sql, table, staged, load.key)
        if update := update_changed(sql, table, staged, load.key, columns):
            yield "updated", update
        yield "known", _take_known(sql, load, staged)
    if load.mode == "scd2":
        yield from _history(sql, load, staged, at)
    else:
        yield "inserted", sql.insert(table, staged, columns)


def _history(sql: Statements, load: Load, staged: TableName, at: datetime) -> Iterator[tuple[str, str]]:
    if load.delete_missing:
        yield "deleted", close_missing(sql, load.table, staged, load.key, at)
    if close := close_changed(sql, load.table, staged, load.key, load.columns, at):
        yield "updated", close
    in_force = f" AND {sql.of(load.table, VALID_TO.name)} IS NULL"
    yield "known", _take_known(sql, load, staged, in_force)
    names = sql.names((*load.columns, VALID_FROM))
    values = sql.select(staged, load.columns, sql.literal(at))
    yield "inserted", f"INSERT INTO {sql.table(load.table)} ({names}) {values}"


def _take_known(sql: Statements, load: Load, staged: TableName, more: str = "") -> str:
    same = " AND ".join(f"{sql.of(load.table, name)} = {sql.of(staged, name)}" for name in load.key)
    known = f"{sql.table(load.table)} STRAIGHT_JOIN {sql.table(staged)} ON {same}{more}"
    return f"DELETE {sql.table(staged)} FROM {known}"
