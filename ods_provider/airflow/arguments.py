"""The arguments of operators and sensors, read from their constructors: all of them are templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

# Airflow's operators have something else under these names.
_KEPT_AS = {"params": "extractor_params", "dry_run": "only_dry_run"}


def kept_as(name: str) -> str:
    """Return the attribute of an operator that keeps an argument: its own name, unless Airflow's is called so."""
    return _KEPT_AS.get(name, name)


def arguments_of(init: Callable[..., None]) -> tuple[str, ...]:
    """Return the names of a class's own arguments, in their order: the keywords of its constructor."""
    return tuple(each.name for each in signature(init).parameters.values() if each.kind is each.KEYWORD_ONLY)


def params_apart(given: Any) -> tuple[dict[str, Any] | str | None, Any]:
    """Return a task's own ``params``, and those of its DAG, which Airflow hands to every constructor in one mapping.

    Args:
        given: What a constructor got under that name.
    """
    if not isinstance(given, Mapping):
        return given, None
    if not hasattr(given, "get_param"):
        return dict(given), None
    own = {name: given[name] for name in given if getattr(given.get_param(name), "source", None) != "dag"}
    others = {name: given.get_param(name) for name in given if name not in own}
    return own or None, others or None
