"""An error speaks of the connection in the words of whoever made it, through the client and the jobs alike."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from replay import answer, replay

from ods_provider.client import OdsClient
from ods_provider.core.connection import EXTRAS, from_parts
from ods_provider.core.events import Event, RetryScheduled
from ods_provider.core.faces import (
    AIRFLOW,
    COMPUTED,
    DAGSTER,
    ENVIRONMENT,
    LOGIN,
    OPTIONS,
    PLAIN,
    PREFECT,
    PYTHON,
    Face,
    advise,
    profile_face,
    setting,
)
from ods_provider.errors import OdsAuthError, OdsConfigError, OdsError, OdsNotAPortal, OdsQueryError

FACES = [
    (PLAIN, "the api_key of the connection", "the timeout_s of the connection"),
    (PYTHON, "OdsClient's argument api_key", "OdsClient's argument timeout_s"),
    (AIRFLOW, "the connection's password", "timeout_s in the connection's extra"),
    (PREFECT, "the block's api_key", "timeout_s in the block's settings"),
    (DAGSTER, "the field api_key of the OdsResource", "the field timeout_s of the OdsResource"),
    (ENVIRONMENT, "ODS_API_KEY", "ODS_TIMEOUT_S"),
    (OPTIONS, "--key-file", "ODS_TIMEOUT_S"),
    (profile_face("a{b}c"), "key_file of the profile a{b}c", "timeout_s of the profile a{b}c"),
]


@pytest.mark.parametrize(("face", "key", "timeout"), FACES)
def test_a_refused_key_is_named_as_it_was_given(face: Face, key: str, timeout: str) -> None:
    refused = answer(b'{"error_code": "AuthenticationFailed", "message": "no"}', "401 Unauthorized")
    with replay(refused) as server, OdsClient(from_parts(host=server.url, password="k3y", face=face)) as client:
        with pytest.raises(OdsAuthError) as caught:
            client.count("d")
        assert key in str(caught.value)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(OdsConfigError) as bad:
        from_parts(host="h.example", extra={"timeout_s": "soon"}, face=face)
    assert str(bad.value).startswith(f"{timeout} is not a number of seconds")


@pytest.mark.parametrize("face", [face for face, *_ in FACES])
def test_a_setting_that_is_missing_is_asked_for_where_it_belongs(face: Face) -> None:
    for extra, name in (({"auth": "oauth2"}, "client_id"), ({"auth": "apikey"}, "api_key"), ({"auth": "basic"}, None)):
        with pytest.raises(OdsConfigError) as caught:
            from_parts(host="h", password=None if name == "api_key" else "p", extra=extra, face=face)
        assert face.setting(name or "login") in str(caught.value)
    for host in ("", "h/explore", "u:p@h", "ftp://h"):
        with pytest.raises(OdsConfigError):
            from_parts(host=host, face=face)
    with pytest.raises(OdsConfigError) as missing:
        from_parts(host="h", face=face).push_key("d", "r")
    assert face.setting("push_api_key") in str(missing.value)


@pytest.mark.parametrize("face", [face for face, *_ in FACES])
def test_what_is_tried_again_is_told_in_the_same_words(face: Face) -> None:
    heard: list[Event] = []
    with replay(answer(b"", "502 Bad Gateway")) as proxy:
        there = from_parts(host="data.example.org", extra={"proxy": proxy.url, "max_retries": 1}, face=face)
        with OdsClient(there, emit=heard.append, sleep=lambda seconds: None) as client, pytest.raises(OdsError):
            client.count("d")
    (again,) = [event for event in heard if isinstance(event, RetryScheduled)]
    assert str(again.caused_by).endswith(f"Check {face.setting('proxy')}.")


@pytest.mark.parametrize(
    ("face", "unknown", "meant"),
    [
        (PYTHON, "apikey", "OdsClient's argument api_key"),
        (PYTHON, "timeout", "OdsClient's argument timeout_s"),
        (PREFECT, "apikey", "the block's api_key"),
        (PREFECT, "max_wait", "max_wait_s in the block's settings"),
        (AIRFLOW, "api_key", "the connection's password"),
        (AIRFLOW, "password", "the connection's password"),
        (DAGSTER, "user", "the field login of the OdsResource"),
    ],
)
def test_an_unknown_setting_is_answered_with_the_one_that_is_meant(face: Face, unknown: str, meant: str) -> None:
    with pytest.raises(OdsConfigError, match=f"unknown {face.kind} {unknown}") as caught:
        from_parts(host="h", extra={unknown: "x"}, face=face)
    assert f"Perhaps {meant} is meant. Known are auth" in str(caught.value)
    with pytest.raises(OdsConfigError) as like_none:
        from_parts(host="h", extra={"colour": "x"}, face=face)
    assert "Perhaps" not in str(like_none.value)


def test_advice_passes_arguments_as_they_are_typed() -> None:
    words = {"facet": "--facet", "select": "--select"}
    for name in ("select", "--select"):
        error = OdsConfigError("x", advice=f"Pass {name}=\"count(*)\", or path='a b' with facet='country'")
        advise(error, words)
        assert error.advice == "Pass --select 'count(*)', or path='a b' with --facet country"


@pytest.mark.parametrize("face", [LOGIN, *(face for face, *_ in FACES)])
def test_what_a_face_says_is_said_once_however_often_it_is_said(face: Face) -> None:
    said = face.said(" ".join(setting(name) for name in ("host", "api_key", "login", *EXTRAS)))
    assert face.said(said) == said
    assert face is PLAIN or "of the connection" not in face.said(setting("host"))


def test_what_the_portal_said_is_not_reworded() -> None:
    told = f"check {setting('host')}; {COMPUTED}"
    error = AIRFLOW.retold(OdsQueryError(told, status=400, advice=f"Check {setting('host')}"))
    assert str(error) == f"{told}. Check the connection's host."
    assert error.args == (str(error),)


def test_templates_are_spoken_of_under_airflow_only() -> None:
    error = OdsConfigError("dataset_id is empty", where="argument dataset_id", advice=f"Set it; {COMPUTED}")
    assert "template" not in str(error)
    assert "if it is a template" in str(AIRFLOW.retold(error))


async def _count(client: OdsClient) -> Any:
    from ods_provider.core.plans.records import count
    from ods_provider.core.query import Query

    return await client.arun(count("d", Query()))


def test_a_triggerer_hears_the_same_words() -> None:
    import asyncio

    page = answer(b"<html><body>It works!</body></html>", "200 OK", "Content-Type: text/html")
    with (
        replay(page) as server,
        OdsClient(from_parts(host=server.url, face=AIRFLOW)) as client,
        pytest.raises(OdsNotAPortal, match="Check the connection's host"),
    ):
        asyncio.run(_count(client))
