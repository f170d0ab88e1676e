"""An answer as bytes on a wire, with every part of it free to lie."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

MOST_SILENCE_S = 60.0  # nobody is waited for longer, so that no thread of a proxy outlives its session by much


@dataclass(frozen=True)
class Asked:
    """One request as the proxy got it."""

    method: str
    target: str
    head: bytes
    body: bytes

    @property
    def key(self) -> str:
        """Requests with one key have one right answer."""
        return f"{self.method} {self.target} {self.body!r}"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def zips(self) -> bool:
        """Whether the client takes a compressed body."""
        return b"gzip" in self.head.lower()


@dataclass
class Answer:
    """What is sent back.

    Args:
        status: As in the status line.
        reason: Behind it.
        headers: Without Content-Length and Transfer-Encoding, which follow from ``length``.
        body: As it is sent, compressed where ``Content-Encoding`` says so.
        length: ``right``; ``none`` ends the body with its connection; ``chunked``; or any other text, as it is.
        most_bytes: Close after so many bytes of the body.
        first: Bytes before the status line, such as an interim answer.
        line: The whole status line in place of a true one.
        pause_s: Seconds of silence behind each half of the body.
        closes: Whether the connection ends with it, so that nobody waits for what was announced.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    reason: str = "OK"
    length: str = "right"
    most_bytes: int | None = None
    first: bytes = b""
    line: bytes | None = None
    pause_s: float = 0.0
    closes: bool = False

    def copy(self) -> Answer:
        return Answer(self.status, list(self.headers), self.body, self.reason)

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    def without(self, *names: str) -> list[tuple[str, str]]:
        return [(key, value) for key, value in self.headers if key.lower() not in names]

    @property
    def kind(self) -> str:
        return self.header("content-type").partition(";")[0].strip()

    def send(self, connection: socket.socket) -> bool:
        """Send it and return whether the connection may be used again."""
        keep = self.length in ("right", "chunked") and self.most_bytes is None and not self.closes
        body = self.body
        if self.length == "chunked":
            middle = len(body) // 2
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:middle], body[middle:]) if part)
            body += b"0\r\n\r\n"
        head = self.first + self._head()
        sent = body if self.most_bytes is None else body[: self.most_bytes]
        if not self.pause_s:
            connection.sendall(head + sent)
            return keep
        connection.sendall(head)
        for part in (sent[: len(sent) // 2], sent[len(sent) // 2 :]):
            connection.sendall(part)
            time.sleep(self.pause_s)
        return keep

    def _head(self) -> bytes:
        line = self.line if self.line is not None else f"HTTP/1.1 {self.status} {self.reason}".encode("latin-1")
        framing = {
            "right": f"Content-Length: {len(self.body)}\r\n",
            "none": "Connection: close\r\n",
            "chunked": "Transfer-Encoding: chunked\r\n",
        }.get(self.length, self.length)
        # Latin-1 as a server's own bytes would be; what has no place there is somebody's half of a character.
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return line + b"\r\n" + (fields + framing).encode("utf-8", "surrogatepass") + b"\r\n"


def read_request(connection: socket.socket, left: bytes) -> tuple[Asked | None, bytes]:
    """Return the next request of a connection and what came behind it; None at its end."""
    data = left
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return None, b""
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    size = next((int(each.partition(b":")[2]) for each in fields if each.lower().startswith(b"content-length:")), 0)
    while len(rest) < size:
        piece = connection.recv(65_536)
        if not piece:
            return None, b""
        rest += piece
    method, target = line.decode("latin-1").split(" ")[:2]
    return Asked(method, target, head, rest[:size]), rest[size:]


Answers = Callable[[Asked], Answer]
