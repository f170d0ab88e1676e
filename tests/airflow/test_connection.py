"""The connection: its forms, its bad parts, what a test of it says, and that Airflow hides its secrets."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection
from airflow.sdk.log import redact
from replay import answer, replay
from shaken import keys_in

from ods_provider.core.errors import OdsConfigError
from ods_provider.hooks.ods import OdsHook
from ods_provider.plugins.airflow import from_airflow
from ods_provider.testing.portal import LocalPortal


@pytest.fixture(scope="module")
def private_portal() -> Iterator[LocalPortal]:
    with LocalPortal(api_key="the-right-key", require_key=True) as portal:
        yield portal


def try_connection(conn_id: str = "ods_default") -> tuple[bool, str]:
    return OdsHook(conn_id).test_connection()


# What a test says


def test_a_key_that_is_not_refused_is_told_with_datasets_and_quota(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.set_quota(limit=5_000, remaining=4_242)
    good, said = try_connection()
    assert good
    assert "the API key was sent and not refused" in said
    assert f"{len(ods_portal.store.datasets)} datasets are visible" in said
    assert "4241 of 5000 calls are left until " in said
    assert said.count(".") == 1
    assert said.endswith(".")


def test_it_costs_one_call(connect: Any, ods_portal: LocalPortal) -> None:
    try_connection()
    assert len(ods_portal.requests) == 1


def test_without_a_key_it_says_that_calls_are_anonymous(connect: Any) -> None:
    connect(password=None)
    good, said = try_connection()
    assert good
    assert "no key was sent (anonymous)" in said


def test_a_portal_that_states_no_quota_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with replay(answer(b'{"total_count": 3, "results": []}')) as portal:
        monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", f"ods://127.0.0.1:{portal.port}")
        good, said = try_connection()
    assert good
    assert "3 datasets are visible, the portal states no quota." in said


def test_a_wrong_key_has_its_own_sentence(private_portal: LocalPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", f"ods://:not-the-key@{private_portal.netloc}")
    good, said = try_connection()
    assert not good
    assert "check the API key (the connection's password)" in said
    assert "not-the-key" not in said


def test_a_private_portal_asks_for_a_key(private_portal: LocalPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", f"ods://{private_portal.netloc}")
    good, said = try_connection()
    assert not good
    assert "credentials were not provided" in said


def test_a_login_page_says_that_the_portal_is_private(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.fault("login_html")
    good, said = try_connection()
    assert not good
    assert "login page" in said


def test_a_host_that_is_no_portal_has_its_own_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    page = answer(b"<html><body>It works!</body></html>", "200 OK", "Content-Type: text/html")
    with replay(page) as host:
        monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", f"ods://127.0.0.1:{host.port}")
        good, said = try_connection()
    assert not good
    assert "web page, not data" in said
    assert "Check the connection's host" in said


def test_a_refused_connection_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", f"ods://:some-key@127.0.0.1:{port}")
    good, said = try_connection()
    assert not good
    assert f"127.0.0.1:{port}" in said
    assert "refuse" in said.lower()
    assert "some-key" not in said


@pytest.mark.at_length
def test_a_certificate_that_nobody_vouches_for_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ("-subj", "/CN=localhost", "-days", "2")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, *subject]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with replay(answer(), tls=context) as portal:
        monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", f"ods://:some-key@https%3A%2F%2Flocalhost:{portal.port}")
        good, said = try_connection()
    assert not good
    assert "certificate" in said.lower()
    assert "verify" in said


def test_a_quota_that_is_spent_says_when_it_returns(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.set_quota(remaining=0, reset_in_s=3_000)
    good, said = try_connection()
    assert not good
    assert "The quota returns at " in said


def test_a_connection_that_does_not_exist_says_how_to_make_one() -> None:
    good, said = try_connection("no_such")
    assert not good
    assert "AIRFLOW_CONN_NO_SUCH" in said


# Its forms


def test_the_uri_of_the_readme_works(ods_portal: LocalPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", f"ods://:demo-key@{ods_portal.netloc}?push_api_key=demo-push-key")
    with OdsHook().get_conn() as client:
        connection = client.connection
        assert connection.base_url == ods_portal.url
        assert connection.api_key is not None
        assert connection.api_key.reveal() == "demo-key"
        assert connection.push_key("live-readings", "realtime").reveal() == "demo-push-key"
        assert connection.login is None
        assert [item.dataset_id for item in [client.dataset("world-capitals")]] == ["world-capitals"]


@pytest.mark.parametrize(
    ("parts", "base_url"),
    [
        ({"host": "data.example.org"}, "https://data.example.org"),
        ({"host": "http://data.example.org"}, "http://data.example.org"),
        ({"host": "data.example.org", "schema": "http"}, "http://data.example.org"),
        ({"host": "https://data.example.org", "schema": "http"}, "https://data.example.org"),
        ({"host": "127.0.0.1", "port": 8080}, "http://127.0.0.1:8080"),
        ({"host": "127.0.0.1", "port": 8080, "schema": "https"}, "https://127.0.0.1:8080"),
    ],
)
def test_the_scheme_comes_from_the_host_then_the_schema_then_the_place(
    parts: dict[str, Any], base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", json.dumps({"conn_type": "ods"} | parts))
    with OdsHook().get_conn() as client:
        assert client.connection.base_url == base_url


def test_a_scheme_inside_a_uri_is_taken_from_its_encoded_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", "ods://:k3y@http%3A%2F%2Fdata.example.org")
    with OdsHook().get_conn() as client:
        assert client.connection.base_url == "http://data.example.org"


def test_extras_of_a_uri_are_coerced_from_text(monkeypatch: pytest.MonkeyPatch) -> None:
    extras = (
        "auth=apikey&timeout_s=12.5&connect_timeout_s=3&max_retries=2&max_wait_s=7&max_quota_wait_s=60&verify=false"
        "&proxy=http%3A%2F%2Fproxy%3A3128&allowed_hosts=a.example.org%2C%20B.example.org"
    )
    monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", f"ods://:k3y@data.example.org?{extras}")
    with OdsHook().get_conn() as client:
        found = client.connection
    assert (found.auth, found.timeout_s, found.connect_timeout_s) == ("apikey", 12.5, 3.0)
    assert (found.max_retries, found.max_wait_s, found.max_quota_wait_s) == (2, 7.0, 60.0)
    assert found.verify is False
    assert found.allowed_hosts == ("a.example.org", "b.example.org")


@pytest.mark.parametrize("value", ["", None, "  "])
def test_an_empty_field_of_the_form_counts_as_left_out(value: Any, connect: Any) -> None:
    connect(extra={"timeout_s": value, "auth": value, "verify": value, "push_api_key": value})
    with OdsHook().get_conn() as client:
        assert (client.connection.timeout_s, client.connection.auth, client.connection.verify) == (60.0, "auto", True)


def test_push_keys_may_differ_by_resource(connect: Any) -> None:
    keys = {"live-readings/realtime": "first-key", "other/realtime": "second-key"}
    for given in (keys, json.dumps(keys)):
        connect(extra={"push_api_key": given})
        with OdsHook().get_conn() as client:
            assert client.connection.push_key("other", "realtime").reveal() == "second-key"
            with pytest.raises(OdsConfigError, match="no push key for third/realtime"):
                client.connection.push_key("third", "realtime")


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"max_retries": "many"}, "max_retries"),
        ({"timeout_s": "soon"}, "timeout_s"),
        ({"max_wait_s": -1}, "max_wait_s"),
        ({"verify": "perhaps"}, "verify"),
        ({"auth": "magic"}, "auth"),
        ({"push_api_key": "{not json"}, "push_api_key"),
        ({"apikey": "s3cret-in-the-wrong-place"}, "unknown extra apikey"),
    ],
)
def test_a_bad_extra_is_named_and_its_value_is_not_shown(extra: dict[str, Any], named: str, connect: Any) -> None:
    connect(extra=extra)
    with pytest.raises(OdsConfigError, match=named) as caught:
        OdsHook().get_conn()
    assert "connection ods_default" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    good, said = try_connection()
    assert not good
    assert named in said


def test_an_extra_that_is_no_json_is_named() -> None:
    stored = Connection(conn_id="mine", conn_type="ods", host="data.example.org", extra="{push_api_key: s3cret")
    with pytest.raises(OdsConfigError, match="the extra is not valid JSON") as caught:
        from_airflow(stored)
    assert "s3cret" not in str(caught.value)


# Secrets


def test_airflow_hides_every_secret_once_the_connection_was_looked_up(connect: Any) -> None:
    secrets = ["k3y-number-one", "push-one-9f31", "push-two-77aa", "http://user:pr0xy-w0rd@127.0.0.1:9"]
    connect(
        password=secrets[0],
        extra={"push_api_key": {"a/r": secrets[1], "b/r": secrets[2]}, "proxy": secrets[3]},
    )
    OdsHook().get_conn().close()
    for secret in secrets:
        assert secret not in str(redact(f"GET /push/?pushkey={secret} with {secret}"))


def test_nothing_that_the_hook_hands_out_prints_a_key(connect: Any, ods_portal: LocalPortal) -> None:
    hook = OdsHook()
    with hook.get_conn() as client:
        shown = [repr(thing) for thing in (hook, client, client.connection, client.quota, vars(hook))]
    assert not any(ods_portal.api_key in text or ods_portal.push_key in text for text in shown)


@pytest.mark.parametrize(
    "extra",
    ['{"push_api_key": "pu5h-key"', "[" * 100_000 + "pu5h-key", '{"push_api_key": "pu5h-key", "timeout_s": "x"}'],
)
def test_an_error_of_a_connection_keeps_no_key(extra: str) -> None:
    stored = Connection(conn_id="mine", conn_type="ods", host="h", password="the-api-key", extra=extra)
    with pytest.raises(OdsConfigError) as caught:
        from_airflow(stored)
    assert keys_in(caught.value, ["the-api-key", "pu5h-key"], ours=__file__) == []


def test_an_error_of_a_connection_that_is_looked_up_keeps_no_key(connect: Any) -> None:
    connect(password="the-api-key", extra={"push_api_key": "pu5h-key", "timeout_s": "x"})
    with pytest.raises(OdsConfigError) as caught:
        OdsHook().get_conn()
    assert keys_in(caught.value, ["the-api-key", "pu5h-key"], ours=__file__) == []


def test_what_bounds_an_answer_is_set_in_the_connection(connect: Any) -> None:
    connect(extra={"min_bytes_s": "0", "private_files": "Refuse"})
    with OdsHook().get_conn() as client:
        assert (client.connection.min_bytes_s, client.connection.private_files) == (0, "refuse")
    for extra, named in (
        ({"min_bytes_s": "slow"}, "bytes a second"),
        ({"private_files": "maybe"}, "auto, refuse, allow"),
    ):
        connect(extra=extra)
        with pytest.raises(OdsConfigError, match=named):
            OdsHook().get_conn()
