"""Forms: a POST to version 1 means what a GET with the same parameters means."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

# The download has a page of its own besides.
_V1 = re.compile(r"/api/(?:datasets|records)/1\.0/|/explore/dataset/[^/]+/download/?\Z")
_DATASET = re.compile(r"/api/datasets/1\.0/([^/]+)|/explore/dataset/([^/]+)")


def is_v1(path: str) -> bool:
    """Return whether an address is one of version 1."""
    return _V1.match(path) is not None


async def with_form(scope: Scope, receive: Receive) -> Scope:
    """Return the call with the fields of its form among its parameters.

    Only for version 1; other calls, and bodies that are no form, are left alone.
    """
    headers = dict(scope["headers"])
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip()
    if scope["method"] != "POST" or not is_v1(scope["path"]) or kind != b"application/x-www-form-urlencoded":
        return scope
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    return {**scope, "query_string": b"&".join(part for part in (scope["query_string"], body) if part)}


def dataset_of(scope: Scope) -> str | None:
    """Return the dataset that a call to version 1 is about."""
    if found := _DATASET.match(scope["path"]):
        name = found[1] or found[2]
        return None if name == "search" else name
    if is_v1(scope["path"]):
        return next(iter(parse_qs(scope["query_string"].decode("latin-1")).get("dataset", [])), None)
    return None
