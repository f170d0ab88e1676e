"""What a user gave, as what it means: single values, coerced from what a template may leave behind.

A value is *not given* when it is None, or a text that holds nothing: a template renders to text, and an empty one, or
one of None, to ``""`` or ``"None"``. Not given, an optional argument has its default, and a required one is an error.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import COMPUTED, ITSELF
from ods_provider.core.legible import kind_of

_NOTHING = ("", "None")
_SHOWN = 80  # characters of a value in a message


def is_given(value: Any) -> bool:
    """Return whether somebody gave ``value``: it is neither None nor the text of an empty template."""
    return value is not None and not (isinstance(value, str) and value.strip() in _NOTHING)


def required(name: str, value: Any) -> Any:
    """Return ``value``, a text without the blanks around it.

    Raises:
        OdsConfigError: It is not given; the message names the argument.
    """
    if not is_given(value):
        raise OdsConfigError(f"{name} is empty", where=f"argument {name}", advice=f"Set it; {COMPUTED}")
    # A text of a class of its own means more than it says: Dagster's EnvVar is the name of a variable.
    return value.strip() if type(value) is str else value


def unless_none(name: str, value: Any) -> Any:
    """Return ``value``; None stays None, and the text of an empty template is an error.

    For what decides of the whole work: somebody wrote None, and nobody meant an empty text.

    Raises:
        OdsConfigError: It is an empty text; the message names the argument.
    """
    return None if value is None else required(name, value)


@overload
def text(name: str, value: Any) -> str | None: ...
@overload
def text(name: str, value: Any, default: str) -> str: ...
def text(name: str, value: Any, default: str | None = None) -> str | None:
    """Return ``value`` as text without the blanks around it, ``default`` when it is not given.

    Raises:
        OdsConfigError: It is no text; the message names the argument.
    """
    if not is_given(value):
        return default
    # Native rendering makes a number of the text "2024".
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _bad(name, f" is {kind_of(value)}", "Pass text")
    return str(value).strip()


@overload
def whole_number(name: str, value: Any, *, least: int = 0, most: int | None = None) -> int | None: ...
@overload
def whole_number(name: str, value: Any, *, least: int = 0, most: int | None = None, default: int) -> int: ...
def whole_number(
    name: str, value: Any, *, least: int = 0, most: int | None = None, default: int | None = None
) -> int | None:
    """Return ``value`` as an integer from ``least`` to ``most``, ``default`` when it is not given.

    Raises:
        OdsConfigError: The value is no integer, or outside; the message names the argument.
    """
    if not is_given(value):
        return default
    try:
        number = int(str(value).strip())
    except ValueError:
        number = least - 1
    if isinstance(value, bool) or number < least or (most is not None and number > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise _bad(name, f"={shown(value)} is not a whole number {bounds}", "Pass a number, or leave it out")
    return number


def seconds(name: str, value: Any, *, default: float) -> float:
    """Return ``value`` as a number of seconds, ``default`` when it is not given.

    Raises:
        OdsConfigError: It is no such number; the message names the argument.
    """
    if not is_given(value):
        return default
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _bad(name, f"={shown(value)} is no number of seconds", "Pass a number, or leave it out")
    return number


def truth(name: str, value: Any, *, default: bool | None = None) -> bool:
    """Return ``value`` as a boolean; rendered templates arrive as text.

    Raises:
        OdsConfigError: It is neither true nor false, or not given where there is no default.
    """
    if isinstance(value, bool):
        return value
    if default is not None and not is_given(value):
        return default
    said = str(value).strip().lower()
    if said in ("true", "1", "yes", "on"):
        return True
    if said in ("false", "0", "no", "off"):
        return False
    raise _bad(name, f"={shown(value)} is neither true nor false", "Use true or false")


def clauses(name: str, given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return one text or several as a tuple; what is not given is left out.

    A list may come as text, JSON or Python's spelling, which templates leave. No clause of ODSQL begins with a bracket.

    Raises:
        OdsConfigError: It holds what is no text; the message names the argument.
    """
    if not is_given(given):
        return ()
    each = [given] if isinstance(given, str) or not isinstance(given, Iterable) else given
    return tuple(clause for item in each if is_given(item) for clause in _clauses(name, item))


def _clauses(name: str, item: Any) -> Iterator[str]:
    several = isinstance(item, str) and item.lstrip().startswith("[")
    for clause in _from_text(name, item) if several else [item]:
        if not isinstance(clause, str):
            raise _bad(name, f" holds {kind_of(clause)}", "Pass text")
        if is_given(clause):
            yield clause


def mapping(name: str, value: Any) -> Mapping[str, Any] | None:
    """Return a mapping, None when it is not given; a template without native rendering leaves it as text.

    Raises:
        OdsConfigError: It is none; the message names the argument.
    """
    if not is_given(value):
        return None
    if isinstance(value, str):
        value = _from_text(name, value)
    if not isinstance(value, Mapping):
        raise _bad(name, f" is {kind_of(value)}", "Pass a mapping")
    return value


def record_list(name: str, value: Any) -> list[Mapping[str, Any]] | None:
    """Return records as a list, None when they are not given; a template without native rendering leaves text.

    Raises:
        OdsConfigError: They are neither; the message names the argument.
    """
    if not is_given(value):
        return None
    if isinstance(value, str):
        value = _from_text(name, value)
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, Iterable):
        raise _bad(name, f" is {kind_of(value)}", "Pass a list of dicts")
    return list(value)


def shown(value: Any) -> str:
    """Return ``value`` as a message shows it."""
    said = repr(value)
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"


def _from_text(name: str, given: str) -> Any:
    import ast

    for read in (json.loads, ast.literal_eval):
        try:
            return read(given)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    raise _bad(
        name,
        " is a text that is neither JSON nor a literal of Python",
        ITSELF,
    )


def _bad(name: str, what: str, advice: str) -> OdsConfigError:
    return OdsConfigError(f"{name}{what}", where=f"argument {name}", advice=advice)
