"""Send requests through one pooled ``requests`` session per client."""

from __future__ import annotations

import logging
import re
import warnings
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter

from ods_provider.core.connection import OdsConnection
from ods_provider.core.errors import OdsConfigError, OdsUnreachable
from ods_provider.core.redact import MASK, Secret, scrub
from ods_provider.core.wire import Headers, Request, Response
from ods_provider.transport.auth import Bearer, NoCredentials, credentials
from ods_provider.transport.failures import translate
from ods_provider.transport.hosts import MAX_REDIRECTS, REDIRECTS, Itinerary, Target
from ods_provider.transport.logs import guard_logs
from ods_provider.transport.stream import Body, read_whole

log = logging.getLogger(__name__)

POOL_SIZE = 32


class RequestsTransport:
    """Sends requests to one portal over HTTP/1.1 (Q37), with connections kept open. Threads may share it.

    Args:
        connection: Where to, as whom, how patiently.
        bearer: Signs in place of the connection's own key.

    Raises:
        OdsConfigError: The CA bundle is not there.
    """

    def __init__(self, connection: OdsConnection, *, bearer: Bearer | None = None) -> None:
        guard_logs()
        _prepare_tls(connection)
        self._connection = connection
        self._itinerary = Itinerary(connection.base_url, connection.allowed_hosts)
        self._bearer = bearer
        self._auth = bearer or credentials(connection)
        self._no_auth = NoCredentials()
        self._session = _session()

    def send(self, request: Request) -> Response:
        """Send ``request``, following the redirects it may follow, and return the answer whatever its status.

        Raises:
            OdsTransportError: No answer came.
            OdsConfigError: There is no push key for a push.
        """
        target = self._itinerary.start(request)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._send_once(request, target)
            onward = None
            if answer.status_code in REDIRECTS and "location" in answer.headers:
                onward = self._itinerary.follow(request, target.url, answer.headers["location"])
            if onward is None:
                return self._response(request, target, answer)
            answer.close()
            # A location carries its own query; the push key never meets one, because a push follows none.
            request = Request(onward.url, (), request.method, None, request.kind, request.dataset_id)
            target = onward
        raise OdsUnreachable(
            f"the portal redirects more than {MAX_REDIRECTS} times",
            where=f"{request.method} {self._clean(target.url)}",
            advice="Check the host of the connection",
        )

    def close(self) -> None:
        """Close every pooled connection."""
        self._session.close()

    def _send_once(self, request: Request, target: Target) -> requests.Response:
        connection = self._connection
        params = list(request.params)
        if request.kind == "push":
            key = connection.push_key(request.dataset_id or "", request.resource_id or "")
            params.append(("pushkey", key.reveal()))
        proxy = connection.proxy.reveal() if connection.proxy else None
        body, body_type = _body(request)
        try:
            return self._session.request(
                request.method,
                target.url,
                params=params or None,
                data=body,
                headers={"Content-Type": body_type} if body is not None else None,
                auth=self._auth if target.trusted and request.kind != "token" else self._no_auth,
                timeout=(connection.connect_timeout_s, connection.timeout_s),
                allow_redirects=False,
                stream=True,
                # With each request: REQUESTS_CA_BUNDLE would win over the session's own setting.
                verify=connection.verify,
                proxies={"http": proxy, "https": proxy} if proxy else None,
            )
        except Exception as error:
            where = f"{request.method} {self._clean(target.url)}"
            raise translate(error, where=where) from None

    def _response(self, request: Request, target: Target, answer: requests.Response) -> Response:
        url = self._clean(answer.url or target.url)
        where = f"{request.method} {url}"
        headers = Headers(answer.headers)
        secrets = tuple(self._secrets(request))
        if request.streamed and answer.status_code < 300:
            return Response(answer.status_code, headers, url, stream=Body(answer.raw, where=where), secrets=secrets)
        body = read_whole(answer.raw, where=where)
        # A refusal may quote the key that it refuses, and a push is refused with 200 too; other answers with 200 are
        # data, a new token among them, which may hold the same text rightly.
        if answer.status_code >= 300 or request.kind == "push":
            for secret in secrets:
                body = body.replace(secret.reveal().encode(), MASK.encode())
        return Response(answer.status_code, headers, url, body=body, secrets=secrets)

    def _clean(self, url: str) -> str:
        return scrub(url, self._secrets())

    def _secrets(self, request: Request | None = None) -> list[Secret]:
        own = self._connection.secrets()
        if self._bearer and self._bearer.token:
            own.append(self._bearer.token)
        return own + [value for _, value in (request.form if request else ()) if isinstance(value, Secret)]


def _prepare_tls(connection: OdsConnection) -> None:
    if isinstance(connection.verify, str) and not Path(connection.verify).exists():
        raise OdsConfigError(
            f"the CA bundle {connection.verify} does not exist on this machine",
            where="connection extra verify",
            advice="Name a PEM file that every worker and the triggerer have, or leave verify out",
        )
    if connection.verify is False:
        # Once and by name is enough; urllib3 would warn at every call.
        log.warning("The certificate of %s is not verified: the connection says verify=false.", connection.host)
        name = re.escape(urlsplit(connection.base_url).hostname or "")
        warnings.filterwarnings("ignore", f"Unverified HTTPS request is being made to host '\\[?{name}")


def _body(request: Request) -> tuple[bytes | None, str]:
    if not request.form:
        return request.body, "application/json"
    fields = [(name, value.reveal() if isinstance(value, Secret) else value) for name, value in request.form]
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _session() -> requests.Session:
    session = requests.Session()
    session.headers.clear()
    session.headers.update(
        {"User-Agent": f"ods-provider/{version('ods-provider')}", "Accept": "*/*", "Accept-Encoding": "gzip"}
    )
    # A portal's session cookie would make a call somebody else's.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter: Any = HTTPAdapter(pool_connections=4, pool_maxsize=POOL_SIZE, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
