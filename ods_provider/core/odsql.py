"""ODSQL literals and identifiers that cannot be broken out of.

Source: Explore v2.1 ODSQL reference (literals, identifiers, reserved words); Q42.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faithful import Unfaithful, scalar

_NAME = re.compile(r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_BREAK = re.compile(r"[\r\n]")
_TAKEN = "Pass a text, a number, a boolean, a date or a datetime; for null write `field IS NULL`"
_WIDEST = 308  # digits before or behind the point, as a double has them

_OPERATORS = frozenset(["in", "is", "like", "to"])  # words of the grammar that the reference does not call reserved
RESERVED = frozenset(
    [
        "and",
        "as",
        "asc",
        "avg",
        "by",
        "count",
        "date_format",
        "day",
        "dayofweek",
        "desc",
        "distinct",
        "equi",
        "false",
        "group",
        "hour",
        "ifnull",
        "or",
        "limit",
        "lower",
        "max",
        "millisecond",
        "min",
        "minute",
        "month",
        "not",
        "null",
        "quarter",
        "range",
        "search",
        "second",
        "select",
        "sum",
        "top",
        "true",
        "upper",
        "where",
        "year",
    ]
)


def identifier(name: str) -> str:
    """Return a field name as ODSQL: bare, or in backquotes when it could be read as something else.

    That is a reserved word, an operator, a number (``12``, ``1.5``), a quantity (``1d``) or a subtraction (``a-b``).

    Args:
        name: Letters, digits, underscores; catalogue fields may hold single dots and hyphens (``custom.data-owner``).

    Raises:
        OdsConfigError: The name holds anything else, so that it could end the identifier.
    """
    if not isinstance(name, str) or not _NAME.match(name):
        raise OdsConfigError(
            f"{name!r} is not a field name",
            where="ODSQL identifier",
            advice="Use the field's technical name (letters, digits, underscore), as the dataset's schema lists it",
        )
    ambiguous = name[0].isdigit() or "-" in name.partition(".")[0] or name.lower() in RESERVED | _OPERATORS
    return f"`{name}`" if ambiguous else name


def literal(value: Any) -> str:
    """Return a Python value as an ODSQL literal that asks for this value and no other.

    Args:
        value: str, bool, int, float, Decimal, a scalar of numpy, date or datetime (aware ones become UTC; naive ones
            are left to the query's ``timezone``). None has no literal in a comparison: write ``field IS NULL``.

    Raises:
        OdsConfigError: The value has no literal, or the text holds a line break, which the portal refuses (Q42), a
            control character, or half a character.
    """
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _WIDEST:
        return f"{value:f}"
    try:
        plain = scalar(value)
    except Unfaithful as error:
        raise OdsConfigError(error.what, where="ODSQL literal", advice=_TAKEN) from None
    if isinstance(value, datetime) and value.tzinfo:
        return f"date'{value.astimezone(UTC).isoformat()}'"
    if isinstance(value, date) or type(value).__name__ == "datetime64":
        return f"date'{plain}'"
    if isinstance(plain, bool):
        return "TRUE" if plain else "FALSE"
    if isinstance(plain, str) and not isinstance(value, time):
        return _text(plain)
    if isinstance(plain, (int, float)):
        # The grammar knows plain decimals only: 1e+22 would be a syntax error.
        text = repr(plain)
        return f"{Decimal(text):f}" if "e" in text else text
    raise OdsConfigError(
        f"a value of type {type(value).__name__} has no ODSQL literal",
        where="ODSQL literal",
        advice=_TAKEN,
    )


def _text(value: str) -> str:
    # Whatever stood in place of one of these would ask for another value, and get its rows.
    if _LINE_BREAK.search(value):
        raise OdsConfigError(
            "the text holds a line break, which no literal can",
            where="ODSQL literal",
            advice='Filter by another field, or by a part of the value: startswith(field, "…")',
        )
    if _CONTROL.search(value):
        raise OdsConfigError(
            "the text holds a control character", where="ODSQL literal", advice="Remove it before you filter by it"
        )
    # The backslash first: the other way round, the backslash that guards a quote would itself be doubled.
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def any_of(field: str, values: Iterable[Any]) -> str:
    """Return a filter that holds where ``field`` equals one of ``values``.

    Dates are compared one by one, because ``IN`` refuses date literals (Q40).
    """
    name = identifier(field)
    items = list(values)
    if not items:
        raise OdsConfigError(
            "an empty list matches nothing", where=f"filter on {field}", advice="Pass one value or more"
        )
    if any(isinstance(item, date) for item in items):
        return "(" + " OR ".join(f"{name} = {literal(item)}" for item in items) + ")"
    return f"{name} IN ({', '.join(literal(item) for item in items)})"
