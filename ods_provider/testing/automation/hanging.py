"""Files that hang on a dataset (attachments, alternative exports), and images of the portal.

Source: Automation API v1.0, attachments, alternative exports, images.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import FileResponse

from ods_provider.testing.automation.calls import Call, Entry, page
from ods_provider.testing.automation.datasets import ONE
from ods_provider.testing.backoffice.draft import HungFile, uid
from ods_provider.testing.backoffice.moments import moment
from ods_provider.testing.backoffice.trouble import invalid, not_found
from ods_provider.testing.backoffice.uploads import UploadedFile, mimetype_of, slug

ATTACHMENTS = f"{ONE}attachments/"
EXPORTS = f"{ONE}alternative_exports/"
IMAGES = "/medias/images/"


def table() -> list[Entry]:
    """Return the calls."""
    attachment, export = f"{ATTACHMENTS}{{item_uid}}/", f"{EXPORTS}{{item_uid}}/"
    return [
        Entry("GET", ATTACHMENTS, "read", lambda call: page(call, call.draft.attachments, _attachment)),
        Entry("POST", ATTACHMENTS, "write", _attach, upload=True),
        Entry("GET", attachment, "read", lambda call: _attachment(_found(call, call.draft.attachments))),
        Entry("GET", f"{attachment}download/", "read", lambda call: _download(_found(call, call.draft.attachments))),
        Entry("DELETE", attachment, "write", lambda call: _delete(call, call.draft.attachments)),
        Entry("GET", EXPORTS, "read", lambda call: page(call, call.draft.alternative_exports, _export)),
        Entry("POST", EXPORTS, "write", _offer, upload=True),
        Entry("GET", export, "read", lambda call: _export(_found(call, call.draft.alternative_exports))),
        Entry("PUT", export, "write", _describe),
        Entry(
            "GET", f"{export}download/", "read", lambda call: _download(_found(call, call.draft.alternative_exports))
        ),
        Entry("DELETE", export, "write", lambda call: _delete(call, call.draft.alternative_exports)),
        Entry("GET", IMAGES, "tools", lambda call: page(call, call.office.images, lambda image: {"url": image})),
        Entry("POST", IMAGES, "tools", _image, upload=True),
    ]


def _kept(call: Call) -> UploadedFile:
    if call.form.path is None:
        raise invalid({"file": ["This field is required"]})
    name = call.form.filename
    kind = mimetype_of(name, call.form.mimetype)
    return UploadedFile(slug(name, set()), name, kind, moment(call.office.clock()), call.form.path)


def _found(call: Call, items: list[HungFile]) -> HungFile:
    wanted = call.named("item_uid")
    for item in items:
        if item.uid == wanted:
            return item
    raise not_found("File")


def _attach(call: Call) -> Any:
    file = _kept(call)
    made = HungFile(uid("at"), file, file.filename)
    call.draft.attachments.append(made)
    call.touched()
    return _attachment(made), 201


def _offer(call: Call) -> Any:
    texts = call.form.texts
    if not texts.get("title"):
        raise invalid({"title": ["This field is required"]})
    if texts.get("type", "uploaded_file") != "uploaded_file":
        raise invalid({"type": ["Only uploaded_file can be made"]})
    made = HungFile(uid("ae"), _kept(call), texts["title"], texts.get("description"))
    call.draft.alternative_exports.append(made)
    call.touched()
    return _export(made), 201


def _describe(call: Call) -> Any:
    found, given = _found(call, call.draft.alternative_exports), call.object()
    found.title = str(given.get("title") or found.title)
    found.description = given.get("description", found.description)
    call.touched()
    return _export(found)


def _delete(call: Call, items: list[HungFile]) -> None:
    items.remove(_found(call, items))
    call.touched()


def _download(item: HungFile) -> FileResponse:
    return FileResponse(item.file.path, media_type=item.file.mimetype, filename=item.file.filename)


def _attachment(item: HungFile) -> dict[str, Any]:
    return {**item.file.as_json(), "uid": item.uid}


def _export(item: HungFile) -> dict[str, Any]:
    told = item.file.as_json()
    return {
        "uid": item.uid,
        "title": item.title,
        "description": item.description,
        "type": "uploaded_file",
        "mimetype": told["mimetype"],
        "filename": told["filename"],
        "created_at": told["created_at"],
    }


def _image(call: Call) -> Any:
    file = _kept(call)
    if not file.mimetype.startswith("image/"):
        raise invalid({"file": ["An image is required"]})
    url = f"/assets/theme_image/{file.uid}"
    call.office.images.append(url)
    return {"url": url}, 201
