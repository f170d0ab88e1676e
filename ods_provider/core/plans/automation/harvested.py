"""Which datasets are a harvester's.

No description of the API names a list of them; some portals have one. Where there is none, Explore tells of what is
public which harvester it came from, and what a run made is what was not there before it.

Source: Automation API v1.0, harvesters; Explore v2.1, ``publishing.harvester`` of a dataset's technical metadata.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ods_provider.core.errors import OdsNotFound, OdsResponseError
from ods_provider.core.limits import PAGE_ROWS, WINDOW_ROWS
from ods_provider.core.plans.automation import datasets
from ods_provider.core.plans.automation.calls import Object
from ods_provider.core.plans.automation.harvesters import attached, uid_of
from ods_provider.core.plans.records import page
from ods_provider.core.query import Query
from ods_provider.core.wire import Plan


@dataclass(frozen=True, slots=True)
class Attached:
    """The datasets of a harvester.

    Attributes:
        ids: Uid to ``dataset_id``.
        others: Uids of all other datasets, where the portal does not list a harvester's own; None where it does.
    """

    ids: Mapping[str, str]
    others: Collection[str] | None = None


def attached_to(harvester: Mapping[str, Any], *, before: Attached | None = None) -> Plan[Attached]:
    """Return the datasets of a harvester: one call for each 250, and where it has no list one for each 100 public ones.

    Args:
        harvester: The portal's object.
        before: What this returned before a run. Without a list, what is new since then is taken for the run's.
    """
    try:
        return Attached(_ids((yield from attached(uid_of(harvester)))))
    except OdsNotFound:
        there = _ids((yield from datasets.datasets()))
    own = yield from _told_by_explore({uid_of(harvester), str(harvester.get("name"))})
    if before is not None:
        known = {*before.ids, *(before.others or ())}
        own |= set(before.ids) | {uid for uid in there if uid not in known}
    return Attached({uid: name for uid, name in there.items() if uid in own}, [uid for uid in there if uid not in own])


def _ids(found: list[Object]) -> dict[str, str]:
    return {str(each["uid"]): str(each.get("dataset_id") or each["uid"]) for each in found if each.get("uid")}


def _told_by_explore(names: Collection[str]) -> Plan[set[str]]:
    """Return the uids of the public datasets that Explore says are of a harvester; none where it may not be asked."""
    query = replace(Query(), include_app_metas=True)
    found: set[str] = set()
    try:
        for offset in range(0, PAGE_ROWS, WINDOW_ROWS):
            seen = yield from page(None, query, offset=offset, limit=PAGE_ROWS)
            found |= {str(row.get("dataset_uid")) for row in seen.rows if _harvester(row) in names}
            if offset + PAGE_ROWS >= seen.total_count:
                break
    except OdsResponseError as error:
        if error.transient:
            raise
    return found


def _harvester(row: Mapping[str, Any]) -> Any:
    metas = row.get("metas")
    publishing = metas.get("publishing") if isinstance(metas, dict) else None
    return publishing.get("harvester") if isinstance(publishing, dict) else None
