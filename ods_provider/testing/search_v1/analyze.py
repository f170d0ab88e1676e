"""Analysis: one row for each value of ``x``, with the series that were asked for.

Source: Search API v1.0, record analysis; Q18 (a list that was cut is told by a header alone).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ods_provider.testing.odsql.sql import Sql, glue
from ods_provider.testing.schema import quoted
from ods_provider.testing.search_v1.expression import compile_expression
from ods_provider.testing.search_v1.filters import Rows
from ods_provider.testing.search_v1.parameters import Parameters
from ods_provider.testing.search_v1.refusal import bad
from ods_provider.testing.search_v1.values import scalar

MOST_POINTS = 10_000
FUNCTIONS = {
    "COUNT": "count({})", "AVG": "avg({})", "SUM": "sum({})", "MIN": "min({})", "MAX": "max({})",
    "STDDEV": "stddev_pop({})", "SUMSQUARES": "sum({0} * {0})",
}  # fmt: skip
_STEPS = ("year", "month", "day", "hour", "minute")
_PARTS = {step: step + "({})" for step in (*_STEPS, "second")}
_PARTS |= {"week": "weekofyear({})", "weekday": "(isodow({}) - 1)", "yearday": "dayofyear({})"}


@dataclass(frozen=True)
class Key:
    """One thing that rows are grouped by: a field, or a part of its date."""

    field: str
    part: str | None
    cell: str

    @property
    def name(self) -> str:
        """What ``sort`` calls it."""
        return self.field if self.part is None else f"{self.field}.{self.part}"


@dataclass(frozen=True)
class Analysis:
    """The rows, and whether there are more than were given."""

    rows: list[dict[str, Any]]
    truncated: bool


def analysis(cursor: Any, parameters: Parameters, rows: Rows) -> Analysis:
    """Group and aggregate.

    Raises:
        V1Refusal: 400.
    """
    keys = [key for x in parameters.several("x") for key in _keys(x, parameters, rows)]
    series = series_of(parameters, rows)
    if not series:
        raise bad("Parameter y.<serie>.func is missing")
    most = min(parameters.number("maxpoints", MOST_POINTS) or MOST_POINTS, MOST_POINTS)
    grouped, params = _sql(keys, series, rows)
    order = _order(parameters.several("sort"), keys, list(series))
    running = cursor.execute(f"{grouped}{order} LIMIT {most + 1}", params)
    found = running.fetchall()
    truncated = len(found) > most
    made = [_row(keys, list(series), values) for values in found[:most]]
    for name, parts in parameters.series().items():
        if parts.get("cumulative", "").lower() == "true":
            _cumulate(made, name)
    return Analysis(made, truncated)


def series_of(parameters: Parameters, rows: Rows) -> dict[str, Sql]:
    """Return the series as SQL aggregates."""
    made = {}
    for name, parts in parameters.series().items():
        function = parts["func"].upper()
        if function not in FUNCTIONS:
            raise bad(f"Unknown function: {parts['func']}. Known are {', '.join(FUNCTIONS)}")
        expression = parts.get("expr")
        if function == "COUNT":
            # COUNT takes a field of any type, or nothing.
            field = rows.fields.get(expression or "")
            made[name] = Sql(f"count({quoted(field.name)})" if field else "count(*)", (), "int")
            continue
        if not expression:
            raise bad(f"Parameter y.{name}.expr is missing")
        cell = compile_expression(expression, rows)
        template = FUNCTIONS[function].replace("{0}", "{}")
        made[name] = glue(template, *([cell] * template.count("{}")), kind="double")
    return made


def _keys(x: str, parameters: Parameters, rows: Rows) -> list[Key]:
    name, part = x, None
    if x not in rows.fields:
        name, _, part = x.rpartition(".")
    field = rows.field(name)
    if field.type not in ("date", "datetime"):
        if part is not None or field.type in ("geo_point_2d", "geo_shape", "file", "json_blob"):
            raise bad(f"Field {field.name} of type {field.type} cannot be an x like this")
        cell = scalar(field, rows.zone)
        return [Key(name, None, f"unnest({cell})" if field.multivalued else cell)]
    cell = quoted(name)
    if field.type == "datetime" and rows.zone.upper() != "UTC":
        cell = f"timezone('{rows.zone}', timezone('UTC', {cell}))"
    parts = [part] if part else _date_parts(parameters, field.precision)
    if any(each not in _PARTS for each in parts):
        raise bad(f"Unknown part of a date: {part}")
    return [Key(name, each, _PARTS[each].format(cell)) for each in parts]


def _date_parts(parameters: Parameters, finest: str | None) -> list[str]:
    periodic, precision = parameters.one("periodic", "year"), parameters.one("precision", "day")
    if periodic in ("weekday", "week"):
        return [periodic]
    if periodic not in _STEPS or precision not in (*_STEPS, "week"):
        raise bad(f"Invalid value for periodic or precision: {periodic}, {precision}")
    if precision == "week":
        return ["year", "week"]
    last = _STEPS.index(precision)
    if finest in _STEPS:
        last = min(last, _STEPS.index(finest))
    return list(_STEPS[_STEPS.index(periodic) : last + 1]) or [periodic]


def _sql(keys: list[Key], series: dict[str, Sql], rows: Rows) -> tuple[str, list[Any]]:
    source = rows.source
    cells = ", ".join(f'{key.cell} AS "$k{number}"' for number, key in enumerate(keys))
    inner = f"SELECT *{', ' + cells if cells else ''} FROM {source.text}"  # noqa: S608  names quoted, values bound
    marks = [f'"$k{number}"' for number in range(len(keys))]
    outputs = marks + [f'{cell.text} AS "$s{number}"' for number, cell in enumerate(series.values())]
    params = [value for cell in series.values() for value in cell.params] + list(source.params)
    # A row without a value has no place on the axis.
    where = " AND ".join(f"{mark} IS NOT NULL" for mark in marks)
    tail = f" WHERE {where} GROUP BY {', '.join(marks)}" if marks else ""
    return f"SELECT {', '.join(outputs)} FROM ({inner}){tail}", params  # noqa: S608


def _order(sort: list[str], keys: list[Key], series: list[str]) -> str:
    parts = []
    for text in (name.strip() for given in sort for name in given.split(",")):
        name, direction = text.removeprefix("-"), "ASC" if text.startswith("-") else "DESC"
        if name in series:
            parts.append(f'"$s{series.index(name)}" {direction} NULLS LAST')
            continue
        wanted = name.removeprefix("x.")
        found = [number for number, key in enumerate(keys) if name == "x" or wanted in (key.name, key.field)]
        if not found:
            raise bad(f"Unknown sort: {text}")
        parts += [f'"$k{number}" {direction}' for number in found]
    parts += [f'"$k{number}" ASC' for number in range(len(keys))]
    return f" ORDER BY {', '.join(parts)}" if parts else ""


def _row(keys: list[Key], series: list[str], values: tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    by_field: dict[str, Any] = {}
    for key, value in zip(keys, values, strict=False):
        if key.part is None:
            by_field[key.field] = value
        else:
            by_field.setdefault(key.field, {})[key.part] = value
    if by_field:
        found["x"] = next(iter(by_field.values())) if len(by_field) == 1 else by_field
    # A series without a value is left out (Q17).
    found |= {name: value for name, value in zip(series, values[len(keys) :], strict=True) if value is not None}
    return found


def _cumulate(rows: list[dict[str, Any]], name: str) -> None:
    total = 0
    for row in rows:
        total += row.get(name, 0)
        row[name] = total
