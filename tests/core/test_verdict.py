"""Every answer is judged by the one table."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ods_provider.core.errors import (
    OdsAuthError,
    OdsNotAPortal,
    OdsNotFound,
    OdsQueryError,
    OdsQuotaExceeded,
    OdsResponseError,
    OdsServerError,
)
from ods_provider.core.verdict import check
from ods_provider.core.wire import Content, Headers, Kind, Request, Response

NOW = datetime(2026, 8, 17, 12, tzinfo=UTC)


def judge(
    status: int,
    body: Any = b"",
    *,
    kind: Kind = "api",
    headers: dict[str, str] | None = None,
    expects: frozenset[Content] = frozenset(),
) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    media_type = "application/json" if not isinstance(body, bytes) else "text/html"
    answer = Response(status, Headers({"content-type": media_type} | (headers or {})), "https://h/x", body=data)
    check(Request("/x", kind=kind, expects=expects), answer, now=NOW)


@pytest.mark.parametrize(
    ("status", "body", "expected", "transient"),
    [
        (400, {"error_code": "ODSQLError", "message": "m"}, OdsQueryError, False),
        (414, b"", OdsQueryError, False),
        (401, b"", OdsAuthError, False),
        (403, {"error_code": "ForbiddenAccess", "message": "m"}, OdsAuthError, False),
        (403, {"errorcode": 10001, "error": "m"}, OdsQuotaExceeded, True),
        (404, {"error_code": "NotFoundResource", "message": "m"}, OdsNotFound, False),
        (410, b"", OdsNotFound, False),
        (408, b"", OdsServerError, True),
        (425, b"", OdsServerError, True),
        (500, b"", OdsServerError, True),
        (503, b"<html>busy</html>", OdsServerError, True),
        (429, b"", OdsQuotaExceeded, True),
        (302, b"", OdsNotAPortal, False),
        (200, b"<!DOCTYPE html><form><input type='password'>", OdsAuthError, False),
        (200, b"<html><body>Welcome</body></html>", OdsNotAPortal, False),
        (200, b"plain text", OdsNotAPortal, False),
    ],
)
def test_a_status_and_a_body_make_one_error(
    status: int, body: Any, expected: type[OdsResponseError], transient: bool
) -> None:
    with pytest.raises(expected) as caught:
        judge(status, body)
    assert type(caught.value) is expected
    assert caught.value.transient is transient
    assert caught.value.status == status


def test_an_answer_is_no_error() -> None:
    judge(200, {"results": []})
    judge(200, [1, 2])


def test_a_json_error_where_a_file_was_asked_is_that_error() -> None:
    body = {"error_code": "ForbiddenAccess", "message": "no"}
    for kind in ("export", "file"):
        with pytest.raises(OdsAuthError):
            judge(200, body, kind=kind)  # type: ignore[arg-type]
    with pytest.raises(OdsQuotaExceeded):
        judge(200, {"errorcode": 10002, "error": "no", "reset_time": "2026-09-01T00:00:00Z"}, kind="export")


def test_a_page_or_an_error_object_that_was_announced_is_a_file_like_any_other() -> None:
    judge(200, b"<html><body>Log in</body></html>", kind="file", expects=frozenset({"html"}))
    judge(200, {"error_code": "NotFoundResource", "message": "m"}, kind="file", expects=frozenset({"json"}))


def test_a_page_in_place_of_a_file_is_an_error_that_says_which_pages_are_files() -> None:
    with pytest.raises(OdsAuthError, match=r"login page instead of the file.*\.html"):
        judge(200, b"<html><form><input type='password'></form></html>", kind="file")
    with pytest.raises(OdsNotAPortal, match=r"A web page came instead of the file.*\.html"):
        judge(200, b"<p>Annual report</p>", kind="file")
    with pytest.raises(OdsNotAPortal):
        judge(200, b"<!doctype html><p>It works", kind="file", headers={"content-type": "image/png"})
    with pytest.raises(OdsNotAPortal):
        judge(200, b"<html>", kind="file", expects=frozenset({"json"}))


def test_an_error_object_in_place_of_a_file_is_an_error_that_says_which_objects_are_files() -> None:
    with pytest.raises(OdsQueryError, match=r"broken.*\.json"):
        judge(200, {"error_code": "ODSQLError", "message": "broken"}, kind="file")


@pytest.mark.parametrize("body", [b"", b"\x89PNG\r\n\x1a\n\0\0"])
def test_an_empty_or_a_binary_file_is_no_page_whatever_its_label(body: bytes) -> None:
    judge(200, body, kind="file", headers={"content-type": "text/html; charset=utf-8"})


@pytest.mark.parametrize("body", [{"type": "FeatureCollection"}, {"error": "a column"}, [{"error_code": 1}]])
def test_json_that_is_no_error_object_is_a_file(body: Any) -> None:
    judge(200, body, kind="file")


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (
            {"errorcode": 10002, "error": "m", "reset_time": "2026-09-01T00:00:00Z"},
            {},
            datetime(2026, 9, 1, tzinfo=UTC),
        ),
        ({"error_code": "x", "message": "m", "reset_time": 1788220800}, {}, datetime(2026, 9, 1, tzinfo=UTC)),
        (b"", {"retry-after": "30"}, NOW + timedelta(seconds=30)),
        (b"", {"retry-after": "Tue, 01 Sep 2026 00:00:00 GMT"}, datetime(2026, 9, 1, tzinfo=UTC)),
        (
            b"",
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-08-18 00:00:00+00:00"},
            datetime(2026, 8, 18, tzinfo=UTC),
        ),
        (b"", {"retry-after": "later"}, None),
        (b"", {}, None),
    ],
)
def test_the_reset_comes_from_the_body_else_from_the_headers(
    body: Any, headers: dict[str, str], expected: datetime | None
) -> None:
    with pytest.raises(OdsQuotaExceeded) as caught:
        judge(429, body, headers=headers)
    assert caught.value.reset_at == expected


def test_the_message_quotes_the_portal_and_says_how_large_the_quota_is() -> None:
    with pytest.raises(OdsQuotaExceeded, match=r"Too many requests on the domain \(6000000 calls per month\)"):
        judge(
            429,
            {
                "errorcode": 10002,
                "error": "Too many requests on the domain.",
                "call_limit": 6000000,
                "limit_time_unit": "month",
            },
        )


def judged(request: Request, status: int, body: Any, media_type: str = "application/json") -> None:
    data = json.dumps(body).encode()
    check(request, Response(status, Headers({"content-type": media_type}), "https://h/x", body=data), now=NOW)


CATALOGUE = Request("/api/explore/v2.1/catalog/datasets")
DATASET = Request("/api/explore/v2.1/catalog/datasets/d", dataset_id="d")


@pytest.mark.parametrize(
    ("request_", "body", "advice"),
    [
        (CATALOGUE, {"error_code": "NotFoundResource", "message": "m"}, "host of the connection"),
        (CATALOGUE, {"error_code": "NotFoundURI", "message": "m"}, "host of the connection"),
        (CATALOGUE, {}, "host of the connection"),
        (DATASET, {"error_code": "NotFoundResource", "message": "m"}, "Check the id"),
        (Request("/api/datasets/1.0/search/"), {"error": "Unknown dataset: d"}, "Check the id"),
        (Request("/f", kind="file", dataset_id="d"), {}, "list of files"),
    ],
)
def test_who_named_no_id_is_not_told_to_check_it(request_: Request, body: Any, advice: str) -> None:
    with pytest.raises(OdsNotFound) as caught:
        judged(request_, 404, body)
    assert advice in str(caught.value.advice)


EXPORT = Request("/api/explore/v2.1/catalog/datasets/d/exports/jsonl", kind="export", dataset_id="d")


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "ODSQLError", "message": "m"},
        {"error_code": "ForbiddenAccess", "message": "m", "trace_id": "x"},
        {"errorcode": 10002, "error": "m", "reset_time": "2026-09-01T00:00:00Z", "call_limit": 1},
    ],
)
def test_an_error_in_place_of_an_export_is_an_error(body: Any) -> None:
    with pytest.raises(OdsResponseError):
        judged(EXPORT, 200, body)


def test_an_answer_that_ends_no_call_is_none_of_a_portal() -> None:
    with pytest.raises(OdsNotAPortal, match="101"):
        judge(101, b"")


def test_spaces_before_a_page_hide_it_from_nobody() -> None:
    for before in (b" \n" * 20_000, b"\xef\xbb\xbf \n", b" \xef\xbb\xbf "):
        with pytest.raises(OdsNotAPortal, match="web page"):
            judge(200, before + b"<html><body>Welcome</body></html>", headers={"content-type": "application/json"})
        judge(200, before + b'{"results": []}', headers={"content-type": "application/json"})


def test_a_portal_without_tokens_is_no_matter_of_an_id() -> None:
    with pytest.raises(OdsNotFound, match="Check the host") as caught:
        judge(404, {"error_code": "NotFoundResource", "message": "m"}, kind="token")
    assert "Check the id" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "expected", "transient"),
    [
        ({"error_code": "validation_error", "message": "m", "detail": {"title": ["due"]}}, OdsQueryError, False),
        ({"error_code": "invalid_dataset_status", "message": "m"}, OdsQueryError, False),
        ({"error_code": "not_found", "message": "m"}, OdsNotFound, False),
        ({"error_code": "forbidden", "message": "m"}, OdsAuthError, False),
        ({"error_code": "internal_error", "message": "m", "trace_id": "1"}, OdsServerError, True),
        (
            {"status_code": 400, "error_key": "InvalidDatasetStatusPreconditionException", "message": "m"},
            OdsQueryError,
            0,
        ),
        ({"status_code": 404, "error_key": "UnknownUsernameException", "message": "m"}, OdsNotFound, False),
        ({"status_code": 503, "error_key": "ODSException", "message": "m"}, OdsServerError, True),
        ({"error_key": "ODSException", "message": "m"}, OdsQueryError, False),
        ({"errorcode": 10002, "error": "m"}, OdsQuotaExceeded, True),
    ],
)
@pytest.mark.parametrize("status", [200, 201])
def test_an_error_of_the_automation_api_is_one_whatever_its_status(
    body: Any, expected: type[OdsResponseError], transient: bool, status: int
) -> None:
    request = Request("/api/automation/v1.0/datasets/da_1/", method="PUT")
    answer = Response(
        status, Headers({"content-type": "application/json"}), "https://h/x", body=json.dumps(body).encode()
    )
    with pytest.raises(expected, match=r"^m.*told with HTTP 20[01]") as caught:
        check(request, answer, now=NOW)
    assert (type(caught.value), caught.value.transient) == (expected, bool(transient))


def test_what_only_speaks_of_errors_is_an_answer() -> None:
    request = Request("/api/automation/v1.0/datasets/da_1/", method="PUT")
    for body in (
        {"uid": "da_1", "metadata": {"error_code": "x", "message": "m"}},
        [{"error_code": "x"}],
        {"error_code": None},
    ):
        check(
            request,
            Response(200, Headers({"content-type": "application/json"}), "u", body=json.dumps(body).encode()),
            now=NOW,
        )


@pytest.mark.parametrize("path", ["/api/automation/v1.0/datasets/da_1/status/", "/api/explore/v2.1/catalog/datasets/x"])
@pytest.mark.parametrize("body", [{"error_code": "conflict", "message": "No"}, {"message": "No"}, {}])
def test_a_conflict_is_told_to_who_looks_and_to_who_changes(path: str, body: Any) -> None:
    answer = Response(409, Headers({"content-type": "application/json"}), "https://h/x", body=json.dumps(body).encode())
    with pytest.raises(OdsQueryError, match="look again later") as looked:
        check(Request(path), answer, now=NOW)
    assert "orrect" not in str(looked.value)
    with pytest.raises(OdsQueryError, match="stands against it") as changed:
        check(Request(path, method="POST"), answer, now=NOW)
    assert "orrect" not in str(changed.value)


@pytest.mark.parametrize(
    ("method", "said"), [("GET", "Correct the names in the call"), ("PUT", "Correct what was sent")]
)
def test_who_only_looks_is_not_told_to_correct_what_was_sent(method: Any, said: str) -> None:
    body = b'{"error_code": "bad_request", "message": "No"}'
    answer = Response(400, Headers({"content-type": "application/json"}), "https://h/x", body=body)
    with pytest.raises(OdsQueryError, match=said):
        check(Request("/api/automation/v1.0/datasets/", method=method), answer, now=NOW)
