"""Datasets as their editors see them, published or not: found, made, changed, copied, deleted; their versions.

Source: Automation API v1.0, datasets, versions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.plans.automation import once
from ods_provider.core.plans.automation.calls import Object, answered, as_object, call, get, put
from ods_provider.core.plans.automation.paging import every
from ods_provider.core.wire import Plan

_UID = re.compile(r"da_[a-z0-9]+\Z")
_WHAT = "dataset"


def is_uid(name: str) -> bool:
    """Return whether a name reads like a uid; an id may read so, too."""
    return _UID.match(name) is not None


def datasets() -> Plan[list[Object]]:
    """Return all datasets that the key may edit, unpublished ones included. One call for each 250."""
    return every("datasets")


def named(dataset_id: str) -> Plan[list[Object]]:
    """Return the datasets with this id: none, one, or several, which some portals allow."""
    found = yield from every("datasets", params=(("dataset_id", dataset_id),))
    # Compared here as well: of a portal that does not know the filter all datasets would come.
    return [each for each in found if each.get("dataset_id") == dataset_id]


def find(name: str) -> Plan[Object | None]:
    """Return the dataset with this ``dataset_id`` or uid (``da_…``), None where there is none that the key may edit.

    Raises:
        OdsConfigError: Several have the id.
    """
    name = dataset_named(name)
    if is_uid(name):
        try:
            return as_object((yield from get("datasets", name, what=_WHAT)), "uid", what=_WHAT)
        except OdsNotFound:
            pass  # an id may read like a uid
    found = yield from named(name)
    if len(found) > 1:
        uids = " and ".join(str(each.get("uid")) for each in found[:5])
        raise OdsConfigError(
            f"{len(found)} datasets have the id {name!r}: {uids}",
            where=f"dataset {name}",
            advice="Pass the uid of the one that is meant",
        )
    return as_object(found[0], "uid", what=_WHAT) if found else None


def found(name: str) -> Plan[Object]:
    """Return the dataset with this ``dataset_id`` or uid.

    Raises:
        OdsNotFound: There is none that the key may edit.
        OdsConfigError: Several have the id.
    """
    dataset = yield from find(name)
    if dataset is None:
        raise OdsNotFound(
            "The portal has no dataset of this id that the key may edit",
            status=404,
            where=f"dataset {name}",
            advice="Check the id (it is case-sensitive), and that the key has edit_dataset, or a rule on the dataset",
        )
    return dataset


def read(uid: str) -> Plan[Object]:
    """Return one dataset. One call."""
    return get("datasets", uid, what=_WHAT)


def create(
    metadata: Mapping[str, Mapping[str, Any]], *, dataset_id: str | None = None, is_restricted: bool = True
) -> Plan[Object]:
    """Make a dataset, restricted unless told, and return it; it is not published.

    Args:
        metadata: Template to field to ``{"value": …}``; empty values are left out, which portals refuse.
        dataset_id: Its id. Without one the portal makes it of the title, and all datasets are listed before.
        is_restricted: Whether only those see it, once it is published, whom a rule lets.

    Raises:
        OdsConfigError: The id is taken.
    """
    before = (yield from _all()) if dataset_id is None else (yield from expect_free(dataset_id))
    filled = _filled(metadata)
    body = {
        **({"dataset_id": dataset_id} if dataset_id is not None else {}),
        "is_restricted": is_restricted,
        "metadata": filled,
    }
    made: Object = yield from once.sent_once(
        lambda: answered(call("POST", "datasets", json=body, once=True)),
        lambda: _by_id(dataset_id) if dataset_id is not None else _alike(filled),
        before=list(before),
    )
    made = as_object(made, "uid", what=_WHAT)
    if dataset_id is not None and made.get("dataset_id") not in (None, dataset_id):
        raise OdsConfigError(
            f"the portal made the dataset {made['uid']} as {made['dataset_id']!r}: {dataset_id!r} is taken by one that "
            "this key does not see",
            where="argument dataset_id",
            advice=f"Delete {made['uid']} or go on with it by its uid; a run under the same id would make another",
        )
    return made


def expect_free(dataset_id: str) -> Plan[dict[Any, Object]]:
    """Check that no dataset has this id, and return none. One call.

    Raises:
        OdsConfigError: One has; the message names its uid.
    """
    before = yield from _by_id(dataset_id)
    if before:
        raise _taken(dataset_id, " and ".join(before))
    return before


def update(uid: str, changes: Mapping[str, Any]) -> Plan[Object]:
    """Change what ``changes`` names of a dataset (``is_restricted``, ``dataset_id``, ``default_security``), return it.

    The id can be changed while it is not published only. Metadata have plans of their own, which replace less.
    """
    return put("datasets", uid, json=dict(changes), what=_WHAT)


def delete(uid: str) -> Plan[None]:
    """Delete a dataset for good: its records, files, attachments and versions too, published or not. One call."""
    return once.deleted("datasets", uid)


def copy(uid: str) -> Plan[Object]:
    """Copy a dataset within its portal, and return the copy: unpublished, of another uid and id."""
    before = yield from _all()
    title = _title(before.get(uid))

    def copies() -> Plan[Mapping[Any, Object]]:
        there = yield from _all()
        return {each: dataset for each, dataset in there.items() if title is None or _title(dataset) == title}

    made = yield from once.sent_once(
        lambda: answered(call("POST", "datasets", uid, "copy", once=True)), copies, before=list(before)
    )
    return as_object(made, "uid", what=_WHAT)


def versions(uid: str) -> Plan[list[Object]]:
    """Return the versions of a dataset's configuration: ``[{uid, sections, created_by, can_restore, created_at}]``."""
    return every("datasets", uid, "versions")


def _by_id(dataset_id: str) -> Plan[dict[Any, Object]]:
    found = yield from named(dataset_id)
    return {each.get("uid"): each for each in found}


def _all() -> Plan[dict[Any, Object]]:
    found = yield from datasets()
    return {each.get("uid"): each for each in found}


def _alike(metadata: Mapping[str, Any]) -> Plan[dict[Any, Object]]:
    there = yield from _all()
    title = _title({"metadata": metadata})
    return {uid: dataset for uid, dataset in there.items() if _title(dataset) == title}


def _title(dataset: Mapping[str, Any] | None) -> Any:
    metadata = (dataset or {}).get("metadata") or {}
    fields = metadata.get("default") or metadata.get("asset") or {}
    return (fields.get("title") or {}).get("value")


def _filled(metadata: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    made = {
        template: {name: value for name, value in fields.items() if not _empty(value)}
        for template, fields in metadata.items()
    }
    return {template: fields for template, fields in made.items() if fields}


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping) and value.get("value") in (None, "", []))


def _taken(dataset_id: str, uid: str) -> OdsConfigError:
    return OdsConfigError(
        f"there is a dataset with the id {dataset_id!r} already: {uid}",
        where="argument dataset_id",
        advice="Change that one, or choose another id",
    )
