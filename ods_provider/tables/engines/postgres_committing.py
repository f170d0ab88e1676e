"""How staged rows become a PostgreSQL table: locked, put in place, counted and remembered, within one transaction."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

from ods_provider.core.counting import counted, verb
from ods_provider.core.errors import OdsTableError
from ods_provider.tables.applying import apply, check_key
from ods_provider.tables.engines.postgres_exchange import take_place
from ods_provider.tables.engines.postgres_link import Link
from ods_provider.tables.engines.postgres_staging import Staged
from ods_provider.tables.engines.postgres_tables import Found
from ods_provider.tables.engines.postgres_words import PostgresWords
from ods_provider.tables.load import Load, Loaded, Memory, TableName
from ods_provider.tables.memory import create_memory, memory_table, remember
from ods_provider.tables.statements import staging_name

_BOUNDED = re.compile(r"(smallint|integer)|character varying\((\d+)\)")
_BOUNDS = {"smallint": 2**15, "integer": 2**31}


def put(link: Link, staged: Staged, memory: Memory) -> Loaded:
    """Do to the table what the load says, and remember it; the caller ends the transaction.

    Raises:
        OdsTableError: The rows do not fit, or are not all there.
    """
    return _finish(link, staged, memory) if staged.direct else _apply(link, staged, memory)


def _apply(link: Link, staged: Staged, memory: Memory) -> Loaded:
    load, found, words = staged.load, staged.found, staged.words
    # What gets wider has another type by the time that the rows go in.
    wider = {column.name for column in load.widen}
    words = replace(words, held={name: kind for name, kind in words.held.items() if name not in wider})
    if found and found.pointed_at and load.mode == "replace":
        load = replace(load, mode="merge", key=found.key or load.key, delete_missing=True)
    if load.mode != "replace":
        link.run(f"ANALYZE {words.table(staged.into)}", load.table)
    check_key(link.query, words, load, staged.into)
    _check_bounds(link, staged)
    beside = staging_name(load.table, staged.token)
    if staged.swap == "rename":
        load = replace(load, table=beside)
    elif found:
        _lock_for(link, load, found)
    _make_memory(link, load.table)
    run, query, standing = link.runs(load.table), link.query, found.columns if found else None
    done = {"memory_stands": True, "key_checked": True}
    loaded = apply(run, query, words, load, standing, staged.into, memory, **done)
    _agree(link, staged, loaded.inserted if load.mode in {"replace", "append"} else None, loaded.table_rows)
    if staged.swap == "rename" and found:
        _exchange(link, staged, found, beside)
    return loaded


def _lock_for(link: Link, load: Load, found: Found) -> None:
    if load.mode == "replace" or load.add or load.widen:
        link.lock(found.name, "ACCESS EXCLUSIVE")
    elif found.may & {"UPDATE", "DELETE", "TRUNCATE"}:
        # Readers go on; other writers wait, so that what is compared is still so when it is written.
        link.lock(found.name, "SHARE ROW EXCLUSIVE")


def _finish(link: Link, staged: Staged, memory: Memory) -> Loaded:
    load, words = staged.load, staged.words
    for statement in words.comments(staged.into, load.columns, load.comment):
        link.run(statement, load.table)
    held = link.count(staged.into)
    _agree(link, staged, held, held)
    _make_memory(link, load.table)
    for statement in remember(words, load.table, replace(memory, table_rows=held)):
        link.run(statement, memory_table(load.table))
    if staged.swap == "rename" and staged.found:
        _exchange(link, staged, staged.found, staged.into)
    return Loaded(held, inserted=held, updated=0, deleted=0)


def _exchange(link: Link, staged: Staged, found: Found, beside: TableName) -> None:
    link.lock(found.name, "ACCESS EXCLUSIVE")
    take_place(link.runs(found.name), link.query, staged.words, found, beside)


def _agree(link: Link, staged: Staged, inserted: int | None, table_rows: int) -> None:
    seen = [inserted] if inserted is not None else []
    if staged.load.mode == "replace":
        seen.append(table_rows)
    if wrong := [number for number in seen if number != staged.rows]:
        raise OdsTableError(
            f"{counted(staged.rows, 'rows')} {verb(staged.rows, 'was', 'were')} brought, and {wrong[0]:,} of them "
            f"are in {staged.load.table}",
            where=link.label,
            advice="See whether triggers or rules of the table drop or add rows; it is as it was",
        )


def _check_bounds(link: Link, staged: Staged) -> None:
    # The database would say neither which column it was nor how long the value is, and cuts spaces at an end.
    held = staged.found.held if staged.found else {}
    wider = {column.name for column in staged.load.widen}
    words, asked, limits = PostgresWords(), [], []
    for column in staged.load.columns:
        if column.name in wider or not (bound := _BOUNDED.fullmatch(held.get(column.name, ""))):
            continue
        name = words.quoted(column.name)
        most = _BOUNDS[bound[1]] - 1 if bound[1] else int(bound[2])
        values = f"max({name}), min({name})" if bound[1] else f"max(char_length({name})), 0"
        asked.append(values)
        limits.append((column.name, held[column.name], most, bool(bound[1])))
    if not asked:
        return
    row = link.query(f"SELECT {', '.join(asked)} FROM {words.table(staged.into)}", staged.load.table)[0]
    for (name, kind, most, number), largest, least in zip(limits, row[::2], row[1::2], strict=True):
        if largest is not None and (largest > most or least < -most - 1):
            what = f"the number {largest if largest > most else least}" if number else f"a text of {largest} characters"
            raise OdsTableError(
                f"The column {name!r} is {kind}, and {what} was to go into it",
                where=f"{link.label}, {staged.load.table}",
                advice="Give the column a type that holds it, or leave the field out with select",
            )


def _make_memory(link: Link, table: TableName) -> None:
    where = memory_table(table)
    if link.stands(where):
        return
    # Two first loads at once: the second one waits, and finds it made.
    link.run(f"SELECT pg_advisory_xact_lock({_number(str(where))})", where)
    if not link.stands(where):
        link.run(create_memory(PostgresWords(), table), where)


def _number(text: str) -> int:
    # Of an advisory lock.
    return zlib.crc32(text.encode())
