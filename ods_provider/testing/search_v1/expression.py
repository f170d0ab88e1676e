"""The expression language of ``y.S.expr``, as SQL; where a function has no value, so has the row.

Source: Search API v1.0, analysis, expression language.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Tree
from lark.exceptions import UnexpectedInput

from ods_provider.testing.odsql.sql import Sql, bound, glue
from ods_provider.testing.search_v1 import fulltext
from ods_provider.testing.search_v1.filters import Rows
from ods_provider.testing.search_v1.refusal import bad

Node = Tree[Any]
_OPERATORS = {"add": "({} + {})", "subtract": "({} - {})", "multiply": "({} * {})", "divide": "({} / nullif({}, 0))"}
_ONE = {
    "sin": "sin({})", "cos": "cos({})", "tan": "tan({})", "atan": "atan({})", "exp": "exp({})", "cbrt": "cbrt({})",
    "toRadians": "radians({})", "toDegrees": "degrees({})", "ceil": "ceil({})", "floor": "floor({})",
    "rint": "round_even({}, 0)", "round": "round({})", "abs": "abs({})", "signum": "sign({})",
    "sinh": "sinh({})", "cosh": "cosh({})", "tanh": "tanh({})",
    "asin": "asin(CASE WHEN {0} BETWEEN -1 AND 1 THEN {0} END)",
    "acos": "acos(CASE WHEN {0} BETWEEN -1 AND 1 THEN {0} END)",
    "log": "ln(CASE WHEN {0} > 0 THEN {0} END)", "log10": "log10(CASE WHEN {0} > 0 THEN {0} END)",
    "sqrt": "sqrt(CASE WHEN {0} >= 0 THEN {0} END)",
}  # fmt: skip
_TWO = {
    "atan2": "atan2({0}, {1})", "pow": "pow({0}, {1})", "max": "greatest({0}, {1})", "min": "least({0}, {1})",
    "hypot": "sqrt(pow({0}, 2) + pow({1}, 2))", "IEEEremainder": "({0} - {1} * round_even({0} / nullif({1}, 0), 0))",
}  # fmt: skip


@cache
def _parser() -> Lark:
    return Lark((files(__package__) / "expression.lark").read_text(), parser="lalr")


def compile_expression(text: str, rows: Rows) -> Sql:
    """Compile an expression over the fields of ``rows``.

    Raises:
        V1Refusal: 400.
    """
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise bad(f"Invalid expression: unexpected input at position {error.pos_in_stream}: {text[:200]}") from None
    return _compiled(tree, rows)


def _compiled(node: Node, rows: Rows) -> Sql:
    if node.data == "number":
        text = str(node.children[0])
        return bound(int(text), "int") if text.isdigit() else bound(float(text), "double")
    if node.data == "field":
        field = rows.field(str(node.children[0]))
        if field.type not in ("int", "double") or field.multivalued:
            raise bad(f"Field {field.name} is not numeric")
        return fulltext.cell(field)
    if node.data == "minus":
        return glue("(-{})", _compiled(node.children[0], rows), kind="double")
    if node.data in _OPERATORS:
        return glue(_OPERATORS[node.data], *(_compiled(child, rows) for child in node.children), kind="double")
    name, *arguments = node.children
    given = [_compiled(argument, rows) for argument in arguments if argument is not None]
    return _called(str(name), given)


def _called(name: str, given: list[Sql]) -> Sql:
    if name in ("time", "random") and not given:
        return Sql("epoch_ms(now())" if name == "time" else "random()", (), "double")
    table = {1: _ONE, 2: _TWO}.get(len(given), {})
    if name not in table:
        raise bad(f"Unknown function {name} of {len(given)} argument(s)")
    template = table[name]
    if "{}" in template:
        return glue(template, *given, kind="double")
    # A mark that stands twice needs its parameters twice.
    order = [int(piece[0]) for piece in template.split("{")[1:]]
    plain = template.replace("{0}", "{}").replace("{1}", "{}")
    return glue(plain, *(given[number] for number in order), kind="double")
