"""A server that answers with exactly the bytes it is given, over a real socket."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# Plays one answer on an open connection and returns whether the connection may be used again.
Play = Callable[[socket.socket], bool]


@dataclass
class Replay:
    """The answers still to be given, in order, and the requests that came."""

    port: int = 0
    script: list[Play] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        """Request lines, such as ``GET /path HTTP/1.1``."""
        return [request.partition(b"\r\n")[0].decode() for request in self.requests]

    def header(self, name: str, which: int = -1) -> str | None:
        """A header of one request, None when it was not sent."""
        for line in self.requests[which].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str, length: bool = True) -> Play:
    """A whole answer; with ``length=False`` it ends with the connection."""
    head = [f"HTTP/1.1 {status}", *headers]
    if not any(line.lower().startswith("content-type") for line in headers):
        head.append("Content-Type: application/json")
    if length:
        head.append(f"Content-Length: {len(body)}")
    return sent("\r\n".join(head).encode() + b"\r\n\r\n" + body, keep=length)


def chunked(pieces: list[bytes], *headers: str, end: bool = True) -> Play:
    """A chunked answer; without ``end`` the connection breaks off before the last chunk."""
    head = "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers]).encode()
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return sent(head + b"\r\n\r\n" + body + (b"0\r\n\r\n" if end else b""), keep=end)


def sent(data: bytes, *, keep: bool) -> Play:
    """Exactly these bytes."""

    def play(connection: socket.socket) -> bool:
        connection.sendall(data)
        return keep

    return play


def silent(before: bytes = b"") -> Play:
    """Some bytes, then nothing until the client gives up."""

    def play(connection: socket.socket) -> bool:
        connection.sendall(before)
        connection.recv(1)
        return False

    return play


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    wanted = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            wanted = int(line.split(b":")[1])
    while len(body) < wanted:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def replay(*script: Play, tls: ssl.SSLContext | None = None) -> Iterator[Replay]:
    """Serve the script on 127.0.0.1, one answer for each request, then close."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    state = Replay(server.getsockname()[1], list(script), scheme="https" if tls else "http")
    stop = threading.Event()
    threads: list[threading.Thread] = []
    open_ones: list[socket.socket] = []

    def converse(connection: socket.socket) -> None:
        try:
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            connection.settimeout(60)
            while not stop.is_set() and (request := _read_request(connection)):
                state.requests.append(request)
                if not state.script or not state.script.pop(0)(connection):
                    return
        except OSError:
            return
        finally:
            connection.close()

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            connection.settimeout(60)
            open_ones.append(connection)
            thread = threading.Thread(target=converse, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield state
    finally:
        stop.set()
        acceptor.join()
        server.close()
        for connection in open_ones:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(timeout=5)
