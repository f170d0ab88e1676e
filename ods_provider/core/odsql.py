"""ODSQL literals and identifiers that cannot be broken out of.

Source: Explore v2.1 ODSQL reference (literals, identifiers, reserved words); Q42.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ods_provider.core.errors import OdsConfigError

_NAME = re.compile(r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_BREAK = re.compile(r"[\r\n\t\u2028\u2029\x85]+")

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
    """Return a Python value as an ODSQL literal.

    Args:
        value: str, bool, int, float, Decimal, date or datetime (aware ones become UTC; naive ones are left to the
            query's ``timezone``). None has no literal in a comparison: write ``field IS NULL``.

    Returns:
        The literal. A line break or tab inside a text becomes one space, because the portal refuses it (Q42).

    Raises:
        OdsConfigError: The value has no literal, or the text holds a control character.
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, Decimal)) or (isinstance(value, float) and math.isfinite(value)):
        return f"{value:f}" if isinstance(value, Decimal) and value.is_finite() else _number(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return f"date'{moment.isoformat()}'"
    if isinstance(value, date):
        return f"date'{value.isoformat()}'"
    if isinstance(value, str):
        return _text(value)
    raise OdsConfigError(
        f"a value of type {type(value).__name__} has no ODSQL literal",
        where="ODSQL literal",
        advice="Pass a text, a number, a boolean, a date or a datetime; for null write `field IS NULL`",
    )


def _number(value: Any) -> str:
    text = repr(value) if isinstance(value, float) else str(value)
    if isinstance(value, Decimal):
        raise OdsConfigError(f"{text} is not a finite number", where="ODSQL literal", advice="Pass a finite number")
    # The grammar knows plain decimals only: 1e+22 would be a syntax error.
    return f"{Decimal(text):f}" if "e" in text else text


def _text(value: str) -> str:
    folded = _LINE_BREAK.sub(" ", value)
    if _CONTROL.search(folded):
        raise OdsConfigError(
            "the text holds a control character", where="ODSQL literal", advice="Remove it before you filter by it"
        )
    # The backslash first: the other way round, the backslash that guards a quote would itself be doubled.
    escaped = folded.replace("\\", "\\\\").replace('"', '\\"')
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
