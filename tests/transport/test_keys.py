"""No error that leaves holds a key: not in its frames, not in the errors that it came from, however deep one looks."""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import replay as play
import trustme
from replay import Play, Replay, replay
from shaken import keys_in

from ods_provider.client import OdsClient
from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.core.plans import catalog, push, records
from ods_provider.core.query import Query
from ods_provider.core.wire import Plan
from ods_provider.stores.tokens import FileTokens

KEY, PUSH_KEY, PROXY = "k3y-of-the-p0rtal", "push/k3y+with=signs", "pr0xy-passw0rd"
CLIENT_SECRET, SEED, NEXT = "cl1ent-secret", "s33d-refresh-token", "n3xt-refresh-token"
EVERY = (KEY, PUSH_KEY, PROXY, CLIENT_SECRET, SEED, NEXT)

ZIPPED = ("Content-Type: application/json", "Content-Encoding: gzip")


def echo(status: str, around: str = '{{"message": "no {}"}}', *headers: str) -> Play:
    """An answer that holds the whole request, keys and all."""

    def run(connection: socket.socket) -> bool:
        # What is known of it from the connection alone; the rest is foreign.
        body = around.format(_ECHOED[-1]).encode()
        return play.answer(body, status, *headers)(connection)

    return run


def stop(connection: socket.socket) -> bool:
    """Say nothing, for whoever is told to stop meanwhile."""
    _STOP.set()
    return play.silent()(connection)


_STOP = threading.Event()
_ECHOED = [f"{KEY} {PUSH_KEY}"]


def heed() -> None:
    if _STOP.is_set():
        raise SystemExit("stopped")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
ANSWERS: dict[str, Play] = {
    "no answer": play.sent(b"", keep=False),
    "no HTTP": play.sent(b"SSH-2.0-OpenSSH\r\n", keep=False),
    "bad chunk": play.sent(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", keep=False),
    "silent": play.silent(),
    "silent body": play.silent(HEAD),
    "cut": play.sent(HEAD + b'{"results": [', keep=False),
    "damaged": play.answer(b"\x1f\x8b\x08\x00" + b"\xff" * 50, "200 OK", *ZIPPED),
    "400": echo("400 Bad Request"),
    "401": echo("401 Unauthorized"),
    "404": echo("404 Not Found"),
    "407": echo("407 Proxy Authentication Required"),
    "429": echo("429 Too Many Requests"),
    "500": echo("500 Oh"),
    "redirect": echo("302 Found", "{}", "Location: https://elsewhere.example/login?next=%2Fx"),
    "a page": echo("200 OK", "<html><body>You sent {}</body></html>"),
    "no JSON": echo("200 OK", "You sent {}"),
    "broken JSON": echo("200 OK", '{{"total_count": "{}'),
    "another shape": echo("200 OK", '{{"headers": "{}"}}'),
    "a wrong type": echo("200 OK", '{{"total_count": "{0}", "results": ["{0}"], "status": "no", "links": "{0}"}}'),
    "an array": echo("200 OK", '["{}"]'),
    "told to stop": stop,
}


def portal(server: Replay, **extra: Any) -> OdsConnection:
    usual = {"push_api_key": PUSH_KEY, "timeout_s": 0.4, "connect_timeout_s": 0.4, "max_retries": 0}
    return from_parts(host=server.url, password=KEY, extra=usual | extra)


def count() -> Plan[Any]:
    return records.count("d", Query())


def send() -> Plan[Any]:
    return push.send("d", "r", b"[]")


def list_formats() -> Plan[Any]:
    return catalog.export_formats("d")


def groups() -> Plan[Any]:
    return records.export_rows("d", Query())


def in_place(client: OdsClient, plan: Callable[[], Plan[Any]]) -> None:
    client.run(plan())


def in_thread(client: OdsClient, plan: Callable[[], Plan[Any]]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(client.run, plan()).result()


def in_loop(client: OdsClient, plan: Callable[[], Plan[Any]]) -> None:
    asyncio.run(client.arun(plan()))


def raised(run: Callable[[], object]) -> BaseException:
    """Return what is raised, as a reporter of errors would get it."""
    _STOP.clear()
    try:
        run()
    except BaseException as error:
        return error
    raise AssertionError("nothing went wrong")


def expect_no_key(error: BaseException) -> None:
    __tracebackhide__ = True
    assert isinstance(error, (OdsError, SystemExit)), repr(error)
    found = keys_in(error, EVERY, ours=__file__)
    assert not found, "\n".join(found[:5])


# An array is what a list of groups is.
WRONG = [(kind, plan) for kind in ANSWERS for plan in (count, send, list_formats, groups)]
WRONG.remove(("an array", groups))


@pytest.mark.at_length(but=60)
@pytest.mark.parametrize("way", [in_place, in_thread, in_loop])
@pytest.mark.parametrize(("kind", "plan"), WRONG)
def test_an_error_keeps_no_key(kind: str, plan: Callable[[], Plan[Any]], way: Callable[..., None]) -> None:
    with replay(ANSWERS[kind]) as server, OdsClient(portal(server), heed=heed) as client:
        expect_no_key(raised(lambda: way(client, plan)))


def test_an_error_of_a_call_that_was_repeated_keeps_no_key() -> None:
    with replay(*[ANSWERS["500"]] * 3) as server, OdsClient(portal(server, max_retries=2), sleep=_at_once) as client:
        expect_no_key(raised(lambda: client.run(count())))
        assert len(server.requests) == 3


def _at_once(seconds: float) -> None:
    """Sleep no time."""


def test_a_walk_from_an_error_finds_what_is_there() -> None:
    def deep(key: str) -> None:
        held = {"a": [lambda: key]}
        try:
            raise KeyError(1)
        except KeyError:
            raise ValueError(str(len(held))) from None

    assert len(keys_in(raised(lambda: deep(KEY)), EVERY)) > 0
    assert keys_in(raised(lambda: deep("x")), EVERY, ours=__file__) == []


def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def untrusted() -> Iterator[Replay]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with replay(tls=context) as server:
        yield server


@pytest.mark.parametrize("plan", [count, send])
def test_an_error_of_a_host_that_is_not_reached_keeps_no_key(plan: Callable[[], Plan[Any]]) -> None:
    extra = {"push_api_key": PUSH_KEY, "max_retries": 0, "connect_timeout_s": 2}
    for host in (nobody(), "http://no-such-host.invalid"):
        with OdsClient(from_parts(host=host, password=KEY, extra=extra)) as client:
            expect_no_key(raised(lambda client=client: client.run(plan())))  # type: ignore[misc]
    with untrusted() as server, OdsClient(portal(server)) as client:
        expect_no_key(raised(lambda: client.run(plan())))


@pytest.mark.usefixtures("_echo_key")
@pytest.mark.parametrize("host", ["http://portal.invalid", "https://portal.invalid"])
@pytest.mark.parametrize("kind", ["407", "500", "silent", "no answer", "no HTTP", "400", "broken JSON", "told to stop"])
def test_an_error_behind_a_proxy_keeps_no_password(kind: str, host: str) -> None:
    with replay(ANSWERS[kind]) as proxy:
        address = f"http://user:{PROXY}@127.0.0.1:{proxy.port}"
        extra = {"proxy": address, "timeout_s": 0.4, "connect_timeout_s": 0.4, "max_retries": 0}
        with OdsClient(from_parts(host=host, password=KEY, extra=extra), heed=heed) as client:
            expect_no_key(raised(lambda: client.count("d")))
    with OdsClient(from_parts(host=host, extra={"proxy": nobody().replace("//", f"//user:{PROXY}@")})) as client:
        expect_no_key(raised(lambda: client.transport.send(next(iter(count())))))


@pytest.mark.parametrize("kind", ["cut", "silent body", "damaged", "told to stop"])
def test_an_error_within_a_stream_keeps_no_key(kind: str) -> None:
    with replay(ANSWERS[kind]) as server, OdsClient(portal(server, max_retries=0), heed=heed) as client:
        expect_no_key(raised(lambda: list(client.export("d", format="csv"))))


def tokens(**answer: Any) -> Play:
    return play.answer(json.dumps(answer).encode())


NEW = {"access_token": KEY, "refresh_token": NEXT, "expires_in": 3600}
EXCHANGES: dict[str, list[Play]] = {
    **{kind: [ANSWERS[kind]] for kind in ANSWERS if kind != "an array"},
    "an array": [play.answer(json.dumps([NEXT]).encode())],
    "spent": [play.answer(json.dumps({"error": "invalid_grant", "was": SEED}).encode(), "400 Bad Request")],
    "no access token": [tokens(refresh_token=NEXT)],
    "a form": [play.answer(f"access_token={KEY}&refresh_token={NEXT}".encode())],
    "then refused": [tokens(**NEW), echo("403 Forbidden")],
    "then cut": [tokens(**NEW), play.sent(HEAD, keep=False)],
    "then refused twice": [tokens(**NEW), echo("401 Unauthorized"), echo("400 Bad Request", '{{"error": "{}"}}')],
}


@pytest.fixture
def _echo_tokens() -> Iterator[None]:
    _ECHOED.append(f"{SEED} {CLIENT_SECRET}")
    yield
    _ECHOED.pop()


@pytest.fixture
def _echo_key() -> Iterator[None]:
    _ECHOED.append(KEY)
    yield
    _ECHOED.pop()


def oauth(server: Replay) -> OdsConnection:
    extra = {"auth": "oauth2", "client_id": "app", "client_secret": CLIENT_SECRET, "refresh_token": SEED}
    return from_parts(host=server.url, extra=extra | {"timeout_s": 0.4, "max_retries": 0})


@pytest.mark.at_length(but=20)
@pytest.mark.usefixtures("_echo_tokens")
@pytest.mark.parametrize("way", [in_place, in_thread, in_loop])
@pytest.mark.parametrize("kind", list(EXCHANGES))
def test_an_error_of_an_exchange_keeps_no_token(kind: str, way: Callable[..., None], tmp_path: Path) -> None:
    with replay(*EXCHANGES[kind]) as server:
        store = FileTokens(tmp_path / "grant.json")
        with OdsClient(oauth(server), tokens=store, heed=heed) as client:
            expect_no_key(raised(lambda: way(client, count)))


@pytest.mark.parametrize(
    "content", [f'{{"refresh_token": "{SEED}", ', "[" * 100_000 + SEED, f'["{SEED}"]', f'{{"refresh": "{SEED}"}}']
)
def test_an_error_of_a_store_keeps_no_token(content: str, tmp_path: Path) -> None:
    file = tmp_path / "grant.json"
    file.write_text(content)
    with replay() as server, OdsClient(oauth(server), tokens=FileTokens(file)) as client:
        error = raised(lambda: client.count("d"))
        expect_no_key(error)
        assert "damaged" in str(error)


def test_an_error_of_a_store_that_cannot_be_written_keeps_no_token(tmp_path: Path) -> None:
    store = FileTokens(tmp_path / ("x" * 240 + ".json"))  # with the mark of a part it is longer than a name may be
    with replay(tokens(**NEW)) as server, OdsClient(oauth(server), tokens=store) as client:
        error = raised(lambda: client.count("d"))
        expect_no_key(error)
        assert "token store" in str(error)


@pytest.mark.parametrize(
    "extra",
    [
        {"no_such": KEY},
        {"timeout_s": KEY},
        {"proxy": f"no url {PROXY}"},
        {"proxy": f"http://user:{PROXY}@[::1"},
        {"push_api_key": f'{{"d/r": "{PUSH_KEY}"'},
        {"push_api_key": {"d/r": PUSH_KEY, "e/r": 7}},
        {"auth": "oauth2", "client_secret": CLIENT_SECRET, "refresh_token": SEED},
        {"client_secret": CLIENT_SECRET, "verify": "maybe"},
    ],
)
def test_an_error_of_a_connection_keeps_no_key(extra: dict[str, Any]) -> None:
    connect: Callable[[], object] = lambda: from_parts(host="h", password=KEY, extra=extra)  # noqa: E731
    error = raised(connect)
    assert isinstance(error, OdsConfigError)
    expect_no_key(error)
