"""Send requests through one pooled ``requests`` session per client."""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from ods_provider.core.bounds import ANSWER_BYTES, REFUSAL_BYTES, read_all
from ods_provider.core.connection import OdsConnection
from ods_provider.core.errors import OdsConfigError, OdsUnreachable
from ods_provider.core.faces import setting
from ods_provider.core.forgetting import forgets
from ods_provider.core.redact import MASK, Sealed, Secret, scrub, secrets_in, without
from ods_provider.core.upload import MultipartBody
from ods_provider.core.wire import Headers, Request, Response
from ods_provider.transport.adapter import session
from ods_provider.transport.auth import Bearer, NoCredentials, credentials
from ods_provider.transport.failures import translate
from ods_provider.transport.hosts import MAX_REDIRECTS, REDIRECTS, Itinerary, Target, host_of
from ods_provider.transport.logs import guard_logs
from ods_provider.transport.networks import Networks, Resolve, addresses
from ods_provider.transport.patience import Patience
from ods_provider.transport.stream import Body

log = logging.getLogger(__name__)
_JSON = "application/json"


class RequestsTransport:
    """Sends requests to one portal over HTTP/1.1 (Q37), with connections kept open. Threads may share it.

    Args:
        connection: Where to, as whom, how patiently.
        bearer: Signs in place of the connection's own key.
        heed: Raises when the call was told to stop; asked twice a second at least while one waits.
        resolve: Looks up the addresses of a name, for tests.

    Raises:
        OdsConfigError: The CA bundle is not there.
    """

    def __init__(
        self,
        connection: OdsConnection,
        *,
        bearer: Bearer | None = None,
        heed: Callable[[], None] | None = None,
        resolve: Resolve = addresses,
    ) -> None:
        guard_logs()
        _prepare_tls(connection)
        self._connection = connection
        self._itinerary = Itinerary(connection.base_url, connection.allowed_hosts)
        self._bearer = bearer
        self._auth = bearer or credentials(connection)
        self._no_auth = NoCredentials()
        self._patience = Patience(connection.timeout_s, connection.min_bytes_s, heed)
        self._networks = Networks(host_of(connection.base_url), connection.private_files, resolve=resolve)
        # Sealed: pools and adapters hold the proxy's password in the clear. Strangers have a session of their own,
        # whose connections are looked at before anything goes over them.
        self._session = Sealed(session(self._patience, self._networks, stranger=False))
        self._strangers = Sealed(session(self._patience, self._networks, stranger=True))

    @forgets
    def send(self, request: Request) -> Response:
        """Send ``request``, following the redirects it may follow, and return the answer whatever its status.

        Raises:
            OdsTransportError: No answer came.
            OdsConfigError: There is no push key for a push, or a file lies where none may be fetched from.
        """
        target = self._itinerary.start(request)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._send_once(request, target)
            onward = None
            location = answer.raw.headers.get("location")
            if answer.status_code in REDIRECTS and location is not None and not self._repeats_a_secret(location):
                # The whole address, query included: what is relative to it may keep that.
                onward = self._itinerary.follow(request, answer.url or target.url, location)
            if onward is None:
                return self._response(request, target, answer)
            answer.close()
            # A location carries its own query; the push key never meets one, because a push follows none.
            request = Request(onward.url, (), request.method, None, request.kind, request.dataset_id)
            target = onward
        raise OdsUnreachable(
            f"the portal redirects more than {MAX_REDIRECTS} times",
            where=f"{request.method} {self._clean(target.url)}",
            advice=f"Check {setting('host')}",
        )

    def close(self) -> None:
        """Close every pooled connection."""
        self._session.open().close()
        self._strangers.open().close()

    def _send_once(self, request: Request, target: Target) -> requests.Response:
        connection = self._connection
        params = list(request.params)
        if request.kind == "push":
            key = connection.push_key(request.dataset_id or "", request.resource_id or "")
            params.append(("pushkey", key.reveal()))
        proxy = connection.proxy.reveal() if connection.proxy else None
        body, body_type = _body(request)
        ours = self._session if target.trusted else self._strangers
        try:
            if not target.trusted:
                host = host_of(target.url)
                self._patience.beside(lambda: self._networks.expect_public(host), _nothing)
            return ours.open().request(
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
        located = {name: answer.raw.headers[name] for name in ("location",) if name in answer.raw.headers}
        headers = Headers({**answer.headers, **located})
        secrets = tuple(self._secrets(request))
        if request.streamed and answer.status_code < 300:
            stream = Body(answer.raw, where=where)
            return Response(answer.status_code, headers, url, stream=stream, secrets=secrets)
        # Of a refusal its first sentence is enough.
        refused = answer.status_code >= 300
        most_bytes = REFUSAL_BYTES if refused else ANSWER_BYTES
        body = read_all(Body(answer.raw, where=where), where=where, most_bytes=most_bytes, cut=refused)
        # A refusal may quote the key that it refuses, and a push is refused with 200 too; other answers with 200 are
        # data, a new token among them, which may hold the same text rightly.
        if refused or request.kind == "push":
            for secret in secrets:
                body = body.replace(secret.reveal().encode(), MASK.encode())
        return Response(answer.status_code, headers, url, body=body, secrets=secrets)

    def _repeats_a_secret(self, location: str) -> bool:
        # It would carry it into logs, and perhaps to another host. A signature of a store's own is none of ours.
        return without(location, self._secrets()) != location

    def _clean(self, url: str) -> str:
        return scrub(url, self._secrets())

    def _secrets(self, request: Request | None = None) -> list[Secret]:
        own = self._connection.secrets()
        if self._bearer and self._bearer.token:
            own.append(self._bearer.token)
        if request is None:
            return own
        return [*own, *secrets_in(request.json), *(value for _, value in request.form if isinstance(value, Secret))]


def _prepare_tls(connection: OdsConnection) -> None:
    if isinstance(connection.verify, str) and not Path(connection.verify).exists():
        raise OdsConfigError(
            f"the CA bundle {connection.verify} does not exist on this machine",
            where=setting("verify"),
            advice="Name a PEM file that every machine has which calls the portal, or leave it out",
        )
    if connection.verify is False:
        # Once and by name is enough; urllib3 would warn at every call.
        log.warning(
            "The certificate of %s is not verified: %s is false.", connection.host, connection.face.setting("verify")
        )
        name = re.escape(urlsplit(connection.base_url).hostname or "")
        warnings.filterwarnings("ignore", f"Unverified HTTPS request is being made to host '\\[?{name}")


def _body(request: Request) -> tuple[bytes | MultipartBody | None, str]:
    """Return what goes over the line, in which the request's secrets are revealed, and its type."""
    if request.upload is not None:
        made = MultipartBody(request.upload)
        return made, made.content_type
    if request.json is not None:
        return json.dumps(request.json, ensure_ascii=False, allow_nan=False, default=_revealed).encode(), _JSON
    if not request.form:
        return request.body, _JSON
    fields = [(name, value.reveal() if isinstance(value, Secret) else value) for name, value in request.form]
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is no JSON")


def _nothing() -> None:
    """Undo nothing."""
