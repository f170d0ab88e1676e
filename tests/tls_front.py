"""TLS in front of a portal, for clients that speak https only; what passes is passed on byte for byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass
class TlsFront:
    """Where it listens, and the file of the authority that signed for it."""

    port: int
    authority: Path

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@contextmanager
def tls_front(port: int, authority: Path) -> Iterator[TlsFront]:
    """Listen on 127.0.0.1 with TLS and pass on what comes to ``port``."""
    signer = trustme.CA()
    signer.cert_pem.write_to_path(str(authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    signer.issue_cert("127.0.0.1").configure_cert(context)
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                outside, _ = server.accept()
                threading.Thread(target=converse, args=(outside,), daemon=True).start()

    def converse(outside: socket.socket) -> None:
        with contextlib.suppress(OSError):
            secured = context.wrap_socket(outside, server_side=True)
            with secured, socket.create_connection(("127.0.0.1", port)) as inside:
                back = threading.Thread(target=_pour, args=(inside, secured), daemon=True)
                back.start()
                _pour(secured, inside)
                back.join()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield TlsFront(server.getsockname()[1], authority)
    finally:
        # A closed socket alone does not end an accept that waits.
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        acceptor.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
