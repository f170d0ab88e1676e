"""Translate what ``requests`` and urllib3 raise into our errors, most specific first.

The foreign error is not kept as the cause: its text holds the URL with its query, push key included.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3

from ods_provider.core.errors import (
    OdsConfigError,
    OdsError,
    OdsTimeout,
    OdsTransportError,
    OdsTruncated,
    OdsUnreachable,
)
from ods_provider.core.faces import setting
from ods_provider.transport.patience import Trickle

# What OpenSSL says when two sides have no common ground, or the other one speaks no TLS: it says so every time.
_NO_COMMON_GROUND = frozenset(
    {
        "CA_KEY_TOO_SMALL",
        "CA_MD_TOO_WEAK",
        "DH_KEY_TOO_SMALL",
        "EE_KEY_TOO_SMALL",
        "HTTPS_PROXY_REQUEST",
        "HTTP_REQUEST",
        "NO_CIPHERS_AVAILABLE",
        "NO_PROTOCOLS_AVAILABLE",
        "NO_SHARED_CIPHER",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "TLSV1_UNRECOGNIZED_NAME",
        "UNKNOWN_PROTOCOL",
        "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_SIGNATURE_TYPE",
        "WRONG_SSL_VERSION",
        "WRONG_VERSION_NUMBER",
    }
)
# The last one is what urllib3 says when it connects, of a name with a part that is empty or too long.
_NO_URL = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    urllib3.exceptions.LocationParseError,
)
# Alerts are the other side's refusals, final but for these: trouble of its own, or bytes damaged on the way.
_PASSING_ALERTS = ("ALERT_BAD_RECORD_MAC", "ALERT_INTERNAL_ERROR", "ALERT_USER_CANCELLED", "ALERT_CLOSE_NOTIFY")


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
    trickle = next((link for link in chain if isinstance(link, Trickle)), None)
    if trickle is not None:
        return _too_slow(trickle, where)
    if _any(chain, *_NO_URL):
        return _no_url(error, where)
    if _any(chain, requests.exceptions.InvalidProxyURL):
        return OdsConfigError("the proxy is not a valid URL", where=where, advice=f"Correct {setting('proxy')}")
    if _any(chain, ssl.SSLError, urllib3.exceptions.SSLError, requests.exceptions.SSLError):
        return _tls(chain, where, reading=reading)
    # Before the timeouts: urllib3 counts a refused connection among its connect timeouts.
    if _any(chain, socket.gaierror, urllib3.exceptions.NameResolutionError):
        return OdsTransportError("the host name is not known", where=where, advice=f"Check {setting('host')}")
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
            advice=f"Raise {setting('timeout_s')} if it is known to be slow",
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
    return OdsUnreachable(f"the call failed ({type(error).__name__})", where=where)


def _too_slow(trickle: Trickle, where: str) -> OdsError:
    return OdsTimeout(
        f"the answer trickles: {trickle}, fewer than min_bytes_s",
        where=where,
        advice=f"Run it again later; lower {setting('min_bytes_s')}, or set it to 0, if the line is so slow",
    )


def _no_url(error: BaseException, where: str) -> OdsError:
    if "SOCKS" in str(error):
        return OdsConfigError("a SOCKS proxy needs a package more", where=where, advice="pip install 'requests[socks]'")
    return OdsConfigError("the address is not a valid URL", where=where, advice=f"Correct {setting('host')}")


def _proxy(chain: list[BaseException], where: str) -> OdsError:
    if any("Tunnel connection failed: 407" in str(link) for link in chain):
        return OdsUnreachable(
            "the proxy asks for credentials, or does not take the ones it got",
            where=where,
            advice=f"Put user and password into {setting('proxy')}, as http://user:password@proxy:3128",
        )
    return OdsTransportError("the proxy did not let the call through", where=where, advice=f"Check {setting('proxy')}")


def _tls(chain: list[BaseException], where: str, *, reading: bool) -> OdsError:
    """Return the error of a TLS layer: final where trust or agreement is missing, else passing."""
    if reading:
        # Trust and agreement were there before the first byte of the answer.
        return OdsTruncated(
            "the TLS connection broke off before the answer was whole", where=where, advice="It is fetched again"
        )
    reasons = [link for link in chain if isinstance(link, ssl.SSLError)]
    if reasons and not any(_is_final(reason) for reason in reasons):
        return OdsTransportError(
            "the TLS connection broke off",
            where=where,
            advice="Run it again; if it persists, check the host, its port and what lies between",
        )
    refused = next((link for link in reasons if isinstance(link, ssl.SSLCertVerificationError)), None)
    detail = f": {refused.verify_message}" if refused is not None else ""
    return OdsUnreachable(
        f"the TLS connection could not be trusted or set up{detail}",
        where=where,
        advice=f"Check the host; for a private certificate set {setting('verify')} to the path of its CA bundle",
    )


def _is_final(error: ssl.SSLError) -> bool:
    """Return whether no retry cures it; what is not known to be final is retried, which costs less than a lost run."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return True
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)):
        return False
    reason = error.reason or ""
    if "ALERT" in reason:
        return not reason.endswith(_PASSING_ALERTS)
    # Another library than SSL, such as X509 or PEM, stumbles over files of ours: a bundle that is none.
    return reason in _NO_COMMON_GROUND or (error.library or "SSL") != "SSL"


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
