"""Is this answer an error, and which? Decided from status, type and first bytes, in one place.

| condition                                  | error            | transient |
|--------------------------------------------|------------------|-----------|
| 2xx, JSON or the file asked                | none             |           |
| 204, and 2xx of a deletion, empty          | none             |           |
| 2xx, HTML with a login form                | OdsAuthError     | no        |
| 2xx, other HTML, or JSON that is no JSON   | OdsNotAPortal    | no        |
| 2xx, a JSON error object instead of a file | by its code      | no        |
| 2xx, a file announced as HTML or JSON      | none             |           |
| 202, 206 where a file was asked            | OdsServerError   | yes       |
| other 2xx than 200 where a file was asked  | OdsNotFound      | no        |
| 3xx that was not followed                  | OdsNotAPortal    | no        |
| 400, 413, 414                              | OdsQueryError    | no        |
| 401, 403, and 407 from a proxy             | OdsAuthError     | no        |
| 400, 401 to an OAuth2 exchange             | OdsAuthError     | no        |
| 403 with errorcode 10001 (old quota body)  | OdsQuotaExceeded | yes       |
| 404, 410, "Unknown dataset" (v1)           | OdsNotFound      | no        |
| 409                                        | OdsQueryError    | no        |
| 408, 425, 5xx                              | OdsServerError   | yes       |
| 429                                        | OdsQuotaExceeded | yes       |
| 2xx with an error of the Automation API    | that of its code | as that   |

Source: Explore v2.1 errors; Q30, Q34, Q48, Q49.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ods_provider.core import automation
from ods_provider.core.advice import of_missing, of_query, of_rights
from ods_provider.core.errors import (
    OdsAuthError,
    OdsNotAPortal,
    OdsNotFound,
    OdsQueryError,
    OdsQuotaExceeded,
    OdsResponseError,
    OdsServerError,
)
from ods_provider.core.faces import setting
from ods_provider.core.legible import legible
from ods_provider.core.times import http_date, parse_reset, utc_now
from ods_provider.core.webpages import BOM, announced, first_sign, is_json, is_page, page_error
from ods_provider.core.wire import Request, Response

_PEEK_BYTES = 65_536
_SHOWN_CHARS = 300  # of an address; a query of 8 KB would hide what the error says
_SENTENCE_CHARS = 500  # of what the portal says; more is no sentence
_CODE_CHARS = 100
# The two envelopes of errors (Q34): what they are known by, the code last.
ERROR_COLUMNS = (("message", "error_code"), ("error", "errorcode"))
_MARKS = (b'"error_code"', b'"errorcode"', b'"error_key"')
_QUOTA_CODES = {"10001", "10002", "10005"}


def check(request: Request, response: Response, *, now: datetime) -> None:
    """Raise the error that ``response`` is, or return when it is an answer.

    Args:
        request: What was asked.
        response: What came; a stream is peeked at, not consumed.
        now: The present moment, for Retry-After in seconds.

    Raises:
        OdsResponseError: Of the class that the table above gives.
    """
    where = f"{request.method} {legible(response.url, most_chars=_SHOWN_CHARS)}"
    if 200 <= response.status < 300:
        if request.streamed and response.status != 200:
            raise _no_whole_file(response, where, now)
        _check_success(request, response, where)
        details = _believed(request, response)
        if not details:
            return
        # Whoever believed it would take a change for made that was refused.
        where += f", told with HTTP {response.status}"
        response = replace(response, status=automation.status_of(details, _code(details)))
    else:
        details = _details(response.body)
    code = _code(details)
    if response.status == 429 or (response.status == 403 and code in _QUOTA_CODES):
        raise quota_error(response, details, where=where, now=now)
    raise _failure(request, response, details, code, where=where, now=now)


def _check_success(request: Request, response: Response, where: str) -> None:
    head = response.stream.peek(_PEEK_BYTES) if response.stream else response.body[:_PEEK_BYTES]
    if response.status == 204 or (request.method == "DELETE" and not head.strip()):
        return  # done, and nothing to say
    if "html" not in request.expects and is_page(request, response, head):
        raise page_error(request, response.status, head, where)
    if request.streamed and "json" not in request.expects and len(head) < _PEEK_BYTES and first_sign(head) == b"{":
        details = _details(head)
        if _code(details):
            raise _failure(request, response, details, _code(details), where=where, now=None)
    if request.kind in ("api", "push", "token") and not is_json(head):
        raise OdsNotAPortal(
            f"The answer is {response.media_type or 'of no type'}, not JSON",
            status=response.status,
            where=where,
            advice=f"Check {setting('host')}: it must be a portal's own address",
        )


def _believed(request: Request, response: Response) -> Mapping[str, Any]:
    """Return the error that an answer of the Automation API holds which says that all went well; nothing else."""
    if response.stream or not automation.is_automation(request.path):
        return {}
    if not any(mark in response.body for mark in _MARKS):
        return {}  # nearly all: a long list is not decoded twice
    details = _details(response.body)
    return details if _code(details) else {}


def _no_whole_file(response: Response, where: str, now: datetime) -> OdsResponseError:
    """Return the error that a success is which brings no file, or a piece of one."""
    status = response.status
    said = {202: "The file is not ready yet", 206: "A part of the file came, which nobody asked for"}.get(status)
    if said:
        advice = "Nothing is wrong with the call itself: it is retried, or run it again later"
        retry_at = _retry_after(response, now)
        return OdsServerError(f"{said} (HTTP {status})", status=status, retry_at=retry_at, where=where, advice=advice)
    return OdsNotFound(
        f"No file came, but HTTP {status}", status=status, where=where, advice="Ask the publisher for the file"
    )


def _details(body: bytes) -> Mapping[str, Any]:
    try:
        details = json.loads(body.removeprefix(BOM))
    except (ValueError, RecursionError):  # the latter from brackets by the thousand
        return {}
    return details if isinstance(details, dict) else {}


def _code(details: Mapping[str, Any]) -> str | None:
    # Two envelopes: error_code + message, and errorcode + error on quotas (Q34).
    if "message" in details and details.get("error_code"):
        return legible(str(details["error_code"]), most_chars=_CODE_CHARS)
    if "error" in details and details.get("errorcode") is not None:
        return legible(str(details["errorcode"]), most_chars=_CODE_CHARS)
    # A third, of the Automation API's ancestor.
    if "message" in details and details.get("error_key"):
        return legible(str(details["error_key"]), most_chars=_CODE_CHARS)
    return None


def _message(details: Mapping[str, Any], response: Response) -> str:
    for key in ("message", "error"):
        if isinstance(details.get(key), str) and details[key].strip():
            fields = automation.of_fields(details)
            said = details[key].strip().rstrip(".") + f" ({fields})" if fields else details[key]
            return response.quoted(said, most_chars=_SENTENCE_CHARS).strip()
    return f"The portal answered HTTP {response.status} without saying why"


def failure(response: Response, details: Mapping[str, Any], *, where: str) -> OdsResponseError:
    """Return the error that the object ``details`` describes, whatever the answer's status: it may be 200 (Q49)."""
    return _failure(Request(response.url), response, details, _code(details), where=where, now=None)


def _failure(
    request: Request,
    response: Response,
    details: Mapping[str, Any],
    code: str | None,
    *,
    where: str,
    now: datetime | None,
) -> OdsResponseError:
    status, message = response.status, _message(details, response)
    if status == 414:
        message = f"The portal takes no URL of {len(response.url)} bytes"
    if code in _QUOTA_CODES:
        return quota_error(response, details, where=where, now=now)
    if request.kind == "token" and status in (400, 401):
        return _no_token(details, status, where)
    if status == 407:
        advice = f"Put user and password into {setting('proxy')}, as http://user:password@proxy:3128"
        return OdsAuthError("The proxy asks for credentials", status=status, where=where, advice=advice)
    if status in {401, 403} or code == "ForbiddenAccess":
        advice = of_rights(request, status, code)
        return OdsAuthError(message, status=status, code=code, where=where, advice=advice)
    # Search API v1.0 has no code for it, and is said to send it with several statuses.
    if status in (404, 410) or code in ("NotFoundResource", "NotFoundURI") or message.startswith("Unknown dataset"):
        return OdsNotFound(
            message, status=status, code=code, where=where, advice=of_missing(request, message, status, code)
        )
    if status in (408, 425) or status >= 500:
        retry_at = _retry_after(response, now) if now else None
        advice = "Nothing is wrong with the call itself: it is retried, or run it again later"
        return OdsServerError(message, status=status, code=code, retry_at=retry_at, where=where, advice=advice)
    if status < 200:
        return OdsNotAPortal(
            f"The answer is HTTP {status}, which ends no call",
            status=status,
            where=where,
            advice=f"Check {setting('host')}, and what lies between",
        )
    if 300 <= status < 400:
        # A login page is often told where to return to: the whole address of the push, key included.
        location = response.quoted(response.headers.get("location", "nowhere"), most_chars=_SHOWN_CHARS)
        return OdsNotAPortal(
            f"The portal redirects to {location!r}, which is not followed",
            status=status,
            where=where,
            advice=f"Correct {setting('host')}, or name the one that it redirects to in {setting('allowed_hosts')}; a "
            "redirect that drops the query is never followed",
        )
    if automation.is_automation(request.path):
        advice = automation.advice(request.method, status, code)
    else:
        advice = of_query(request.method, status)
    if request.kind == "file" and 200 <= status < 300:
        advice = f"An error came instead of the file: ask its publisher. {announced('JSON', '.json')}"
    return OdsQueryError(message, status=status, code=code, where=where, advice=advice)


def _no_token(details: Mapping[str, Any], status: int, where: str) -> OdsAuthError:
    # A third envelope: error + error_description (RFC 6749, 5.2).
    code = legible(details["error"], most_chars=_CODE_CHARS) if isinstance(details.get("error"), str) else None
    said = legible(str(details.get("error_description") or code or f"HTTP {status}"), most_chars=_SENTENCE_CHARS)
    advice = "Authorise the application again with `ods login`"
    if code in ("invalid_client", "unauthorized_client"):
        application = f"{setting('client_id')} and {setting('client_secret')}"
        advice = f"Check {application}: they belong to one application on one portal"
    return OdsAuthError(
        f"The portal gives no OAuth2 token: {said}", status=status, code=code, where=where, advice=advice
    )


def quota_error(
    response: Response, details: Mapping[str, Any], *, where: str, now: datetime | None
) -> OdsQuotaExceeded:
    """Return the quota error that a 429 (or an old 403) is, with the reset from its body, else from its headers."""
    moment = now or utc_now()
    retry_at = parse_reset(details.get("reset_time"), moment)
    if retry_at is None and now is not None:
        retry_at = _retry_after(response, now) or _spent_reset(response, now)
    limit, unit = (legible(str(details.get(name) or ""))[:40] for name in ("call_limit", "limit_time_unit"))
    size = f" ({limit} {'call' if limit == '1' else 'calls'} per {unit})" if limit and unit else ""
    until = f"The quota returns at {retry_at.isoformat()}" if retry_at else "The portal did not say when it ends"
    return OdsQuotaExceeded(
        f"{_message(details, response).rstrip('.')}{size}",
        status=response.status,
        code=_code(details),
        retry_at=retry_at,
        where=where,
        advice=until + "; an API key usually has a larger quota than anonymous calls",
    )


def _spent_reset(response: Response, now: datetime) -> datetime | None:
    for prefix in ("x-ratelimit-dataset-", "x-ratelimit-"):
        if response.headers.get(prefix + "remaining") == "0":
            return parse_reset(response.headers.get(prefix + "reset"), now)
    return None


def _retry_after(response: Response, now: datetime) -> datetime | None:
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return now + timedelta(seconds=min(int(value[:12]), 366 * 86_400))
    return http_date(value)
