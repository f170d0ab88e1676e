"""What the benchmarks share: a server that sends bytes made beforehand, fresh processes, medians and peaks."""

from __future__ import annotations

import json
import re
import socket
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def framed(body: bytes, *headers: str) -> bytes:
    """Return a whole chunked answer: the server does nothing but send."""
    head = "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers]).encode()
    size = 65_536
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return head + b"\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def plain(body: Any) -> bytes:
    """Return a whole JSON answer."""
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)


class Server:
    """Answers on 127.0.0.1 with what ``answer(path, query)`` gives; ``requests`` counts the calls.

    Args:
        answer: Gives the bytes of a whole answer.
        delay_s: Seconds before each answer, as a portal far away takes.
    """

    def __init__(self, answer: Callable[[str, str], bytes], *, delay_s: float = 0.0) -> None:
        self._answer = answer
        self._delay = threading.Event()
        self._delay_s = delay_s
        self.requests = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection:
            while head := self._head(connection):
                self.requests += 1
                if self._delay_s:
                    self._delay.wait(self._delay_s)
                target = urlsplit(head.split(b" ", 2)[1].decode())
                connection.sendall(self._answer(target.path, target.query))

    @staticmethod
    def _head(connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65_536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        left = int(length[1]) - len(body) if length else 0
        while left > 0:
            left -= len(connection.recv(min(left, 1_048_576)))
        return head


def fresh(script: str, *arguments: str) -> dict[str, float]:
    """Run ``script --client …`` in a process of its own and return the JSON of the last line that it prints."""
    command = [sys.executable, script, "--client", *arguments]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    # Airflow logs to the standard output too.
    return dict(json.loads(said.splitlines()[-1]))


def peak_kib() -> int:
    """Return this process's peak memory. Not ru_maxrss: it begins with what the parent held when it forked."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


def spread(values: Sequence[float]) -> str:
    """Return the median with the range it lies in."""
    return f"{statistics.median(values):8.2f}   ({min(values):.2f} to {max(values):.2f})"
