"""What a load does to its table where each statement is a transaction of its own: its rows change in one of them.

Databricks and Athena merge, and a merge is one step for readers and for a kill. ClickHouse has no such statement; there
the table is made anew beside the old one, and both exchange their names, or the parts of new files join the old ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ods_provider.core.errors import OdsTableError
from ods_provider.tables import keyed
from ods_provider.tables.applying import Standing
from ods_provider.tables.columns import Column
from ods_provider.tables.load import Load, StandingColumn, TableName
from ods_provider.tables.statements import Statements
from ods_provider.tables.types import as_stored

_EXCHANGED = " SETTINGS insert_null_as_default = 0"  # or a NULL becomes 0 where a column of the user's takes none
_GONE = "_ods_gone"


def prepared(sql: Statements, load: Load, standing: Standing) -> list[str]:
    """Return what is done before rows change: a table is made empty, columns are added, widened and described.

    Raises:
        OdsTableError: A column would have to be wider where none can be.
    """
    if load.widen and sql.dialect != "clickhouse":
        listed = ", ".join(f"{column.name!r} would have to become {sql.type_of(column)}" for column in load.widen)
        raise OdsTableError(
            f"{listed}, and no type is changed in place there",
            where=str(load.table),
            advice="Load into a new table, or take the values that do not fit out of the query",
        )
    made = [] if standing is not None else [sql.create(load.table, load.columns)]
    if standing is not None:
        made += [sql.add_column(load.table, column) for column in load.add]
        made += [statement for column in load.widen for statement in sql.widen_column(load.table, column)]
    return [*made, *sql.comments(load.table, load.columns, load.comment)]


def merging(sql: Statements, load: Load, standing: Standing, staged: TableName) -> list[str]:
    """Return the statement that changes rows, of Databricks and Athena; two where Athena deletes what is missing.

    Args:
        sql: The database's words.
        load: What is to be done.
        standing: The table's columns as they were before ``prepared``, None where none stood.
        staged: Where the rows are.
    """
    columns = as_stored(load.columns, standing or ())
    if load.mode == "append" and not load.window:
        return [sql.insert(load.table, staged, columns)]
    if load.mode == "merge":
        missing = [keyed.delete_missing(sql, load.table, staged, load.key)] if load.delete_missing else []
        if sql.dialect == "databricks":
            return [
                _merge_of(sql, load, staged, columns) + (" WHEN NOT MATCHED BY SOURCE THEN DELETE" if missing else "")
            ]
        return [*missing, _merge_of(sql, load, staged, columns)]
    if standing is None:
        return [sql.insert(load.table, staged, columns)]
    if sql.dialect == "databricks":
        if load.mode == "replace":
            brought = sql.insert(load.table, staged, columns)
            return [brought.replace("INSERT INTO", "INSERT OVERWRITE", 1)]
        goes = f"WHEN NOT MATCHED BY SOURCE AND ({_leaves(sql, load, columns)}) THEN DELETE"
        return [f"{_into(sql, load.table, staged)} ON FALSE {_brings(sql, columns, staged)} {goes}"]
    return [_rows_for_rows(sql, load, staged, columns)]


def _into(sql: Statements, table: TableName, staged: TableName) -> str:
    return f"MERGE INTO {sql.table(table)} USING {sql.table(staged)}"


def _brings(sql: Statements, columns: Sequence[Column], staged: TableName, among: str = "") -> str:
    values = ", ".join(sql.value(staged, column) for column in columns)
    return f"WHEN NOT MATCHED{among} THEN INSERT ({sql.names(columns)}) VALUES ({values})"


def _merge_of(sql: Statements, load: Load, staged: TableName, columns: Sequence[Column]) -> str:
    rest = [column for column in columns if column.name not in load.key]
    sets = ", ".join(f"{sql.quoted(each.name)} = {sql.value(staged, each)}" for each in rest)
    changed = (
        f"WHEN MATCHED AND ({keyed.differs(sql, load.table, staged, rest)}) THEN UPDATE SET {sets} " if rest else ""
    )
    at = f"{_into(sql, load.table, staged)} ON {keyed.same(sql, load.table, staged, load.key)}"
    return f"{at} {changed}{_brings(sql, columns, staged)}"


def _rows_for_rows(sql: Statements, load: Load, staged: TableName, columns: Sequence[Column]) -> str:
    """Return a merge that removes rows and brings in others, for who merges no rows that a source lacks (Athena).

    One row more in the source stands for all that goes: it is equal to each row that does, and no other is.
    """
    source, gone = TableName("_ods_source"), sql.quoted(_GONE)
    names = sql.names(columns)
    nothing = ", ".join(f"NULL AS {sql.quoted(column.name)}" for column in columns)
    rows = f"SELECT FALSE AS {gone}, {names} FROM {sql.table(staged)} UNION ALL SELECT TRUE AS {gone}, {nothing}"
    # Rows that stay are equal to nothing. An equality of values is what such databases join by without comparing each
    # row with each.
    goes = f"CASE WHEN {_leaves(sql, load, columns)} THEN TRUE END = {sql.of(source, _GONE)}"
    brings = _brings(sql, columns, source, f" AND NOT {sql.of(source, _GONE)}")
    return (
        f"MERGE INTO {sql.table(load.table)} USING ({rows}) AS {sql.table(source)} "
        f"ON {goes} WHEN MATCHED THEN DELETE {brings}"
    )


def _leaves(sql: Statements, load: Load, columns: Sequence[Column]) -> str:
    """Return the condition of the rows of a table that make room; never without a value."""
    name = sql.of(load.table, load.window.column if load.window else columns[0].name)
    start = f"{name} >= {sql.literal(load.window.start)}" if load.window else f"{name} IS NOT NULL"
    return f"{name} IS NULL OR {start}"


# ClickHouse


def beside(sql: Statements, load: Load, standing: Standing, staged: TableName, aside: TableName) -> list[str]:
    """Return what makes a table of that name which holds what the load's will hold, or the new rows of an append.

    Args:
        sql: ClickHouse's words.
        load: What is to be done.
        standing: The table's columns after ``prepared``, None where none stands.
        staged: Where the rows are.
        aside: The table that is made.
    """
    if standing is None:
        return [*prepared(sql, replace(load, table=aside), None), sql.insert(aside, staged, load.columns)]
    columns = as_stored(load.columns, standing)
    made = [f"CREATE TABLE {sql.table(aside)} AS {sql.table(load.table)}"]
    if load.mode == "append" and load.window:
        made.append(f"{_all_of(sql, load.table, aside, standing)} WHERE NOT ({_leaves(sql, load, columns)})")
    if load.mode == "merge":
        return [*made, *_merged(sql, load, standing, columns, staged, aside)]
    return [*made, sql.insert(aside, staged, columns) + _EXCHANGED]


def _all_of(sql: Statements, table: TableName, aside: TableName, standing: Sequence[StandingColumn]) -> str:
    names = ", ".join(sql.quoted(each.name) for each in standing)
    values = ", ".join(sql.of(table, each.name) for each in standing)
    return f"INSERT INTO {sql.table(aside)} ({names}) SELECT {values} FROM {sql.table(table)}"


def _merged(
    sql: Statements,
    load: Load,
    standing: Sequence[StandingColumn],
    columns: Sequence[Column],
    staged: TableName,
    aside: TableName,
) -> Iterator[str]:
    same = keyed.same(sql, load.table, staged, load.key)
    if not load.delete_missing:
        yield f"{_all_of(sql, load.table, aside, standing)} ANTI LEFT JOIN {sql.table(staged)} ON {same}"
    new = {column.name: sql.value(staged, column) for column in columns}
    names = ", ".join(sql.quoted(each.name) for each in standing)
    values = ", ".join(new.get(each.name, sql.of(load.table, each.name)) for each in standing)
    joined = f"{sql.table(staged)} INNER JOIN {sql.table(load.table)} ON {same}"
    yield f"INSERT INTO {sql.table(aside)} ({names}) SELECT {values} FROM {joined}{_EXCHANGED}"
    fresh = sql.insert(aside, staged, columns)
    yield f"{fresh} ANTI LEFT JOIN {sql.table(load.table)} ON {same}{_EXCHANGED}"


def in_place(sql: Statements, load: Load, standing: Standing, aside: TableName, partitions: Sequence[str]) -> list[str]:
    """Return the statement that puts what ``beside`` made in its place.

    Args:
        sql: ClickHouse's words.
        load: What is to be done.
        standing: The table's columns, None where none stands.
        aside: What was made.
        partitions: Ids of the partitions of ``aside``; those of an append join the table's one after the other.
    """
    at, new = sql.table(load.table), sql.table(aside)
    if standing is None:
        return [f"RENAME TABLE {new} TO {at}"]
    if load.mode == "append" and not load.window:
        joins = ", ".join(f"ATTACH PARTITION ID {sql.literal(each)} FROM {new}" for each in partitions)
        return [f"ALTER TABLE {at} {joins}"] if joins else []
    return [f"EXCHANGE TABLES {new} AND {at}"]


def counting(sql: Statements, load: Load, standing: Standing, staged: TableName) -> str | None:
    """Return what counts the rows that a merge finds changed, that have a key of the table's, and that lack in it.

    Of ClickHouse, before the exchange; None where nothing is merged.
    """
    if load.mode != "merge" or standing is None:
        return None
    columns = [column for column in as_stored(load.columns, standing) if column.name not in load.key]
    same = keyed.same(sql, load.table, staged, load.key)
    table, rows = sql.table(load.table), sql.table(staged)
    changed = f"countIf({keyed.differs(sql, load.table, staged, columns)})" if columns else "0"
    return (
        f"SELECT (SELECT {changed} FROM {rows} INNER JOIN {table} ON {same}), "
        f"(SELECT count() FROM {rows} ANTI LEFT JOIN {table} ON {same}), "
        f"(SELECT count() FROM {table} ANTI LEFT JOIN {rows} ON {same})"
    )
