"""Secrets do not print, do not pickle, and are cut out of text in every spelling."""

import copy
import pickle
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ods_provider.core.redact import Secret, scrub


def test_a_secret_prints_as_stars_and_refuses_to_be_pickled_or_copied() -> None:
    secret = Secret("s3cret")
    assert "s3cret" not in f"{secret} {secret!r} {[secret]} {secret:>10}"
    for carry in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            carry(secret)


@pytest.mark.parametrize(
    "text",
    [
        "GET /push/?pushkey=ABC123&x=1",
        "https://h/a?x=1&apikey=ABC123",
        "https://h/a?access_token=ABC123",
        "Authorization: Apikey ABC123",
        "authorization: bearer ABC123",
        "client_secret=ABC123&grant_type=x",
        "https://user:ABC123@host/path",
        "http://user:p@ABC123@proxy:3128/",
        "https://bucket/x.png?X-Amz-Date=1&X-Amz-Signature=ABC123",
        "https://bucket/x.png?X-Amz-Security-Token=ABC123",
        "https://account.blob/x.png?se=1&sig=ABC123",
        "redirect to %3Fapikey%3DABC123",
        "redirect to %252Fx%253Fa%253D1%2526apikey%253DABC123",
    ],
)
def test_credentials_are_cut_out_by_their_names(text: str) -> None:
    assert "ABC123" not in scrub(text)
    assert "***" in scrub(text)


def test_prose_about_credentials_is_left_alone() -> None:
    text = "Use basic authentication or an Apikey header"
    assert scrub(text) == text


@pytest.mark.parametrize("encode", [lambda text: quote(text, safe=""), lambda text: quote(text, safe="/="), quote_plus])
def test_a_known_secret_is_found_however_often_and_however_much_of_it_is_encoded(encode: Callable[[str], str]) -> None:
    key = "k3y with/odd=signs+é"
    text = key
    for _ in range(3):
        text = encode(text)
        for spelled in (text, text.lower()):
            assert scrub(f"next={spelled};", [Secret(key)]) == "next=***;"


@given(st.text(min_size=4, max_size=30), st.text(max_size=20), st.text(max_size=20))
def test_a_known_secret_is_found_plain_and_encoded(key: str, before: str, after: str) -> None:
    cleaned = scrub(f"{before}{key}{after} ?q={quote_plus(key, errors='replace')}", [Secret(key)])
    if key not in "***":
        assert key not in cleaned.replace("***", "\0") or key in before + after + " ?q="
