"""Connections that wait as long as the connection's settings allow, and no longer than somebody wants them to.

A socket's own timeout sees silence only: an answer of one byte a second never ends, in its headers as in its body, and
a thread that waits for one hears no signal. So every wait is cut into slices, in which the job may be told to stop;
silence and speed are measured over all of them.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ods_provider.transport.networks import Networks

SLICE_S = 0.5
WINDOWS = 2  # silences that the speed is measured over: one of them may pass before the first byte
MOST_INTERIM = 100  # answers of the kind "go on" or "look at these meanwhile" before the real one


class Trickle(TimeoutError):
    """The answer came more slowly than allowed."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How patient a connection is.

    Args:
        idle_s: Longest silence.
        min_bytes_s: Fewest bytes a second, over ``WINDOWS`` silences of waiting; 0 takes any.
        heed: Raises when whoever waits was told to stop; None when nobody can tell.
        now: A monotonic clock.
    """

    idle_s: float
    min_bytes_s: float = 0.0
    heed: Callable[[], None] | None = None
    now: Callable[[], float] = time.monotonic

    @property
    def slice_s(self) -> float:
        """Longest wait at once."""
        return min(SLICE_S, self.idle_s) if self.heed else self.idle_s

    def wait(self, sock: Any, step: Callable[[], int]) -> int:
        """Return what one step on a socket returns, once it can be done.

        Raises:
            TimeoutError: It could not for longer than ``idle_s``.
        """
        before_s, deadline = sock.gettimeout(), self.now() + self.idle_s
        if before_s != self.slice_s:
            sock.settimeout(self.slice_s)
        try:
            while True:
                if self.heed:
                    self.heed()
                try:
                    return step()
                except TimeoutError:
                    if self.now() >= deadline:
                        raise
        finally:
            # Who made the connection goes on with it: a tunnel's answer comes before its handshake.
            if before_s != self.slice_s and sock.fileno() >= 0:
                sock.settimeout(before_s)

    def beside(self, work: Callable[[], Any], give_up: Callable[[], None]) -> None:
        """Do something that cannot be cut into slices (looking a name up, a handshake) in a thread, and wait for it.

        Args:
            work: What to do.
            give_up: Undoes it when nobody waits any more.
        """
        if self.heed is None:
            work()
            return
        failed: list[BaseException] = []
        done, left = threading.Event(), threading.Event()

        def run() -> None:
            try:
                work()
            except BaseException as error:  # handed over
                failed.append(error)
            finally:
                done.set()
                if left.is_set():
                    give_up()

        threading.Thread(target=run, name="ods-connecting", daemon=True).start()
        try:
            while not done.wait(self.slice_s):
                self.heed()
        except BaseException:
            left.set()
            if done.is_set():
                give_up()
            raise
        if failed:
            raise failed.pop()


class Metered(io.RawIOBase):
    """What comes over a socket, while it comes fast enough.

    Args:
        file: The socket's own file, which keeps it open.
        sock: The socket.
        patience: How fast is enough.
    """

    def __init__(self, file: io.RawIOBase, sock: Any, patience: Patience) -> None:
        self._file = file
        self._sock = sock
        self._patience = patience
        self._waited_s = 0.0
        self._came_bytes = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come, or wait for it.

        Raises:
            Trickle: Too little came over the last ``WINDOWS`` silences of waiting.
        """
        patience = self._patience
        began = patience.now()
        count = patience.wait(self._sock, lambda: int(self._sock.recv_into(buffer)))
        # Only waiting counts: whoever reads may take his time.
        self._waited_s += patience.now() - began
        self._came_bytes += count
        if self._waited_s >= WINDOWS * patience.idle_s:
            if count and self._came_bytes < patience.min_bytes_s * self._waited_s:
                raise Trickle(f"{self._came_bytes / self._waited_s:.1f} bytes a second")
            self._waited_s, self._came_bytes = 0.0, 0
        return count

    def close(self) -> None:
        """Let go of the socket."""
        if not self.closed:
            self._file.close()
            super().close()


class _Answer(http.client.HTTPResponse):
    """An answer read with patience, whatever interim ones (103 Early Hints) come before it."""

    def __init__(self, sock: Any, *args: Any, patience: Patience, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        file: Any = self.fp
        self.fp = io.BufferedReader(Metered(file.detach(), sock, patience))

    def _read_status(self) -> tuple[str, int, str]:
        # The library skips 100 only, and would take a hint for the answer and the answer for the next one's.
        for _ in range(MOST_INTERIM):
            read: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if not 100 <= read[1] < 200 or read[1] == http.client.SWITCHING_PROTOCOLS:
                return read
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("too many interim answers")


if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection as _Connection
else:
    _Connection = object


class _Patient(_Connection):
    """What urllib3's connections get on top: patience, and who they were connected to."""

    patience: Patience
    networks: Networks
    stranger: bool

    def connect(self) -> None:
        self.patience.beside(super().connect, self.close)

    def send(self, data: Any) -> None:
        if not isinstance(data, (bytes, bytearray)):
            super().send(data)
            return
        if self.sock is None:
            self.connect()
        sock: Any = self.sock
        left = memoryview(data)
        # Not sendall: it allows one timeout for the whole, which a large batch on a slow line outlasts.
        while left:
            piece = left
            left = left[self.patience.wait(sock, lambda piece=piece: int(sock.send(piece))) :]  # type: ignore[misc]


class _Direct(_Patient):
    """One that leads to the host itself, not to a proxy."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        try:
            address = str(sock.getpeername()[0])
            if self.stranger:
                self.networks.expect_public_peer(self.host, address)
            else:
                self.networks.met_portal(address)
        except BaseException:
            sock.close()
            raise
        return sock


def patient(pools: dict[str, Any], *, direct: bool, **settings: Any) -> dict[str, Any]:
    """Return urllib3's pools by scheme, with connections that have patience.

    Args:
        pools: ``pool_classes_by_scheme`` of a manager.
        direct: Whether they lead to the hosts themselves.
        settings: ``patience``, ``networks``, ``stranger``.
    """
    return {scheme: _patient_pool(pool, _Direct if direct else _Patient, settings) for scheme, pool in pools.items()}


def _patient_pool(pool: Any, on_top: type[Any], settings: dict[str, Any]) -> Any:
    # What http.client makes of the answers of a host, and of a proxy that opens a tunnel.
    answer = staticmethod(partial(_Answer, patience=settings["patience"]))
    inside = {**settings, "response_class": answer}
    made = type(f"Patient{pool.ConnectionCls.__name__}", (on_top, pool.ConnectionCls), inside)
    return type(f"Patient{pool.__name__}", (pool,), {"ConnectionCls": made})
