"""The swap ``rename``: a table like the old one is filled beside it and takes its name, in one short moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ods_provider.tables.engines.postgres_tables import Found
from ods_provider.tables.load import TableName
from ods_provider.tables.statements import Statements

Query = Callable[[str], Sequence[Sequence[Any]]]
Run = Callable[[str], int]


def make_like(run: Run, query: Query, sql: Statements, found: Found, beside: TableName) -> None:
    """Make an empty table like one that stands: columns, defaults, rules, indexes, comments, owner and grants."""
    old, new = sql.table(found.name), sql.table(beside)
    run(f"CREATE TABLE {new} (LIKE {old} INCLUDING ALL)")
    for (statement,) in query(_LIKEN.format(old=found.oid, new=sql.literal(new))):
        run(statement)


def take_place(run: Run, query: Query, sql: Statements, found: Found, beside: TableName) -> None:
    """Put the table that was filled in the place of the old one, which its caller has locked."""
    new, names = sql.table(beside), TableName(found.name.name, None)
    renamed = query(_INDEXES.format(old=found.oid, new=sql.literal(new)))
    run(f"DROP TABLE {sql.table(found.name)}")
    run(f"ALTER TABLE {new} RENAME TO {sql.table(names)}")
    for index, name in renamed:
        if index != name:
            at = sql.table(TableName(index, found.name.schema))
            run(f"ALTER INDEX {at} RENAME TO {sql.quoted(name)}")


# Statements that give the new table what "like" leaves out. Rights that default privileges gave it go first.
_LIKEN = """
WITH o AS (SELECT * FROM pg_class WHERE oid = {old}), n AS (SELECT * FROM pg_class WHERE oid = {new}::regclass),
rights AS (
  SELECT 1 AS step, format('REVOKE ALL ON TABLE %s FROM %s', {new}, g) AS said
    FROM n, aclexplode(n.relacl) AS a, LATERAL (
      SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS x(g)
    WHERE a.grantee <> n.relowner
  UNION
  SELECT 3, format('GRANT %s ON TABLE %s TO %s%s', a.privilege_type, {new},
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM o, aclexplode(o.relacl) AS a WHERE a.grantee <> o.relowner
  UNION
  SELECT 3, format('GRANT %s (%I) ON TABLE %s TO %s%s', a.privilege_type, c.attname, {new},
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_attribute AS c, aclexplode(c.attacl) AS a WHERE c.attrelid = {old} AND NOT c.attisdropped
)
SELECT said FROM (
  SELECT step, said FROM rights
  UNION ALL SELECT 2, format('ALTER TABLE %s OWNER TO %I', {new}, pg_get_userbyid(o.relowner))
    FROM o, n WHERE o.relowner <> n.relowner
  UNION ALL SELECT 4, format('COMMENT ON TABLE %s IS %L', {new}, obj_description({old}, 'pg_class'))
    WHERE obj_description({old}, 'pg_class') IS NOT NULL
  UNION ALL SELECT 5, format('ALTER TABLE %s SET UNLOGGED', {new}) FROM o WHERE o.relpersistence = 'u'
) AS all_of_it ORDER BY step"""
# Which index of the new table is which of the old one: by all that they are made of.
_INDEXES = """
WITH made AS (
  SELECT i.indrelid, i.indexrelid, c.relname::text AS name, concat_ws('|', i.indisunique, i.indisprimary, i.indclass,
      i.indoption, i.indcollation, c.relam, pg_get_expr(i.indexprs, i.indrelid), '|',
      pg_get_expr(i.indpred, i.indrelid), '|',
      (SELECT string_agg(coalesce(quote_ident(a.attname), ''), ' ' ORDER BY at.pos)
        FROM unnest(i.indkey) WITH ORDINALITY AS at(num, pos)
        LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = at.num)) AS form
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid IN ({old}, {new}::regclass)
), numbered AS (
  SELECT *, row_number() OVER (PARTITION BY indrelid, form ORDER BY indexrelid) AS nth FROM made
)
SELECT n.name, o.name FROM numbered AS n JOIN numbered AS o ON (n.form, n.nth) = (o.form, o.nth)
WHERE n.indrelid = {new}::regclass AND o.indrelid = {old}"""
