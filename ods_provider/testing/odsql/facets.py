"""Facets: their values with counts, and the rows that a refinement keeps.

Source: Explore v2.1, ``facet``, ``refine`` and ``exclude``; Q5 (at most 100 values), Q57 (dates by path).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ods_provider.testing.odsql.fields import MOMENTS, Field, malformed
from ods_provider.testing.odsql.literals import text as unquoted
from ods_provider.testing.odsql.parse import parse
from ods_provider.testing.odsql.sql import Sql, joined

_SORTS = {"count": "n ASC", "-count": "n DESC", "alphanum": "v ASC", "-alphanum": "v DESC"}
_SORTS |= {"num": "try_cast(v AS DOUBLE) ASC", "-num": "try_cast(v AS DOUBLE) DESC"}
_DATE_PARTS = ("year", "month", "day")
_OPTIONS = {"name", "disjunctive", "hierarchical", "separator", "sort", "limit"}


@dataclass(frozen=True)
class FacetQuery:
    """A facet ready to be counted: rows of value and count."""

    name: str
    sql: str
    params: tuple[Any, ...]


def restrictions(fields: Mapping[str, Field], refine: Sequence[str], exclude: Sequence[str]) -> list[Sql]:
    """Return the conditions of ``refine`` and ``exclude``, each ``facet:value``.

    All of them must hold, but values refined on one disjunctive facet are alternatives.
    """
    kept: list[Sql] = []
    alternatives: dict[str, list[Sql]] = {}
    for given in refine:
        name, value = _split(given, "refine")
        field = _field(fields, name, "refine")
        test = _holds(field, value, "refine")
        if field.disjunctive:
            alternatives.setdefault(name, []).append(test)
        else:
            kept.append(test)
    kept += [joined(" OR ", tests) for tests in alternatives.values()]
    for given in exclude:
        name, value = _split(given, "exclude")
        test = _holds(_field(fields, name, "exclude"), value, "exclude")
        kept.append(Sql(f"(NOT {test.text})", test.params, "boolean"))
    return kept


def _split(given: str, clause: str) -> tuple[str, str]:
    name, colon, value = given.partition(":")
    if not colon:
        raise malformed(f"{given} is not of the form facet:value", clause)
    return name.strip(), value.strip().strip('"')


def _field(fields: Mapping[str, Field], name: str, clause: str) -> Field:
    if name not in fields:
        raise malformed(f"Unknown field: {name}", clause)
    return fields[name]


def _cell(field: Field) -> str:
    return '"' + field.name.replace('"', '""') + '"'


def _holds(field: Field, value: str, clause: str) -> Sql:
    cell = _cell(field)
    if field.type in MOMENTS:
        parts = value.replace("-", "/").split("/")
        if not all(part.isdigit() for part in parts) or len(parts) > len(_DATE_PARTS):
            raise malformed(f"Invalid date: {value}", clause)
        tests = (
            Sql(f"coalesce({part}({cell}) = ?, false)", (int(number),), "boolean")
            for part, number in zip(_DATE_PARTS, parts, strict=False)
        )
        return joined(" AND ", tests)
    if field.type == "boolean":
        return Sql(f"coalesce({cell} = ?, false)", (value.lower() in ("true", "1"),), "boolean")
    if field.multivalued:
        return Sql(f"coalesce(list_contains({cell}, ?), false)", (value,), "boolean")
    if field.hierarchical:
        inside = value + field.hierarchical
        return Sql(f"coalesce({cell} = ? OR starts_with({cell}, ?), false)", (value, inside), "boolean")
    return Sql(f"coalesce({cell}::VARCHAR = ?, false)", (value,), "boolean")


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
    from ods_provider.testing.odsql.query import _Clauses, conditions  # the two rooms need each other

    known = {field.name: field for field in fields}
    options = _options(facet)
    field = _field(known, options["name"], "facet")
    separator = options.get("separator") or field.hierarchical
    if options.get("hierarchical", "").lower() == "false":
        separator = None
    own = [given for given in refine if _split(given, "refine")[0] == field.name]
    if options.get("disjunctive", str(field.disjunctive)).lower() == "true":
        refine = [given for given in refine if given not in own]
    kept = conditions(_Clauses(known, timezone), where, refine, exclude)
    depth = max((len(_split(given, "refine")[1].split(separator or "/")) for given in own), default=0)
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
    cell = _cell(field)
    if field.multivalued:
        return f"unnest({cell})"
    if field.type in MOMENTS:
        return f"strftime({cell}, '{'/'.join(('%Y', '%m', '%d')[: min(depth + 1, 3)])}')"
    if separator:
        mark = separator.replace("'", "''")
        return f"array_to_string(string_split({cell}, '{mark}')[1:{depth + 1}], '{mark}')"
    return cell
