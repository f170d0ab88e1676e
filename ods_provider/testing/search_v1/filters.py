"""Which rows a call is about: query, facets, area, and in what order.

Source: Search API v1.0, filtering parameters; Q16 (the sign of sort), Q60 (sortable text).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.testing.odsql import Field, OdsqlError
from ods_provider.testing.odsql.refining import restrictions
from ods_provider.testing.odsql.sql import Sql, bound, joined
from ods_provider.testing.schema import quoted
from ods_provider.testing.search_v1 import area
from ods_provider.testing.search_v1.language import compile_q
from ods_provider.testing.search_v1.parameters import Parameters
from ods_provider.testing.search_v1.refusal import bad


@dataclass(frozen=True)
class Rows:
    """The rows of a call, as a table to select from.

    Attributes:
        sortable: Text fields that may be sorted by.
    """

    fields: Mapping[str, Field]
    table: str
    kept: Sql
    zone: str
    sortable: frozenset[str]

    @property
    def source(self) -> Sql:
        """The rows as a subquery."""
        return Sql(f"(SELECT * FROM {self.table} WHERE {self.kept.text})", self.kept.params)  # noqa: S608  bound values

    def field(self, name: str) -> Field:
        """Return a field by name."""
        if name not in self.fields:
            raise bad(f"Unknown field: {name}")
        return self.fields[name]

    def count(self, cursor: Any) -> int:
        """Return how many there are."""
        found = cursor.execute(f"SELECT count(*) FROM {self.source.text}", list(self.source.params)).fetchone()  # noqa: S608
        return int(found[0])

    def order(self, sort: list[str]) -> str:
        """Return ORDER BY: ``sort=f`` is descending, ``sort=-f`` ascending (Q16)."""
        parts = []
        for text in sort:
            for name in text.split(","):
                field = self.field(name.strip().removeprefix("-"))
                if field.type in area.GEO or (field.type == "text" and field.name not in self.sortable):
                    raise bad(f"Field {field.name} is not sortable")
                direction = "ASC" if name.strip().startswith("-") else "DESC"
                parts.append(f"{quoted(field.name)} {direction} NULLS LAST")
        return f" ORDER BY {', '.join([*parts, quoted('$id')])}" if parts else ""


def restricted(parameters: Parameters, fields: Mapping[str, Field], *, without: str | None = None) -> list[Sql]:
    """Return the conditions of ``refine.F`` and ``exclude.F``.

    Args:
        parameters: The call.
        fields: What may be named.
        without: A facet that is left out: the values of a disjunctive facet do not narrow themselves.
    """
    disjunctive = {name for name, values in parameters.dotted("disjunctive").items() if values[-1].lower() == "true"}
    kept = []
    try:
        for name, values in parameters.dotted("refine").items():
            if name == without and name in disjunctive:
                continue
            tests = restrictions(fields, [f"{name}:{value}" for value in values], [])
            kept.append(joined(" OR " if name in disjunctive else " AND ", tests))
        for name, values in parameters.dotted("exclude").items():
            kept += restrictions(fields, [], [f"{name}:{value}" for value in values])
    except OdsqlError as error:
        raise bad(error.message) from None
    return kept


def rows_of(
    parameters: Parameters,
    fields: Mapping[str, Field],
    table: str,
    *,
    sortable: frozenset[str] = frozenset(),
    without: str | None = None,
) -> Rows:
    """Return the rows that a call is about.

    Raises:
        V1Refusal: 400.
    """
    kept = [bound(True, "boolean"), compile_q(parameters.one("q"), fields, parameters.zone)]
    kept += restricted(parameters, fields, without=without)
    kept += area.filters(parameters.dotted("geofilter"), fields)
    return Rows(fields, table, joined(" AND ", kept), parameters.zone, sortable)
