"""Translate what ``requests`` and urllib3 raise into our errors, most specific first.

The foreign error is not kept as the cause: its text holds the URL with its query, push key included.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3

from ods_provider.core.errors import OdsConfigError, OdsError, OdsTimeout, OdsTransportError, OdsTruncated


def translate(error: BaseException, *, where: str, reading: bool = False) -> OdsError:
    """Return our error for a foreign one.

    Args:
        error: What was raised; one of ours is returned as it is.
        where: Method and redacted URL.
        reading: Whether the answer had begun, so that a break means a body cut short.
    """
    if isinstance(error, OdsError):
        return error
    chain = list(_chain(error))
    if _any(
        chain, requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema
    ):
        return _no_url(error, where)
    if _any(chain, requests.exceptions.InvalidProxyURL):
        return OdsConfigError("the proxy is not a valid URL", where=where, advice="Correct the connection's proxy")
    if _any(chain, ssl.SSLError, urllib3.exceptions.SSLError, requests.exceptions.SSLError):
        return _tls(chain, where)
    # Before the timeouts: urllib3 counts a refused connection among its connect timeouts.
    if _any(chain, socket.gaierror, urllib3.exceptions.NameResolutionError):
        return OdsTransportError("the host name is not known", where=where, advice="Check the host of the connection")
    if _any(chain, ConnectionRefusedError):
        return OdsTransportError("the host refuses the connection", where=where, advice="Check host and port")
    if _any(chain, requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
        return OdsTimeout(
            "no connection within connect_timeout_s", where=where, advice="Check the host and the network"
        )
    if _any(chain, requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
        return OdsTimeout(
            "the portal was silent for longer than timeout_s",
            where=where,
            advice="Raise timeout_s if it is known to be slow",
        )
    if _any(chain, requests.exceptions.ProxyError, urllib3.exceptions.ProxyError):
        return _proxy(chain, where)
    if reading:
        return OdsTruncated(
            "the connection broke off before the answer was whole", where=where, advice="It is fetched again"
        )
    if _any(chain, OSError, requests.exceptions.ConnectionError, urllib3.exceptions.HTTPError):
        return OdsTransportError(
            "the connection failed or was closed without an answer", where=where, advice="Run it again"
        )
    return OdsTransportError(f"the call failed ({type(error).__name__})", where=where, transient=False)


def _no_url(error: BaseException, where: str) -> OdsError:
    if "SOCKS" in str(error):
        return OdsConfigError("a SOCKS proxy needs a package more", where=where, advice="pip install 'requests[socks]'")
    return OdsConfigError("the address is not a valid URL", where=where, advice="Correct the host of the connection")


def _proxy(chain: list[BaseException], where: str) -> OdsError:
    if any("Tunnel connection failed: 407" in str(link) for link in chain):
        return OdsTransportError(
            "the proxy asks for credentials, or does not take the ones it got",
            where=where,
            advice="Put user and password into the connection's proxy, as http://user:password@proxy:3128",
            transient=False,
        )
    return OdsTransportError("the proxy did not let the call through", where=where, advice="Check the proxy")


def _tls(chain: list[BaseException], where: str) -> OdsError:
    reason = next((link for link in chain if isinstance(link, ssl.SSLCertVerificationError)), None)
    detail = f": {reason.verify_message}" if reason is not None else ""
    return OdsTransportError(
        f"the TLS connection could not be trusted or set up{detail}",
        where=where,
        advice="Check the host; for a private certificate set verify to the path of its CA bundle",
        transient=False,
    )


def _any(chain: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(link, kinds) for link in chain)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and everything that caused it, however libraries have nested it."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        link = queue.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        queue += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
