"""Many publications looked at together.

No list of the Automation API tells a status. The catalogue of Explore tells of a hundred datasets in one call when
each was published last: those that moved, and a few of the others in turn (a failure moves nothing there), are asked
for their status. So fifty publications take a handful of calls a look, not fifty.

Source: Explore v2.1, ``data_processed`` and ``metadata_processed`` of the catalogue; Automation API v1.0, status.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ods_provider.core.errors import OdsResponseError
from ods_provider.core.odsql import any_of
from ods_provider.core.plans import freshness
from ods_provider.core.plans.automation.publications import GRACE_S, Look, Publication, look
from ods_provider.core.plans.records import page
from ods_provider.core.query import Query
from ods_provider.core.wire import Plan

FEW = 4
MOST_ROUNDS = 6
_SHOWN = ("data_processed", "metadata_processed", "modified")


def look_many(publications: Sequence[Publication], *, grace_s: float = GRACE_S) -> Plan[list[Look]]:
    """Look at publications, and return a look at each, in their order.

    Up to four are asked one by one. Of more, Explore's catalogue is asked first, where their ``dataset_id`` is known;
    every status is asked at the first look, when Explore shows that it moved, and at every sixth look at least.
    """
    shown = (yield from _shown(publications)) if len(publications) > FEW else None
    looks = []
    for publication in publications:
        now = None if shown is None or publication.dataset_id is None else shown.get(publication.dataset_id, "")
        if now is not None and now == publication.shown and publication.rounds < MOST_ROUNDS - 1:
            waiting = replace(publication, rounds=publication.rounds + 1)
            looks.append(Look(waiting, "running", None, "Explore shows what it showed before"))
            continue
        # All are asked at the first look: spread over the rounds from there, so that they are not due together again.
        first = publication.shown is None
        seen = yield from look(publication, grace_s=grace_s)
        turn = len(looks) % MOST_ROUNDS if first else 0
        looks.append(replace(seen, publication=replace(seen.publication, shown=now, rounds=turn)))
    return looks


def _shown(publications: Sequence[Publication]) -> Plan[dict[str, str] | None]:
    """Return what Explore tells of each: a text that changes with it; None where this key may not ask Explore."""
    found: dict[str, str] = {}
    try:
        for some in freshness.calls(each.dataset_id for each in publications if each.dataset_id is not None):
            seen = yield from page(None, Query.of(where=any_of("dataset_id", some)), limit=len(some))
            found |= {str(row["dataset_id"]): _mark(row) for row in seen.rows}
    except OdsResponseError as error:
        if error.transient:
            raise
        return None
    return found


def _mark(row: dict[str, object]) -> str:
    metas = row.get("metas")
    default = metas.get("default") if isinstance(metas, dict) else None
    told = default if isinstance(default, dict) else {}
    return " ".join(str(told.get(name)) for name in _SHOWN)
