"""The argument ``v1`` of operators: the same work through Search API v1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ods_provider.operators.job import QUERY_FIELDS

if TYPE_CHECKING:
    from ods_provider.core.plans.v1.params import V1Query

_DEFAULTS = {"timezone": "UTC"}


def v1_query(operator: Any, *others: str) -> V1Query:
    """Return what the rendered argument ``v1`` describes.

    Args:
        operator: The operator.
        others: Its arguments of Explore v2.1 besides the common ones.

    Raises:
        OdsConfigError: An argument of Explore v2.1 was given too; the message names it.
    """
    from ods_provider.core.errors import OdsConfigError
    from ods_provider.core.plans.v1.params import V1Query

    given = [name for name in (*QUERY_FIELDS, *others) if _is_given(getattr(operator, name, None), _DEFAULTS.get(name))]
    if given:
        raise OdsConfigError(
            f"v1 excludes {', '.join(given)}",
            where=f"argument{'s' if len(given) > 1 else ''} {', '.join(given)}",
            advice="Write them into v1, in that API's own words (q, refine, rows, sort, timezone, …), or leave v1 out",
        )
    return V1Query.of(operator.v1)


def _is_given(value: Any, default: Any) -> bool:
    return value is not None and value is not False and value != default and value not in ("", (), [], {})
