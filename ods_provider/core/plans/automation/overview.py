"""How many datasets are, by few calls: the editors' list, and the catalogue with its technical metadata.

The list tells a title and whether a dataset is published, a page for 250; the catalogue how old the data are and how
many rows there are, a page for 100. What a publication came to is told by the dataset's own status, one call each: the
catalogue moves with what went well, and says nothing of what failed.

Source: Automation API v1.0, datasets, status; Explore v2.1, datasets with ``include_app_metas``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ods_provider.core.errors import OdsAuthError, OdsNotAPortal, OdsNotFound
from ods_provider.core.limits import PAGE_ROWS, WINDOW_ROWS
from ods_provider.core.odsql import any_of
from ods_provider.core.plans import freshness
from ods_provider.core.plans.automation import datasets
from ods_provider.core.plans.automation.calls import Object
from ods_provider.core.plans.automation.status import READY, status
from ods_provider.core.plans.records import page
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset
from ods_provider.core.wire import Plan

_FEW = 4  # datasets that are looked up one by one, and not in the list of all


@dataclass(frozen=True, slots=True)
class Standing:
    """How one dataset is; None for what the key may not know, or the portal does not tell.

    Attributes:
        status: Its own status, or the catalogue's word for it where it was not asked.
        message: Why its last publication failed.
        records_errors: How many errors of records its status tells.
        asked: Whether its own status was asked.
    """

    dataset_id: str
    uid: str | None = None
    title: str | None = None
    published: bool | None = None
    restricted: bool | None = None
    status: str | None = None
    message: str | None = None
    records: int | None = None
    records_errors: int | None = None
    data_processed: datetime | None = None
    modified: datetime | None = None
    asked: bool = False

    @property
    def failed(self) -> bool:
        """Whether its last publication did not end well."""
        return self.status in READY - {"idle"}


def standings(names: Sequence[str] = (), *, where: Sequence[str] = (), each: bool = False) -> Plan[list[Standing]]:
    """Return how datasets are, in the order of their ids, or of the names.

    Args:
        names: Ids or uids; none means all that the key may edit, and those of the catalogue.
        where: Filters of the catalogue: only what it shows is told then.
        each: Whether the status of each is asked, one call each; else only where the catalogue tells none.

    Raises:
        OdsNotFound: One of the names is nobody's.
    """
    edited = yield from _edited(names)
    ids = [str(one.get("dataset_id")) for one in edited] if edited is not None and names else list(names)
    shown = yield from _shown(ids, where)
    by_id = {str(one.get("dataset_id")): one for one in edited or () if one.get("uid")}
    known = shown.keys() if where else shown.keys() | by_id.keys()
    order = ids if names else sorted(known)
    found = []
    for dataset_id in order:
        if dataset_id not in known:
            if where:
                continue
            raise OdsNotFound(
                "The portal has no dataset of this id that the key may see",
                status=404,
                where=f"dataset {dataset_id}",
                advice="Check the id: it is case-sensitive",
            )
        one = _standing(dataset_id, by_id.get(dataset_id), shown.get(dataset_id))
        if one.uid is not None and edited is not None and (each or one.status is None):
            one = yield from _asked(one)
        found.append(one)
    return found


def _edited(names: Sequence[str]) -> Plan[list[Object] | None]:
    """Return what the editors' list tells; None where this key may not see it, or the portal has no such API."""
    try:
        if not names or len(names) > _FEW:
            told = yield from datasets.datasets()
            if not names:
                return told
            by_name = {str(one.get(key)): one for one in told for key in ("uid", "dataset_id")}
            return [by_name.get(name) or {"dataset_id": name} for name in names]
        found = {name: {"dataset_id": name} for name in names}
        for name in names:
            found[name] = (yield from datasets.find(name)) or found[name]
        return list(found.values())
    except (OdsAuthError, OdsNotAPortal, OdsNotFound):
        return None


def _shown(ids: Iterable[str], where: Sequence[str]) -> Plan[dict[str, Dataset]]:
    query = replace(Query.of(where=list(where)), include_app_metas=True)
    found: dict[str, Dataset] = {}
    if ids:
        for some in freshness.calls(ids):
            seen = yield from page(None, replace(query, where=(*query.where, any_of("dataset_id", some))), limit=100)
            found |= {str(row["dataset_id"]): Dataset.from_json(row) for row in seen.rows}
        return found
    for offset in range(0, WINDOW_ROWS, PAGE_ROWS):
        seen = yield from page(None, query, offset=offset, limit=PAGE_ROWS)
        found |= {str(row["dataset_id"]): Dataset.from_json(row) for row in seen.rows}
        if offset + PAGE_ROWS >= seen.total_count:
            break
    return found


def _standing(dataset_id: str, edited: Object | None, shown: Dataset | None) -> Standing:
    publishing = _mapping(shown.metas.get("publishing")) if shown else {}
    default = _mapping(shown.metas.get("default")) if shown else {}
    edited = edited or {}
    return Standing(
        dataset_id,
        uid=edited.get("uid") or (shown.dataset_uid if shown else None),
        title=default.get("title") or _title(edited),
        published=edited.get("is_published", True if shown else None),
        restricted=edited.get("is_restricted"),
        status=publishing.get("status"),
        message=publishing.get("error_message"),
        records=shown.records_count if shown else None,
        data_processed=shown.data_processed if shown else None,
        modified=shown.modified if shown else None,
    )


def _asked(one: Standing) -> Plan[Standing]:
    try:
        told = yield from status(str(one.uid))
    except (OdsAuthError, OdsNotFound):
        return one  # without the right to publish
    return replace(
        one,
        status=told.status,
        message=told.message,
        records_errors=len(told.records_errors),
        published=one.published if told.is_published is None else told.is_published,
        asked=True,
    )


def _title(edited: Mapping[str, Any]) -> Any:
    metadata = _mapping(edited.get("metadata"))
    fields = _mapping(metadata.get("default")) or _mapping(metadata.get("asset"))
    return _mapping(fields.get("title")).get("value")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
