"""Where a call may go: the portal's own host, hosts that the connection allows, and for files any HTTPS host."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from ods_provider.core.errors import OdsConfigError, OdsTransportError
from ods_provider.core.wire import Request

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})


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
        allowed_hosts: Hosts of the same portal under other names; they get the credentials too, because an
            authenticated call that turns anonymous may answer 200 with fewer rows (Q4, Q45).
    """

    base_url: str
    allowed_hosts: Collection[str] = ()

    def start(self, request: Request) -> Target:
        """Return where ``request`` goes first.

        Raises:
            OdsConfigError: An absolute URL outside the portal on a call that is no file.
        """
        if "://" not in request.path:
            return Target(f"{self.base_url}/{request.path.lstrip('/')}", trusted=True)
        target = Target(request.path, self._trusts(request.path))
        if not target.trusted and (request.kind != "file" or urlsplit(target.url).scheme != "https"):
            raise OdsConfigError(
                f"{_host(target.url)} is not the portal's host",
                where=f"file URL {target.url.partition('?')[0]}",
                advice="Files elsewhere are fetched over https only; or name the host in allowed_hosts",
            )
        return target

    def follow(self, request: Request, here: str, location: str) -> Target | None:
        """Return where a redirect leads, or None when it must not be followed.

        A POST follows none: most clients would turn it into a GET (Q19). A file may be fetched elsewhere over HTTPS,
        without credentials. Anything else stays within the portal.

        Raises:
            OdsTransportError: The address cannot be read.
        """
        if request.method == "POST" or request.kind == "push":
            return None
        try:
            url = urljoin(here, location)
            scheme = urlsplit(url).scheme
            trusted = self._trusts(url)
        except ValueError:
            raise OdsTransportError(
                "the portal redirects to an address that is none", where=f"GET {here}", transient=False
            ) from None
        if trusted:
            return Target(url, trusted=True)
        if request.kind == "file" and scheme == "https":
            return Target(url, trusted=False)
        return None

    def _trusts(self, url: str) -> bool:
        base, other = urlsplit(self.base_url), urlsplit(url)
        # Never from https down to http: the key would travel in the clear.
        if other.scheme != base.scheme and not (base.scheme == "http" and other.scheme == "https"):
            return False
        if (other.hostname, other.port) == (base.hostname, base.port):
            return True
        if other.hostname == base.hostname and base.port is None and other.port in (80, 443):
            return True
        return _host(url) in self.allowed_hosts or (other.hostname or "") in self.allowed_hosts


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
