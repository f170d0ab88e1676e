"""Files that hang on a dataset (attachments, alternative exports), and images of the portal.

None of them can be exchanged: another file is added, and the old one deleted, under another link.

Source: Automation API v1.0, attachments, alternative exports, images.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.core.plans.automation import once
from ods_provider.core.plans.automation.calls import Object, answered, as_object, path
from ods_provider.core.plans.automation.lists import Kind, entries, entry
from ods_provider.core.plans.automation.paging import every
from ods_provider.core.plans.files import open_file
from ods_provider.core.upload import Upload
from ods_provider.core.wire import Plan, Request, Response


def hung(uid: str, kind: Kind, file: Upload) -> Plan[Object]:
    """Add a file to a dataset and return what the portal says of it. Two calls; it is streamed.

    Args:
        uid: Which dataset.
        kind: ``attachments``, or ``alternative_exports``, whose form has a ``title`` and a ``type`` besides.
        file: The file.
    """
    sent = dict(file.texts) | {"filename": file.filename}

    def is_it(found: Object) -> bool:
        return all(found.get(key, value) == value for key, value in sent.items())

    def look() -> Plan[Mapping[Any, Object]]:
        there = yield from entries(uid, kind)
        return {each.get("uid"): each for each in there}

    made = yield from once.sent_once(
        lambda: answered(Request(path("datasets", uid, kind), method="POST", upload=file, once=True)),
        look,
        exactly=is_it,
    )
    return as_object(made, "uid", what=kind)


def download(uid: str, kind: Kind, file_uid: str) -> Plan[Response]:
    """Ask for a file and return the answer with its stream unread; the caller closes it. Two calls."""
    told = yield from entry(uid, kind, file_uid)
    at = path("datasets", uid, kind, file_uid, "download")
    return (yield from open_file(at, dataset_id=uid, mimetype=told.get("mimetype")))


def images() -> Plan[list[Object]]:
    """Return the images of the portal: ``[{url}]``."""
    return every("medias", "images")


def image(file: Upload) -> Plan[Object]:
    """Add an image to the portal and return ``{url}``, a path on it. Two calls."""

    def look() -> Plan[Mapping[Any, Object]]:
        return {each.get("url"): each for each in (yield from images())}

    made = yield from once.sent_once(
        lambda: answered(Request(path("medias", "images"), method="POST", upload=file, once=True)), look
    )
    return as_object(made, "url", what="image")
