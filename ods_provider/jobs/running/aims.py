"""What a job is asked for, in one line: what the log of every scheduler begins with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ods_provider.core.query import Query


def aim_of(job: Any) -> str:
    """Return what becomes of the data, and what is asked of it; empty where that is all of it, as it is."""
    return ", ".join(_parts(job))


def _parts(job: Any) -> Iterator[str]:
    asked = getattr(job, "download", job)
    table, format = getattr(job, "table", None), getattr(asked, "format", None)
    if table is not None:
        yield f"into {table}"
    elif format is not None:
        yield f"as {format.name}"
    query = getattr(asked, "query", None)
    if isinstance(query, Query):
        for name in ("select", "where", "refine", "exclude", "group_by", "order_by"):
            given = getattr(query, name)
            if given:
                yield f"{name} {_said(given)}"
    limit = getattr(asked, "limit", None)
    if limit is not None:
        yield f"limit {limit}"


def _said(given: Any) -> str:
    if isinstance(given, str):
        return given
    # Clauses are texts, and filters pairs of a parameter and its value.
    return " and ".join(each if isinstance(each, str) else each[1] for each in given)
