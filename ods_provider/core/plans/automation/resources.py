"""Resources: where the records of a dataset come from, their files, and what a source would give.

Credentials of a source go to the portal and never come back: portals tell them as null, and what one tells all the
same is masked. The push key of a realtime resource, which portals tell whole, is masked at once and given as a
``Secret`` alone.

Source: Automation API v1.0, resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.plans.automation import once
from ods_provider.core.plans.automation.calls import (
    Object,
    alike,
    answered,
    answered_sealed,
    as_object,
    call,
    get,
    of_kind,
    path,
    put,
    told,
)
from ods_provider.core.plans.automation.paging import every, every_sealed
from ods_provider.core.plans.files import open_file
from ods_provider.core.redact import Secret, kept, masked, sealed
from ods_provider.core.upload import Upload
from ods_provider.core.wire import Plan, Request, Response

_WRITABLE = ("type", "title", "params", "datasource")
_WHAT = "resource"
_KEY = "apikey"


def resources(uid: str) -> Plan[list[Object]]:
    """Return the resources of a dataset in the order of their creation; the first defines the schema."""
    return every("datasets", uid, "resources")


def resource(uid: str, resource_uid: str) -> Plan[Object]:
    """Return one resource. One call."""
    return get("datasets", uid, "resources", resource_uid, what=_WHAT)


def create(uid: str, given: Mapping[str, Any]) -> Plan[Object]:
    """Add a resource after the others, and return it; it shows at the next publication.

    Args:
        uid: Which dataset.
        given: ``{type, title, params, datasource}``; ``file_source`` makes the datasource of an uploaded file.
    """
    body = sealed(given)
    del given

    def look() -> Plan[Mapping[Any, Object]]:
        there = yield from every_sealed("datasets", uid, "resources")
        return {each.get("uid"): each for each in there if of_kind(each, body)}

    made = yield from once.sent_once(
        lambda: answered_sealed(call("POST", "datasets", uid, "resources", json=body, once=True)),
        look,
        exactly=lambda each: alike(each, body),
    )
    return as_object(masked(made), "uid", what=_WHAT)


def update(uid: str, resource_uid: str, changes: Mapping[str, Any]) -> Plan[Object]:
    """Change what ``changes`` names of a resource and keep the rest, its place and its uid among it. Two calls.

    To point a resource at another file, change its datasource: nothing is deleted, and there is no moment without a
    source. What is sent back as it was shown, masked or null, stays as it was.
    """
    changes = sealed(changes)
    before = as_object(
        (yield from answered_sealed(call("GET", "datasets", uid, "resources", resource_uid))), what=_WHAT
    )
    body = {name: before[name] for name in _WRITABLE if name in before} | kept(changes, before)
    return (yield from put("datasets", uid, "resources", resource_uid, json=body, what=_WHAT))


def delete(uid: str, resource_uid: str) -> Plan[None]:
    """Delete a resource; of the first one of several, the dataset looks empty until it is published again. One call."""
    return once.deleted("datasets", uid, "resources", resource_uid)


def file_source(file_uid: str) -> Object:
    """Return the datasource of an uploaded file, by the uid that the upload returned."""
    return {"type": "uploaded_file", "file": {"uid": file_uid}}


def upload(uid: str, file: Upload) -> Plan[Object]:
    """Upload a file and return ``{uid, filename, mimetype, created_at}``. Nothing uses it yet.

    An upload that breaks off, or whose answer is lost, begins anew: a file that nothing uses does no harm. Its uid may
    be another one than its name.
    """
    response = yield Request(path("datasets", uid, "resources", "files"), method="POST", upload=file)
    return as_object(told(response), "uid", what="uploaded file")


def uploaded(uid: str, file_uid: str) -> Plan[Object]:
    """Return what is known of an uploaded file. One call."""
    return get("datasets", uid, "resources", "files", file_uid, what="uploaded file")


def uploaded_content(uid: str, file_uid: str) -> Plan[Response]:
    """Ask for an uploaded file and return the answer with its stream unread; the caller closes it. Two calls."""
    told = yield from uploaded(uid, file_uid)
    at = path("datasets", uid, "resources", "files", file_uid, "download")
    return (yield from open_file(at, dataset_id=uid, mimetype=told.get("mimetype")))


# Before anything is published


def preview(uid: str, source: str | Mapping[str, Any]) -> Plan[Object]:
    """Return ``{fields, records}`` that a source would give, up to twenty records. One call.

    Args:
        uid: Which dataset.
        source: The uid of a resource, or one that is not made yet: ``{type, params, datasource}``.
    """
    parts = ("datasets", uid, "resources")
    if isinstance(source, str):
        request = call("GET", *parts, source, "preview")
    else:
        request = call("POST", *parts, "preview", json=source)
    del source
    response = yield request
    # Columns may be called like credentials, and are data.
    return as_object(response.json(), "fields", "records", what="preview")


def guessed_extractors(uid: str, source: str | Mapping[str, Any]) -> Plan[list[Object]]:
    """Return the extractors that may read a source, the best first: ``[{type, label, parameters}]``. One call.

    Args:
        uid: Which dataset.
        source: The uid of a resource, or a datasource.
    """
    parts = ("datasets", uid, "resources")
    if isinstance(source, str):
        request = call("GET", *parts, source, "guess_extractors")
    else:
        request = call("POST", *parts, "guess_extractors", json={"datasource": source})
    del source
    told = yield from answered(request)
    return told if isinstance(told, list) else list(as_object(told, "results", what="extractors")["results"])


def guessed_params(uid: str, source: str | Mapping[str, Any]) -> Plan[Object]:
    """Return ``{extractor, params}`` that fit a source best. One call; ``source`` as for the extractors."""
    parts = ("datasets", uid, "resources")
    if isinstance(source, str):
        request = call("GET", *parts, source, "guess_extractors_params")  # the plural is theirs
    else:
        request = call("POST", *parts, "guess_extractor_params", json={"datasource": source})
    del source
    return as_object((yield from answered(request)), "extractor", what="guess")


def clean_cache(uid: str, resource_uid: str) -> Plan[None]:
    """Have the next publication fetch a source whether or not it says that it changed. One call."""
    yield from answered(call("POST", "datasets", uid, "resources", resource_uid, "clean_cache"))


# Realtime


def enabled(uid: str, resource_uid: str, *, on: bool) -> Plan[Object]:
    """Have a realtime resource take pushes, or refuse them. One call."""
    action = "enable" if on else "disable"
    told = yield from answered(call("POST", "datasets", uid, "resources", resource_uid, action))
    return as_object(told, what=_WHAT)


def push_key(uid: str, resource_uid: str) -> Plan[Secret]:
    """Return the push key of a realtime resource. One call.

    Raises:
        OdsConfigError: It is no realtime resource, or the portal shows its key to nobody.
    """
    return _key_of((yield from answered_sealed(call("GET", "datasets", uid, "resources", resource_uid))), resource_uid)


def renewed_push_key(uid: str, resource_uid: str) -> Plan[Secret]:
    """Give a realtime resource a new push key, and return it; the old one ends at once. Two calls.

    Raises:
        OdsConfigError: It is no realtime resource, or the portal shows its key to nobody.
    """
    parts = ("datasets", uid, "resources", resource_uid)

    def look() -> Plan[Mapping[Any, Object]]:
        found = yield from answered_sealed(call("GET", *parts))
        return {found.get(_KEY): found}

    made = yield from once.sent_once(lambda: answered_sealed(call("POST", *parts, "renew_api_key", once=True)), look)
    return _key_of(made, resource_uid)


def recovered(uid: str, resource_uid: str, *, drop: bool = False) -> Plan[Object]:
    """Bring back the records that a realtime resource keeps, or drop what is kept; of a published dataset. One call."""
    action = "delete_recover_data" if drop else "recover"
    told = yield from answered(call("POST", "datasets", uid, "resources", resource_uid, action))
    return as_object(told, what=_WHAT)


def _key_of(found: Any, resource_uid: str) -> Secret:
    key = as_object(found, what=_WHAT).get(_KEY)
    if not isinstance(key, Secret):
        raise OdsConfigError(
            "the resource has no push key: it takes no pushes",
            where=f"resource {resource_uid}",
            advice="Name a realtime resource of the dataset",
        )
    if "*" in key.reveal() or "…" in key.reveal():
        raise OdsConfigError(
            "the portal shows the beginning of this push key only",
            where=f"resource {resource_uid}",
            advice="Take it from where it was noted, or renew it, which ends the old one",
        )
    return key
