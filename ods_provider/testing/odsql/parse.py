"""Text to tree, or the portal's syntax error with its position."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from ods_provider.testing.odsql.fields import OdsqlError

CLAUSES = ("select", "where", "group_by", "order_by", "facet")


@cache
def _parser() -> Lark:
    grammar = (files(__package__) / "grammar.lark").read_text()
    return Lark(grammar, parser="lalr", start=list(CLAUSES), propagate_positions=True, maybe_placeholders=True)


def parse(text: str, clause: str) -> Tree[Any]:
    """Return the tree of one clause.

    Args:
        text: The clause as it was sent.
        clause: One of ``CLAUSES``.

    Raises:
        OdsqlError: ``ODSQLSyntaxError``, with what was not expected and where.
    """
    try:
        return _parser().parse(text, start=clause)
    except UnexpectedInput as error:
        raise OdsqlError("ODSQLSyntaxError", _message(text, clause, error)) from None


def _message(text: str, clause: str, error: UnexpectedInput) -> str:
    ended = isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END")
    if ended:
        what = f"unexpected end of expression in {text}"
    else:
        position = error.pos_in_stream or 0
        found = text[position : position + 1]
        if isinstance(error, UnexpectedToken) and not isinstance(error, UnexpectedCharacters):
            found = str(error.token)
        what = f"unexpected {found} at position {position} in {text}"
    return f"ODSQL syntax exception: {what}. Clause(s) containing the error(s): {clause}."
