"""The functions of ODSQL, scalar and aggregate, as SQL.

Source: ODSQL reference, functions; Q41 (what does not exist), Q13 (time zone of date parts).
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from lark import Tree

from ods_provider.testing.odsql import geometry, literals, names
from ods_provider.testing.odsql.compiling import Compiler
from ods_provider.testing.odsql.fields import MOMENTS, NUMERIC, malformed
from ods_provider.testing.odsql.sql import Sql, bound, glue, iso

Node = Tree[Any]
_PARTS = ("year", "month", "day", "hour", "minute", "second")
_STATISTICS = {"sum": "sum", "avg": "avg", "min": "min", "max": "max", "median": "median"}
_JAVA = {
    "yyyy": "%Y", "yy": "%y", "MM": "%m", "M": "%-m", "dd": "%d", "d": "%-d", "HH": "%H", "H": "%-H", "hh": "%I",
    "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g", "DDD": "%j", "D": "%-j", "ww": "%V",
    "w": "%V", "e": "%u", "a": "%p",
}  # fmt: skip
_PATTERN = re.compile(r"'([^']*)'|(([A-Za-z])\3*)|([^A-Za-z']+)")


def call(compiler: Compiler, name: str, arguments: list[Node]) -> Sql:
    """Compile one call.

    Raises:
        OdsqlError: The arguments do not fit the function.
    """
    if name == "count":
        return _count(compiler, arguments)
    if name in _STATISTICS or name == "percentile":
        return _statistic(compiler, name, arguments)
    if name in _PARTS:
        (cell,) = _values(compiler, name, arguments, 1)
        return glue(f"{name}({{}})", _local(compiler, name, cell), kind="int")
    if name in ("lower", "upper", "length"):
        (cell,) = _values(compiler, name, arguments, 1)
        _need(compiler, name, cell, {"text"})
        return glue(f"{name}({{}})", cell, kind="int" if name == "length" else "text")
    made = _OTHERS.get(name)
    if made is None:
        raise malformed(f"Function {name} is not allowed in the current clause", compiler.clause)
    return made(compiler, arguments)


def _values(compiler: Compiler, name: str, arguments: list[Node], count: int) -> list[Sql]:
    if len(arguments) != count:
        raise malformed(f"{name} takes {count} argument(s), {len(arguments)} found", compiler.clause)
    return [compiler.value(argument) for argument in arguments]


def _need(compiler: Compiler, name: str, cell: Sql, kinds: set[str] | frozenset[str]) -> None:
    if cell.kind not in kinds:
        raise malformed(f"{name} does not support {cell.kind} expressions", compiler.clause)


def _count(compiler: Compiler, arguments: list[Node]) -> Sql:
    if len(arguments) != 1:
        raise malformed("count takes one argument", compiler.clause)
    (argument,) = arguments
    if argument.data == "everything":
        return Sql("count(*)", (), "int", aggregate=True)
    if argument.data == "distinct":
        cell = compiler.value(argument.children[0])
        return glue("count(DISTINCT {})", cell, kind="int").aggregated()
    return glue("count({})", compiler.value(argument), kind="int").aggregated()


def _statistic(compiler: Compiler, name: str, arguments: list[Node]) -> Sql:
    cell, *rest = _values(compiler, name, arguments, 2 if name == "percentile" else 1)
    allowed = NUMERIC | MOMENTS if name in ("min", "max") else NUMERIC
    if cell.kind not in allowed:
        raise malformed("StatAggregation only supports numeric or date expression", compiler.clause)
    if name == "percentile":
        share = float(rest[0].params[0]) / 100
        return glue(f"quantile_cont({{}}, {share})", cell, kind="double").aggregated()
    kind = cell.kind if name in ("min", "max") else "double"
    template = f"{_STATISTICS[name]}({{}})"
    if cell.kind == "int" and name == "sum":
        kind, template = "int", "sum({})::BIGINT"
    return glue(template, cell, kind=kind, precision=cell.precision).aggregated()


def _local(compiler: Compiler, name: str, cell: Sql) -> Sql:
    _need(compiler, name, cell, MOMENTS)
    if cell.kind == "date" or compiler.timezone.upper() == "UTC":
        return cell
    return Sql(
        f"timezone(?, timezone('UTC', {cell.text}))",
        (compiler.timezone, *cell.params),
        "datetime",
        literal=cell.literal,
    )


def _date_format(compiler: Compiler, arguments: list[Node]) -> Sql:
    cell, pattern = _values(compiler, "date_format", arguments, 2)
    if not pattern.literal or pattern.kind != "text":
        raise malformed("date_format needs a string as its second argument", compiler.clause)
    local = _local(compiler, "date_format", cell)
    parts = []
    for found in _PATTERN.finditer(str(pattern.params[0])):
        letters = found[2]
        if letters is None:
            parts.append(bound(found[1] if found[1] is not None else found[4], "text"))
            continue
        name = names.named(letters, compiler.lang, "{}")
        if name is None and letters not in _JAVA:
            raise malformed(f"Invalid date format: {letters}", compiler.clause)
        parts.append(glue(name or f"strftime({{}}, '{_JAVA[letters]}')", local, kind="text"))
    row = glue("[" + ", ".join("{}" for _ in parts) + "]", *parts)
    # Unlike concat(), this is null where the date is.
    return glue("CASE WHEN {} IS NOT NULL THEN array_to_string({}, '') END", local, row, kind="text")


def _now(compiler: Compiler, arguments: list[Node]) -> Sql:
    moment = datetime.now(ZoneInfo(compiler.timezone))
    # The last of several spellings of one name counts.
    wanted: dict[str, int] = {}
    for argument in arguments:
        node = compiler.unwrapped(argument)
        if node.data != "compare" or node.children[1] != "=":
            raise malformed("now takes name=number arguments", compiler.clause)
        wanted[compiler.slice(node.children[0]).strip()] = int(compiler.number(node.children[2]))
    settings = {name: amount for name, amount in wanted.items() if name in (*_PARTS, "microsecond")}
    try:
        # All at once: a day may be right in its own month only.
        moment = moment.replace(**settings)  # type: ignore[arg-type]  # whole numbers
    except (ValueError, OverflowError):
        raise malformed(f"Invalid moment: {settings}", compiler.clause) from None
    for name, amount in wanted.items():
        if name not in settings:
            moment = _moved(moment, name, amount, compiler.clause)
    return bound(moment.astimezone(UTC).replace(tzinfo=None), "datetime")


def _moved(moment: datetime, name: str, amount: int, clause: str) -> datetime:
    days = ["mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays"]
    try:
        if name == "weekday":
            return moment + timedelta(days=amount - moment.weekday())
        if name in ("years", "months"):
            total = moment.year * 12 + moment.month - 1 + amount * (12 if name == "years" else 1)
            year, month = total // 12, total % 12 + 1
            return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))
        if name in ("weeks", "days", "hours", "minutes", "seconds", "microseconds"):
            return moment + timedelta(**{name: amount})
        if name in days:
            ahead = (days.index(name) - moment.weekday()) % 7
            return moment + timedelta(days=ahead + 7 * (amount - (1 if amount > 0 and ahead else 0)))
    except (ValueError, OverflowError):
        raise malformed(f"Invalid value for {name}: {amount}", clause) from None
    raise malformed(f"now does not take {name}", clause)


def _ifnull(compiler: Compiler, arguments: list[Node]) -> Sql:
    left, right = _values(compiler, "ifnull", arguments, 2)
    return glue("coalesce({}, {})", left, right, kind=left.kind)


def _json_format(compiler: Compiler, arguments: list[Node]) -> Sql:
    (cell,) = _values(compiler, "json_format", arguments, 1)
    _need(compiler, "json_format", cell, {"text", "json_blob"})
    return glue("CASE WHEN json_valid({}) THEN {} END", cell, cell, kind="json_blob")


def _distance(compiler: Compiler, arguments: list[Node]) -> Sql:
    if len(arguments) != 2:
        raise malformed("distance takes a field and a geometry", compiler.clause)
    return geometry.distance(compiler.value(arguments[0]), compiler.geometry(arguments[1]), compiler.clause)


def _random(compiler: Compiler, arguments: list[Node]) -> Sql:
    (seed,) = _values(compiler, "random", arguments, 1)
    return glue('hash("$id", {})', seed, kind="int")


def _envelope(compiler: Compiler, arguments: list[Node]) -> Sql:
    (cell,) = _values(compiler, "envelope", arguments, 1)
    return geometry.envelope(cell, compiler.clause)


def _range(compiler: Compiler, arguments: list[Node]) -> Sql:
    if compiler.clause != "group_by" or len(arguments) < 2:
        raise malformed("range takes a field and steps, in group_by", compiler.clause)
    cell = compiler.value(arguments[0])
    if arguments[1].data == "quantity":
        return _date_range(compiler, cell, str(arguments[1].children[0]))
    _need(compiler, "range", cell, NUMERIC)
    if len(arguments) == 2:
        return _equal_ranges(cell, int(compiler.number(arguments[1])))
    bounds = ["*" if node.data == "everything" else compiler.number(node) for node in arguments[1:]]
    branches, params = [], []
    for low, high in pairwise(bounds):
        tests = [f"{cell.text} {sign} ?" for sign, end in ((">=", low), ("<", high)) if end != "*"]
        params += [end for end in (low, high) if end != "*"]
        branches.append(f"WHEN {' AND '.join(tests) or 'true'} THEN '[{_shown(low)}, {_shown(high)}['")
    return Sql(f"CASE {' '.join(branches)} END", tuple(params), "text")


def _equal_ranges(cell: Sql, count: int) -> Sql:
    # The column's own ends are cut into `count` pieces; the last holds the largest value too.
    low, high = f"(min({cell.text}) OVER ())", f"(max({cell.text}) OVER ())"
    width = f"(({high} - {low}) / {max(count, 1)}.0)"
    number = f"least(floor(({cell.text} - {low}) / nullif({width}, 0)), {max(count, 1) - 1})"
    start = f"({low} + coalesce({number}, 0) * {width})"
    text = f"CASE WHEN {cell.text} IS NOT NULL THEN '[' || {start} || ', ' || ({start} + {width}) || '[' END"
    return Sql(text, (), "text", windowed=True)


def _date_range(compiler: Compiler, cell: Sql, token: str) -> Sql:
    size, unit = literals.interval(token, compiler.clause)
    local = _local(compiler, "range", cell)
    # Weeks begin on Monday; other steps are counted from the epoch.
    start = (
        f"time_bucket(INTERVAL {size} {unit}, {local.text}::TIMESTAMP)"
        if unit not in ("week", "quarter")
        else (f"date_trunc('{unit}', {local.text}::TIMESTAMP)")
    )
    days = cell.kind == "date" and unit in ("day", "week", "month", "quarter", "year")
    step = {"quarter": "INTERVAL 3 month"}.get(unit, f"INTERVAL {size} {unit}")
    first, last = (f"strftime({end}, '%Y-%m-%d')" if days else iso(end) for end in (start, f"({start} + {step})"))
    text = f"'[' || {first} || ', ' || {last} || '['"
    return Sql(text, local.params * text.count(start), "text")


def _geo_cluster(compiler: Compiler, arguments: list[Node]) -> Sql:
    if compiler.clause != "group_by":
        raise malformed("geo_cluster is only possible in group_by", compiler.clause)
    if len(arguments) not in (2, 3):
        raise malformed("geo_cluster takes a field, a zoom and a radius", compiler.clause)
    numbers = [compiler.number(node) for node in arguments[1:]]
    return geometry.cluster(compiler.value(arguments[0]), *numbers, clause=compiler.clause)


def _shown(end: float | str) -> str:
    return end if isinstance(end, str) else str(int(end)) if end == int(end) else str(end)


_OTHERS = {
    "date_format": _date_format,
    "now": _now,
    "ifnull": _ifnull,
    "json_format": _json_format,
    "distance": _distance,
    "random": _random,
    "envelope": _envelope,
    "bbox": _envelope,
    "range": _range,
    "geo_cluster": _geo_cluster,
}
