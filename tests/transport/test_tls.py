"""Whom we trust, and what never leaves the portal's own origin, over real TLS."""

import os
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import replay as play
import requests
import trustme
from replay import Replay, replay

from ods_provider.client import OdsClient
from ods_provider.core.connection import from_parts
from ods_provider.core.errors import OdsConfigError, OdsTransportError, OdsTruncated
from ods_provider.core.wire import Request, Response
from ods_provider.transport.failures import translate
from ods_provider.transport.session import RequestsTransport

KEY = "k3y-0f-the-p0rtal"


class Authority:
    """A certificate authority and its bundle on the disk."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.bundle = str(folder / f"{id(self)}.pem")
        self._ca.cert_pem.write_to_path(self.bundle)

    def serves(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"))


def send(server: Replay, request: Request, **extra: Any) -> Response:
    transport = RequestsTransport(from_parts(host=server.url, password=KEY, extra={"timeout_s": 30} | extra))
    try:
        response = transport.send(request)
        if response.stream:
            response.stream.read()
            response.stream.close()
        return response
    finally:
        transport.close()


def test_a_certificate_that_nobody_vouches_for_is_refused_and_no_key_is_sent(authority: Authority) -> None:
    with replay(play.answer(), tls=authority.serves()) as server:
        with pytest.raises(OdsTransportError, match="could not be trusted") as caught:
            send(server, Request("/x"))
        assert server.requests == []
    assert not caught.value.transient
    assert "verify" in str(caught.value)


def test_the_connections_bundle_wins_over_the_environments(
    authority: Authority, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", stranger.bundle)
    monkeypatch.setenv("CURL_CA_BUNDLE", stranger.bundle)
    with replay(play.answer(), tls=authority.serves()) as server:
        assert send(server, Request("/x"), verify=authority.bundle).status == 200
    assert server.header("Authorization") == f"Apikey {KEY}"


def test_the_environments_bundle_serves_where_the_connection_names_none(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.bundle)
    with replay(play.answer(), tls=authority.serves()) as server:
        assert send(server, Request("/x")).status == 200


def test_a_host_of_another_name_is_refused(authority: Authority) -> None:
    with replay(play.answer(), tls=authority.serves("other.example")) as server:
        with pytest.raises(OdsTransportError, match="could not be trusted"):
            send(server, Request("/x"), verify=authority.bundle)
        assert server.requests == []


def test_who_asks_for_no_verification_gets_none_and_no_warning_for_each_call(
    authority: Authority, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", stranger.bundle)
    with replay(play.answer(), tls=authority.serves()) as server:
        assert send(server, Request("/x"), verify="false").status == 200


def test_a_bundle_that_is_not_there_or_is_none_is_named(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(OdsConfigError, match=r"no-such\.pem"):
        RequestsTransport(from_parts(host="https://h.example", extra={"verify": str(tmp_path / "no-such.pem")}))
    (tmp_path / "text.pem").write_text("no certificate")
    with replay(play.answer(), tls=authority.serves()) as server, pytest.raises(OdsTransportError, match="TLS"):
        send(server, Request("/x"), verify=str(tmp_path / "text.pem"))


def test_a_server_that_speaks_no_tls_is_told_apart_from_a_dead_one() -> None:
    def greet(server: socket.socket) -> None:
        client, _ = server.accept()
        with client:
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=greet, args=(server,), daemon=True)
        thread.start()
        with pytest.raises(OdsTransportError, match="TLS connection could not"):
            send(Replay(server.getsockname()[1], scheme="https"), Request("/x"))
        thread.join()


@contextmanager
def hanging_up(*, reset: bool) -> Iterator[tuple[Replay, list[bytes]]]:
    """A server that reads the greeting and closes, as a load balancer does that restarts; it lists the greetings."""
    greetings: list[bytes] = []

    def hang_up(server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:  # the test is over
                return
            greetings.append(client.recv(1 if reset else 65_536))
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()

    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=hang_up, args=(server,), daemon=True)
    thread.start()
    try:
        yield Replay(server.getsockname()[1], scheme="https"), greetings
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


@pytest.mark.parametrize("reset", [False, True])
def test_a_handshake_that_breaks_off_is_tried_again_and_blames_no_certificate(reset: bool) -> None:
    with (
        hanging_up(reset=reset) as (server, greetings),
        OdsClient(server.url, max_retries=3, sleep=lambda _: None) as client,
        pytest.raises(OdsTransportError) as caught,
    ):
        client.count("d")
    assert len(greetings) == 4
    assert caught.value.transient
    assert "certificate" not in str(caught.value)
    if not reset:
        assert caught.value.what == "the TLS connection broke off"


def test_a_certificate_that_nobody_vouches_for_is_looked_at_once(authority: Authority) -> None:
    tls, greetings = authority.serves(), []
    tls.sni_callback = lambda connection, name, context: greetings.append(name)
    with (
        replay(play.answer(), tls=tls) as server,
        OdsClient(server.url, max_retries=3, sleep=lambda _: None) as client,
        pytest.raises(OdsTransportError, match=r"could not be trusted or set up: .*certificate") as caught,
    ):
        client.count("d")
    assert len(greetings) == 1
    assert not caught.value.transient


def test_a_tls_connection_that_is_damaged_within_an_answer_is_an_answer_cut_short(authority: Authority) -> None:
    def damage(connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        with socket.socket(fileno=os.dup(connection.fileno())) as below:
            below.sendall(b"\x17\x03\x03\x00\x40" + b"?" * 64)
        return False

    with replay(damage, tls=authority.serves()) as server:
        with pytest.raises(OdsTruncated, match="TLS connection broke off before the answer was whole") as caught:
            send(server, Request("/x"), verify=authority.bundle)
        assert caught.value.transient


def test_what_no_retry_cures_is_told_apart_from_what_passes() -> None:
    for library, reason, transient in (
        ("SSL", "WRONG_VERSION_NUMBER", False),
        ("SSL", "SSLV3_ALERT_HANDSHAKE_FAILURE", False),
        ("SSL", "TLSV13_ALERT_CERTIFICATE_REQUIRED", False),
        ("X509", "NO_CERTIFICATE_OR_CRL_FOUND", False),
        ("SSL", "TLSV1_ALERT_INTERNAL_ERROR", True),
        ("SSL", "DECRYPTION_FAILED_OR_BAD_RECORD_MAC", True),
    ):
        error = ssl.SSLError(1, reason)
        error.library, error.reason = library, reason
        assert translate(error, where="GET x").transient is transient, reason
    assert not translate(requests.exceptions.SSLError("no TLS here"), where="GET x").transient


def test_only_http_1_1_is_offered(authority: Authority) -> None:
    context = authority.serves()
    context.set_alpn_protocols(["h2", "http/1.1"])
    agreed: list[str | None] = []

    def play_and_note(connection: Any) -> bool:
        agreed.append(connection.selected_alpn_protocol())
        return play.answer()(connection)

    with replay(play_and_note, tls=context) as server:
        send(server, Request("/x"), verify=authority.bundle)
    assert agreed[0] in (None, "http/1.1")
    assert server.lines == ["GET /x HTTP/1.1"]


# What a redirect may carry


def test_a_file_on_another_port_or_host_is_fetched_without_the_key(authority: Authority) -> None:
    tls = authority.serves()
    with replay(play.answer(b"bytes"), play.answer(b"bytes"), tls=tls) as other:
        for host in ("127.0.0.1", "localhost"):
            location = f"Location: https://{host}:{other.port}/f?Signature=s1gn"
            with replay(play.answer(b"", "302 Found", location), tls=tls) as server:
                response = send(server, Request("/a", kind="file"), verify=authority.bundle)
                assert response.status == 200
                assert server.header("Authorization") == f"Apikey {KEY}"
    assert other.lines == ["GET /f?Signature=s1gn HTTP/1.1"] * 2
    assert [other.header("Authorization", which) for which in (0, 1)] == [None, None]


def test_an_answer_or_an_export_on_another_port_is_not_followed(authority: Authority) -> None:
    tls = authority.serves()
    with replay(tls=tls) as other:
        for kind in ("api", "export"):
            location = f"Location: https://127.0.0.1:{other.port}/f"
            with replay(play.answer(b"", "302 Found", location), tls=tls) as server:
                assert send(server, Request("/a", kind=kind), verify=authority.bundle).status == 302
        with replay(play.answer(b"", "302 Found", location), tls=tls) as server:
            # Named without its port, a host is allowed at the usual port alone.
            allowed = send(server, Request("/a"), verify=authority.bundle, allowed_hosts="127.0.0.1")
            assert allowed.status == 302
    assert other.requests == []


def test_a_redirect_down_to_http_is_not_followed_not_even_to_an_allowed_host(authority: Authority) -> None:
    with replay() as plain:
        for kind in ("api", "file"):
            location = f"Location: http://127.0.0.1:{plain.port}/f"
            with replay(play.answer(b"", "301 Moved", location), tls=authority.serves()) as server:
                found = send(
                    server,
                    Request("/a", kind=kind),
                    verify=authority.bundle,
                    allowed_hosts=f"127.0.0.1:{plain.port}",
                )
                assert found.status == 301
    assert plain.requests == []


def test_the_key_does_not_come_along_when_a_file_is_sent_from_host_to_host(authority: Authority) -> None:
    tls = authority.serves()
    with replay(play.answer(b"x"), tls=tls) as last:
        onward = play.answer(b"", "307 Moved", f"Location: https://localhost:{last.port}/c")
        with (
            replay(onward, tls=tls) as middle,
            replay(play.answer(b"", "302 Found", f"Location: https://localhost:{middle.port}/b"), tls=tls) as first,
        ):
            assert send(first, Request("/a", kind="file"), verify=authority.bundle).status == 200
    assert middle.header("Authorization") is None
    assert last.header("Authorization") is None
