"""Keys: where they may stand, what is refused, and that none is logged."""

import logging
import time

import pytest

GATED = "/datasets/gated-loads/records"
PATH = "/api/explore/v2.1/catalog"
FORBIDDEN = {"error_code": "ForbiddenAccess", "message": "You don't have permission to access the requested resource"}


@pytest.mark.parametrize("scheme", ["Apikey", "apikey", "APIKEY"])
def test_the_key_may_come_in_a_header(ask, scheme):
    answer = ask(PATH + GATED, headers={"authorization": f"{scheme} demo-key"})
    assert answer.json()["total_count"] == 40


def test_the_key_may_come_in_the_query(ask):
    assert ask.get(GATED, apikey="demo-key").json()["total_count"] == 40


def test_gated_records_are_forbidden_and_their_description_is_not(ask):
    answer = ask.get(GATED)
    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    assert ask.get("/datasets/gated-loads/facets").json() == FORBIDDEN
    described = ask.whole("/datasets/gated-loads")
    assert described["data_visible"] is False
    assert described["metas"]["default"]["records_count"] == 40


def test_an_export_of_gated_records_looks_like_an_empty_dataset(ask):
    assert ask.export("csv", "gated-loads").content.decode("utf-8-sig") == "substation;peak_mw;year\r\n"
    assert ask.export("json", "gated-loads").json() == []
    assert len(ask.export("json", "gated-loads", apikey="demo-key").json()) == 40


@pytest.mark.parametrize("params", [{"apikey": "wrong"}, {"apikey": ""}])
def test_a_wrong_key_is_refused(ask, params):
    assert ask.refused("/datasets", **params)[:2] == (401, "Unauthorized")


def test_a_private_portal_asks_for_a_key(another):
    ask = another(require_key=True, api_key="secret-key")
    assert ask.refused("/datasets")[0] == 401
    assert ask.get("/datasets", apikey="secret-key").status_code == 200
    assert ask.refused("/datasets", apikey="demo-key")[0] == 401


def test_no_key_is_logged(ask, caplog):
    with caplog.at_level(logging.INFO, "ods_provider.testing.access"):
        ask.get("/datasets", apikey="demo-key", limit=1)
        ask(PATH + "/datasets", headers={"authorization": "Apikey demo-key"})
        ask("/api/push/1.0/live-readings/realtime/push/?pushkey=demo-push-key&x=1", method="POST", json={})
        ask(PATH + "/datasets?access_token=tok-1&limit=1")
        ask(PATH + "/datasets?limit=1&%61pikey=demo-key")
        # The line is written after the answer was sent.
        until = time.monotonic() + 120
        while len(caplog.messages) < 5 and time.monotonic() < until:
            time.sleep(0.01)
    assert len(caplog.messages) == 5
    for told in (*caplog.messages, *map(repr, ask.portal.requests), ask("/_control/requests").text):
        assert "demo-key" not in told
        assert "demo-push-key" not in told
        assert "tok-1" not in told
    assert [entry.auth for entry in ask.portal.requests] == ["apikey", "apikey", "pushkey", "access_token", "apikey"]
    assert ask.portal.requests[0].query == "apikey=***&limit=1"
