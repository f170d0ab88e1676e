"""Web pages that come where data or a file was asked for: a login, a maintenance, or another host than a portal."""

from __future__ import annotations

import re

from ods_provider.core.errors import OdsAuthError, OdsNotAPortal, OdsResponseError
from ods_provider.core.faces import setting
from ods_provider.core.wire import Request, Response

BOM = b"\xef\xbb\xbf"
_PAGES = ("text/html", "application/xhtml+xml")
_HTML = re.compile(rb"<(?:!doctype\s{1,9}html|html|head|body)\b", re.IGNORECASE)
_LOGIN = re.compile(rb"type=[\"']?password|name=[\"']?password|/login\b|log ?in\b|sign ?in\b|connexion", re.IGNORECASE)


def is_page(request: Request, response: Response, head: bytes) -> bool:
    """Return whether an answer that begins with ``head`` is a web page, whatever type it has."""
    if response.media_type not in _PAGES:
        return _HTML.match(_text(head)) is not None
    # Files are labelled carelessly at times; no page is empty or holds zero bytes.
    return request.kind != "file" or (bool(head.strip()) and b"\0" not in head)


def _text(head: bytes) -> bytes:
    # Stripped here, not by a pattern: two runs of spaces around a mark that may be missing take quadratic time.
    return head.lstrip().removeprefix(BOM).lstrip()


def first_sign(head: bytes) -> bytes:
    """Return the first byte that says something."""
    return _text(head)[:1]


def is_json(head: bytes) -> bool:
    """Return whether an answer begins as an object or a list does."""
    return first_sign(head) in (b"{", b"[")


def page_error(request: Request, status: int, head: bytes, where: str) -> OdsResponseError:
    """Return the error that a web page is: a login, or something else than the portal's API."""
    wanted = "the file" if request.kind == "file" else "data"
    if _LOGIN.search(head):
        advice = f"The portal or dataset is private: use an API key that may read it ({setting('api_key')})"
        return OdsAuthError(
            f"The portal showed its login page instead of {wanted}",
            status=status,
            where=where,
            advice=advice + (f". {announced('HTML', '.html')}" if request.kind == "file" else ""),
        )
    if request.kind == "file":
        return OdsNotAPortal(
            "A web page came instead of the file",
            status=status,
            where=where,
            advice=f"Open the address in a browser to see what it is. {announced('HTML', '.html')}",
        )
    return OdsNotAPortal(
        "The answer is a web page, not data",
        status=status,
        where=where,
        advice=f"Check {setting('host')}; the portal may have moved or be down for maintenance",
    )


def announced(content: str, ending: str) -> str:
    """Return which files may hold such content, for the advice of an error."""
    return f"A file that is {content} itself is taken where its mimetype or its name says so ({ending})"
