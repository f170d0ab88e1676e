"""How long an answer is waited for: trickles, silence, interim answers, and being told to stop."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import pytest
import replay as play
from replay import Play, replay

from ods_provider.core.connection import from_parts
from ods_provider.core.errors import OdsError, OdsTimeout
from ods_provider.core.wire import Kind, Request
from ods_provider.transport.patience import Metered, Patience, Trickle
from ods_provider.transport.session import RequestsTransport

LONG_S = 60.0  # what the servers of these tests would go on for; nothing is compared with it but "much less"


class Stopped(SystemExit):
    """What a scheduler makes of "stop"."""


def trickle(head: bytes, *, every_s: float = 0.1) -> Play:
    """A head, then a byte at a time."""

    def run(connection: socket.socket) -> bool:
        connection.sendall(head)
        deadline = time.monotonic() + LONG_S
        while time.monotonic() < deadline:
            connection.sendall(b"x")
            time.sleep(every_s)
        return False

    return run


@contextmanager
def transport(url: str, *, heed: Callable[[], None] | None = None, **extra: object) -> Iterator[RequestsTransport]:
    made = RequestsTransport(from_parts(host=url, extra={"timeout_s": 0.5, **extra}), heed=heed)
    try:
        yield made
    finally:
        made.close()


def whole(made: RequestsTransport, kind: Kind = "api") -> bytes:
    """Ask and read everything."""
    response = made.send(Request("/x", kind=kind))
    if response.stream is None:
        return response.body
    pieces = []
    try:
        while piece := response.stream.read():
            pieces.append(piece)
    finally:
        response.stream.close()
    return b"".join(pieces)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"


@pytest.mark.parametrize("kind", ["api", "export"])
@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 200 OK\r\n", HEAD, b"HTTP/1.1 500 Oh\r\nContent-Length: 1000000\r\n\r\n"],
    ids=["status line", "headers", "body", "body of an error"],
)
def test_a_trickle_is_given_up_wherever_it_begins(head: bytes, kind: Kind) -> None:
    with replay(trickle(head)) as server, transport(server.url) as made:
        started = time.monotonic()
        # On a machine that stood still meanwhile it was silent, too.
        with pytest.raises(OdsTimeout, match=r"trickles|silent") as caught:
            whole(made, kind)
        assert time.monotonic() - started < LONG_S / 2
    assert caught.value.transient


@pytest.mark.parametrize(("min_bytes_s", "given_up"), [(0, False), (0.4, False), (2, True)])
def test_the_speed_is_measured_over_two_silences(min_bytes_s: float, given_up: bool) -> None:
    near, far = socket.socketpair()
    # A clock that goes on by a second between any two looks at it, of which there are two in a wait for one byte.
    seconds = iter(range(10_000))
    patience = Patience(idle_s=30.0, min_bytes_s=min_bytes_s, now=lambda: float(next(seconds)))
    far.sendall(b"x" * 100)
    with near, far:
        metered = Metered(near.makefile("rb").detach(), near, patience)
        count = 0
        with pytest.raises(Trickle, match="bytes a second") if given_up else nullcontext():
            for _ in range(100):
                count += metered.readinto(bytearray(1))
        metered.close()
    assert (count < 100) == given_up


def test_who_reads_slowly_is_not_taken_for_a_slow_answer() -> None:
    with replay(play.answer(b"x" * 100)) as server, transport(server.url, timeout_s=0.05) as made:
        response = made.send(Request("/x", kind="export"))
        assert response.stream is not None
        time.sleep(0.5)
        assert response.stream.read() == b"x" * 100
        assert response.stream.read() == b""


@pytest.mark.parametrize("kind", ["api", "export"])
def test_silence_is_still_silence(kind: Kind) -> None:
    with (
        replay(play.silent(HEAD)) as server,
        transport(server.url) as made,
        pytest.raises(OdsTimeout, match="silent"),
    ):
        whole(made, kind)


@contextmanager
def deaf() -> Iterator[str]:
    """A host that accepts no connection: its queue is full."""
    server = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = server.getsockname()[1]
    fill = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        fill.append(one)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        for one in [*fill, server]:
            one.close()


@contextmanager
def answers(script: Play) -> Iterator[str]:
    with replay(script) as server:
        yield server.url


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize(
    "portal",
    [
        deaf,
        lambda: answers(play.silent()),
        lambda: answers(trickle(b"", every_s=0.05)),
        lambda: answers(play.silent(HEAD)),
        lambda: answers(trickle(HEAD, every_s=0.05)),
    ],
    ids=["connecting", "before the answer", "within its headers", "silent body", "trickling body"],
)
def test_being_told_to_stop_is_heeded_while_an_answer_is_waited_for(
    portal: Callable[[], AbstractContextManager[str]],
    in_thread: bool,
) -> None:
    stop = threading.Event()

    def heed() -> None:
        if stop.is_set():
            raise Stopped("stopped")

    raised: list[BaseException] = []
    took_s: list[float] = []

    def ask(url: str) -> None:
        with transport(url, heed=heed, timeout_s=LONG_S, connect_timeout_s=LONG_S, min_bytes_s=0) as made:
            try:
                whole(made, "export")
            except BaseException as error:
                raised.append(error)
                took_s.append(time.monotonic())

    with portal() as url:
        threading.Timer(0.3, stop.set).start()
        started = time.monotonic()
        if in_thread:
            thread = threading.Thread(target=ask, args=(url,), daemon=True)
            thread.start()
            thread.join(LONG_S / 2)
        else:
            ask(url)
    assert [type(error) for error in raised] == [Stopped]
    assert took_s[0] - started < LONG_S / 2


def test_a_large_body_goes_out_while_the_host_takes_it_slowly() -> None:
    # More than the buffers between hold; the library's own way gives the whole of it one connect_timeout_s.
    body = b"[" + b"1," * 4_000_000 + b"1]"

    def run(connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        return True

    with replay(run) as server, transport(server.url, push_api_key="k", connect_timeout_s=1, timeout_s=20) as made:
        request = Request("/p/", method="POST", body=body, kind="push", dataset_id="d", resource_id="r")
        assert made.send(request).body == b"{}"
        assert server.requests[0].endswith(body)


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints", "199 Whatever"])
def test_interim_answers_are_passed_over_and_the_next_call_gets_its_own(status: str) -> None:
    hint = f"HTTP/1.1 {status}\r\nLink: </style.css>; rel=preload\r\n\r\n".encode()
    first = hint * 2 + b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}'
    second = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"b":2}'
    with replay(play.sent(first, keep=True), play.sent(second, keep=True)) as server, transport(server.url) as made:
        assert made.send(Request("/1")).json() == {"a": 1}
        assert made.send(Request("/2")).json() == {"b": 2}


def test_interim_answers_without_end_are_an_error() -> None:
    endless = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000
    with replay(play.sent(endless, keep=False)) as server, transport(server.url) as made, pytest.raises(OdsError):
        made.send(Request("/x"))
