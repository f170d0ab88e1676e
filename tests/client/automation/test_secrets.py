"""A push key, a password or a source's credentials are in no error, no frame, no log, no event and no result."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import traceback
from typing import Any

import pytest
import replay as play
from replay import Play, replay
from shaken import keys_in

from ods_provider import OdsClient
from ods_provider.core.errors import OdsError
from ods_provider.core.plans.automation import lists, resources
from ods_provider.core.redact import MASK, Secret, kept, masked, sealed, secrets_in

PASSWORD, CLIENT_SECRET, HEADER, WITHIN, TOKEN = "p4ss/w0rd+x", "cl1ent-s3cret", "h3ader-v4lue", "w1thin-url", "t0ken=="
PUSH, KEY, SHARED = "pu5h-k3y-of-it", "k3y-of-the-p0rtal", "sh4red-k3y"
EVERY = (PASSWORD, CLIENT_SECRET, HEADER, WITHIN, TOKEN, PUSH, KEY, SHARED)
RESOURCE = {
    "type": "csvfile",
    "title": "trees.csv",
    "datasource": {
        "type": "http",
        "connection": {
            "type": "http",
            "url": f"https://user:{WITHIN}@files.example",
            "auth": {"type": "oauth2", "username": "u", "password": PASSWORD, "client_secret": CLIENT_SECRET},
            "sharedKey": SHARED,
        },
        "headers": [{"name": "X-Custom", "value": HEADER}],
        "relative_url": f"/trees.csv?token={TOKEN}",
    },
}
LIVE = {"uid": "re_1", "type": "realtime", "title": "live", "apikey": PUSH, "push_url": f"https://x/?pushkey={PUSH}"}
PAGE = {"total_count": 1, "next": None, "results": [LIVE]}
ECHO = json.dumps({"error_code": "validation_error", "message": f"no {PASSWORD} {HEADER} {WITHIN} {SHARED}"}).encode()


def echo(status: str) -> Play:
    return play.answer(ECHO, status)


def refused(status: str) -> Play:
    """To a call that sent none of them, which a portal can therefore not quote."""
    return play.answer(b'{"error_code": "bad_request", "message": "no"}', status)


def detail() -> Play:
    told = {"error_code": "validation_error", "message": "no", "detail": {"datasource": [f"{CLIENT_SECRET} {TOKEN}"]}}
    return play.answer(json.dumps(told).encode(), "400 Bad Request")


def value(told: Any) -> Play:
    return play.answer(json.dumps(told).encode())


def create(client: OdsClient) -> Any:
    return client.automation.resources.create("da_1", RESOURCE)


def update(client: OdsClient) -> Any:
    return client.automation.resources.update("da_1", "re_1", **RESOURCE)


def listed(client: OdsClient) -> Any:
    return client.automation.resources.list("da_1")


def preview(client: OdsClient) -> Any:
    return client.automation.resources.preview("da_1", RESOURCE)


def renewed(client: OdsClient) -> Any:
    return client.automation.resources.renew_push_key("da_1", "re_1")


NOTHING = value({"total_count": 0, "next": None, "results": []})
BROKEN = {
    "create, refused": (create, [NOTHING, echo("400 Bad Request")]),
    "create, refused by field": (create, [NOTHING, detail()]),
    "create, not let": (create, [NOTHING, echo("403 Forbidden")]),
    "create, failed": (create, [NOTHING, echo("500 Oh"), NOTHING, echo("502 Oh"), NOTHING, echo("500 Oh"), NOTHING]),
    "create, no answer": (create, [NOTHING, *[play.sent(b"", keep=False), NOTHING] * 3]),
    "create, a page": (create, [NOTHING, play.answer(b"<html>" + ECHO, "200 OK", "Content-Type: text/html")]),
    "create, no JSON": (create, [NOTHING, play.answer(b"so " + ECHO)]),
    "create, another shape": (create, [NOTHING, value([LIVE])]),
    "create, no list": (create, [value({"results": LIVE})]),
    "create, lists differ": (create, [value(PAGE), play.sent(b"", keep=False), refused("404 Not Found")]),
    "update, refused": (update, [value(LIVE), echo("400 Bad Request")]),
    "update, of nothing": (update, [value({"results": [LIVE]}), echo("400 Bad Request")]),
    "preview, refused": (preview, [echo("400 Bad Request")]),
    "preview, another shape": (preview, [value([LIVE])]),
    "list, cut": (
        listed,
        [value(PAGE | {"next": "/x", "total_count": 5}), refused("400 Bad Request")],
    ),
    "list, another shape": (listed, [value({"results": LIVE, "total_count": [PUSH]})]),
    "list, broken": (listed, [play.answer(json.dumps(PAGE).encode()[:-2] + b"!")]),
    "renewal, refused": (renewed, [value(LIVE), refused("400 Bad Request")]),
    "renewal, no answer": (renewed, [value(LIVE), *[play.sent(b"", keep=False), value(LIVE)] * 3]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_error_shows_a_credential_anywhere(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    call, answers = BROKEN[name]
    heard: list[Any] = []
    with (
        replay(*answers) as server,
        OdsClient(server.url, api_key=KEY, max_retries=0, emit=heard.append, sleep=lambda _: None) as client,
    ):
        try:
            call(client)
        except OdsError as error:
            found = keys_in(error, EVERY, ours=__file__)
            assert not found, "\n".join(found[:5])
            shown = [str(error), repr(vars(error)), repr(pickle.dumps(error)), "".join(_lines(error))]
            kept_alive = keys_in(AssertionError(client, heard, client.automation), EVERY, ours=__file__)
        else:
            pytest.fail("nothing went wrong")
    assert not kept_alive, "\n".join(kept_alive[:5])
    for text in (*shown, caplog.text, repr(heard)):
        assert not [each for each in EVERY if each in text], text[:400]


def in_place(client: OdsClient, plan: Any) -> None:
    client.run(plan)


def in_loop(client: OdsClient, plan: Any) -> None:
    asyncio.run(client.arun(plan))


PLANS = {
    "create": (lambda: resources.create("da_1", RESOURCE), [NOTHING, echo("400 Bad Request")]),
    "update": (lambda: resources.update("da_1", "re_1", RESOURCE), [value(LIVE), echo("400 Bad Request")]),
    "preview": (lambda: resources.preview("da_1", RESOURCE), [echo("400 Bad Request")]),
    "guess": (lambda: resources.guessed_params("da_1", RESOURCE["datasource"]), [echo("400 Bad Request")]),
    "add": (lambda: lists.add("da_1", "processors", RESOURCE), [NOTHING, echo("400 Bad Request")]),
    "change": (lambda: lists.change("da_1", "processors", "pr_1", RESOURCE), [echo("400 Bad Request")]),
    "list": (lambda: resources.resources("da_1"), [value(PAGE | {"next": "/x", "total_count": 5}), refused("400 No")]),
    "key": (lambda: resources.renewed_push_key("da_1", "re_1"), [value(LIVE), refused("400 No")]),
}


@pytest.mark.parametrize("way", [in_place, in_loop])
@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_fails_holds_none_wherever_it_runs(name: str, way: Any) -> None:
    plan, answers = PLANS[name]
    with (
        replay(*answers) as server,
        OdsClient(server.url, api_key=KEY, max_retries=0, sleep=lambda _: None) as client,
        pytest.raises(OdsError) as caught,
    ):
        way(client, plan())
    found = keys_in(caught.value, EVERY, ours=__file__)
    assert not found, "\n".join(found[:5])


def _lines(error: BaseException) -> list[str]:
    return traceback.format_exception_only(error)


def test_what_is_sent_holds_them_and_what_comes_does_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    given = copy.deepcopy(RESOURCE)
    made = RESOURCE | {"uid": "re_1"}  # a portal that tells them back
    heard: list[Any] = []
    with (
        replay(NOTHING, value(made)) as server,
        OdsClient(server.url, api_key=KEY, emit=heard.append) as client,
    ):
        told = client.automation.resources.create("da_1", given)
    assert given == RESOURCE
    assert json.loads(server.requests[-1].partition(b"\r\n\r\n")[2]) == RESOURCE
    for text in (repr(told), json.dumps(told), caplog.text, repr(heard)):
        assert not [each for each in EVERY if each in text], text
    assert told["datasource"]["connection"]["auth"] == {
        "type": "oauth2",
        "username": "u",
        "password": MASK,
        "client_secret": MASK,
    }


def test_a_request_prints_nothing_of_its_body() -> None:
    plan = resources.create("da_1", RESOURCE)
    shown = repr(next(plan)) + repr(plan)
    assert not keys_in(AssertionError(plan), EVERY, ours=__file__)
    assert not [each for each in EVERY if each in shown]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"password": "x"}, ["x"]),
        ({"ftp": {"user": "u", "Password": "x"}}, ["x"]),
        ({"api_key": "x", "apikey": "y", "pushKey": "z", "access-key": "w"}, ["x", "y", "z", "w"]),
        ({"secret_access_key": "x", "accountKey": "y", "private_key": "z"}, ["x", "y", "z"]),
        ({"headers": {"Authorization": "x", "Accept": "y"}}, ["x"]),
        ({"headers": [{"name": "Accept-Language", "value": "y"}, {"name": "Cookie", "value": "x"}]}, ["x"]),
        ({"url": "ftps://u:x@h/p"}, ["ftps://u:x@h/p", "x"]),
        ({"url": "https://h/?apikey=x"}, ["https://h/?apikey=x", "x"]),
        ({"key": "a", "metadata_join_key": "b", "keyword": "c", "username": "d", "field": "token"}, []),
        ({"default": {"secret": {"value": "a title"}}}, []),
        ({"password": None, "token": "", "secret": 5}, []),
    ],
)
def test_credentials_are_known_by_their_names(given: Any, names: list[str]) -> None:
    made = sealed(given)
    assert [secret.reveal() for secret in secrets_in(made)] == names
    if not names:
        assert made == given == masked(made)
    assert kept(sealed(masked(made)), made) == made
    for name in names:
        if len(name) > 1:
            assert name not in str(masked(made))


def test_a_mask_for_which_there_is_nothing_becomes_null() -> None:
    assert kept(sealed({"password": MASK, "title": MASK}), {}) == {"password": None, "title": MASK}
    assert kept(sealed({"password": "new"}), {"password": Secret("old")}) == {"password": Secret("new")}
