"""Fetch a file that the portal names: an attachment, or the file of a record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from ods_provider.core.wire import Content, Plan, Request, Response

# An id is the file's name with the dot made an underscore: page_html.
_ENDINGS: dict[Content, re.Pattern[str]] = {
    "html": re.compile(r"[._]x?html?\Z", re.IGNORECASE),
    "json": re.compile(r"[._][a-z]*json[a-z]*\Z", re.IGNORECASE),  # geojson and jsonl too
}


def open_file(url: str, *, dataset_id: str, mimetype: str | None = None, names: Iterable[str] = ()) -> Plan[Response]:
    """Ask for a file and return the answer with its stream unread; the caller closes it. One call.

    A page or an error that comes in place of a file looks like one that is HTML or JSON itself, so that such a file has
    to be announced: by its type, one of its names, or the end of its URL (Q49).

    Args:
        url: Absolute URL or path, as the portal gave it.
        dataset_id: The dataset it belongs to.
        mimetype: What the portal's listing says it is, None when it says nothing.
        names: What the file is called.
    """
    # No urlsplit, which stumbles over some addresses: what is wrong with one is said where it is sent.
    called = [*names, unquote(re.split("[?#]", url, maxsplit=1)[0]).rstrip("/")]
    told = str(mimetype or "").lower()
    expects = frozenset(
        content
        for content, ending in _ENDINGS.items()
        if content in told or any(ending.search(name) for name in called)
    )
    return (yield Request(url, kind="file", dataset_id=dataset_id, expects=expects))
