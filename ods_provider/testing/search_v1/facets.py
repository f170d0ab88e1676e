"""Facets as trees: values with counts, and below a refined value the next level.

Source: Search API v1.0, facets; Q5 (at most 100 values).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.testing.odsql import Field, OdsqlError, compile_facet
from ods_provider.testing.search_v1.filters import rows_of
from ods_provider.testing.search_v1.parameters import Parameters
from ods_provider.testing.search_v1.refusal import bad

MOST_VALUES = 100


def groups(cursor: Any, parameters: Parameters, fields: Mapping[str, Field], table: str) -> list[dict[str, Any]]:
    """Return ``facet_groups``: one for each facet that was asked for and has values."""
    found = []
    refined = parameters.dotted("refine")
    for name in parameters.several("facet"):
        if name not in fields:
            raise bad(f"Unknown facet: {name}")
        source = rows_of(parameters, fields, table, without=name).source
        own = [f"{name}:{value}" for value in refined.get(name, [])]
        try:
            # The refinement is in the rows already; here it only says how deep to look.
            made = compile_facet(list(fields.values()), table=source.text, facet=_call(name), refine=own)
        except OdsqlError as error:
            raise bad(error.message) from None
        counted = cursor.execute(made.sql, [*source.params, *made.params]).fetchmany(MOST_VALUES)
        if counted:
            values = [(_text(value), int(count)) for value, count in counted]
            branching = fields[name].hierarchical or ("/" if fields[name].type in ("date", "datetime") else None)
            tree = _tree(values, refined.get(name, []), branching)
            found.append({"name": name, "count": sum(count for _, count in values), "facets": tree})
    return found


def _call(name: str) -> str:
    # Disjunctive: compile_facet must not narrow the values by themselves, the rows have been chosen.
    return f'facet(name="{name}", disjunctive=true)'


def _text(value: Any) -> str:
    return "true" if value is True else "false" if value is False else str(value)


def _tree(values: list[tuple[str, int]], refined: list[str], branching: str | None) -> list[dict[str, Any]]:
    top: list[dict[str, Any]] = []
    index: dict[str, dict[str, Any]] = {}
    for path, count in values:
        parts = path.split(branching) if branching else [path]
        siblings = top
        for depth, name in enumerate(parts):
            here = (branching or "").join(parts[: depth + 1])
            if here not in index:
                state = "refined" if here in refined else "displayed"
                index[here] = {"name": name, "path": here, "count": 0, "state": state}
                siblings.append(index[here])
            index[here]["count"] += count
            if depth + 1 < len(parts):
                siblings = index[here].setdefault("facets", [])
    return top
