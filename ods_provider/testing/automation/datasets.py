"""Datasets, their status and their orders, and their versions.

Source: Automation API v1.0, datasets, status, versions.
"""

from __future__ import annotations

from typing import Any

from ods_provider.testing.automation import rights
from ods_provider.testing.automation.calls import Call, Entry, page
from ods_provider.testing.backoffice.draft import Draft, Version
from ods_provider.testing.backoffice.moments import spelled
from ods_provider.testing.backoffice.trouble import not_found

ONE = "/datasets/{dataset_uid}/"
OK = {"detail": "ok"}


def table() -> list[Entry]:
    """Return the calls."""
    return [
        Entry("GET", "/datasets/", "list", _list),
        Entry("POST", "/datasets/", "create", _create),
        Entry("GET", ONE, "read", _read),
        Entry("PUT", ONE, "write", _update),
        Entry("DELETE", ONE, "write", _delete, changes=False),
        Entry("POST", f"{ONE}copy/", "create", _copy),
        Entry("GET", f"{ONE}status/", "status", _status),
        Entry("POST", f"{ONE}publish/", "publish", lambda call: _order(call, "publish")),
        Entry("POST", f"{ONE}publish_metadata/", "publish", lambda call: _order(call, "publish_metadata")),
        Entry("POST", f"{ONE}unpublish/", "publish", lambda call: _order(call, "unpublish")),
        Entry("POST", f"{ONE}abort/", "publish", _abort),
        Entry("GET", f"{ONE}versions/", "read", _versions),
        Entry("POST", f"{ONE}versions/{{version_uid}}/restore/", "write", _restore, changes=False),
    ]


def _shown(call: Call, draft: Draft) -> dict[str, Any]:
    made = draft.as_json(call.office.switches.template)
    if call.office.switches.null_is_published:
        made["is_published"] = None
    return made | ({"new_in_this_portal": 1} if call.office.switches.unknown_keys else {})


def _list(call: Call) -> Any:
    found = [draft for draft in call.office.drafts.all() if rights.shows(call.permissions, call.user, draft)]
    wanted = call.asked("dataset_id")
    if wanted is not None:
        found = [draft for draft in found if draft.dataset_id == wanted]
    if call.asked("sort") == "-modified":
        found.sort(key=lambda draft: draft.updated_at, reverse=True)
    return page(call, found, lambda draft: _shown(call, draft))


def _create(call: Call) -> Any:
    return _shown(call, call.office.drafts.create(call.object(), by=call.user)), 201


def _read(call: Call) -> Any:
    return _shown(call, call.draft)


def _update(call: Call) -> Any:
    call.office.drafts.update(call.draft, call.object(), by=call.user)
    if not call.office.switches.security_needs_publish:
        call.office.expose(call.draft)
    return _shown(call, call.draft)


def _delete(call: Call) -> None:
    call.office.publications.forget(call.draft)
    call.office.drafts.delete(call.draft)


def _copy(call: Call) -> Any:
    return _shown(call, call.office.drafts.copy(call.draft, by=call.user)), 201


def _status(call: Call) -> Any:
    made = call.office.publications.status(call.draft).as_json(whole_seconds=call.office.switches.since_in_seconds)
    if call.office.switches.null_is_published:
        made["is_published"] = None
    return made | ({"new_in_this_portal": 1} if call.office.switches.unknown_keys else {})


def _order(call: Call, order: str, version: Version | None = None) -> Any:
    call.office.publications.order(call.draft, order, by=call.user, version=version)
    return OK


def _abort(call: Call) -> Any:
    call.office.publications.abort(call.draft)
    return OK


def _versions(call: Call) -> Any:
    return page(call, call.draft.versions[::-1], lambda version: _version(call, version))


def _version(call: Call, version: Version) -> dict[str, Any]:
    return {
        "uid": version.uid,
        "sections": sorted(version.kept),
        "created_by": {"username": version.created_by},
        "can_restore": version is not call.draft.versions[-1],
        "created_at": spelled(version.created_at),
    }


def _restore(call: Call) -> Any:
    wanted = call.named("version_uid")
    version = next((one for one in call.draft.versions if one.uid == wanted), None)
    if version is None:
        raise not_found("Version")
    _order(call, "restore", version)
    return _shown(call, call.draft)
