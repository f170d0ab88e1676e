"""Whether a PostgreSQL user may do what a load needs: asked of the catalogue, before anything is fetched."""

from __future__ import annotations

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.engines.postgres_link import Link
from ods_provider.tables.engines.postgres_words import PostgresWords
from ods_provider.tables.load import Mode, TableName
from ods_provider.tables.memory import memory_table

_WORDS = PostgresWords()
_OF_COLUMNS = ("SELECT", "INSERT", "UPDATE")  # granted for some columns they may be enough


def expect_rights(link: Link, table: TableName, mode: Mode, *, deletes: bool) -> None:
    """Refuse a load whose user lacks a right.

    Args:
        link: The connection.
        table: Where the load goes.
        mode: What it does there.
        deletes: Whether it removes rows.

    Raises:
        OdsTableError: The schema is not there, or a right; the message names it.
    """
    found = link.find(table)
    table = link.settled(table, found)
    schema = table.schema or ""
    rows = link.query(
        "SELECT has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE'), session_user::text, "
        f"current_setting('transaction_read_only') = 'on' FROM pg_namespace WHERE nspname = {_WORDS.literal(schema)}"
    )
    if not rows:
        raise OdsTableError(
            f"There is no such schema: {schema}",
            where=link.label,
            advice=f"Create it (create schema {_WORDS.quoted(schema)}), or name one that is there",
        )
    uses, creates, user, read_only = rows[0]
    if read_only:
        raise OdsTableError(
            "The database takes no writes: it is a replica, or set to read only",
            where=link.label,
            advice="Name the primary's host",
        )
    book = memory_table(table)
    remembers = uses and link.stands(book)
    lacking = {
        f"SCHEMA {_WORDS.quoted(schema)}": [
            right
            for right, held in (("USAGE", uses), ("CREATE", creates or (found is not None and remembers)))
            if not held
        ]
    }
    if found is not None:
        wanted = ["SELECT", "INSERT", *(["UPDATE"] if mode in ("merge", "scd2") else [])]
        if deletes and not (mode == "replace" and "TRUNCATE" in found.may):
            wanted.append("DELETE")
        lacking[_WORDS.table(table)] = _lacking(link, table, wanted)
    if remembers:
        lacking[_WORDS.table(book)] = _lacking(link, book, ["SELECT", "INSERT", "DELETE"])
    if grants := [f"GRANT {', '.join(rights)} ON {on}" for on, rights in lacking.items() if rights]:
        named = ", ".join(f"{', '.join(rights)} on {on}" for on, rights in lacking.items() if rights)
        raise OdsTableError(
            f"The database's user may not do this: a load into {table} needs the right {named}",
            where=link.label,
            advice=f"Let the owner run: {'; '.join(f'{grant} TO {_WORDS.quoted(user)}' for grant in grants)}",
        )


def _lacking(link: Link, table: TableName, rights: list[str]) -> list[str]:
    """Return which of these rights to a table that stands the user does not have."""
    name = _WORDS.literal(_WORDS.table(table))
    asked = (
        f"has_{'any_column' if right in _OF_COLUMNS else 'table'}_privilege({name}, {_WORDS.literal(right)})"
        for right in rights
    )
    (held,) = link.query(f"SELECT {', '.join(asked)}", table)
    return [right for right, has in zip(rights, held, strict=True) if not has]
