"""Lists of the Automation API, whole: page after page, however large the portal makes them.

``next`` only says that there is more; where it begins follows from what came. An address on another host is asked only
if the connection allows that host.

Source: Automation API v1.0, pages (limit 0 to 1000, 20 unless asked; fields and processors are pages too).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ods_provider.core.errors import OdsMismatch, OdsQueryError
from ods_provider.core.plans.automation.calls import Object, as_object, as_objects, path, told
from ods_provider.core.redact import masked
from ods_provider.core.wire import Params, Plan, Request

PAGE = 250  # a portal takes 1000, and metadata of as many may be larger than an answer may be
_MOST_PAGES = 10_000
_TRIES = 3
_KEYS = ("uid", "username", "url", "name")


def every(*parts: str, params: Params = ()) -> Plan[list[Object]]:
    """Return all items of a list, credentials masked. One call for each 250, or for as many as the portal gives.

    Raises:
        OdsMismatch: The list changes while it is read, each time, so that an item may be missing.
        OdsConfigError: The portal names a next page on a host that the connection does not allow.
    """
    items: list[Object] = masked((yield from every_sealed(*parts, params=params)))
    return items


def every_sealed(*parts: str, params: Params = ()) -> Plan[list[Object]]:
    """Return all items of a list, credentials as ``Secret``."""
    before: set[Any] | None = None
    for _ in range(_TRIES):
        found, total = yield from _once_through(path(*parts), params)
        # Twice the same, and fewer than counted: the count is of more than this key sees.
        if total is None or len(found) >= total or found.keys() == before:
            return list(found.values())
        before = set(found)
    raise OdsMismatch(
        f"the list has {total} items by the portal's count, and {len(found)} came",
        where=f"GET {path(*parts)}",
        advice="Somebody changes it meanwhile: run it again",
    )


def counted(*parts: str, params: Params = ()) -> Plan[int | None]:
    """Return how many items a list has, None where the portal does not count. One call."""
    page = as_object(told((yield Request(path(*parts), (*params, ("limit", "0"))))), what=path(*parts))
    return _total(page)


def _once_through(at: str, params: Params) -> Plan[tuple[dict[Any, Object], int | None]]:
    found: dict[Any, Object] = {}
    offset, total = 0, None
    limit: Params = (("limit", str(PAGE)),)
    host = ""
    for number in range(_MOST_PAGES):
        begins = (("offset", str(offset)),) if offset else ()
        try:
            page, url = yield from _page(Request(host + at, (*params, *limit, *begins)))
        except OdsQueryError:
            if number or not limit:
                raise
            limit = ()  # this portal takes no page as large: it gives what it wants
            page, url = yield from _page(Request(at, params))
        if isinstance(page, list):  # extractors and processors come as they are
            return dict(enumerate(as_objects(page, what=f"GET {url}"))), None
        page = as_object(page, "results", what=f"GET {url}")
        items = as_objects(page["results"], what=f"GET {url}")
        for item in items:
            found.setdefault(_key(item, len(found)), item)
        offset += len(items)
        total = _total(page)
        following = page.get("next")
        if not items or not (following or (total is not None and offset < total)):
            break
        host = _host(str(following), url) if following else host
    return found, total


def _page(request: Request) -> Plan[tuple[Any, str]]:
    # A plan of its own: its frame, and with it the answer as it came, is gone before the next page is asked for.
    response = yield request
    return told(response), response.url


def _key(item: Any, number: int) -> Any:
    for name in _KEYS:
        if isinstance(item, dict) and isinstance(item.get(name), str):
            return item[name]
    return number


def _host(following: str, here: str) -> str:
    """Return the scheme and host of the next page where they are others, which the transport judges; else nothing."""
    parts = urlsplit(following)
    if not parts.netloc or parts.netloc == urlsplit(here).netloc:
        return ""
    return f"{parts.scheme or 'https'}://{parts.netloc}"


def _total(page: Object) -> int | None:
    # A text in the vendor's description, a number in what was seen.
    try:
        return int(page["total_count"])
    except (KeyError, TypeError, ValueError):
        return None
