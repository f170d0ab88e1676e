"""Fetch a file that the portal names: an attachment, or the file of a record."""

from __future__ import annotations

from ods_provider.core.wire import Plan, Request, Response


def open_file(url: str, *, dataset_id: str) -> Plan[Response]:
    """Ask for a file and return the answer with its stream unread; the caller closes it. One call.

    Args:
        url: Absolute URL or path, as the portal gave it.
        dataset_id: The dataset it belongs to.
    """
    return (yield Request(url, kind="file", dataset_id=dataset_id))
