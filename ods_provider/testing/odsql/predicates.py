"""What may stand in ``where``: comparisons, lists, ranges, text search, geography.

Source: ODSQL reference, where clause; Q40 (types), Q53 (null).
"""

from __future__ import annotations

import re
from typing import Any

from lark import Tree

from ods_provider.testing.odsql import geometry, literals
from ods_provider.testing.odsql.compiling import Compiler
from ods_provider.testing.odsql.fields import MOMENTS, NUMERIC, malformed
from ods_provider.testing.odsql.sql import Sql, bound, glue, joined

Node = Tree[Any]
FUNCTIONS = frozenset({"search", "suggest", "startswith", "within_distance", "in_bbox", *geometry.RELATIONS})
_FUZZY_FROM = (3, 6)  # characters from which one, then two letters may differ


def compile_where(compiler: Compiler, node: Node) -> Sql:
    """Compile a whole clause: a bare string is searched for, a bare field must be true."""
    made = _truth(compiler, node)
    if made.aggregate:
        raise malformed("Aggregations are not allowed in the current clause", compiler.clause)
    return made


def compile_predicate(compiler: Compiler, node: Node) -> Sql:
    """Compile one node that is a condition."""
    if node.data in ("any_of", "all_of"):
        separator = " OR " if node.data == "any_of" else " AND "
        return joined(separator, (_truth(compiler, child) for child in node.children))
    if node.data == "negated":
        return glue("(NOT {})", _truth(compiler, node.children[0]))
    made = _CONDITIONS.get(str(node.data))
    if made is None:
        raise malformed(f"{compiler.slice(node)} is not a condition", compiler.clause)
    # A comparison with null is false, so that its negation is true.
    return glue("coalesce({}, false)", made(compiler, node.children))


def _truth(compiler: Compiler, node: Node) -> Sql:
    inner = node
    while inner.data in ("any_of", "all_of") and len(inner.children) == 1:
        inner = inner.children[0]
    if inner.data == "string":
        return _full_text(compiler, literals.text(str(inner.children[0])), None, "word")
    cell = compiler.value(inner)
    if cell.kind != "boolean":
        raise malformed(f"{compiler.slice(inner)} is not a boolean expression", compiler.clause)
    return cell if inner.data != "field" else glue("coalesce({}, false)", cell)


def _comparable(left: Sql, right: Sql, sign: str) -> None:
    sides = {left.kind, right.kind}
    if "null" in sides or sides <= NUMERIC or sides <= MOMENTS or sides == {"boolean"}:
        return
    if sides == {"text"} and sign in ("=", "!="):
        return
    raise literals.incompatible(left.kind, right.kind)


def _compare(compiler: Compiler, children: list[Any]) -> Sql:
    left, sign, right = compiler.value(children[0]), str(children[1]), compiler.value(children[2])
    _comparable(left, right, sign)
    if left.multivalued and not right.multivalued:
        found = glue("list_contains({}, {})", left, right)
        return found if sign == "=" else glue("(NOT {})", found)
    return glue(f"({{}} {sign if sign != '!=' else 'IS DISTINCT FROM'} {{}})", left, right)


def _like(compiler: Compiler, children: list[Any]) -> Sql:
    left, right = (compiler.value(child) for child in children)
    if left.kind != "text" or right.kind != "text":
        raise literals.incompatible(left.kind, right.kind)
    if right.literal and "*" not in str(right.params[0]):
        return _full_text(compiler, str(right.params[0]), [left], "word")
    pattern = ".*".join(re.escape(piece) for piece in _folded_text(str(right.params[0])).split("*"))
    return glue("regexp_full_match({}, {})", _folded([left]), bound(pattern, "text"))


def _matches(compiler: Compiler, children: list[Any]) -> Sql:
    left, right = (compiler.value(child) for child in children)
    if left.kind == "text" and right.literal:
        return _full_text(compiler, str(right.params[0]), [left], "word")
    _comparable(left, right, "=")
    return glue("({} = {})", left, right)


def _in_list(compiler: Compiler, children: list[Any]) -> Sql:
    # Neither a function before the list nor a date inside it parses on the portal (Q40).
    for child, bad in [(children[0], "call"), *((item, "date") for item in children[1:])]:
        if child.data == bad:
            raise compiler.misplaced(child)
    cell, *items = (compiler.value(child) for child in children)
    for item in items:
        _comparable(cell, item, "=")
    if cell.multivalued:
        return joined(" OR ", (glue("list_contains({}, {})", cell, item) for item in items))
    return glue("({} IN " + joined(", ", items).text + ")", cell).with_params(*cell.params, *joined(", ", items).params)


def _in_field(compiler: Compiler, children: list[Any]) -> Sql:
    value, field = compiler.value(children[0]), compiler.value(children[1])
    _comparable(field, value, "=")
    return glue("list_contains({}, {})" if field.multivalued else "({} = {})", field, value)


def _in_range(compiler: Compiler, children: list[Any]) -> Sql:
    cell, span = compiler.value(children[0]), children[1]
    opening, low, high, closing = span.children
    first, last = compiler.value(low), compiler.value(high)
    _comparable(cell, first, "<")
    _comparable(cell, last, "<")
    above = ">=" if opening == "[" else ">"
    below = "<=" if closing == "]" else "<"
    return glue(f"({{}} {above} {{}} AND {{}} {below} {{}})", cell, first, cell, last)


def _is_null(compiler: Compiler, children: list[Any]) -> Sql:
    cell, negated = compiler.value(children[0]), children[1]
    return glue("({} IS NOT NULL)" if negated else "({} IS NULL)", cell)


def _is_truth(compiler: Compiler, children: list[Any]) -> Sql:
    cell, negated, word = compiler.value(children[0]), children[1], str(children[2]).upper()
    if cell.kind != "boolean":
        raise literals.incompatible(cell.kind, "boolean")
    return glue(f"({{}} IS {'NOT ' if negated else ''}{word})", cell)


_CONDITIONS = {
    "compare": _compare,
    "like": _like,
    "matches": _matches,
    "in_list": _in_list,
    "in_field": _in_field,
    "in_range": _in_range,
    "is_null": _is_null,
    "is_truth": _is_truth,
}


def call(compiler: Compiler, name: str, arguments: list[Node]) -> Sql:
    """Compile a predicate function."""
    if compiler.clause not in ("where", "facet"):
        raise malformed(f"Function {name} is not allowed in the current clause", compiler.clause)
    if not arguments:
        raise malformed(f"{name} needs arguments", compiler.clause)
    if name in ("search", "suggest", "startswith"):
        return _text_function(compiler, name, arguments)
    field = compiler.value(arguments[0])
    if name == "in_bbox":
        return geometry.in_box(field, tuple(compiler.number(node) for node in arguments[1:]), compiler.clause)
    if name == "within_distance":
        if len(arguments) != 3 or arguments[2].data != "quantity":
            raise malformed("within_distance takes a field, a geometry and a distance", compiler.clause)
        away = geometry.distance(field, compiler.geometry(arguments[1]), compiler.clause)
        most = literals.metres(str(arguments[2].children[0]), compiler.clause)
        return glue("coalesce({} <= {}, false)", away, bound(most, "double"))
    if len(arguments) != 2:
        raise malformed(f"{name} takes a field and a geometry", compiler.clause)
    return geometry.relates(name, field, compiler.geometry(arguments[1]), compiler.clause)


def _text_function(compiler: Compiler, name: str, arguments: list[Node]) -> Sql:
    *places, last = arguments
    needle = compiler.value(last)
    if not needle.literal or needle.kind != "text":
        raise malformed(f"{name} needs a string as its last argument", compiler.clause)
    words = str(needle.params[0])
    cells = [compiler.value(place) for place in places if place.data != "everything"]
    if any(cell.kind != "text" for cell in cells):
        raise malformed(f"{name} only supports text fields", compiler.clause)
    if name == "startswith":
        if not cells:
            raise malformed("startswith needs a field", compiler.clause)
        begun = (glue("coalesce(starts_with({}, {}), false)", _plain(cell), bound(words, "text")) for cell in cells)
        return joined(" OR ", begun)
    return _full_text(compiler, words, cells or None, "fuzzy" if name == "search" else "prefix")


def _plain(cell: Sql) -> Sql:
    return glue("array_to_string({}, ' ')", cell, kind="text") if cell.multivalued else cell


def _folded(cells: list[Sql]) -> Sql:
    parts = [_plain(cell) for cell in cells]
    return glue("lower(strip_accents(concat_ws(' ', " + ", ".join("{}" for _ in parts) + ")))", *parts, kind="text")


def _folded_text(text: str) -> str:
    import unicodedata

    apart = unicodedata.normalize("NFKD", text)
    return "".join(char for char in apart if not unicodedata.combining(char)).lower()


def _full_text(compiler: Compiler, text: str, cells: list[Sql] | None, how: str) -> Sql:
    """All words of ``text`` are in the texts, whatever accents and case (Q52)."""
    words = [word for word in re.split(r"[^\w]+", _folded_text(text)) if word]
    if cells is None:
        cells = [
            Sql(field.cell, (), "text", multivalued=field.multivalued)
            for field in compiler.fields.values()
            if field.type == "text" and not field.technical
        ]
    if not words or not cells:
        return bound(not words, "boolean")
    tokens = glue("regexp_split_to_array({}, '[^\\p{{L}}\\p{{N}}_]+')", _folded(cells))
    tests = []
    for number, word in enumerate(words):
        last = number == len(words) - 1
        if how == "word":
            tests.append(glue("list_contains({}, {})", tokens, bound(word, "text")))
            continue
        begins = "starts_with(t, ?)"
        distance = sum(len(word) >= least for least in _FUZZY_FROM)
        near = f"levenshtein(t, ?) <= {distance}"
        test, count = (begins, 1) if how == "prefix" else (f"({near} OR {begins})", 2) if last else (near, 1)
        found = glue(f"len(list_filter({{}}, lambda t: {test})) > 0", tokens)
        tests.append(found.with_params(*found.params, *([word] * count)))
    return joined(" AND ", tests)
