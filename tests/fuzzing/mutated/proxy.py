"""A proxy between the client and the local portal: it keeps right answers, and hands out what it is told to."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fuzzing.mutated.wire import MOST_SILENCE_S, Answer, Answers, Asked, read_request

_OURS = ("content-length", "transfer-encoding", "connection", "keep-alive")


class Proxy:
    """Listens on 127.0.0.1 and answers by ``answers``, which may ask the portal by ``fetch``.

    Args:
        upstream: Host and port of the portal.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._local = threading.local()
        self._open: set[socket.socket] = set()
        self.port: int = self._socket.getsockname()[1]
        self.answers: Answers = self.fetch

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fetch(self, asked: Asked) -> Answer:
        """Return the portal's own answer, never compressed."""
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection(self._upstream, timeout=60)
        upstream: http.client.HTTPConnection = self._local.connection
        fields = [each.decode("latin-1").partition(": ") for each in asked.head.split(b"\r\n")[1:]]
        upstream.putrequest(asked.method, asked.target, skip_host=True, skip_accept_encoding=True)
        for name, _, value in fields:
            if name.lower() not in ("accept-encoding", "connection"):
                upstream.putheader(name, value)
        upstream.endheaders(asked.body or None)
        came = upstream.getresponse()
        headers = [pair for pair in came.getheaders() if pair[0].lower() not in _OURS]
        return Answer(came.status, headers, came.read(), came.reason)

    def _converse(self, connection: socket.socket) -> None:
        left = b""
        try:
            # A head and its body are one write; without this the second of two waits for the client.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                asked, left = read_request(connection, left)
                if asked is None or not self.answers(asked).send(connection):
                    return
        except OSError:
            return  # the client had enough of it
        finally:
            self._open.discard(connection)
            connection.close()
            if hasattr(self._local, "connection"):
                self._local.connection.close()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(MOST_SILENCE_S)
            self._open.add(connection)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxying(upstream: str) -> Iterator[Proxy]:
    """Serve from threads of this process."""
    proxy = Proxy(upstream)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
