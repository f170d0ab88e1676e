"""Facets: their values with counts.

Source: Explore v2.1, ``facet``; Q5 (at most 100 values), Q57 (dates by path).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ods_provider.testing.odsql.clauses import Clauses
from ods_provider.testing.odsql.fields import MOMENTS, Field, malformed
from ods_provider.testing.odsql.literals import text as unquoted
from ods_provider.testing.odsql.parse import parse
from ods_provider.testing.odsql.refining import named, split

_SORTS = {"count": "n ASC", "-count": "n DESC", "alphanum": "v ASC", "-alphanum": "v DESC"}
_SORTS |= {"num": "try_cast(v AS DOUBLE) ASC", "-num": "try_cast(v AS DOUBLE) DESC"}
_OPTIONS = {"name", "disjunctive", "hierarchical", "separator", "sort", "limit"}


@dataclass(frozen=True)
class FacetQuery:
    """A facet ready to be counted: rows of value and count."""

    name: str
    sql: str
    params: tuple[Any, ...]


def _options(facet: str) -> dict[str, str]:
    tree = parse(facet, "facet")
    if tree.data == "facet_name":
        return {"name": str(tree.children[0])}
    found: dict[str, str] = {}
    for argument in tree.children[1:]:
        name, value = argument.children
        token: Any = value.children[0]
        if str(name) not in _OPTIONS:
            raise malformed(f"Unknown facet parameter: {name}", "facet")
        found[str(name)] = unquoted(str(token)) if token.type == "STRING" else str(token)
    if "name" not in found:
        raise malformed("facet() needs a name", "facet")
    return found


def compile_facet(
    fields: Sequence[Field],
    *,
    table: str,
    facet: str,
    where: Sequence[str] = (),
    refine: Sequence[str] = (),
    exclude: Sequence[str] = (),
    timezone: str = "UTC",
    lang: str = "en",
) -> FacetQuery:
    """Compile one facet: a name, or a ``facet()`` call.

    Raises:
        OdsqlError: With the code and the text of the portal.
    """
    known = {field.name: field for field in fields}
    options = _options(facet)
    field = named(known, options["name"], "facet")
    separator = options.get("separator") or field.hierarchical
    if options.get("hierarchical", "").lower() == "false":
        separator = None
    own = [given for given in refine if split(given, "refine")[0] == field.name]
    if options.get("disjunctive", str(field.disjunctive)).lower() == "true":
        refine = [given for given in refine if given not in own]
    kept = Clauses(known, timezone).conditions(where, refine, exclude)
    depth = max((len(split(given, "refine")[1].split(separator or "/")) for given in own), default=0)
    value = _value(field, separator, depth)
    order = _SORTS.get(options.get("sort", "-count"))
    if order is None:
        raise malformed(f"Unknown sort: {options['sort']}", "facet")
    limit = f" LIMIT {int(options['limit'])}" if options.get("limit", "").isdigit() else ""
    sql = (
        f"SELECT v, count(*) AS n FROM (SELECT {value} AS v FROM {table} WHERE {kept.text}) "  # noqa: S608
        f"WHERE v IS NOT NULL GROUP BY v ORDER BY {order}, v{limit}"
    )
    return FacetQuery(options["name"], sql, kept.params)


def _value(field: Field, separator: str | None, depth: int) -> str:
    cell = field.cell
    if field.multivalued:
        return f"unnest({cell})"
    if field.type in MOMENTS:
        return f"strftime({cell}, '{'/'.join(('%Y', '%m', '%d')[: min(depth + 1, 3)])}')"
    if separator:
        mark = separator.replace("'", "''")
        return f"array_to_string(string_split({cell}, '{mark}')[1:{depth + 1}], '{mark}')"
    return cell
