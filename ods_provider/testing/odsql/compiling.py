"""What functions and predicates may ask of the one who compiles their clause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from lark import Tree

from ods_provider.testing.odsql.fields import Field, OdsqlError
from ods_provider.testing.odsql.sql import Sql

Node = Tree[Any]


class Compiler(Protocol):
    """The compiler of one clause; ``expressions.Compiler`` is the one there is.

    Attributes:
        clause: The name of the clause, for errors.
        fields: What may be named.
        timezone: IANA name in which dates without an offset are read, and their parts taken.
        lang: Language of names.
    """

    clause: str
    fields: Mapping[str, Field]
    timezone: str
    lang: str

    def slice(self, node: Node) -> str:
        """Return the piece of the clause that a node was made of."""

    def unwrapped(self, node: Node) -> Node:
        """Return the one thing inside rows of one."""

    def misplaced(self, node: Node) -> OdsqlError:
        """Return the refusal of something that the portal's own grammar does not let stand there."""

    def value(self, node: Node) -> Sql:
        """Compile an expression that gives a value."""

    def number(self, node: Node) -> float:
        """Return a constant number."""

    def geometry(self, node: Node) -> str:
        """Return a geometry literal as WKT."""
