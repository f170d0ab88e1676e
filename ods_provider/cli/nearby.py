"""What somebody may have meant: a mistyped id is looked for among the portal's, a mistyped field in the schema.

It is asked for once an error is there, with one call at the most, and never in place of that error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ods_provider.core.errors import OdsError, OdsNotFound, OdsQueryError
from ods_provider.core.nearest import listed, nearest

if TYPE_CHECKING:
    from ods_provider.core.connection import OdsConnection
    from ods_provider.core.oauth import TokenStore

_PATIENCE_S = 10.0
_QUOTED = re.compile(r"'[^']{0,1000}'|\"[^\"]{0,1000}\"")
_NAME = re.compile(r"(?<![\w.'])[A-Za-z_]\w{0,100}")


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


def hasty(connection: OdsConnection, patience_s: float) -> OdsConnection:
    """Return the connection for a call that nobody waits for: one try, and no wait for a quota."""
    return replace(connection, max_retries=0, max_wait_s=0, timeout_s=min(connection.timeout_s, patience_s))


def _meant(error: OdsError, job: Any, connection: OdsConnection, tokens: TokenStore | None) -> str:
    from ods_provider.client import OdsClient
    from ods_provider.core.plans.catalog import dataset, dataset_ids
    from ods_provider.core.source import CATALOG

    # The portal's message names the wrong ones, as a rule.
    told = set(_NAME.findall(error.what)) & set(_names(job)) if isinstance(error, OdsQueryError) else set()
    if isinstance(error, OdsQueryError) and (error.status != 400 or not told):
        return ""
    with OdsClient(hasty(connection, _PATIENCE_S), tokens=tokens) as portal:
        client = portal.at(getattr(job, "source", CATALOG))
        if isinstance(error, OdsNotFound):
            return listed(nearest(job.dataset_id, client.run(dataset_ids())))
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
