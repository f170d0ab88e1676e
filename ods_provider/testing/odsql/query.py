"""A whole query: its clauses compiled and put together, with what its columns are called.

Source: ODSQL reference, clauses; Q1, Q5, Q6, Q24 (names of group keys), Q53 (null groups).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lark import Tree

from ods_provider.testing.odsql.clauses import Clauses
from ods_provider.testing.odsql.expressions import Compiler, unwrapped
from ods_provider.testing.odsql.fields import GEO, Field, OdsqlError, OutputColumn, malformed
from ods_provider.testing.odsql.parse import parse
from ods_provider.testing.odsql.sql import Sql

Node = Tree[Any]


@dataclass(frozen=True)
class CompiledQuery:
    """A query ready to run.

    Attributes:
        columns: What each cell of a row is.
        count_sql: Gives how many rows there are in all.
        grouped: Whether rows are groups.
        scalar: Whether there is one row of aggregates, which a list repeats (Q6).
    """

    columns: tuple[OutputColumn, ...]
    sql: str
    params: tuple[Any, ...]
    count_sql: str
    count_params: tuple[Any, ...]
    grouped: bool
    scalar: bool


@dataclass(frozen=True)
class _Item:
    key: str
    cell: Sql
    source: str
    aliased: bool = False

    def column(self) -> OutputColumn:
        kind = "text" if self.cell.kind == "null" else self.cell.kind
        return OutputColumn(self.key, kind, self.cell.multivalued, self.cell.precision)  # type: ignore[arg-type]


def compile_query(
    fields: Sequence[Field],
    *,
    table: str,
    select: str | None = None,
    where: Sequence[str] = (),
    group_by: str | None = None,
    order_by: str | None = None,
    refine: Sequence[str] = (),
    exclude: Sequence[str] = (),
    timezone: str = "UTC",
    lang: str = "en",
    beside: Mapping[str, str] | None = None,
) -> CompiledQuery:
    """Compile a query.

    Args:
        fields: What may be named.
        table: Its rows, as SQL.
        select: The clause, None for all fields.
        where: Clauses that must all hold.
        group_by: The clause, None for no groups.
        order_by: The clause, None for the order of the table.
        refine: ``facet:value`` texts.
        exclude: The same, of what is left out.
        timezone: IANA name.
        lang: Language of names.
        beside: Fields to return with every row whatever is selected, by the keys they are returned under.

    Raises:
        OdsqlError: With the code and the text of the portal.
    """
    clauses = Clauses({field.name: field for field in fields}, timezone, lang)
    kept = clauses.conditions(where, refine, exclude)
    source = f"SELECT * FROM {table} WHERE {kept.text}"  # noqa: S608  names are quoted, values bound
    keys = _group_keys(clauses, group_by) if group_by else []
    items = _select(clauses, select, keys)
    if keys:
        return _grouped(clauses, source, kept, keys, items, order_by)
    if not any(item.cell.aggregate for item in items):
        added = (replace(_whole(clauses.fields[name]), key=key) for key, name in (beside or {}).items())
        items = [*added, *items]
    counted = f"SELECT count(*) FROM ({source})"  # noqa: S608
    cells = ", ".join(item.cell.text for item in items) or "1"
    params = tuple(value for item in items for value in item.cell.params)
    scalar = any(item.cell.aggregate for item in items)
    if scalar:
        items = [item if item.cell.aggregate or item.cell.literal else _nothing(item) for item in items]
        cells = ", ".join(item.cell.text for item in items)
        params = tuple(value for item in items for value in item.cell.params)
    order = Sql("") if scalar else _order(clauses, order_by, {item.key: item.cell for item in items if item.aliased})
    return CompiledQuery(
        tuple(item.column() for item in items),
        f"SELECT {cells} FROM ({source}){order.text}",  # noqa: S608
        (*params, *kept.params, *order.params),
        counted,
        kept.params,
        grouped=False,
        scalar=scalar,
    )


def _nothing(item: _Item) -> _Item:
    return replace(item, cell=Sql("NULL", (), item.cell.kind))


def _group_keys(clauses: Clauses, text: str) -> list[_Item]:
    compiler = clauses.compiler(text, "group_by")
    keys: list[_Item] = []
    for item in parse(text, "group_by").children:
        node, alias = item.children
        cell = compiler.value(node)
        if cell.kind in GEO:
            raise OdsqlError(
                "ODSQLError",
                f"Aggregation on geo point field is not possible. Use the geo_cluster({compiler.slice(node)}, "
                "int_precision) aggregation function instead",
            )
        source = compiler.slice(node)
        keys.append(_Item(str(alias) if alias else _key(compiler, node), cell, _normal(source), bool(alias)))
    return keys


def _key(compiler: Compiler, node: Node) -> str:
    inner = unwrapped(node)
    return str(inner.children[0]).strip("`") if inner.data == "field" else compiler.slice(node)


def _normal(source: str) -> str:
    return re.sub(r"\s+", "", source).strip("`").lower()


def _select(clauses: Clauses, text: str | None, keys: list[_Item]) -> list[_Item]:
    if text is None or text.strip() == "":
        return [] if keys else [_whole(field) for field in clauses.fields.values() if not field.technical]
    compiler = clauses.compiler(text, "select")
    made: list[_Item] = []
    seen = {key.key for key in keys if key.aliased}
    left_out: set[str] = set()
    for node in parse(text, "select").children:
        if node.data == "star":
            made += [_whole(field) for field in clauses.fields.values() if not field.technical]
        elif node.data == "pattern":
            verb, names = _pattern(clauses, str(node.children[0]))
            if verb == "exclude":
                left_out |= set(names)
            else:
                made += [_whole(clauses.fields[name]) for name in names]
        else:
            expression, alias = node.children
            if alias and str(alias) in seen:
                raise malformed(f"Alias '{alias}' is declared several times", "select")
            seen |= {str(alias)} if alias else set()
            cell = compiler.value(expression)
            source = _normal(compiler.slice(expression))
            made.append(_Item(str(alias) if alias else _key(compiler, expression), cell, source, bool(alias)))
    if left_out and not made:
        made = [_whole(field) for field in clauses.fields.values() if not field.technical]
    unique = {item.key: item for item in made if item.key not in left_out}
    return list(unique.values())


def _whole(field: Field) -> _Item:
    name = field.name
    cell = Sql(field.cell, (), field.type, field.multivalued, field.precision)
    return _Item(name, cell, _normal(name))


def _pattern(clauses: Clauses, text: str) -> tuple[str, list[str]]:
    verb, _, rest = text.partition("(")
    pattern = rest.strip(" )")
    found = [name for name in clauses.fields if fnmatch.fnmatchcase(name, pattern)]
    if not found and "*" not in pattern:
        raise malformed(f"Unknown field: {pattern}", "select")
    return verb.strip().lower(), found


def _grouped(
    clauses: Clauses, source: str, kept: Sql, keys: list[_Item], items: list[_Item], order_by: str | None
) -> CompiledQuery:
    # Keys are computed beside the rows first: some look at all rows, and one of several values makes several rows.
    named = []
    for number, key in enumerate(keys):
        text = key.cell.text
        if key.cell.multivalued:
            text = f"unnest(CASE WHEN len({text}) > 0 THEN {text} ELSE [NULL] END)"
        named.append(f'{text} AS "$g{number}"')
    inner = f"SELECT *, {', '.join(named)} FROM ({source})"  # noqa: S608
    inner_params = (*(value for key in keys for value in key.cell.params), *kept.params)

    outputs: list[tuple[_Item, str, tuple[Any, ...]]] = []
    for number, key in enumerate(keys):
        shown = key.cell.shown or f'"$g{number}"'
        outputs.append((replace(key, cell=replace(key.cell, multivalued=False)), shown, ()))
    by_source = {key.source: number for number, key in enumerate(keys)}
    for item in items:
        if item.source in by_source and not item.cell.aggregate:
            if item.aliased:
                outputs.append((item, "NULL", ()))
            continue
        if item.cell.aggregate or item.cell.literal:
            outputs.append((item, item.cell.text, item.cell.params))
        else:
            outputs.append((item, "NULL", ()))
    cells = ", ".join(text for _, text, _ in outputs)
    params = tuple(value for _, _, given in outputs for value in given)
    marks = ", ".join(f'"$g{number}"' for number in range(len(keys)))
    aliases = {item.key: replace(item.cell, aggregate=True) for item in items if item.aliased and item.cell.aggregate}
    ordered = dict(by_source)
    ordered |= {_normal(key.key): number for number, key in enumerate(keys)}
    order = _order(clauses, order_by, aliases, groups=ordered)
    count = f"SELECT count(*) FROM (SELECT {marks} FROM ({inner}) GROUP BY {marks})"  # noqa: S608
    return CompiledQuery(
        tuple(item.column() for item, _, _ in outputs),
        f"SELECT {cells} FROM ({inner}) GROUP BY {marks}{order.text}",  # noqa: S608
        (*params, *inner_params, *order.params),
        count,
        inner_params,
        grouped=True,
        scalar=False,
    )


def _order(
    clauses: Clauses, text: str | None, aliases: Mapping[str, Sql], *, groups: Mapping[str, int] | None = None
) -> Sql:
    # The last key makes the order total, so that pages neither overlap nor leave a gap.
    parts: list[str] = []
    params: list[Any] = []
    if text:
        compiler = clauses.compiler(text, "order_by", aliases)
        for item in parse(text, "order_by").children:
            node, direction = item.children
            name = _normal(compiler.slice(node))
            if groups is not None and name in groups:
                cell = Sql(f'"$g{groups[name]}"')
            else:
                cell = compiler.value(node)
                if groups is not None and not cell.aggregate:
                    raise malformed(f"{compiler.slice(node)} is not in group_by", "order_by")
                if groups is None and cell.aggregate:
                    raise malformed(f"{compiler.slice(node)} needs a group_by", "order_by")
            parts.append(f"{cell.text} {str(direction or 'ASC').upper()} NULLS LAST")
            params += cell.params
    if groups is not None:
        parts += [f'"$g{number}" NULLS FIRST' for number in sorted(set(groups.values()))]
    elif parts:
        parts.append('"$id"')
    return Sql(f" ORDER BY {', '.join(parts)}" if parts else "", tuple(params))
