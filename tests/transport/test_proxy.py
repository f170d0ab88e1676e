"""Through a proxy: the connection's wins, the environment's serves, and its password shows nowhere."""

import logging
from typing import Any

import pytest
import replay as play
from replay import Replay, replay

from ods_provider.client import OdsClient
from ods_provider.core.connection import from_parts
from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsTransportError
from ods_provider.core.wire import Request
from ods_provider.transport.session import RequestsTransport

PASSWORD = "pr0xy-pass"
KEY = "k3y"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def via(proxy: Replay) -> str:
    return f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}"


def send(host: str, **extra: Any) -> int:
    transport = RequestsTransport(from_parts(host=host, password=KEY, extra={"timeout_s": 30} | extra))
    try:
        return transport.send(Request("/x")).status
    finally:
        transport.close()


def test_the_connections_proxy_is_used_with_its_password(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with replay(play.answer()) as proxy:
        assert send("http://portal.invalid", proxy=via(proxy)) == 200
    assert proxy.lines == ["GET http://portal.invalid/x HTTP/1.1"]
    assert str(proxy.header("Proxy-Authorization")).startswith("Basic ")
    assert proxy.header("Authorization") == f"Apikey {KEY}"
    assert PASSWORD not in caplog.text


def test_the_environments_proxy_serves_and_no_proxy_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    with replay(play.answer(), play.answer()) as proxy, replay(play.answer()) as portal:
        monkeypatch.setenv("HTTP_PROXY", via(proxy))
        monkeypatch.setenv("http_proxy", via(proxy))
        assert send("http://portal.invalid") == 200
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert send(portal.url) == 200
    assert len(proxy.requests) == len(portal.requests) == 1


def test_the_connections_proxy_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with replay() as other, replay(play.answer()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{other.port}")
        monkeypatch.setenv("NO_PROXY", "portal.invalid")
        assert send("http://portal.invalid", proxy=via(proxy)) == 200
    assert other.requests == []


def test_a_tunnel_shows_the_proxy_no_key_and_a_refusal_shows_no_password() -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with (
        replay(play.sent(refusal, keep=False)) as proxy,
        pytest.raises(OdsTransportError, match="asks for credentials") as caught,
    ):
        send("https://portal.invalid", proxy=via(proxy))
    assert proxy.lines[0].startswith("CONNECT portal.invalid:443 ")
    assert proxy.header("Authorization") is None
    assert not caught.value.transient
    assert PASSWORD not in f"{caught.value!r}"


def test_a_proxy_that_asks_for_credentials_on_plain_http_is_told_apart_from_the_portal() -> None:
    with (
        replay(play.answer(b"<html>no", "407 Proxy Authentication Required")) as proxy,
        OdsClient("http://portal.invalid", proxy=f"http://127.0.0.1:{proxy.port}") as client,
        pytest.raises(OdsAuthError, match="proxy asks for credentials"),
    ):
        client.count("d")


def test_a_proxy_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(OdsTransportError) as caught:
        send("http://portal.invalid", proxy=f"http://user:{PASSWORD}@127.0.0.1:1")
    assert PASSWORD not in f"{caught.value!r}"


@pytest.mark.parametrize("proxy", ["proxy:3128", "http://", "ftp://proxy", f"http://user:{PASSWORD}@proxy:port", "x"])
def test_a_proxy_that_is_no_url_is_an_error_at_once(proxy: str) -> None:
    with pytest.raises(OdsConfigError, match="proxy") as caught:
        from_parts(host="h.example", extra={"proxy": proxy})
    assert PASSWORD not in f"{caught.value!r}"


def test_a_proxys_password_is_a_secret_of_its_own() -> None:
    connection = from_parts(host="h.example", extra={"proxy": "http://user:pr0xy%2Fpass@proxy:1"})
    assert "pr0xy/pass" in [secret.reveal() for secret in connection.secrets()]
