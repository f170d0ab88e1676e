"""The rows that ``refine`` and ``exclude`` keep.

Source: Explore v2.1, ``refine`` and ``exclude``; Q43 (values keep their colons), Q57 (dates by path).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ods_provider.testing.odsql.fields import MOMENTS, Field, malformed
from ods_provider.testing.odsql.sql import Sql, joined

_DATE_PARTS = ("year", "month", "day")


def restrictions(fields: Mapping[str, Field], refine: Sequence[str], exclude: Sequence[str]) -> list[Sql]:
    """Return the conditions of ``refine`` and ``exclude``, each ``facet:value``.

    All of them must hold, but values refined on one disjunctive facet are alternatives.
    """
    kept: list[Sql] = []
    alternatives: dict[str, list[Sql]] = {}
    for given in refine:
        name, value = split(given, "refine")
        field = named(fields, name, "refine")
        test = _holds(field, value, "refine")
        if field.disjunctive:
            alternatives.setdefault(name, []).append(test)
        else:
            kept.append(test)
    kept += [joined(" OR ", tests) for tests in alternatives.values()]
    for given in exclude:
        name, value = split(given, "exclude")
        test = _holds(named(fields, name, "exclude"), value, "exclude")
        kept.append(Sql(f"(NOT {test.text})", test.params, "boolean"))
    return kept


def split(given: str, clause: str) -> tuple[str, str]:
    """Return the field and the value of ``facet:value``.

    Raises:
        OdsqlError: It has another form.
    """
    name, colon, value = given.partition(":")
    if not colon:
        raise malformed(f"{given} is not of the form facet:value", clause)
    return name.strip(), value.strip().strip('"')


def named(fields: Mapping[str, Field], name: str, clause: str) -> Field:
    """Return a field by its name.

    Raises:
        OdsqlError: There is none.
    """
    if name not in fields:
        raise malformed(f"Unknown field: {name}", clause)
    return fields[name]


def _holds(field: Field, value: str, clause: str) -> Sql:
    cell = field.cell
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
