"""Whatever a host answers, what comes up is a value or an error of ours, and no secret is in it."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import requests
from hypothesis import strategies as st

from fuzzing.files import Pieces
from fuzzing.properties import holds
from ods_provider.core.connection import EXTRAS, OdsConnection, from_parts
from ods_provider.core.drive import Terms, drive
from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.core.oauth import Grant, exchange_code, refresh
from ods_provider.core.plans import catalog, push, records
from ods_provider.core.plans.v1 import calls
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.core.query import Query
from ods_provider.core.quota import QuotaBook, read_quota
from ods_provider.core.redact import Secret, scrub
from ods_provider.core.retry import RetryRules
from ods_provider.core.schema import Dataset
from ods_provider.core.times import parse_time
from ods_provider.core.typed import typing_of
from ods_provider.core.verdict import check
from ods_provider.core.wire import Headers, Plan, Request, Response
from ods_provider.transport.hosts import Itinerary

NOW = datetime(2026, 8, 17, 12, tzinfo=UTC)
_WORDS = """
    total_count results dataset_id fields name type label annotations metas default records_count data_processed
    modified has_records data_visible features attachments alternative_exports links rel href facets count value state
    id title url mimetype mime-type status message error error_code errorcode error_description reset_time call_limit
    limit_time_unit access_token refresh_token expires_in token_type ods_value ods_rows nhits records datasets datasetid
    recordid clusters OK ok csv ForbiddenAccess NotFoundResource invalid_grant 10001 10002 10005 text
"""
WORD = st.sampled_from(_WORDS.split())
SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), WORD, st.text(max_size=8), st.sampled_from([10001, 10005, -1])
)
JSON = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(WORD, st.text(max_size=3)), inner, max_size=5)
    ),
    max_leaves=14,
)
BODY = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=80),
    st.sampled_from([b"", b"[" * 100_000, b"<html>log in", b"\xef\xbb\xbf{}", b"null", b'{"a":' * 50_000, b"1" * 5000]),
)
_QUOTA_NAMES = [f"x-ratelimit-{kind}{part}" for kind in ("", "dataset-") for part in ("limit", "remaining", "reset")]
HEADER_NAME = st.sampled_from([*_QUOTA_NAMES, "retry-after", "location", "content-type"])
_MOMENTS = ["2026-08-18 00:00:00+00:00", "1787000000", "1787000000000", "Wed, 21 Oct 2026 07:28:00 GMT"]
_NO_MOMENTS = ["Wed, 32 Oct 9999999 07:28:00 GMT", "text/html", "-1", "nan", "1e400", "²", "0", "9" * 23, "9" * 5000]
HEADER_VALUE = st.text(max_size=30) | st.sampled_from(_MOMENTS + _NO_MOMENTS)
HEADERS = st.dictionaries(HEADER_NAME, HEADER_VALUE, max_size=6).map(Headers)
_STATUSES = [200, 201, 204, 301, 400, 401, 403, 404, 407, 408, 410, 413, 429, 500, 503]
STATUS = st.sampled_from(_STATUSES) | st.integers(100, 599)
KIND = st.sampled_from(["api", "export", "file", "push", "token"])
OAUTH = from_parts(host="h.example", extra={"auth": "oauth2", "client_id": "app", "client_secret": "s3cret"})


def answered(request: Request, status: int, headers: Headers, body: bytes) -> Response:
    """The answer as a transport gives it: as a stream where one is asked for."""
    if request.streamed and status < 300:
        return Response(status, headers, "https://h/x", stream=Pieces([body]))
    return Response(status, headers, "https://h/x", body=body)


def whole(error: OdsError) -> None:
    """An error of ours is one sentence or more, survives pickling, and knows whether it is transient."""
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) != ""
    assert isinstance(error.transient, bool)


@holds(
    STATUS, HEADERS, BODY, st.sampled_from(["api", "export", "file", "push", "token"]), st.sampled_from(["GET", "POST"])
)
def every_answer_is_judged(status: int, headers: Headers, body: bytes, kind: Any, method: Any) -> None:
    request = Request("/x", method=method, kind=kind)
    response = answered(request, status, headers, body)
    try:
        check(request, response, now=NOW)
    except OdsError as error:
        whole(error)
        retry_at = getattr(error, "retry_at", None)
        assert retry_at is None or retry_at.tzinfo is UTC
    else:
        assert 200 <= status < 300


@holds(HEADERS)
def quotas_are_read_or_absent(headers: Headers) -> None:
    for prefix in ("x-ratelimit-", "x-ratelimit-dataset-"):
        found = read_quota(headers, prefix=prefix)
        assert found is None or json.dumps(found.as_dict())
    book = QuotaBook()
    book.observe(headers, "d")
    book.tightest("d")
    book.reset_when_spent("d")


@holds(st.integers(0, 10**30), st.integers(0, 10**30), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def every_spelling_of_a_quota_says_the_same(limit: int, remaining: int, reset: datetime) -> None:
    reset = reset.replace(microsecond=0, tzinfo=UTC)
    epoch, text = int(reset.timestamp()), reset.isoformat()
    spellings = [str(epoch), str(epoch * 1000), text, reset.isoformat(" "), text.replace("+00:00", "Z")]
    for spelled in spellings:
        headers = Headers(
            {"X-RateLimit-Limit": str(limit), "x-ratelimit-remaining": str(remaining), "X-Ratelimit-Reset": spelled}
        )
        found = read_quota(headers)
        assert found is not None
        assert (found.limit, found.remaining, found.reset_at) == (limit, remaining, reset)


@holds(st.one_of(JSON, st.text(), HEADER_VALUE, st.datetimes()))
def a_time_is_an_aware_moment_or_none(value: Any) -> None:
    found = parse_time(value)
    assert found is None or (type(found) is datetime and found.utcoffset() == timedelta(0))


def refine() -> Query:
    return Query.of(refine={"a": ["b:c"]})


PLANS: dict[str, Callable[[], Plan[Any]]] = {
    "dataset": lambda: catalog.dataset("d"),
    "export_formats": lambda: catalog.export_formats("d"),
    "attachments": lambda: catalog.attachments("d"),
    "facets": lambda: catalog.facets("d", ["a"], refine()),
    "page": lambda: records.page("d", Query(), limit=10),
    "record": lambda: records.record("d", "r"),
    "count": lambda: records.count(None, refine()),
    "aggregate": lambda: records.aggregate("d", Query.of(select="count(*)", group_by="x")),
    "export_rows": lambda: records.export_rows("d", Query()),
    "push": lambda: push.send("d", "r", b"[]"),
    "delete": lambda: push.delete_by_id("d", "r", "x"),
    "v1 search_datasets": lambda: calls.search_datasets(V1Query.of()),
    "v1 dataset": lambda: calls.dataset("d"),
    "v1 search_records": lambda: calls.search_records("d", V1Query.of({"q": "x"})),
    "v1 count": lambda: calls.count("d", V1Query.of()),
    "v1 record": lambda: calls.record("d", "r"),
    "v1 analyze": lambda: calls.analyze("d", V1Query.of({"x": "a", "maxpoints": 5})),
    "v1 geocluster": lambda: calls.geocluster("d", V1Query.of({"clusterprecision": 3})),
    "v1 download": lambda: calls.open_download("d", V1Query.of()),
    "exchange": lambda: exchange_code(OAUTH, code=Secret("c"), redirect_uri="http://127.0.0.1/"),
    "refresh": lambda: refresh(OAUTH, Grant(Secret("r"))),
}


class Host:
    """Answers whatever it is told, at most so many times."""

    def __init__(self, answers: list[tuple[int, bytes]]) -> None:
        self._answers = answers

    def send(self, request: Request) -> Response:
        status, body = self._answers.pop(0) if self._answers else (404, b"")
        return answered(request, status, Headers(), body)


def run(name: str, answers: list[tuple[int, bytes]]) -> Any:
    try:
        return drive(PLANS[name](), Terms(Host(answers), rules=RetryRules(max_retries=0)))
    except OdsError as error:
        whole(error)
        return error


@holds(
    st.sampled_from(sorted(PLANS)),
    st.lists(st.tuples(st.sampled_from([200, 200, 200, 400]), BODY), min_size=1, max_size=3),
)
def every_plan_ends_in_a_result_or_an_error_of_ours(name: str, answers: list[tuple[int, bytes]]) -> None:
    result = run(name, answers)
    if isinstance(result, OdsError):
        return
    if name == "page":
        assert all(isinstance(row, dict) for row in result.rows)
        assert isinstance(result.total_count, int)
    elif name in ("aggregate", "export_rows", "v1 analyze"):
        assert all(isinstance(row, dict) for row in result)
    elif name in ("v1 search_records", "v1 search_datasets", "v1 record", "v1 geocluster", "v1 dataset"):
        assert isinstance(result, dict)
    elif name == "dataset":
        a_dataset_is_what_it_says(result)


_FIELDS = st.lists(st.fixed_dictionaries({"name": WORD}, optional={"type": WORD, "annotations": JSON}), max_size=3)
_DEFAULT = st.fixed_dictionaries({}, optional={"records_count": SCALAR, "data_processed": SCALAR, "modified": SCALAR})
_PARTS = {
    "fields": _FIELDS | JSON,
    "metas": st.fixed_dictionaries({"default": _DEFAULT}) | JSON,
    **dict.fromkeys(["features", "attachments", "alternative_exports"], JSON),
    **dict.fromkeys(["has_records", "data_visible", "dataset_uid"], SCALAR),
}
SHAPED = st.fixed_dictionaries({"dataset_id": st.text(min_size=1)}, optional=_PARTS)


@holds(SHAPED)
def a_dataset_is_described_or_refused(body: dict[str, Any]) -> None:
    result = run("dataset", [(200, json.dumps(body).encode())])
    if not isinstance(result, OdsError):
        a_dataset_is_what_it_says(result)


_KINDS = st.sampled_from(["text", "int", "double", "date", "datetime", "geo_point_2d", "geo_shape", "boolean", "new"])
_MARKED = st.fixed_dictionaries({}, optional={"multivalued": JSON, "timeserie_precision": JSON})
_SPELLED = ["2020", "1984-12", "2020-02-30", "2020-01-31", "48.8, 2.3", "2026-06-27T04:00:00+00:00"]
CELLS = JSON | st.sampled_from(_SPELLED) | st.just([48.8, 2.3]) | st.just(10**400)


@holds(
    st.dictionaries(WORD, st.tuples(_KINDS, _MARKED), max_size=4), st.lists(st.dictionaries(WORD, CELLS), max_size=3)
)
def rows_get_their_types_and_lose_nothing(schema: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    fields = [{"name": name, "type": kind, "annotations": marked} for name, (kind, marked) in schema.items()]
    typed = typing_of(Dataset.from_json({"dataset_id": "d", "fields": fields}))(copy.deepcopy(rows))
    assert [set(row) for row in typed] == [set(row) for row in rows]
    for row, sent in zip(typed, rows, strict=True):
        for name, value in sent.items():
            assert (row[name] is None) == (value is None)
            kind, marked = schema.get(name, ("text", {}))
            if kind in ("text", "int", "geo_shape", "boolean", "new") and "multivalued" not in marked:
                assert repr(row[name]) == repr(value)  # by its spelling: NaN is not itself


def a_dataset_is_what_it_says(dataset: Dataset) -> None:
    assert isinstance(dataset.dataset_id, str)
    assert dataset.records_count is None or (type(dataset.records_count) is int and dataset.records_count >= 0)
    for field in dataset.fields:
        assert isinstance(field.name, str)
        assert field.multivalued in (True, False)
        assert dataset.field(field.name) is not None
    for item in (*dataset.attachments, *dataset.alternative_exports):
        assert isinstance(item, dict)
    assert all(isinstance(feature, str) for feature in dataset.features)
    json.dumps(dataset.freshness())


@holds(JSON)
def a_stored_grant_is_read_or_refused(kept: Any) -> None:
    if not isinstance(kept, dict):
        return
    try:
        grant = Grant.from_json(kept)
    except ValueError:
        return
    assert Grant.from_json(json.loads(json.dumps(grant.reveal()))) == grant


_HOSTS = ["data.example.org", "https://h", "127.0.0.1:1", "[::1]", "h:99999", "http://", "h\\@g"]
PART = st.none() | st.text(max_size=20) | st.sampled_from(_HOSTS)
SETTINGS = st.dictionaries(
    st.sampled_from(sorted(EXTRAS)), SCALAR | JSON | st.just("s3cr3t-value") | st.just("oauth2"), max_size=4
)


@holds(PART, PART, st.none() | st.integers(0, 70_000), PART, st.none() | st.just("pa55-w0rd") | st.text(), SETTINGS)
def a_connection_is_understood_or_refused_without_a_secret(
    host: Any, schema: Any, port: Any, login: Any, password: Any, extra: dict[str, Any]
) -> None:
    try:
        made = from_parts(host=host, schema=schema, port=port, login=login, password=password, extra=extra)
    except OdsConfigError as error:
        assert "pa55-w0rd" not in str(error)
        assert "s3cr3t-value" not in str(error)
        whole(error)
        return
    assert isinstance(made, OdsConnection)
    assert "pa55-w0rd" not in repr(made)
    parts = urlsplit(made.base_url)
    assert parts.scheme in ("http", "https")
    assert parts.hostname


_NAMES = ["data.example.org", "evil.example", "DATA.example.org", "data.example.org.evil.example", "127.0.0.1"]
_MARKS = ["https:", "http:", "//", "/", "\\", "@", ":443", ":80", ":8443", "?", "#", "%40", "..", "u:pw", "[", "]", " "]
URL = st.lists(st.sampled_from(_NAMES) | st.sampled_from(_MARKS), min_size=1, max_size=7).map("".join)


@holds(URL, st.sampled_from(["api", "export", "file"]))
def a_key_goes_where_the_library_connects_only_if_that_is_the_portal(location: str, kind: Any) -> None:
    itinerary = Itinerary("https://data.example.org")
    request = Request("/a", kind=kind)
    targets = [itinerary.follow(request, "https://data.example.org/a", location)]
    if "://" in location:
        try:
            targets.append(itinerary.start(Request(location, kind=kind)))
        except OdsConfigError:
            pass
    for target in targets:
        if target is None:
            continue
        try:
            sent = urlsplit(requests.Request("GET", target.url).prepare().url)
        except requests.exceptions.RequestException:
            continue
        if target.trusted:
            assert (sent.scheme, sent.hostname, sent.port or 443) == ("https", "data.example.org", 443)
        else:
            assert (sent.scheme, kind) == ("https", "file")


@holds(st.text(min_size=6, max_size=24), st.text(max_size=10), st.text(max_size=10))
def a_known_secret_is_cut_out_however_it_is_written(secret: str, before: str, after: str) -> None:
    for form in (secret, quote(secret, safe=""), quote_plus(secret)):
        shown = scrub(f"{before} {form} {after}", [Secret(secret)])
        assert secret not in shown.replace(before, "").replace(after, "") or secret in f"{before} {after}***"
