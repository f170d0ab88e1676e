"""What every call passes: the access log, ordered faults, keys, quotas, and the headers of a portal."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from ods_provider.testing.access import Access
from ods_provider.testing.errors import Refusal
from ods_provider.testing.faults import LOGIN_PAGE, OTHER_PAGE, Fault, Faults
from ods_provider.testing.oauth import ROOT
from ods_provider.testing.quotas import Quotas, exceeded
from ods_provider.testing.search_v1.form import dataset_of, with_form

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Callable[[], Awaitable[Message]], Send], Awaitable[None]]

access_log = logging.getLogger("ods_provider.testing.access")
MOST_URL_BYTES = 8_192
_TOO_LONG = b"<html><head><title>414 Request-URI Too Large</title></head><body>openresty</body></html>"
_SECRET = re.compile(r"(?i)\b(apikey|pushkey|access_token)=[^&\s]*")
_COMMON = [
    (b"server", b"openresty"),
    (b"cache-control", b"no-cache, no-store, max-age=0, must-revalidate"),
    (b"vary", b"Accept-Language, Cookie, Host"),
    (b"content-language", b"en"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
]


@dataclass
class LoggedRequest:
    """One call as the portal saw it; ``query`` without credentials, ``auth`` the kind of credential that came."""

    method: str
    path: str
    query: str
    auth: str | None
    user_agent: str
    at: float = field(default_factory=time.time)
    status: int = 0
    bytes_sent: int = 0


class Front:
    """The ASGI application around the handlers.

    Args:
        app: The handlers.
        access, quotas, faults: The state that tests change.
    """

    def __init__(self, app: App, access: Access, quotas: Quotas, faults: Faults) -> None:
        self._app = app
        self._access = access
        self._quotas = quotas
        self._faults = faults
        self.requests: list[LoggedRequest] = []

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Message]], send: Send
    ) -> None:
        """Serve one call."""
        if scope["type"] != "http" or scope["path"].startswith("/_control"):
            await self._app(scope, receive, send)
            return
        entry = _logged(Request(scope))
        self.requests.append(entry)
        line = _Line(send, entry)
        fault = self._faults.take(scope["path"])
        try:
            await self._serve(scope, receive, line, fault)
        finally:
            shown = f"?{entry.query}" if entry.query else ""
            access_log.info("%s %s%s %s %s bytes", entry.method, entry.path, shown, entry.status, entry.bytes_sent)

    async def _serve(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        line: _Line,
        fault: Fault | None,
    ) -> None:
        if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_URL_BYTES:
            await line.answer(414, _TOO_LONG, [(b"content-type", b"text/html")])
            return
        if fault and await _replaced(fault, line):
            return
        scope = await with_form(scope, receive)
        request = Request(scope)
        try:
            self._access.check(request)
        except Refusal as refusal:
            await line.answer(refusal.status, refusal.body)
            return
        if scope["path"].startswith(ROOT):
            # Outside the quotas, and without their headers.
            await self._app(scope, receive, lambda message: _spoiled(line, message, fault))
            return
        dataset_id = _dataset_of(scope["path"]) or dataset_of(scope)
        binding = self._quotas.binding(dataset_id)
        spent = max((quota for quota in binding if quota.remaining <= 0), key=lambda q: q.reset_at, default=None)
        if spent is not None:
            body = exceeded(reset_at=spent.reset_at, call_limit=spent.limit, unit=spent.unit)
            await line.answer(429, body)
            return
        scope["ods.fault"] = fault
        await self._app(scope, receive, self._counting(line, dataset_id, fault))

    def _counting(self, line: _Line, dataset_id: str | None, fault: Fault | None) -> Send:
        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if pair[0] != b"server"]
                if message["status"] < 300:
                    # One for each call that succeeds, whatever its size (Q55); none is told on an error (Q30).
                    for quota in self._quotas.binding(dataset_id):
                        quota.spend()
                    headers += self._quotas.headers(dataset_id)
                message = {**message, "headers": headers + _COMMON}
            await _spoiled(line, message, fault)

        return send


def _logged(request: Request) -> LoggedRequest:
    scheme = request.headers.get("authorization", "").partition(" ")[0].lower() or None
    for name in ("apikey", "pushkey"):
        if name in request.query_params:
            scheme = name if scheme is None else scheme
    return LoggedRequest(
        method=request.method,
        path=request.url.path,
        query=_SECRET.sub(r"\1=***", request.url.query),
        auth=scheme,
        user_agent=request.headers.get("user-agent", ""),
    )


def _dataset_of(path: str) -> str | None:
    found = re.match(r"/api/(?:explore/v2\.1/catalog/datasets|push/1\.0)/([^/]+)", path)
    return found[1] if found else None


class _Line:
    """The way back to the client, counted, and cut when a fault says so."""

    def __init__(self, send: Send, entry: LoggedRequest) -> None:
        self._send = send
        self._entry = entry
        self.sent = 0
        self.closed = False

    async def send(self, message: Message) -> None:
        """Pass one message on."""
        if self.closed:
            return
        if message["type"] == "http.response.start":
            self._entry.status = message["status"]
        else:
            self._entry.bytes_sent += len(message.get("body", b""))
        await self._send(message)

    async def answer(self, status: int, body: Any, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        """Send a whole answer."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers = [(b"content-type", b"application/json"), *(headers or [])]
        length = [(b"content-length", str(len(body)).encode())]
        await self.send(
            {"type": "http.response.start", "status": status, "headers": [*_COMMON, *(headers or []), *length]}
        )
        await self.send({"type": "http.response.body", "body": body})

    def hang_up(self) -> None:
        """Close the connection under the answer: ASGI has no word for it, so the server's own object is asked."""
        self.closed = True
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if transport is not None:
            transport.close()


async def _replaced(fault: Fault, line: _Line) -> bool:
    """Answer in place of the handlers, where the fault is of that kind."""
    options = fault.options
    html = [(b"content-type", b"text/html; charset=utf-8")]
    if fault.kind == "status":
        given = [(name.encode(), str(value).encode()) for name, value in (options["headers"] or {}).items()]
        if options["retry_after"] is not None:
            given.append((b"retry-after", str(options["retry_after"]).encode()))
        body = options["body"]
        await line.answer(options["status"], body.encode() if isinstance(body, str) else body or b"", given)
    elif fault.kind == "login_html":
        await line.answer(200, LOGIN_PAGE, html)
    elif fault.kind == "html":
        await line.answer(options["status"], OTHER_PAGE, html)
    elif fault.kind == "json_error":
        await line.answer(200, {"error_code": options["error_code"], "message": options["message"]})
    elif fault.kind == "quota":
        reset_at = time.time() + options["reset_in_s"]
        body = exceeded(
            reset_at=reset_at, call_limit=options["call_limit"], unit=options["unit"], errorcode=options["errorcode"]
        )
        await line.answer(429, body)
    elif fault.kind == "bare_429":
        await line.answer(429, b"")
    elif fault.kind == "redirect":
        await line.answer(options["status"], b"", [(b"location", options["location"].encode())])
    elif fault.kind == "drop":
        line.hang_up()
    else:
        return False
    return True


async def _spoiled(line: _Line, message: Message, fault: Fault | None) -> None:
    """Pass a message of the real answer on, spoiled as the fault says."""
    kind = fault.kind if fault else None
    if kind == "lost":
        # The work is done and nobody hears of it.
        line.hang_up()
        return
    if fault is None or message["type"] != "http.response.body" or line.closed:
        if kind == "stall" and fault and fault.options["after_bytes"] == 0:
            await asyncio.sleep(fault.options["seconds"])
            fault.options = fault.options | {"seconds": 0}
        await line.send(message)
        return
    body: bytes = message.get("body", b"")
    if kind in ("cut", "short_gzip"):
        left = fault.options["after_bytes"] - line.sent
        if len(body) < left:
            line.sent += len(body)
            await line.send(message)
        elif kind == "cut":
            await line.send({**message, "body": body[:left], "more_body": True})
            line.hang_up()
        else:
            await line.send({**message, "body": body[:left], "more_body": False})
            line.closed = True
    elif kind == "throttle":
        await _throttled(line, message, body, fault.options["bytes_per_s"])
    elif kind == "stall" and line.sent <= fault.options["after_bytes"] < line.sent + len(body):
        await asyncio.sleep(fault.options["seconds"])
        line.sent += len(body)
        await line.send(message)
    else:
        line.sent += len(body)
        await line.send(message)


async def _throttled(line: _Line, message: Message, body: bytes, bytes_per_s: float) -> None:
    step = max(1, int(bytes_per_s / 20))
    for start in range(0, len(body), step):
        await line.send({**message, "body": body[start : start + step], "more_body": True})
        await asyncio.sleep(len(body[start : start + step]) / bytes_per_s)
    if not message.get("more_body"):
        await line.send({**message, "body": b""})
