r"""Where a call may go: the portal's own origin, hosts that the connection allows, and for files any HTTPS host.

An origin is scheme, host and port: a key for port 443 is not for port 8443. It is read by urllib3, which also makes the
connection: where two parsers differ about the host of ``https://a\@b``, keys go to strangers.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from ods_provider.core.connection import is_loopback
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import setting
from ods_provider.core.wire import Request, is_absolute

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LOCATION_CHARS = 8192  # a signed address takes two thousand
_PORTS = {"http": 80, "https": 443}
# urllib3 before 2.8 lets these through.
_NO_HOST = re.compile(r"[\x00-\x20\x7f]")
_Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Target:
    """An absolute URL and whether credentials may go there."""

    url: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Itinerary:
    """Decides the first and every following address of a call.

    Args:
        base_url: The portal.
        allowed_hosts: Hosts of the same portal under other names, with a port unless it is the usual one. They get the
            credentials too: an authenticated call that turns anonymous may answer 200 with fewer rows (Q4, Q45).
    """

    base_url: str
    allowed_hosts: Collection[str] = ()
    _own: frozenset[_Origin] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_own", frozenset(self._origins()))

    def _origins(self) -> list[_Origin]:
        base = _origin(self.base_url)
        if base is None:
            return []
        # Never from https down to http: the key would travel in the clear.
        schemes = ("https",) if base[0] == "https" else ("http", "https")
        found = [_origin(f"{scheme}://{host}") for scheme in schemes for host in self.allowed_hosts]
        if base == ("http", base[1], 80):
            found.append(("https", base[1], 443))
        return [base, *(origin for origin in found if origin)]

    def start(self, request: Request) -> Target:
        """Return where ``request`` goes first.

        Raises:
            OdsConfigError: An absolute URL outside the portal on a call that is no file.
        """
        if not is_absolute(request.path):
            return Target(f"{self.base_url}/{request.path.lstrip('/')}", trusted=True)
        target = self._target(request, request.path)
        if target is None:
            raise _elsewhere(request)
        return target

    def follow(self, request: Request, here: str, location: str) -> Target | None:
        """Return where a redirect leads, or None when it must not be followed.

        Only a GET follows one: most clients would turn a POST into a GET (Q19). A file may be fetched elsewhere over
        HTTPS (within this machine, from a portal that is on it, over http too), without credentials. Anything else
        stays within the portal, and asks what was asked: an address that lost its query would answer other rows.
        """
        if request.method != "GET" or request.kind == "push" or len(location) > _LOCATION_CHARS:
            return None
        try:
            onward = urljoin(here, _as_sent(location))
            if request.kind != "file" and urlsplit(here).query and not urlsplit(onward).query:
                return None
            return self._target(request, onward)
        except ValueError:  # a bracket without its other half
            return None

    def _target(self, request: Request, url: str) -> Target | None:
        origin = _origin(url)
        if origin is None:
            return None
        if origin in self._own:
            return Target(url, trusted=True)
        return Target(url, trusted=False) if request.kind == "file" and self._serves_files(origin) else None

    def _serves_files(self, origin: _Origin) -> bool:
        base = _origin(self.base_url)
        # A portal on this machine, in plain http, is one for tests: so may be what it redirects to.
        here = base is not None and base[0] == "http" and is_loopback(base[1]) and is_loopback(origin[1])
        return origin[0] == "https" or here


def _elsewhere(request: Request) -> OdsConfigError:
    address = request.path.partition("?")[0]
    named = f"name the host in {setting('allowed_hosts')}"
    if request.kind != "file":
        return OdsConfigError(
            "the portal names an address of another host",
            where=address,
            advice=f"If both are the same portal, {named}; else ask its operator",
        )
    return OdsConfigError(
        "the file's host is not the portal's host",
        where=f"file URL {address}",
        advice=f"Files elsewhere are fetched over https only; or {named}",
    )


def host_of(url: str) -> str:
    """Return the host that a call to ``url`` would connect to, ``""`` when it is no address."""
    origin = _origin(url)
    return origin[1] if origin else ""


def _as_sent(location: str) -> str:
    """Return a header that the HTTP library read as Latin-1 as the UTF-8 that it was, where it was."""
    try:
        return location.encode("latin-1").decode()
    except UnicodeError:
        return location


def _origin(url: str) -> _Origin | None:
    """Return where a URL leads; None when it is none, of another scheme, or carries credentials of its own."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        return None
    scheme = parts.scheme or ""
    if scheme not in _PORTS or not parts.host or parts.auth or _NO_HOST.search(parts.host):
        return None
    return scheme, parts.host, parts.port or _PORTS[scheme]
