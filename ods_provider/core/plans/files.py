"""Fetch a file that the portal names: an attachment, or the file of a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import unquote

from ods_provider.core.wire import Content, Plan, Request, Response

T = TypeVar("T")

# An id is the file's name with the dot made an underscore: page_html.
_ENDINGS: dict[Content, re.Pattern[str]] = {
    "html": re.compile(r"[._]x?html?\Z", re.IGNORECASE),
    "json": re.compile(r"[._][a-z]{0,9}json[a-z]{0,9}\Z", re.IGNORECASE),  # geojson and jsonl too
}


def open_file(url: str, *, dataset_id: str, mimetype: str | None = None) -> Plan[Response]:
    """Ask for a file and return the answer with its stream unread; the caller closes it. One call.

    Args:
        url: Absolute URL or path, as the portal gave it.
        dataset_id: The dataset it belongs to.
        mimetype: What the portal's listing says it is, None when it says nothing.
    """
    return (yield _request(url, dataset_id, mimetype, ()))


def file(
    url: str, *, dataset_id: str, read: Callable[[Response], T], mimetype: str | None = None, names: Iterable[str] = ()
) -> Plan[T]:
    """Ask for a file and return what ``read`` makes of it; one that breaks off is asked for and read again.

    Args:
        url: Absolute URL or path, as the portal gave it.
        dataset_id: The dataset it belongs to.
        read: Reads the answer's stream to its end, from the beginning at each try.
        mimetype: What the portal's listing says it is, None when it says nothing.
        names: What the file is called.
    """
    found: T = (yield replace(_request(url, dataset_id, mimetype, names), read=read)).content
    return found


def _request(url: str, dataset_id: str, mimetype: str | None, names: Iterable[str]) -> Request:
    """Return the call, with what the file was announced to be.

    A page or an error that comes in place of a file looks like one that is HTML or JSON itself, so that such a file has
    to be announced: by its type, one of its names, or the end of its URL (Q49).
    """
    # No urlsplit, which stumbles over some addresses: what is wrong with one is said where it is sent.
    called = [*names, unquote(re.split("[?#]", url, maxsplit=1)[0]).rstrip("/")]
    told = str(mimetype or "").lower()
    expects = frozenset(
        content
        for content, ending in _ENDINGS.items()
        if content in told or any(ending.search(name) for name in called)
    )
    return Request(url, kind="file", dataset_id=dataset_id, expects=expects)
