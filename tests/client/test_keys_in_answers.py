"""A portal may quote the key that it refuses: no error shows it, and no row that holds the same text is changed."""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from replay import Play, answer, chunked, replay

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsAuthError, OdsError, OdsNotAPortal, OdsQueryError, OdsResponseError

API_KEY, PUSH_KEY = "ap1-k3y/with+odd=signs", "push-k3y/with+odd=signs"
ONCE = quote(PUSH_KEY, safe="")
TWICE = quote(ONCE, safe="")


def body(value: Any, status: str = "200 OK") -> Play:
    return answer(json.dumps(value).encode(), status)


def found(location: str) -> Play:
    return answer(b"", "302 Found", f"Location: {location}")


def refused(play: Play, call: Callable[[OdsClient], Any]) -> OdsError:
    """The error that a call ends with, after a look at everything that it shows."""
    with (
        replay(play) as server,
        OdsClient(server.url, api_key=API_KEY, push_api_key=PUSH_KEY, max_retries=0) as client,
        pytest.raises(OdsError) as caught,
    ):
        call(client)
    error = caught.value
    shown = [str(error), repr(error), str(error.where), str(error.advice), repr(vars(error)), repr(pickle.dumps(error))]
    # The last entry alone: this file's own lines, which a traceback prints, name keys as well.
    shown.append("".join(traceback.format_exception_only(error)) + repr(error.__cause__))
    for text in shown:
        assert "k3y" not in text, text[:400]
    assert "***" in str(error)
    return error


def push(client: OdsClient) -> None:
    client.push("d", "r", [{"a": 1}], unknown_fields="send")


def export(client: OdsClient) -> bytes:
    return b"".join(client.export("d", format="csv"))


@pytest.mark.parametrize("before", ["", "x" * 280])
def test_a_push_that_is_refused_with_200_shows_no_key(before: str) -> None:
    error = refused(body({"status": "error", "message": f"{before}push key {PUSH_KEY} is disabled"}), push)
    assert isinstance(error, OdsResponseError)
    assert "did not accept the records" in error.what


@pytest.mark.parametrize("before", ["", "x" * 480])
def test_an_export_that_is_refused_with_200_shows_no_key(before: str) -> None:
    refusal = {"error_code": "ForbiddenAccess", "message": f"{before}the key {API_KEY} may not"}
    assert isinstance(refused(body(refusal), export), OdsAuthError)


@pytest.mark.parametrize(
    "location",
    [
        f"/login/{PUSH_KEY}",
        f"/login/{ONCE}/",
        f"/login/?next=%2Fapi%2Fpush%2F%3Fpushkey%3D{ONCE}",
        f"/login/?next=%252Fapi%252Fpush%252F%253Fpushkey%253D{TWICE}",
        f"/login/?next=%252fapi%252fpush%252f%253fpushkey%253d{TWICE.replace('%252F', '%252f')}",
        # Marks of a path are often left as they are.
        f"/login/?next=/api/push/?pushkey={quote(PUSH_KEY, safe='/=')}",
    ],
)
def test_a_push_that_is_sent_elsewhere_shows_no_key(location: str) -> None:
    error = refused(found(location), push)
    assert isinstance(error, OdsNotAPortal)
    assert "/login/" in error.what


def test_a_refusal_shows_no_key_that_was_escaped_in_json() -> None:
    escaped = json.dumps({"error_code": API_KEY, "message": f"bad key {API_KEY}"}).replace("/", r"\/").encode()
    error = refused(answer(escaped, "400 Bad Request"), lambda client: client.count("d"))
    assert isinstance(error, OdsQueryError)
    assert error.code == "***"


def test_an_answer_of_another_shape_shows_no_key() -> None:
    strange = body({"total_count": 1, "results": [API_KEY]})
    with replay(strange) as server, OdsClient(server.url, api_key=API_KEY, max_retries=0) as client:
        with pytest.raises(OdsNotAPortal) as caught:
            list(client.records("d", limit=1, typed=False))
        assert "k3y" not in str(caught.value)


def test_an_export_that_breaks_into_prose_shows_no_key() -> None:
    count = body({"total_count": 20_000, "results": []})
    lines = chunked([b'{"a": 1}\n', f"The key {API_KEY} was withdrawn while this was read, so that it ends".encode()])
    with (
        replay(count, body({"dataset_id": "d"}), lines) as server,
        OdsClient(server.url, api_key=API_KEY, max_retries=0) as client,
    ):
        with pytest.raises(OdsError, match="no JSON object") as caught:
            list(client.records("d", typed=False))
        assert "k3y" not in str(caught.value)
        assert "signs" not in str(caught.value)


def test_rows_that_hold_the_text_of_a_key_come_as_they_are() -> None:
    row = {"a": f"{API_KEY} {PUSH_KEY} {TWICE} pushkey={ONCE}"}
    page = body({"total_count": 1, "results": [row]})
    csv = f"a\r\n{API_KEY} {ONCE}\r\n".encode()
    with replay(page, answer(csv, "200 OK", "Content-Type: text/csv")) as server:
        client = OdsClient(server.url, api_key=API_KEY, push_api_key=PUSH_KEY)
        assert list(client.records("d", limit=1, typed=False)) == [row]
        assert export(client) == csv
        client.close()
