"""Resources, their files, and what realtime ones can besides.

Source: Automation API v1.0, resources.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import quote

from starlette.responses import FileResponse

from ods_provider.testing.automation.calls import Call, Entry, page
from ods_provider.testing.automation.datasets import ONE
from ods_provider.testing.backoffice.draft import Resource, uid
from ods_provider.testing.backoffice.extraction import sources
from ods_provider.testing.backoffice.moments import moment, spelled
from ods_provider.testing.backoffice.trouble import bad_request, invalid, not_found, wrong_status
from ods_provider.testing.backoffice.uploads import UploadedFile, mimetype_of, slug

ALL = f"{ONE}resources/"
FILES = f"{ALL}files/"
RESOURCE = f"{ALL}{{resource_uid}}/"
_LABELS = {"uploaded_file": "Uploaded file", "http": "HTTP", "ftp": "FTP", "federated": "Federated dataset"}


def table() -> list[Entry]:
    """Return the calls; files come before resources, whose uid could read so."""
    return [
        Entry("POST", FILES, "write", _upload, upload=True),
        Entry("GET", f"{FILES}{{file_uid}}/", "read", lambda call: _file(call).as_json()),
        Entry("GET", f"{FILES}{{file_uid}}/download/", "read", _download),
        Entry("GET", ALL, "read", lambda call: page(call, call.draft.resources, lambda one: _shown(call, one))),
        Entry("POST", ALL, "write", _create),
        Entry("GET", RESOURCE, "read", lambda call: _shown(call, found_resource(call))),
        Entry("PUT", RESOURCE, "write", _update),
        Entry("DELETE", RESOURCE, "write", _delete),
        Entry("POST", f"{RESOURCE}clean_cache/", "write", _clean_cache),
        Entry("POST", f"{RESOURCE}enable/", "write", lambda call: _enable(call, on=True)),
        Entry("POST", f"{RESOURCE}disable/", "write", lambda call: _enable(call, on=False)),
        Entry("POST", f"{RESOURCE}renew_api_key/", "write", _renew),
        Entry("POST", f"{RESOURCE}recover/", "write", _recover),
        Entry("POST", f"{RESOURCE}delete_recover_data/", "write", _recover),
    ]


# Files


def _upload(call: Call) -> Any:
    form, draft = call.form, call.draft
    if form.path is None:
        raise invalid({"file": ["This field is required"]})
    file_uid = slug(form.filename, set(draft.files))
    kind, at = mimetype_of(form.filename, form.mimetype), moment(call.office.clock())
    draft.files[file_uid] = UploadedFile(file_uid, form.filename, kind, at, form.path)
    return draft.files[file_uid].as_json(), call.office.switches.upload_status


def _file(call: Call) -> UploadedFile:
    found = call.draft.files.get(call.named("file_uid"))
    if found is None:
        raise not_found("File")
    return found


def _download(call: Call) -> Any:
    found = _file(call)
    return FileResponse(found.path, media_type=found.mimetype, filename=found.filename)


# Resources


def found_resource(call: Call) -> Resource:
    """Return the resource that the address names.

    Raises:
        Refused: 404.
    """
    wanted = call.named("resource_uid")
    for resource in call.draft.resources:
        if resource.uid == wanted:
            return resource
    raise not_found("Resource")


def checked(call: Call, before: Resource | None = None) -> Resource:
    """Return the resource that a body describes.

    Args:
        call: With the body.
        before: The one that it replaces.

    Raises:
        Refused: 400.
    """
    given = call.object()
    kind = given.get("type") or (before and before.type)
    if not isinstance(kind, str):
        raise invalid({"type": ["This field is required"]})
    datasource = deepcopy(given.get("datasource", before and before.datasource))
    params = {} if given.get("params") is None else given["params"]
    if not isinstance(params, dict):
        raise invalid({"params": ["An object is required"]})
    made = Resource(
        before.uid if before else uid("re"),
        kind,
        str(given.get("title") or ""),
        deepcopy(params),
        datasource,
        moment(call.office.clock()),
        before.push_key if before else None,
        before.enabled if before else True,
    )
    if made.realtime:
        made.push_key = made.push_key or secrets.token_hex(24)
    elif not isinstance(datasource, dict) or not isinstance(datasource.get("type"), str):
        raise invalid({"datasource": ["An object with a type is required"]})
    elif datasource["type"] == "uploaded_file" and not (datasource.get("file") or {}).get("uid"):
        raise invalid({"datasource": ["file.uid is required"]})
    _keep_secrets(datasource, before)
    made.title = made.title or made.uid
    return made


def _keep_secrets(datasource: Any, before: Resource | None) -> None:
    # What a client was shown as null it sends back as null.
    own = ((datasource or {}).get("connection") or {}).get("auth") or {}
    old = (((before and before.datasource) or {}).get("connection") or {}).get("auth") or {}
    for name in _SECRETS:
        if name in own and own[name] is None:
            own[name] = old.get(name)


_SECRETS = ("password", "client_secret", "secret", "access_key", "shared_key")


def _create(call: Call) -> Any:
    made = checked(call)
    call.draft.resources.append(made)
    call.touched()
    return _shown(call, made), 201


def _update(call: Call) -> Any:
    before = found_resource(call)
    made = checked(call, before)
    call.draft.resources[call.draft.resources.index(before)] = made
    call.touched()
    return _shown(call, made)


def _delete(call: Call) -> None:
    call.draft.resources.remove(found_resource(call))
    call.touched()


def _clean_cache(call: Call) -> None:
    # Nothing is cached: each run reads its sources anew.
    found_resource(call)


def _shown(call: Call, resource: Resource) -> dict[str, Any]:
    kind = (resource.datasource or {}).get("type", "realtime")
    made: dict[str, Any] = {
        "uid": resource.uid,
        "type": resource.type,
        "title": resource.title,
        "display_name": resource.title if kind == "uploaded_file" else _LABELS.get(kind, resource.title),
        "extraction_infos": {"label": sources.LABELS[resource.type], "type": resource.type}
        if resource.type in sources.PARAMETERS
        else None,
        "origin": {"label": _LABELS.get(kind, kind), "type": kind},
        "params": resource.params,
        "datasource": _without_secrets(resource.datasource),
        "updated_at": spelled(resource.updated_at),
    }
    if resource.realtime:
        key = resource.push_key or call.office.push_key
        url = call.request.url
        root = f"{url.scheme}://{url.netloc}/api/push/1.0/{quote(call.draft.dataset_id)}/{resource.uid}"
        made |= {
            "apikey": f"{key[:2]}***" if call.office.switches.masks_push_key else key,
            "push_url": f"{root}/push/",
            "url": root,
            "enabled": resource.enabled,
        }
        del made["datasource"]
    return made | ({"new_in_this_portal": []} if call.office.switches.unknown_keys else {})


def _without_secrets(datasource: Mapping[str, Any] | None) -> Any:
    made = deepcopy(datasource)
    auth: Any = ((made or {}).get("connection") or {}).get("auth") or {}
    for name in _SECRETS:
        if name in auth:
            auth[name] = None
    return made


# Realtime


def _realtime(call: Call) -> Resource:
    found = found_resource(call)
    if not found.realtime:
        raise bad_request("The resource is not a realtime resource")
    return found


def _enable(call: Call, *, on: bool) -> Any:
    found = _realtime(call)
    found.enabled = on
    call.office.expose(call.draft)
    return _shown(call, found)


def _renew(call: Call) -> Any:
    found = _realtime(call)
    found.push_key = secrets.token_hex(24)
    # The old one ends at once, whatever is published.
    call.office.expose(call.draft)
    return _shown(call, found)


def _recover(call: Call) -> Any:
    found = _realtime(call)
    if not call.draft.status.is_published:
        raise wrong_status("unpublished", ("published",))
    return _shown(call, found)
