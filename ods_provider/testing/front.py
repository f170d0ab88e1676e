"""What every call passes: the access log, ordered faults, keys, quotas, and the headers of a portal."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote_plus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ods_provider.testing.access import OPEN, Access
from ods_provider.testing.automation.refusal import is_automation
from ods_provider.testing.backoffice.office import BackOffice
from ods_provider.testing.errors import Refusal, failed
from ods_provider.testing.faults import Fault, Faults
from ods_provider.testing.line import COMMON, Line, LoggedRequest, Message, Send, replaced, spoiled
from ods_provider.testing.quotas import Quotas, exceeded
from ods_provider.testing.search_v1.form import dataset_of, with_form
from ods_provider.testing.site.addresses import is_page
from ods_provider.testing.usage import Usage

Envelope = Callable[[str, Refusal], dict[str, Any]]
App = Callable[[MutableMapping[str, Any], Callable[[], Awaitable[Message]], Send], Awaitable[None]]

_log = logging.getLogger("ods_provider.testing")
access_log = logging.getLogger("ods_provider.testing.access")
_OF_DATASET = re.compile(r"/api/(?:(?:explore/v2\.[01]|v2)/catalog/datasets|push/1\.0)/([^/]+)")
MOST_URL_BYTES = 8_192
_TOO_LONG = b"<html><head><title>414 Request-URI Too Large</title></head><body>openresty</body></html>"
_SECRETS = ("apikey", "pushkey", "access_token")


class Front:
    """The ASGI application around the handlers.

    Args:
        app: The handlers.
        access, quotas, faults: The state that tests change.
        envelope: How the API at an address words a refusal.
        usage: Where calls that have ended are noted.
        office: What publishes by itself while time passes.
    """

    def __init__(
        self,
        app: App,
        access: Access,
        quotas: Quotas,
        faults: Faults,
        envelope: Envelope,
        *,
        usage: Usage,
        office: BackOffice,
    ) -> None:
        self._app = app
        self._access = access
        self._quotas = quotas
        self._faults = faults
        self._envelope = envelope
        self._usage = usage
        self._office = office
        self.requests: list[LoggedRequest] = []

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Message]], send: Send
    ) -> None:
        """Serve one call."""
        if scope["type"] != "http" or scope["path"].startswith("/_control") or is_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        entry = _logged(Request(scope))
        self.requests.append(entry)
        noted = self._usage.once(Request(scope), entry)
        line = Line(send, entry, noted)
        fault = self._faults.take(scope["path"], scope["method"])
        try:
            await self._serve(scope, receive, line, fault)
        finally:
            noted(aborted=True)
            shown = f"?{entry.query}" if entry.query else ""
            access_log.info("%s %s%s %s %s bytes", entry.method, entry.path, shown, entry.status, entry.bytes_sent)

    async def _serve(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        line: Line,
        fault: Fault | None,
    ) -> None:
        if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_URL_BYTES:
            await line.answer(414, _TOO_LONG, [(b"content-type", b"text/html")])
            return
        if fault and await replaced(fault, line):
            return
        if fault and fault.kind == "cut_upload":
            receive = _cut(receive, line, fault.options["after_bytes"])
        if self._office.active:
            await run_in_threadpool(self._office.advance)
        scope = await with_form(scope, receive)
        request = Request(scope)
        try:
            self._access.check(request)
        except Refusal as refusal:
            await line.answer(refusal.status, self._envelope(scope["path"], refusal))
            return
        uncounted = is_automation(scope["path"]) and not self._office.switches.counts_in_quota
        if scope["path"].startswith(OPEN) or uncounted:
            # Outside the quotas, and without their headers.
            await self._answered(scope, receive, line, lambda message: spoiled(line, message, fault))
            return
        dataset_id = _dataset_of(scope["path"]) or dataset_of(scope)
        binding = self._quotas.binding(dataset_id)
        spent = max((quota for quota in binding if quota.remaining <= 0), key=lambda q: q.reset_at, default=None)
        if spent is not None:
            body = exceeded(reset_at=spent.reset_at, call_limit=spent.limit, unit=spent.unit)
            await line.answer(429, body)
            return
        scope["ods.fault"] = fault
        await self._answered(scope, receive, line, self._counting(line, dataset_id, fault))

    async def _answered(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Message]], line: Line, send: Send
    ) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:
            # A defect of this portal: heard in the log, and answered as a portal answers its own.
            _log.exception("the local portal failed to answer %s %s", scope["method"], scope["path"])
            if line.started:
                line.hang_up()
            else:
                await line.answer(500, self._envelope(scope["path"], failed()))

    def _counting(self, line: Line, dataset_id: str | None, fault: Fault | None) -> Send:
        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if pair[0] != b"server"]
                if message["status"] < 300:
                    # One for each call that succeeds, whatever its size (Q55); none is told on an error (Q30).
                    for quota in self._quotas.binding(dataset_id):
                        quota.spend()
                    headers += self._quotas.headers(dataset_id)
                message = {**message, "headers": headers + COMMON}
            await spoiled(line, message, fault)

        return send


def _cut(receive: Callable[[], Awaitable[Message]], line: Line, after_bytes: int) -> Callable[[], Awaitable[Message]]:
    """A connection that closes within what the client sends."""
    came = 0

    async def cut() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came >= after_bytes:
            line.hang_up()
            return {"type": "http.disconnect"}
        return message

    return cut


def _logged(request: Request) -> LoggedRequest:
    scheme = request.headers.get("authorization", "").partition(" ")[0].lower() or None
    for name in _SECRETS:
        if name in request.query_params:
            scheme = name if scheme is None else scheme
    return LoggedRequest(
        method=request.method,
        path=request.url.path,
        query=_redacted(request.url.query),
        auth=scheme,
        user_agent=request.headers.get("user-agent", ""),
    )


def _redacted(query: str) -> str:
    # Name by name as they read once decoded: an encoded name is no hiding place.
    parts = []
    for part in query.split("&"):
        name = part.partition("=")[0]
        parts.append(f"{unquote_plus(name)}=***" if unquote_plus(name).lower() in _SECRETS else part)
    return "&".join(parts)


def _dataset_of(path: str) -> str | None:
    found = _OF_DATASET.match(path)
    return found[1] if found else None
