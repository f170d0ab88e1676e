"""Trees of one clause to SQL: fields, literals, arithmetic; predicates are in their own room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lark import Token, Tree

from ods_provider.testing.odsql import functions, literals, predicates
from ods_provider.testing.odsql.fields import NUMERIC, Field, OdsqlError, malformed
from ods_provider.testing.odsql.sql import Sql, bound, glue

Node = Tree[Any]
_ARITHMETIC = {"add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / nullif({}, 0)"}


class Compiler:
    """Compiles the expressions of one clause.

    Args:
        text: The clause as it was sent.
        clause: Its name, for errors.
        fields: What may be named.
        aliases: What other clauses named, by alias.
        timezone: IANA name in which dates without an offset are read, and their parts taken.
        lang: Language of names.
    """

    def __init__(
        self,
        text: str,
        clause: str,
        fields: Mapping[str, Field],
        aliases: Mapping[str, Sql] | None,
        timezone: str,
        lang: str = "en",
    ) -> None:
        self.text = text
        self.clause = clause
        self.fields = fields
        self.aliases = aliases or {}
        self.timezone = timezone
        self.lang = lang

    def slice(self, node: Node) -> str:
        """Return the piece of the clause that a node was made of."""
        return self.text[node.meta.start_pos : node.meta.end_pos]

    def unwrapped(self, node: Node) -> Node:
        """Return the one thing inside rows of one."""
        return unwrapped(node)

    def misplaced(self, node: Node) -> OdsqlError:
        """Return the refusal of something that the portal's own grammar does not let stand there."""
        what, where = self.slice(node), node.meta.start_pos
        return OdsqlError(
            "ODSQLSyntaxError",
            f"ODSQL syntax exception: unexpected {what} at position {where} in {self.text}. "
            f"Clause(s) containing the error(s): {self.clause}.",
        )

    def value(self, node: Node) -> Sql:
        """Compile an expression that gives a value."""
        node = unwrapped(node)
        literal = self._literal(node)
        if literal is not None:
            return literal
        if node.data == "field":
            return self.field(node)
        if node.data == "call":
            name, *arguments = node.children
            given = [argument for argument in arguments if argument is not None]
            lowered = str(name).lower()
            if lowered in predicates.FUNCTIONS:
                return predicates.call(self, lowered, given)
            return functions.call(self, lowered, given)
        if node.data in _ARITHMETIC:
            left, right = (self._number(child) for child in node.children)
            kind = "int" if left.kind == right.kind == "int" and node.data != "divide" else "double"
            return glue(f"({_ARITHMETIC[node.data]})", left, right, kind=kind)
        if node.data == "plus":
            return self._number(node.children[0])
        if node.data == "minus":
            inside = self._number(node.children[0])
            return glue("(-{})", inside, kind=inside.kind, literal=inside.literal)
        return predicates.compile_predicate(self, node)

    def _literal(self, node: Node) -> Sql | None:
        child = node.children[0] if node.children else None
        if node.data == "number":
            return bound(*literals.number(str(child)))
        if node.data == "minus" and unwrapped(node.children[0]).data == "number":
            # In one piece: the least number of 64 bits has no positive one to be negated.
            return bound(*literals.number(f"-{unwrapped(node.children[0]).children[0]}"))
        if node.data == "string":
            return bound(literals.text(str(child)), "text")
        if node.data == "date":
            return bound(literals.moment(str(child), self.timezone, self.clause), "datetime")
        if node.data in ("true", "false"):
            return bound(node.data == "true", "boolean")
        if node.data == "null":
            return Sql("NULL", (), "null", literal=True)
        if node.data in ("geometry", "quantity", "everything", "distinct"):
            raise malformed(f"{self.slice(node)} is not allowed here", self.clause)
        return None

    def _number(self, node: Node) -> Sql:
        cell = self.value(node)
        if cell.kind not in NUMERIC:
            raise malformed(f"Arithmetic does not support {cell.kind} expressions", self.clause)
        return cell

    def field(self, node: Node) -> Sql:
        """Compile a name: an alias first, then a field."""
        name = str(node.children[0]).strip("`")
        if name in self.aliases:
            return self.aliases[name]
        field = self.fields.get(name)
        if field is None:
            raise malformed(f"Unknown field: {name}", self.clause)
        return Sql(field.cell, (), field.type, multivalued=field.multivalued, precision=field.precision)

    def number(self, node: Node) -> float:
        """Return a constant number."""
        node = unwrapped(node)
        if node.data == "minus":
            return -self.number(node.children[0])
        if node.data == "plus":
            return self.number(node.children[0])
        if node.data != "number":
            raise malformed(f"{self.slice(node)} is not a number", self.clause)
        return float(str(node.children[0]))

    def geometry(self, node: Node) -> str:
        """Return a geometry literal as WKT."""
        node = unwrapped(node)
        if node.data != "geometry":
            raise malformed(f"{self.slice(node)} is not a geometry", self.clause)
        return literals.geometry(str(node.children[0]), self.clause)


def unwrapped(node: Node) -> Node:
    """Return the one thing inside rows of one."""
    while isinstance(node, Tree) and node.data in ("any_of", "all_of") and len(node.children) == 1:
        node = node.children[0]
    if isinstance(node, Token):
        raise TypeError(f"a tree was expected, not {node!r}")
    return node
