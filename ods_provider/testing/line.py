"""The way back to a client, and what a fault does to the answer on it.

ASGI messages pass here one by one; a fault replaces them, holds them back, cuts them, or closes the connection.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from ods_provider.testing.faults import LOGIN_PAGE, OTHER_PAGE, Fault
from ods_provider.testing.quotas import exceeded

_LATE_S = 0.25  # how late a throttled line may be and still make up for it
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

COMMON = [
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


class Line:
    """The way back to the client, counted, and cut when a fault says so.

    Args:
        send: The server's.
        entry: The call, whose answer is counted.
        whole: Told before the last piece goes out: who has the answer finds the call noted.
    """

    def __init__(self, send: Send, entry: LoggedRequest, whole: Callable[[], None]) -> None:
        self._send = send
        self._entry = entry
        self._whole = whole
        self.sent = 0
        self.free_at = 0.0  # when a throttled line takes more
        self.started = False
        self.closed = False

    async def send(self, message: Message) -> None:
        """Pass one message on."""
        if self.closed:
            return
        if message["type"] == "http.response.start":
            self.started = True
            self._entry.status = message["status"]
        else:
            self._entry.bytes_sent += len(message.get("body", b""))
            if not message.get("more_body"):
                self._whole()
        await self._send(message)

    async def answer(self, status: int, body: Any, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        """Send a whole answer."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers = [(b"content-type", b"application/json"), *(headers or [])]
        length = [(b"content-length", str(len(body)).encode())]
        await self.send(
            {"type": "http.response.start", "status": status, "headers": [*COMMON, *(headers or []), *length]}
        )
        await self.send({"type": "http.response.body", "body": body})

    def hang_up(self) -> None:
        """Close the connection under the answer: ASGI has no word for it, so the server's own object is asked."""
        self.closed = True
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if transport is not None:
            transport.close()


async def replaced(fault: Fault, line: Line) -> bool:
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


async def spoiled(line: Line, message: Message, fault: Fault | None) -> None:
    """Pass a message of the real answer on, spoiled as the fault says."""
    kind = fault.kind if fault else None
    if kind == "lost":
        # The work is done and nobody hears of it.
        line.hang_up()
        return
    if kind == "throttle" and message["type"] == "http.response.start":
        # The line is slow, the portal is not: what it takes to make the first piece is no time of the line.
        line.free_at = time.monotonic()
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


async def _throttled(line: Line, message: Message, body: bytes, bytes_per_s: float) -> None:
    step = max(1, int(bytes_per_s / 20))
    for start in range(0, len(body), step):
        piece = body[start : start + step]
        await line.send({**message, "body": piece, "more_body": True})
        # By the clock: a sleep that lasted too long, as all do a little, makes the next one shorter.
        now = time.monotonic()
        line.free_at = max(line.free_at, now - _LATE_S) + len(piece) / bytes_per_s
        await asyncio.sleep(line.free_at - now)
    if not message.get("more_body"):
        await line.send({**message, "body": b""})
