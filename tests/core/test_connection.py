"""A connection is understood from whatever a form or a URI leaves, and never shows what it must not."""

import pickle
from typing import Any

import pytest

from ods_provider.core.connection import from_parts
from ods_provider.core.errors import OdsConfigError


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"host": "data.example.org"}, "https://data.example.org"),
        ({"host": "127.0.0.1", "port": 8080}, "http://127.0.0.1:8080"),
        ({"host": "localhost"}, "http://localhost"),
        ({"host": "http://data.example.org"}, "http://data.example.org"),
        ({"host": "http://data.example.org", "schema": "https"}, "http://data.example.org"),
        ({"host": "data.example.org", "schema": "http"}, "http://data.example.org"),
        ({"host": "https://127.0.0.1:8443/"}, "https://127.0.0.1:8443"),
        ({"host": "data.example.org:81", "port": 82}, "https://data.example.org:81"),
        ({"host": "http://[::1]:8080"}, "http://[::1]:8080"),
    ],
)
def test_the_scheme_comes_from_the_host_then_the_field_then_loopback(parts: dict[str, Any], expected: str) -> None:
    assert from_parts(**parts).base_url == expected


@pytest.mark.parametrize(
    "host",
    [None, "", "  ", "data.example.org/path", "https://user:s3cret@data.example.org", "ftp://h", "h:port", "://"],
)
def test_a_host_that_cannot_work_is_an_error_that_shows_no_secret(host: str | None) -> None:
    with pytest.raises(OdsConfigError) as caught:
        from_parts(host=host)
    assert "s3cret" not in str(caught.value)


def test_extras_are_coerced_from_text_and_empty_ones_are_absent() -> None:
    connection = from_parts(
        host="h.example",
        extra={
            "timeout_s": "5",
            "max_retries": "0",
            "verify": "false",
            "allowed_hosts": "a.example, b.example",
            "auth": "",
            "proxy": None,
        },
    )
    assert (connection.timeout_s, connection.max_retries, connection.verify) == (5.0, 0, False)
    assert connection.allowed_hosts == ("a.example", "b.example")
    assert connection.auth == "auto"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout_s", "soon"),
        ("timeout_s", 0),
        ("timeout_s", "nan"),
        ("max_retries", "-1"),
        ("max_retries", 1.5),
        ("verify", "perhaps"),
        ("auth", "kerberos"),
        ("push_api_key", 5),
        ("push_api_key", "{not json"),
        ("allowed_hosts", 7),
        ("max_wait_s", True),
    ],
)
def test_a_bad_extra_is_named(name: str, value: Any) -> None:
    with pytest.raises(OdsConfigError, match=name):
        from_parts(host="h.example", extra={name: value}, where="connection mine")


def test_an_unknown_extra_is_named_and_the_known_ones_are_listed() -> None:
    with pytest.raises(OdsConfigError, match=r"unknown setting timeouts .*connection mine.*timeout_s"):
        from_parts(host="h.example", extra={"timeouts": 5}, where="connection mine")


def test_nothing_that_prints_or_pickles_holds_a_secret() -> None:
    connection = from_parts(
        host="h.example", password="k3y", extra={"push_api_key": {"d/r": "push3y"}, "proxy": "http://u:pr0xy@p:1"}
    )
    shown = f"{connection} {connection!r} {connection.push_keys} {connection.proxy}"
    assert not any(secret in shown for secret in ("k3y", "push3y", "pr0xy"))
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(connection)


def test_push_keys_go_by_resource_and_one_key_serves_all() -> None:
    several = from_parts(host="h.example", extra={"push_api_key": '{"d/r": "one"}'})
    assert several.push_key("d", "r").reveal() == "one"
    with pytest.raises(OdsConfigError, match="no push key for d/other"):
        several.push_key("d", "other")
    assert from_parts(host="h.example", extra={"push_api_key": "all"}).push_key("d", "r").reveal() == "all"


def test_a_way_to_sign_in_that_lacks_its_parts_is_an_error() -> None:
    with pytest.raises(OdsConfigError, match="needs a key"):
        from_parts(host="h.example", extra={"auth": "apikey"})
    with pytest.raises(OdsConfigError, match="needs a user name"):
        from_parts(host="h.example", password="p", login="", extra={"auth": "basic"})


HALF = "k3y\ud83d"


@pytest.mark.parametrize(
    "parts",
    [
        {"password": HALF},
        {"login": HALF, "password": "k", "extra": {"auth": "basic"}},
        {"login": "me", "password": HALF, "extra": {"auth": "basic"}},
        {"extra": {"push_api_key": HALF}},
        {"extra": {"push_api_key": '{"d/r": "k3y\\ud83d"}'}},
        {"extra": {"push_api_key": {"d/r": HALF}}},
        {"extra": {"proxy": f"http://me:{HALF}@127.0.0.1:1"}},
        {"extra": {"auth": "oauth2", "client_id": HALF, "refresh_token": "r"}},
        {"extra": {"auth": "oauth2", "client_id": "c", "client_secret": HALF, "refresh_token": "r"}},
        {"extra": {"auth": "oauth2", "client_id": "c", "refresh_token": HALF}},
    ],
)
def test_half_a_character_in_what_signs_calls_is_an_error_of_ours_at_once(parts: dict[str, Any]) -> None:
    with pytest.raises(OdsConfigError, match=r"half a character|no header") as caught:
        from_parts(host="data.example.org", where="ods_default", **parts)
    assert "ods_default" in str(caught.value)
    assert "k3y" not in str(caught.value)
    assert caught.value.__context__ is None
