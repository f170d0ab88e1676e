"""Private networks: whether a file that somebody else named may be fetched from an address that only we can reach.

Names are no proof: one may lead to a public address when it is looked at, and to a private one when it is connected to.
So both are checked, the addresses of the name before, and the other end of the connection before anything is sent.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import setting
from ods_provider.core.settings import PrivateFiles

Resolve = Callable[[str], Iterable[str]]
# All that was ever given out to the internet. What lies outside (fec0::/10, ::10.0.0.1, 64:ff9b:1::/48) is of a house,
# or another spelling of an old address, whatever this version of Python knows of it.
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_MOST_NAMES = 1000


def addresses(host: str) -> list[str]:
    """Return the addresses of a host; none when this machine does not know the name (a proxy may)."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def is_public(address: str) -> bool:
    """Return whether everybody on the internet reaches the same machine under an address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        # Addresses of the old kind, in the several spellings that the new kind has for them.
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        if found not in _GIVEN_OUT:
            return False
    return found.is_global and not found.is_multicast


class Networks:
    """What is known of the portal's network, and what follows for files elsewhere.

    Args:
        portal: The portal's host.
        private_files: ``refuse``, ``allow``, or ``auto``: refuse where the portal is on a public address.
        resolve: Looks a name up.
    """

    def __init__(self, portal: str, private_files: PrivateFiles, *, resolve: Resolve = addresses) -> None:
        self._portal = portal
        self._chosen = private_files
        self._resolve = resolve
        self._portal_is_public: bool | None = None
        self._public_names: set[str] = set()

    def met_portal(self, address: str) -> None:
        """Take note of an address at which the portal was reached: one public address makes it public for good."""
        self._portal_is_public = self._portal_is_public or is_public(address)

    @property
    def refuse(self) -> bool:
        """Whether files in private networks are refused."""
        if self._chosen == "auto" and self._portal_is_public is None:
            found = list(self._resolve(self._portal))
            # A portal whose name only a proxy knows is somewhere out there.
            self._portal_is_public = not found or any(is_public(address) for address in found)
        return self._chosen == "refuse" or (self._chosen == "auto" and bool(self._portal_is_public))

    def expect_public(self, host: str) -> None:
        """Refuse a host one of whose addresses is private, where that is not allowed; before it is connected to.

        Raises:
            OdsConfigError: It is.
        """
        if not self.refuse or host in self._public_names:
            return
        if not all(is_public(address) for address in self._resolve(host.strip("[]"))):
            raise _private(host)
        if len(self._public_names) < _MOST_NAMES:
            self._public_names.add(host)

    def expect_public_peer(self, host: str, address: str) -> None:
        """Refuse a connection that was made to a private address, where that is not allowed; before it is used.

        Raises:
            OdsConfigError: It was.
        """
        if self.refuse and not is_public(address):
            raise _private(host)


def _private(host: str) -> OdsConfigError:
    return OdsConfigError(
        "the file lies in a private network, where files of a portal are not fetched from",
        where=f"file host {host}",
        advice=f'Set {setting("private_files")} to "allow", or name the host in {setting("allowed_hosts")}',
    )
