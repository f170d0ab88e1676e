"""The query language of ``q``: text to tree to SQL, every value bound as a parameter.

Source: Search API v1.0, query language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from inspect import signature
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from ods_provider.testing.odsql import Field
from ods_provider.testing.odsql.sql import Sql, bound, glue, joined
from ods_provider.testing.search_v1 import area, fulltext, moments
from ods_provider.testing.search_v1.refusal import bad

Node = Tree[Any]
_SIGNS = {":": "=", "==": "=", "=": "=", ">": ">", "<": "<", ">=": ">=", "<=": "<="}


@cache
def _parser() -> Lark:
    grammar = (files(__package__) / "grammar.lark").read_text()
    return Lark(grammar, parser="lalr", maybe_placeholders=True)


def compile_q(text: str, fields: Mapping[str, Field], zone: str) -> Sql:
    """Compile a query to a condition on rows.

    Args:
        text: The query; empty keeps every row.
        fields: What may be named.
        zone: Where dates without an offset are.

    Raises:
        V1Refusal: 400.
    """
    try:
        tree: Any = _parser().parse(text).children[0]
    except UnexpectedInput as error:
        raise bad(f"Invalid query: unexpected input at position {error.pos_in_stream}: {text[:200]}") from None
    return _Query(fields, zone).condition(tree) if tree is not None else bound(True, "boolean")


def _text(piece: Any) -> str:
    if piece.type in ("PHRASE", "QUOTED"):
        return re.sub(r"\\(.)", r"\1", piece[1:-1])
    return str(piece)


@dataclass(frozen=True)
class _Query:
    fields: Mapping[str, Field]
    zone: str

    def condition(self, node: Node) -> Sql:
        if node.data in ("any_of", "all_of"):
            tests = [self.condition(child) for child in node.children if isinstance(child, Tree)]
            return joined(" OR ", _listed(tests)) if node.data == "any_of" else joined(" AND ", tests)
        if node.data == "negated":
            return glue("(NOT {})", self.condition(node.children[0]))
        made: Callable[..., Sql] = getattr(self, f"_{node.data}")
        # A comparison with null is false, so that its negation is true.
        return glue("coalesce({}, false)", made(*node.children))

    def _word(self, word: Token) -> Sql:
        if word == "*":
            return bound(True, "boolean")
        return fulltext.begins(_text(word), fulltext.text_cells(self.fields.values()))

    def _phrase(self, phrase: Token) -> Sql:
        return fulltext.holds(_text(phrase), fulltext.text_cells(self.fields.values()))

    def _field(self, name: str) -> Field:
        field = self.fields.get(name)
        if field is None:
            raise bad(f"Unknown field: {name}")
        return field

    def _compare(self, name: Token, operator: Token, value: Node) -> Sql:
        field, sign = self._field(str(name)), _SIGNS[str(operator)]
        cell = fulltext.cell(field)
        if field.type in ("date", "datetime"):
            start, end = self._span(value)
            return _on_dates(cell, sign, start, end)
        given = self._literal_of(value)
        if field.type in ("int", "double"):
            return glue(f"({{}} {sign} {{}})", cell, bound(_number(field, given), "double"))
        if sign != "=":
            raise bad(f"Operator {operator} is not available on field {name} of type {field.type}")
        if field.type == "boolean":
            return glue("({} = {})", cell, bound(given.lower() in ("true", "1"), "boolean"))
        if field.type != "text":
            raise bad(f"Field {name} of type {field.type} cannot be queried")
        if operator == ":":
            return fulltext.holds(given, [cell])
        if field.multivalued:
            return glue("list_contains({}, {})", cell, bound(given, "text"))
        return glue("({} = {})", fulltext.folded_cell([cell]), bound(fulltext.folded(given), "text"))

    def _between(self, name: Token, operator: Token, opening: Token, low: Node, high: Node, closing: Token) -> Sql:
        field = self._field(str(name))
        first = ">=" if opening == "[" else ">"
        last = "<=" if closing == "]" else "<"
        tests = [bound(True, "boolean")]
        for sign, bound_ in ((first, low), (last, high)):
            if bound_.data == "literal" and bound_.children[0] == "*":
                continue
            if field.type not in ("int", "double", "date", "datetime"):
                raise bad(f"Field {name} of type {field.type} has no ranges")
            tests.append(self._compare(name, Token("OPERATOR", sign), bound_))
        return joined(" AND ", tests)

    def _literal_of(self, node: Node) -> str:
        if node.data != "literal":
            raise bad("#now can only be compared with dates")
        return _text(node.children[0])

    def _span(self, node: Node) -> tuple[Any, Any]:
        if node.data == "literal":
            return moments.span(_text(node.children[0]), self.zone)
        function, *arguments = node.children
        if function != "#now":
            raise bad(f"{function} is no value")
        moment = moments.now([_setting(argument) for argument in arguments if argument is not None], self.zone)
        return moment, moment

    def _call(self, function: Token, *arguments: Node | None) -> Sql:
        given = [self._literal_of(argument) for argument in arguments if argument is not None]
        known: dict[str, Callable[..., Sql]] = {
            "#null": self._null,
            "#exact": self._exact,
            "#search": self._search,
            "#startswith": self._startswith,
            "#distance": self._distance,
            "#polygon": self._polygon,
            "#geometry": self._geometry,
        }
        made = known.get(str(function))
        if made is None:
            raise bad(f"Unknown function: {function}")
        try:
            signature(made).bind(*given)
        except TypeError:
            raise bad(f"Wrong number of arguments for {function}") from None
        return made(*given)

    def _null(self, name: str) -> Sql:
        return glue("({} IS NULL)", fulltext.cell(self._field(name)))

    def _exact(self, name: str, value: str) -> Sql:
        field = self._field(name)
        cell = fulltext.cell(field)
        if field.multivalued:
            return glue("list_contains({}, {})", cell, bound(value, "text"))
        return glue("({}::VARCHAR = {})", cell, bound(value, "text"))

    def _cells(self, names: tuple[str, ...]) -> list[Sql]:
        cells = [fulltext.cell(self._field(name)) for name in names]
        if any(cell.kind != "text" for cell in cells):
            raise bad("Only text fields can be searched")
        return cells or fulltext.text_cells(self.fields.values())

    def _search(self, *arguments: str) -> Sql:
        *names, value = arguments
        return fulltext.begins(value, self._cells(tuple(names)))

    def _startswith(self, name: str, value: str) -> Sql:
        (cell,) = self._cells((name,))
        return glue("starts_with({}, {})", fulltext.folded_cell([cell]), bound(fulltext.folded(value), "text"))

    def _distance(self, name: str, centre: str, metres: str) -> Sql:
        return area.circle(self._field(name), f"{centre},{metres}")

    def _polygon(self, name: str, corners: str) -> Sql:
        return area.polygon(self._field(name), corners)

    def _geometry(self, name: str, shape: str, relation: str = "intersects") -> Sql:
        return area.geometry(self._field(name), shape, relation)


_CHAIN = 20  # alternatives of one form; planning a longer chain takes DuckDB seconds


def _listed(tests: list[Sql]) -> list[Sql]:
    """Return alternatives of which those that ask the same of many values have become one test over a list."""
    alike: dict[str, list[Sql]] = {}
    for test in tests:
        alike.setdefault(test.text, []).append(test)
    made = []
    for text, some in alike.items():
        if len(some) < _CHAIN or len(some[0].params) != 1 or text.count("?") != 1:
            made += some
            continue
        marks, values = ", ".join("?" for _ in some), tuple(test.params[0] for test in some)
        compared, is_equality, rest = text.partition(" = ?)")
        asked = f"{compared} IN ({marks})){rest}" if is_equality else _any_of(text, marks)
        made.append(Sql(asked, values, "boolean"))
    return made


def _any_of(text: str, marks: str) -> str:
    return f"len(list_filter([{marks}], lambda wanted: {text.replace('?', 'wanted')})) > 0"


def _on_dates(cell: Sql, sign: str, start: Any, end: Any) -> Sql:
    first, after = bound(start, "datetime"), bound(end, "datetime")
    if sign == "=":
        return glue("({} >= {} AND {} < {})", cell, first, cell, after)
    # A date covers a span: later than 2013 begins with 2014.
    limit, sign = {
        ">=": (first, ">="),
        ">": (after, ">=" if start != end else ">"),
        "<": (first, "<"),
        "<=": (after, "<" if start != end else "<="),
    }[sign]
    return glue(f"({{}} {sign} {{}})", cell, limit)


def _number(field: Field, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise bad(f"{text} is not a number, as field {field.name} needs") from None


def _setting(node: Node) -> tuple[str, str, int]:
    if node.data not in ("setting", "weekday"):
        raise bad("#now takes name=value arguments")
    name, _, value, *count = (str(child) for child in node.children)
    try:
        return name, value, int(count[0]) if count else 1
    except ValueError:
        raise bad(f"Invalid value for #now: {name}={value}") from None
