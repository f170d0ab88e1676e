"""What goes onto the wire, what is read off it, and what never does."""

import gzip
import logging
import zlib
from pathlib import Path
from typing import Any

import pytest
import replay as play
import requests
from replay import Replay, replay

from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.errors import (
    OdsConfigError,
    OdsError,
    OdsTimeout,
    OdsTransportError,
    OdsTruncated,
)
from ods_provider.core.wire import Kind, Request, Response
from ods_provider.transport.failures import translate
from ods_provider.transport.hosts import Itinerary
from ods_provider.transport.session import RequestsTransport

KEY, PUSH_KEY = "k3y-0f-the-p0rtal", "push-k3y/with+odd=signs"


def connection(server: Replay, **extra: Any) -> OdsConnection:
    return from_parts(host=server.url, password=KEY, extra={"push_api_key": PUSH_KEY, "timeout_s": 30} | extra)


def send(server: Replay, request: Request, **extra: Any) -> Response:
    transport = RequestsTransport(connection(server, **extra))
    try:
        return transport.send(request)
    finally:
        transport.close()


def drain(response: Response) -> bytes:
    assert response.stream is not None
    pieces = []
    try:
        while piece := response.stream.read():
            pieces.append(piece)
    finally:
        response.stream.close()
    return b"".join(pieces)


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The surroundings that win silently over a session's own settings."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password st0len\n")
    netrc.chmod(0o600)
    bundle = tmp_path / "no-bundle.pem"
    bundle.write_text("")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("auth", ["auto", "apikey"])
def test_the_key_goes_into_the_header_whatever_netrc_says(auth: str) -> None:
    with replay(play.answer()) as server:
        send(server, Request("/api/x", (("where", "a = 1"),)), auth=auth)
    assert server.lines == ["GET /api/x?where=a+%3D+1 HTTP/1.1"]
    assert server.header("Authorization") == f"Apikey {KEY}"
    assert server.header("Accept-Encoding") == "gzip"
    assert str(server.header("User-Agent")).startswith("ods-provider/")
    assert server.header("Cookie") is None


@pytest.mark.usefixtures("hostile")
def test_an_anonymous_call_carries_nothing_even_with_a_netrc() -> None:
    with replay(play.answer()) as server:
        send(server, Request("/api/x"), auth="anonymous")
    assert server.header("Authorization") is None


def test_cookies_are_refused() -> None:
    with replay(play.answer(b"{}", "200 OK", "Set-Cookie: session=abc"), play.answer()) as server:
        transport = RequestsTransport(connection(server))
        transport.send(Request("/a"))
        transport.send(Request("/b"))
        transport.close()
    assert server.header("Cookie") is None


def test_connections_are_kept_open_between_calls() -> None:
    with replay(play.answer(), play.answer(), play.chunked([b"x"])) as server:
        transport = RequestsTransport(connection(server))
        for path in "ab":
            transport.send(Request(f"/{path}"))
        drain(transport.send(Request("/c", kind="export")))
        pools = transport._session.open().get_adapter("http://").poolmanager.pools
        # Not a mapping to iterate over: it only has keys().
        assert [pools[key].num_connections for key in list(pools.keys())] == [1]
        transport.close()
    assert len(server.requests) == 3


# Redirects


def test_a_redirect_within_the_host_is_followed_with_the_key() -> None:
    with replay(play.answer(b"", "301 Moved", "Location: /b"), play.answer(b'{"a":1}')) as server:
        assert send(server, Request("/a")).json() == {"a": 1}
    assert server.lines[-1] == "GET /b HTTP/1.1"
    assert server.header("Authorization") == f"Apikey {KEY}"


@pytest.mark.parametrize("location", ["/b", "b?", "b#?x"])
@pytest.mark.parametrize("kind", ["api", "export"])
def test_a_redirect_that_loses_the_query_is_not_followed(location: str, kind: Kind) -> None:
    # It would answer other rows than those that were asked for.
    first = play.answer(b"", "302 Found", "Location: /a?where=y")
    for before in ((), (first,)):
        with replay(*before, play.answer(b"", "301 Moved", f"Location: {location}"), play.answer()) as server:
            assert send(server, Request("/a", (("where", "x"),), kind=kind)).status == 301
        assert len(server.requests) == len(before) + 1


def test_a_redirect_that_repeats_the_key_is_not_followed() -> None:
    with replay(play.answer(b"", "302 Found", f"Location: /b?apikey={KEY}"), play.answer()) as server:
        assert send(server, Request("/a", kind="file")).status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["", "#there"])
def test_a_redirect_to_the_same_place_keeps_the_query(location: str) -> None:
    with replay(play.answer(b"", "301 Moved", f"Location: {location}"), play.answer(b'{"a":1}')) as server:
        assert send(server, Request("/a", (("where", "x"),))).json() == {"a": 1}
    assert server.lines[-1] == "GET /a?where=x HTTP/1.1"


def test_a_redirect_to_a_name_in_raw_utf8_arrives() -> None:
    # As nginx writes it; a header is read as Latin-1, which would be encoded once more.
    location = "Location: /files/Übersicht.pdf"
    with replay(play.answer(b"", "302 Found", location), play.answer(b"%PDF")) as server:
        response = send(server, Request("/a", kind="file"))
        assert response.stream is not None
        response.stream.close()
    assert server.lines[-1] == "GET /files/%C3%9Cbersicht.pdf HTTP/1.1"


def test_a_redirect_to_another_host_is_not_followed() -> None:
    with replay() as other, replay(play.answer(b"", "302 Found", f"Location: {other.url}/b")) as server:
        assert send(server, Request("/a")).status == 302
    assert other.requests == []


def test_an_allowed_host_gets_the_key_too() -> None:
    with replay(play.answer()) as other, replay(play.answer(b"", "302 Found", f"Location: {other.url}/b")) as server:
        assert send(server, Request("/a"), allowed_hosts=[f"127.0.0.1:{other.port}"]).status == 200
    assert other.header("Authorization") == f"Apikey {KEY}"


def test_a_post_follows_no_redirect() -> None:
    with replay(play.answer(b"", "301 Moved", "Location: /b/"), play.answer()) as server:
        request = Request("/p/push", method="POST", body=b"[]", kind="push", dataset_id="d", resource_id="r")
        assert send(server, request).status == 301
    assert len(server.requests) == 1


def test_a_file_elsewhere_over_plain_http_is_not_fetched() -> None:
    with replay(play.answer(b"", "302 Found", "Location: http://files.invalid/f")) as server:
        assert send(server, Request("/a", kind="file")).status == 302
        with pytest.raises(OdsConfigError, match="not the portal's host"):
            send(server, Request("http://files.invalid/f", kind="file"))


def test_a_portal_on_this_machine_may_send_to_another_port_of_it_without_the_key() -> None:
    with (
        replay(play.answer(b"file")) as other,
        replay(play.answer(b"", "302 Found", f"Location: {other.url}/f"), *[play.answer()] * 2) as server,
    ):
        assert drain(send(server, Request("/a", kind="file"))) == b"file"
        assert other.header("Authorization") is None
        # What is no file stays within the portal all the same.
        moved = Itinerary(server.url).follow(Request("/a"), server.url, f"{other.url}/f")
        assert moved is None


def test_a_circle_of_redirects_ends() -> None:
    with (
        replay(*[play.answer(b"", "302 Found", "Location: /a")] * 9) as server,
        pytest.raises(OdsTransportError) as caught,
    ):
        send(server, Request("/a"))
    assert not caught.value.transient


# Streams


BODY = "Zürich;城市\r\n".encode() * 40_000


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate", "two members"])
def test_a_stream_is_inflated_and_whole(encoding: str) -> None:
    half = len(BODY) // 2
    data = {
        "identity": BODY,
        "gzip": gzip.compress(BODY),
        "deflate": zlib.compress(BODY),
        "two members": gzip.compress(BODY[:half]) + gzip.compress(BODY[half:]),
    }[encoding]
    headers = [] if encoding == "identity" else [f"Content-Encoding: {'deflate' if encoding == 'deflate' else 'gzip'}"]
    pieces = [data[start : start + 7_000] for start in range(0, len(data), 7_000)]
    with replay(play.chunked(pieces, *headers)) as server:
        response = send(server, Request("/e", kind="export"))
        assert response.stream is not None
        assert response.stream.peek(10) == BODY[:10]
        assert drain(response) == BODY


@pytest.mark.parametrize(
    "cut",
    [
        play.chunked([BODY[:5000]], end=False),
        play.chunked([gzip.compress(BODY)[:500]], "Content-Encoding: gzip"),
        play.chunked([gzip.compress(BODY)[:500]], "Content-Encoding: gzip", end=False),
        play.chunked([b"no gzip at all" * 9], "Content-Encoding: gzip"),
        play.sent(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + BODY[:5000], keep=False),
    ],
    ids=["chunked", "gzip ends early in whole chunks", "gzip and chunks", "damaged", "length"],
)
def test_a_stream_that_was_cut_is_never_taken_for_whole(cut: play.Play) -> None:
    with replay(cut) as server, pytest.raises(OdsTruncated):
        drain(send(server, Request("/e", kind="export")))


@pytest.mark.at_length
def test_a_small_body_that_inflates_hugely_comes_in_small_pieces() -> None:
    with replay(play.chunked([gzip.compress(b"\0" * 50_000_000)], "Content-Encoding: gzip")) as server:
        response = send(server, Request("/e", kind="export"))
        assert response.stream is not None
        sizes = []
        while piece := response.stream.read():
            sizes.append(len(piece))
        response.stream.close()
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 1_048_576


def test_silence_in_the_middle_is_a_timeout() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    with replay(play.silent(head)) as server, pytest.raises(OdsTimeout):
        drain(send(server, Request("/e", kind="export"), timeout_s=0.3))


# Failures and secrets


def test_every_failure_is_ours_and_says_what_to_do() -> None:
    for host, expected in (
        ("http://127.0.0.1:1", "refuses the connection"),
        ("http://no-such-host.invalid", "host name is not known"),
    ):
        transport = RequestsTransport(from_parts(host=host, password=KEY))
        with pytest.raises(OdsTransportError, match=expected):
            transport.send(Request("/x"))
        transport.close()
    with replay(play.silent()) as server, pytest.raises(OdsTimeout):
        send(server, Request("/x"), timeout_s=0.2)
    with replay(play.sent(b"", keep=False)) as server, pytest.raises(OdsTransportError):
        send(server, Request("/x"))


def test_no_class_of_requests_escapes_translation() -> None:
    names = [name for name in dir(requests.exceptions) if isinstance(getattr(requests.exceptions, name), type)]
    for name in names:
        cls = getattr(requests.exceptions, name)
        if issubclass(cls, Exception) and not issubclass(cls, Warning):
            error = cls("x", "y", 0) if name.endswith("JSONDecodeError") else cls("x")
            assert isinstance(translate(error, where="GET x"), OdsError), name


def test_the_push_key_travels_in_the_query_and_stands_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    request = Request("/p/push/", method="POST", body=b"[]", kind="push", dataset_id="d", resource_id="r")
    with replay(play.answer(b'{"echo": "' + PUSH_KEY.encode() + b'"}', "403 No"), play.sent(b"", keep=False)) as server:
        transport = RequestsTransport(connection(server))
        refused = transport.send(request)
        with pytest.raises(OdsTransportError) as caught:
            transport.send(request)
        transport.close()
    assert "pushkey=push-k3y%2Fwith%2Bodd%3Dsigns" in server.lines[0]
    assert b"k3y" not in server.requests[0].partition(b"\r\n")[2].replace(KEY.encode(), b"")
    shown = [caplog.text, refused.url, refused.body.decode(), repr(refused), str(caught.value), repr(request)]
    chain = [
        str(caught.value.__cause__),
        str(caught.value.__context__ if not caught.value.__suppress_context__ else ""),
    ]
    for text in shown + chain:
        assert "k3y" not in text
    assert "pushkey=***" in caplog.text


def test_a_push_without_a_key_is_an_error_before_anything_is_sent() -> None:
    with replay() as server:
        transport = RequestsTransport(from_parts(host=server.url))
        with pytest.raises(OdsConfigError, match="no push key for d/r"):
            transport.send(Request("/p/", method="POST", body=b"", kind="push", dataset_id="d", resource_id="r"))
        transport.close()
    assert server.requests == []


def test_headers_that_cannot_be_read_are_not_quoted_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-You: {KEY}\r\n: {KEY}\r\nno header {KEY}\r\n\r\n".encode()
    with replay(play.sent(head + b"{}", keep=False)) as server, caplog.at_level(logging.DEBUG):
        send(server, Request("/x", kind="api"))
    assert "Failed to parse headers" in caplog.text
    assert KEY not in caplog.text
