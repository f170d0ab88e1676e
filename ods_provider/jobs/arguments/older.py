"""``v1``: the same work through Search API v1.0, in its own words and in no other."""

from __future__ import annotations

from typing import Any

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import is_given
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.core.query import Query
from ods_provider.core.source import CATALOG, Source


def asked_in(
    v1: Any, query: Query, dataset_id: Any, *, source: Source = CATALOG, **beside: Any
) -> tuple[V1Query | None, str | None]:
    """Return what ``v1`` asks of the older API, None where it is not given; and the dataset that either names.

    Args:
        v1: As given. A mapping without anything in it is given, the text of an empty template is not.
        query: The query in the words of Explore v2.1.
        dataset_id: As given; None leaves it to ``v1``, whose own word is ``dataset``.
        source: Which of the portal's sources is asked.
        beside: The other arguments that belong to Explore v2.1, coerced.

    Raises:
        OdsConfigError: Both APIs were asked, or two datasets; or the older one another source than the catalogue.
    """
    named = None if dataset_id is None else dataset_named(dataset_id)
    if not is_given(v1):
        return None, named
    if source != CATALOG:
        raise OdsConfigError(
            f"v1 asks the catalogue only, and not source={source!r}",
            where="arguments v1, source",
            advice="Leave v1 out: Explore v2.1 asks that source",
        )
    told = [*query.told(), *(name for name, value in beside.items() if value not in (None, (), {}))]
    if told:
        raise OdsConfigError(
            f"v1 excludes {', '.join(told)}",
            where=f"argument{'s' if len(told) > 1 else ''} {', '.join(told)}",
            advice="Write them into v1, in that API's own words (q, refine, rows, sort, timezone, …), or leave v1 out",
        )
    older = V1Query.of(v1)
    inside = [dataset_named(value, name="dataset") for name, value in older.params if name == "dataset"]
    found = {*inside, *([named] if named else [])}
    if len(found) > 1:
        raise OdsConfigError(
            f"two datasets are named: {' and '.join(sorted(found))}",
            where="arguments dataset_id, v1",
            advice="Name one, and once: as dataset_id, or as dataset within v1",
        )
    return older.having(dataset=None), next(iter(found), None)
