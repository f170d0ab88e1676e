"""What a load does to its table once its rows are staged, for every database that takes plain statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsTableError
from ods_provider.core.legible import legible
from ods_provider.tables import keyed
from ods_provider.tables.columns import Column
from ods_provider.tables.keyed import VALID_FROM, VALID_TO
from ods_provider.tables.load import Load, Loaded, Memory, StandingColumn, TableName
from ods_provider.tables.memory import create_memory, remember
from ods_provider.tables.statements import Statements
from ods_provider.tables.types import as_stored

Standing = tuple[StandingColumn, ...] | None
Query = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a statement and returns the rows that it selects."""
Run = Callable[[str], int]
"""Runs a statement and returns how many rows it changed; below 0 where the database does not say."""


@dataclass(frozen=True, slots=True)
class Change:
    """A statement that changes a table, and what its rows count as."""

    sql: str
    counts: Literal["inserted", "updated", "deleted"] | None = None


def check_load(load: Load, standing: Standing) -> None:
    """Refuse a load that cannot be done, before anything of it is.

    Raises:
        OdsConfigError: It contradicts itself.
        OdsTableError: It does not go with the table that stands.
    """
    names = {column.name for column in load.columns}
    if load.mode in {"merge", "scd2"}:
        if not load.key:
            raise OdsConfigError(
                f"{load.mode} needs a key", where=str(load.table), advice="Name the fields that tell rows apart"
            )
        if absent := [name for name in load.key if name not in names]:
            raise OdsConfigError(f"The key {_listed(absent)} is not among the columns", where=str(load.table))
    own = {VALID_FROM.name, VALID_TO.name}
    if load.mode == "scd2" and (taken := names & own):
        raise OdsConfigError(
            f"The column {_listed(sorted(taken))} is the history's own", where=str(load.table), advice="Leave it out"
        )
    if standing is None:
        return
    held = {each.name for each in standing}
    if absent := sorted(names - held - {column.name for column in load.add}):
        raise OdsTableError(
            f"The table has no column {_listed(absent)}",
            where=str(load.table),
            advice="Let columns evolve, or leave these out",
        )
    if load.mode == "scd2" and (absent := sorted(own - held)):
        raise OdsTableError(
            f"The table keeps no history: it has no column {_listed(absent)}",
            where=str(load.table),
            advice="Load into a table that does not stand yet, or add these columns",
        )


def check_key(query: Query, sql: Statements, load: Load, staged: TableName) -> None:
    """Refuse staged rows that their key does not tell apart.

    Raises:
        OdsTableError: A key stands in several rows, or a row has none.
    """
    if load.mode not in {"merge", "scd2"}:
        return
    nulls = int(query(keyed.nulls_in_key(sql, staged, load.key))[0][0])
    # A sum comes as text from some databases, and as nothing where there is nothing to be summed.
    keys, rows = (0, 0) if nulls else (int(told or 0) for told in query(keyed.repeated_keys(sql, staged, load.key))[0])
    refuse_key(load, nulls, keys, rows, query(keyed.repeated_sample(sql, staged, load.key)) if keys else ())


def refuse_key(load: Load, nulls: int, keys: int, rows: int, sample: Sequence[Sequence[Any]]) -> None:
    """Refuse what was found of the keys of staged rows, if it is anything.

    Args:
        load: What is to be done.
        nulls: Rows without a value in their key.
        keys: Keys that stand in several rows.
        rows: Rows that have them.
        sample: Some of those keys, each with how many rows have it.

    Raises:
        OdsTableError: There are any.
    """
    if nulls:
        raise OdsTableError(
            f"{nulls} of the rows have no value in their key {_listed(load.key)}",
            where=str(load.table),
            advice="Take fields as the primary key that every row fills, or leave those rows out of the query",
        )
    if keys:
        shown = ", ".join(f"{_key(row[:-1])} ({counted(row[-1], 'rows')})" for row in sample)
        raise OdsTableError(
            f"The key {_listed(load.key)} does not tell rows apart: {keys} of its values stand in "
            f"{counted(rows, 'rows')}, for instance {shown}",
            where=str(load.table),
            advice="Take more fields as the primary key",
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(legible(name)) for name in names)


def _key(values: Sequence[Any]) -> str:
    shown = [legible(str(value), most_chars=60) for value in values]
    return shown[0] if len(shown) == 1 else f"({', '.join(shown)})"


def changes(sql: Statements, load: Load, standing: Standing, staged: TableName, at: datetime) -> Iterator[Change]:
    """Return what is done to the table, in order, within one transaction.

    Args:
        sql: The database's words.
        load: What is to be done.
        standing: The table's columns, None where none stands.
        staged: Where the rows are.
        at: The moment of the load, which ``scd2`` keeps.
    """
    if standing is None:
        history = (VALID_FROM, VALID_TO) if load.mode == "scd2" else ()
        yield Change(sql.create(load.table, (*load.columns, *history)))
    else:
        for column in load.add:
            yield Change(sql.add_column(load.table, column))
        for column in load.widen:
            for statement in sql.widen_column(load.table, column):
                yield Change(statement)
    for statement in sql.comments(load.table, load.columns, load.comment):
        yield Change(statement)
    wider = {column.name for column in load.widen}
    columns = as_stored(load.columns, [each for each in standing or () if each.name not in wider])
    yield from _rows(sql, load, columns, staged, at)


def _rows(
    sql: Statements, load: Load, columns: tuple[Column, ...], staged: TableName, at: datetime
) -> Iterator[Change]:
    table, key = load.table, load.key
    if load.mode == "replace":
        yield Change(sql.delete(table))
        yield Change(sql.insert(table, staged, columns), "inserted")
    elif load.mode == "append":
        if load.window:
            yield Change(sql.delete(table, load.window), "deleted")
        yield Change(sql.insert(table, staged, columns), "inserted")
    elif load.mode == "merge":
        if load.delete_missing:
            yield Change(keyed.delete_missing(sql, table, staged, key), "deleted")
        if changed := keyed.update_changed(sql, table, staged, key, columns):
            yield Change(changed, "updated")
        yield Change(keyed.insert_new(sql, table, staged, key, columns), "inserted")
    else:
        if load.delete_missing:
            yield Change(keyed.close_missing(sql, table, staged, key, at), "deleted")
        if changed := keyed.close_changed(sql, table, staged, key, columns, at):
            yield Change(changed, "updated")
        yield Change(keyed.insert_versions(sql, table, staged, key, columns, at), "inserted")


def apply(
    run: Run,
    query: Query,
    sql: Statements,
    load: Load,
    standing: Standing,
    staged: TableName,
    memory: Memory,
    *,
    memory_stands: bool = False,
    key_checked: bool = False,
) -> Loaded:
    """Do to the table what a load says and remember it; the transaction is the caller's.

    Args:
        run: Runs a statement.
        query: Runs one that selects.
        sql: The database's words.
        load: What is to be done.
        standing: The table's columns, None where none stands.
        staged: Where the rows are.
        memory: What is remembered; ``table_rows`` is filled in.
        memory_stands: Whether the memory's table is known to stand: some may write into it who may not make it.
        key_checked: Whether ``check_key`` passed already, as it does where nobody should wait for it.

    Raises:
        OdsError: The load, its key or its table does not allow it; nothing was changed then.
    """
    check_load(load, standing)
    if not key_checked:
        check_key(query, sql, load, staged)
    counted: Counter[str] = Counter()
    unsaid = False
    for change in changes(sql, load, standing, staged, datetime.fromisoformat(memory.loaded_at)):
        rows = run(change.sql)
        if change.counts:
            counted[change.counts] += rows
            unsaid = unsaid or rows < 0
    table_rows = int(query(sql.count(load.table))[0][0])
    if not memory_stands:
        run(create_memory(sql, load.table))
    for statement in remember(sql, load.table, replace(memory, table_rows=table_rows)):
        run(statement)
    if unsaid:
        return Loaded(table_rows)
    if load.mode == "scd2":
        counted["inserted"] -= counted["updated"]  # a changed row is ended, and comes in anew
    return Loaded(table_rows, counted["inserted"], counted["updated"], counted["deleted"])
