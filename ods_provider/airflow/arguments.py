"""The arguments of operators and sensors, read from their constructors: all of them are templates."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature


def arguments_of(init: Callable[..., None]) -> tuple[str, ...]:
    """Return the names of a class's own arguments, in their order: the keywords of its constructor."""
    return tuple(each.name for each in signature(init).parameters.values() if each.kind is each.KEYWORD_ONLY)
