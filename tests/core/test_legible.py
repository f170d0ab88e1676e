"""What others wrote is shown as text: on one line, and nothing of it is obeyed."""

import json
import logging
import pickle
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ods_provider.core.errors import OdsError, OdsQueryError
from ods_provider.core.events import JobStarted, RetryScheduled
from ods_provider.core.legible import MOST_CHARS, legible, legible_json
from ods_provider.core.narrate import narrate, summary
from ods_provider.core.verdict import check
from ods_provider.core.wire import Headers, Request, Response

# Clear the screen, rename the window, a link, C1's own introducer, a turn of direction, a bell, a false second line.
HOSTILE = "a\x1b[2J\x1b]0;pwned\x07\x1b]8;;http://evil/\x07b\x9b31mc\u202ed\x08e\r\nERROR forged\u2028f\x7f\x00\ud800"


def steers(text: str) -> list[str]:
    # Spaces of every width are no steering, though Python calls none but the common one printable.
    kept = "\u200c\u200d"
    return [sign for sign in text if not sign.isprintable() and sign not in kept and unicodedata.category(sign) != "Zs"]


def test_nothing_of_a_text_is_obeyed_and_all_of_it_is_shown() -> None:
    shown = legible(HOSTILE)
    assert steers(shown) == []
    assert r"\x1b[2J" in shown and r"\x9b31m" in shown and r"\u202e" in shown and "ERROR forged" in shown


@pytest.mark.parametrize("text", ["Zürich 12 000 \xa0€", "میخواهم", "👩‍🚒", "東京\u3000都", "naïve – “quoted”"])
def test_words_of_every_script_stay_as_they_are(text: str) -> None:
    assert legible(text) == text
    assert json.loads(legible_json(json.dumps(text, ensure_ascii=False))) == text


@given(st.text())
@example("\u2003\u3000\u1680")
def test_whatever_it_is_it_is_on_one_line_and_json_keeps_its_value(text: str) -> None:
    assert len(legible(text).splitlines()) <= 1
    told = legible_json(json.dumps({text: [text]}, ensure_ascii=False, indent=1))
    assert not set(steers(told)) - set("\n")
    assert json.loads(told) == {text: [text]}


def test_a_text_that_is_too_long_is_cut() -> None:
    assert legible("x" * 100, most_chars=10) == "x" * 10 + "…"


def test_an_error_is_legible_and_bounded_whatever_it_quotes_and_after_pickling() -> None:
    error = OdsError(HOSTILE * 1000, where=HOSTILE, advice=HOSTILE)
    for each in (error, pickle.loads(pickle.dumps(error))):
        assert steers(str(each)) == []
        assert len(str(each)) < 3 * MOST_CHARS


@pytest.mark.parametrize("status", [200, 302, 400, 404, 429, 500])
@pytest.mark.parametrize("key", ["message", "error"])
def test_what_a_portal_says_is_legible(status: int, key: str) -> None:
    code = "error_code" if key == "message" else "errorcode"
    body = json.dumps({key: HOSTILE, code: HOSTILE, "call_limit": HOSTILE, "limit_time_unit": HOSTILE}).encode()
    headers = Headers({"content-type": HOSTILE, "location": HOSTILE})
    answer = Response(status, headers, f"https://h/{HOSTILE}", body=b"x" if status == 200 else body)
    with pytest.raises(OdsError) as caught:
        check(Request("/x"), answer, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert steers(str(caught.value)) == []
    assert steers(str(getattr(caught.value, "code", ""))) == []


def test_what_is_narrated_is_legible() -> None:
    error = OdsQueryError(HOSTILE, status=400)
    for event in (JobStarted("search", HOSTILE, resumed=False), RetryScheduled(1, 1.0, error)):
        level, text = narrate(event) or (0, HOSTILE)
        assert level >= logging.INFO
        assert steers(text) == []
    assert steers(summary({"path": HOSTILE, "note": HOSTILE})) == []
    assert steers(summary(HOSTILE)) == []
