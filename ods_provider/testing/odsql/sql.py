"""Pieces of SQL that carry their parameters along, in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

Kind = str


@dataclass(frozen=True)
class Sql:
    """A piece of SQL.

    Attributes:
        text: With ``?`` for each parameter.
        params: In the order of the marks.
        kind: Field type of its value; ``null`` for the literal.
        aggregate: Whether it sums rows up.
        literal: Whether it is a constant of the query.
        shown: As a group's key, the aggregate that is shown in its place.
        windowed: Whether it looks at other rows, so that it must be computed before rows are grouped.
    """

    text: str
    params: tuple[Any, ...] = ()
    kind: Kind = "text"
    multivalued: bool = False
    precision: str | None = None
    aggregate: bool = False
    literal: bool = False
    windowed: bool = False
    shown: str | None = None

    def aggregated(self) -> Sql:
        """Return the same, known to sum rows up."""
        return replace(self, aggregate=True)

    def with_params(self, *params: Any) -> Sql:
        """Return the same with other parameters."""
        return replace(self, params=params)


def glue(template: str, *parts: Sql, kind: Kind = "boolean", **more: Any) -> Sql:
    """Put pieces into ``{}`` marks of a template, their parameters in the same order."""
    return Sql(
        template.format(*(part.text for part in parts)),
        tuple(value for part in parts for value in part.params),
        kind,
        aggregate=any(part.aggregate for part in parts),
        **more,
    )


def joined(separator: str, parts: Iterable[Sql], kind: Kind = "boolean") -> Sql:
    """Put pieces into a row, in parentheses."""
    items = list(parts)
    return glue("(" + separator.join("{}" for _ in items) + ")", *items, kind=kind)


def bound(value: Any, kind: Kind) -> Sql:
    """Return a constant as a parameter."""
    return Sql("?", (value,), kind, literal=True)


def iso(cell: str) -> str:
    """Return the SQL of a timestamp as ISO 8601 text: six digits of the second where it has a part, else none."""
    part = f"CASE WHEN microsecond({cell}) % 1000000 = 0 THEN '' ELSE strftime({cell}, '.%f') END"
    return f"(strftime({cell}, '%Y-%m-%dT%H:%M:%S') || {part})"
