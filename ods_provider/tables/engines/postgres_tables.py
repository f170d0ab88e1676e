"""What PostgreSQL's catalogue says of a table, as far as a load needs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.load import StandingColumn, TableName
from ods_provider.tables.types import takes

Query = Callable[[str], Sequence[Sequence[Any]]]

# Binary COPY writes what Arrow holds: into these types as it is, into others not at all.
_EXACT: dict[Kind, frozenset[str]] = {
    "int": frozenset({"bigint", "numeric"}),
    "double": frozenset({"double precision"}),
    "decimal": frozenset({"numeric", "numeric(38,9)"}),
    "bool": frozenset({"boolean"}),
    "text": frozenset({"text", "character varying"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"timestamp with time zone", "timestamp without time zone"}),
    "json": frozenset({"json", "text"}),
    "binary": frozenset({"bytea"}),
    "geometry": frozenset({"bytea"}),
}
_NO_TABLES = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence", "i": "an index"}


@dataclass(frozen=True, slots=True)
class Found:
    """A table that stands.

    Attributes:
        oid: Its number.
        name: Its name, with its schema.
        kind: ``r``, or ``p`` where it is partitioned.
        columns: Its columns.
        held: The type of each column.
        commented: Its columns with a comment, and an empty name where the table has one.
        owned: Whether its owner's rights are ours.
        may: Our rights to it.
        pointed_at: Tables whose foreign keys point at it.
        key: Its primary key, empty where it has none.
    """

    oid: int
    name: TableName
    kind: str
    columns: tuple[StandingColumn, ...]
    held: dict[str, str]
    commented: frozenset[str]
    owned: bool
    may: frozenset[str]
    pointed_at: tuple[str, ...]
    key: tuple[str, ...]

    def exact(self, columns: Sequence[Column]) -> bool:
        """Whether batches of these columns can be copied into it as they are."""
        return all(self.held.get(column.name) in _EXACT[column.kind] for column in columns)


def find(query: Query, quoted: str, literal: Callable[[str], str]) -> Found | None:
    """Return what is known of a table, None where none stands.

    Args:
        query: Runs a statement.
        quoted: The table's name, quoted.
        literal: Quotes a text.

    Raises:
        OdsTableError: It is none that a load can fill.
    """
    rows = query(_TABLE.format(name=literal(quoted)))
    if not rows:
        return None
    oid, schema, name, kind, secured, heirs, owned, may, pointed_at, key, said = rows[0]
    table = TableName(name, schema)
    if kind not in {"r", "p"}:
        raise OdsTableError(f"{table} is {_NO_TABLES.get(kind, 'no table')}", advice="Name a table")
    if secured:
        raise OdsTableError(
            f"Row level security of {table} holds for this user, who cannot see or write all of its rows",
            advice="Load as the table's owner, or as a user with bypassrls",
        )
    if heirs:
        raise OdsTableError(f"Other tables inherit from {table}", advice="Name a table that none inherits from")
    rows = query(_COLUMNS.format(oid=oid))
    columns = tuple(
        StandingColumn(column, shown, frozenset() if made else takes(base.rpartition(".")[2], "postgres"), required)
        for column, base, shown, required, made, _ in rows
    )
    commented = {row[0] for row in rows if row[5]} | ({""} if said else set())
    return Found(
        oid,
        table,
        kind,
        columns,
        {row[0]: row[1] for row in rows},
        frozenset(commented),
        owned,
        frozenset(may.split()),
        tuple(pointed_at),
        tuple(key),
    )


# A row of it, if it stands. Rights of several words do not exist, so that they can be one text.
_TABLE = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text,
  c.relrowsecurity AND row_security_active(c.oid),
  c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = c.oid),
  pg_has_role(c.relowner, 'USAGE'),
  concat_ws(' ', (SELECT string_agg(r, ' ') FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS r
    WHERE has_table_privilege(c.oid, r))),
  ARRAY(SELECT DISTINCT k.conrelid::regclass::text FROM pg_constraint AS k
    WHERE k.contype = 'f' AND k.confrelid = c.oid AND k.conrelid <> c.oid ORDER BY 1),
  ARRAY(SELECT a.attname::text FROM pg_index AS i, unnest(i.indkey) AS at(num), pg_attribute AS a
    WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = at.num),
  obj_description(c.oid, 'pg_class') IS NOT NULL
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({name})"""
# A domain holds what its base does, or refuses it.
_COLUMNS = """
SELECT a.attname::text,
  CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE format_type(a.atttypid, a.atttypmod) END,
  format_type(a.atttypid, a.atttypmod),
  a.attnotnull AND NOT a.atthasdef AND a.attidentity = '',
  a.attgenerated <> '' OR a.attidentity = 'a',
  col_description(a.attrelid, a.attnum) IS NOT NULL
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""


def in_the_way(query: Query, found: Found) -> list[str]:
    """Return what keeps a table from being exchanged for another of its kind, in words; nothing where it can be."""
    reasons = [str(row[0]) for row in query(_TIES.format(oid=found.oid))]
    return reasons if found.owned else ["it belongs to another role", *reasons]


# What "create table … (like …)" does not take along, and what points at the table by its number.
_TIES = """
WITH t AS (SELECT * FROM pg_class WHERE oid = {oid}), types AS (
  SELECT y.oid FROM pg_type AS y, t WHERE y.oid = t.reltype OR y.typelem = t.reltype AND y.typcategory = 'A'
)
SELECT pg_describe_object(d.classid, d.objid, 0) || ' depends on it' FROM pg_depend AS d
  LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
  LEFT JOIN pg_class AS s ON d.classid = 'pg_class'::regclass AND s.oid = d.objid
WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = {oid} AND (
    d.classid IN ('pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_rewrite'::regclass, 'pg_publication_rel'::regclass,
      'pg_proc'::regclass) OR k.contype = 'f' OR s.relkind = 'S'))
  OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT oid FROM types)
    AND d.classid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_rewrite'::regclass) AND d.objid <> {oid})
UNION SELECT 'it is partitioned, or a partition' FROM t WHERE relkind = 'p' OR relispartition
UNION SELECT 'it inherits from another table' FROM pg_inherits WHERE inhrelid = {oid}
UNION SELECT 'it has row level security' FROM t WHERE relrowsecurity
UNION SELECT 'it has storage parameters' FROM t WHERE reloptions IS NOT NULL
UNION SELECT 'it lies in a tablespace' FROM t WHERE reltablespace <> 0
UNION SELECT 'it is of a type' FROM t WHERE reloftype <> 0
UNION SELECT 'it has a replica identity' FROM t WHERE relreplident <> 'd'
UNION SELECT 'it has security labels' FROM pg_seclabel WHERE classoid = 'pg_class'::regclass AND objoid = {oid}
UNION SELECT 'columns of it have settings' FROM pg_attribute WHERE attrelid = {oid} AND attnum > 0
  AND NOT attisdropped AND (attoptions::text LIKE '%n_distinct%' OR attstattarget <> -1)
UNION SELECT 'an index of it is invalid or clustered' FROM pg_index WHERE indrelid = {oid}
  AND (NOT indisvalid OR indisclustered)
ORDER BY 1"""
