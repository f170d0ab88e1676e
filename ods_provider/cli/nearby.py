"""What somebody may have meant: a mistyped id is looked for among the portal's, a mistyped field in the schema.

It is asked for once an error is there, with one call at the most, and never in place of that error.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ods_provider.core.errors import OdsError, OdsNotFound, OdsQueryError
from ods_provider.core.legible import legible

if TYPE_CHECKING:
    from ods_provider.core.connection import OdsConnection
    from ods_provider.core.oauth import TokenStore

MOST_NAMES = 10_000  # of a portal's datasets: half a megabyte
_MOST_CHARS = 100  # comparing takes the product of two lengths
_MOST_SHOWN = 3
_PATIENCE_S = 10.0
_QUOTED = re.compile(r"'[^']{0,1000}'|\"[^\"]{0,1000}\"")
_NAME = re.compile(r"(?<![\w.'])[A-Za-z_]\w{0,100}")


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return the names that are most like ``name``, the likest first; none where it is one of them."""
    by_fold: dict[str, str] = {}
    for each in known:
        if each == name:
            return []
        if len(each) <= _MOST_CHARS:
            by_fold.setdefault(each.casefold(), each)
    if len(name) > _MOST_CHARS:
        return []
    alike = difflib.get_close_matches(name.casefold(), by_fold, n=_MOST_SHOWN, cutoff=0.7)
    return [by_fold[fold] for fold in alike]


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them."""
    return " or ".join(repr(legible(name)) for name in names)


def add_meant(error: OdsError, job: Any, connection: OdsConnection, tokens: TokenStore | None) -> None:
    """Add to an error what was probably meant, where something like it is known.

    Args:
        error: What a job ended with.
        job: The job.
        connection: Of the portal.
        tokens: Keeps the connection's OAuth2 grant.
    """
    if getattr(job, "dataset_id", None) is None or not isinstance(error, (OdsNotFound, OdsQueryError)):
        return
    try:
        meant = _meant(error, job, connection, tokens)
    except Exception:  # it has an error to tell, and this is none
        return
    if meant:
        error.reword(lambda advice: f"Perhaps {meant} is meant. {advice}", "advice")


def _meant(error: OdsError, job: Any, connection: OdsConnection, tokens: TokenStore | None) -> str:
    from ods_provider.client import OdsClient
    from ods_provider.core.plans.catalog import dataset
    from ods_provider.core.plans.records import export_rows
    from ods_provider.core.query import Query

    # The portal's message names the wrong ones, as a rule.
    told = set(_NAME.findall(error.what)) & set(_names(job)) if isinstance(error, OdsQueryError) else set()
    if isinstance(error, OdsQueryError) and (error.status != 400 or not told):
        return ""
    # Nobody waits for a suggestion.
    hasty = replace(connection, max_retries=0, max_wait_s=0, timeout_s=min(connection.timeout_s, _PATIENCE_S))
    with OdsClient(hasty, tokens=tokens) as client:
        if isinstance(error, OdsNotFound):
            rows = client.run(export_rows(None, Query(select="dataset_id"), limit=MOST_NAMES))
            return listed(nearest(job.dataset_id, [row["dataset_id"] for row in rows]))
        fields = [field.name for field in client.run(dataset(job.dataset_id)).fields]
    found = {name: near for name in sorted(told) if (near := nearest(name, fields))}
    return ", and ".join(f"{listed(near)} in place of {name!r}" for name, near in found.items())


def _names(job: Any) -> Iterator[str]:
    """Yield what may be names of fields in a job's query."""
    query = getattr(job, "query", None)
    if query is None:
        return
    for text in (*getattr(job, "where", ()), query.select, *query.where, query.group_by, query.order_by):
        yield from _NAME.findall(_QUOTED.sub("''", text or ""))
    for _, pair in (*query.refine, *query.exclude):
        yield pair.partition(":")[0]
    for facet in getattr(job, "facet", None) or ():
        yield str(facet)
