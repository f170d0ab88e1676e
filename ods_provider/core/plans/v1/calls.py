"""The calls of Search API v1.0, and how their answers are read.

A query too long for a URL travels as a form: this API takes GET and POST alike (HTTP methods, Search API v1.0).

Source: Search API v1.0 endpoints; Q16 (sort), Q17 (nulls), Q18 (analyses that were cut), Q44 (ids).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from ods_provider.core.counting import counted
from ods_provider.core.datasetid import dataset_named
from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsNotAPortal, OdsNotFound
from ods_provider.core.faces import setting
from ods_provider.core.plans.records import count_of
from ods_provider.core.plans.v1.params import WINDOW_ROWS, V1Query
from ods_provider.core.segments import segment
from ods_provider.core.strictjson import decode
from ods_provider.core.verdict import failure
from ods_provider.core.wire import Kind, Plan, Request, Response

Row = dict[str, Any]
T = TypeVar("T")
Read = Callable[[Response], Any] | None

DATASETS = "/api/datasets/1.0"
RECORDS = "/api/records/1.0"
TRUNCATED = "ods-analyze-truncated"
URL_BYTES = 4_096
"""Longest query that goes into a URL; portals refuse addresses of about 8 KB."""

_PEEK_BYTES = 65_536


def search_datasets(query: V1Query) -> Plan[Row]:
    """Search the catalogue: ``{nhits, parameters, datasets, facet_groups}``. One call."""
    if query.get("dataset") is not None:
        raise OdsConfigError(
            "a search for datasets takes no dataset",
            where="parameter dataset of Search API v1.0",
            advice="Search its records, or find it by q",
        )
    response = yield from _ask(f"{DATASETS}/search/", _windowed(query.expect_json()))
    found = _object(response, "nhits", "datasets")
    _objects(response, found["datasets"])
    return found


def dataset(dataset_id: str) -> Plan[Row]:
    """Look one dataset up. One call."""
    response = yield from _ask(_path(dataset_id), V1Query.of(), dataset_id=dataset_id)
    return _object(response, "datasetid")


def search_records(dataset_id: str, query: V1Query) -> Plan[Row]:
    """Search a dataset: ``{nhits, parameters, records, facet_groups}``. One call."""
    response = yield from _about(dataset_id, "search", _windowed(query.expect_json()))
    found = _object(response, "nhits", "records")
    _objects(response, found["records"])
    return found


def count(dataset_id: str | None, query: V1Query) -> Plan[int]:
    """Ask how many rows match the query's filters. One call."""
    asked = query.filters_only().having(rows=0)
    found = yield from (search_datasets(asked) if dataset_id is None else search_records(dataset_id, asked))
    return count_of(found, "nhits")


def record(dataset_id: str, record_id: str) -> Plan[Row]:
    """Look one record up: ``{datasetid, recordid, fields, geometry, record_timestamp}``. One call."""
    path = f"{_path(dataset_id)}records/{segment(record_id)}"
    response = yield from _ask(path, V1Query.of(), dataset_id=dataset_id)
    return _object(response, "recordid")


def analyze(dataset_id: str, query: V1Query) -> Plan[list[Row]]:
    """Aggregate: ``[{"x": …, series: number}, …]``. One call.

    Raises:
        OdsIncomplete: The portal says in a header that the list was cut, and ``maxpoints`` did not ask for that (Q18).
    """
    response = yield from _about(dataset_id, "analyze", query.expect_json())
    rows = _objects(response, _json(response))
    most = query.number("maxpoints")
    if response.headers.get(TRUNCATED) and not (most and len(rows) >= most):
        raise OdsIncomplete(
            f"the portal cut the analysis after {counted(len(rows), 'values')} of x",
            where=response.url,
            advice="Narrow the query, or group with Explore v2.1 (select and group_by), which has no such limit",
        )
    return rows


def geocluster(dataset_id: str, query: V1Query) -> Plan[Row]:
    """Cluster points: ``{clusters, count, series, clusterprecision}``. One call."""
    response = yield from _about(dataset_id, "geocluster", query.expect_json())
    found = _object(response, "clusters")
    _objects(response, found["clusters"])
    return found


def open_download(dataset_id: str, query: V1Query) -> Plan[Response]:
    """Ask for a download and return the answer with its stream unread; the caller closes it. One call."""
    response = yield from _about(dataset_id, "download", query, kind="export")
    try:
        _expect_file(response)
    except BaseException:
        if response.stream is not None:
            response.stream.close()
        raise
    return response


def download(dataset_id: str, query: V1Query, read: Callable[[Response], T]) -> Plan[T]:
    """Ask for a download and return what ``read`` makes of it; one that breaks off is asked for and read again."""

    def judged(response: Response) -> T:
        _expect_file(response)
        return read(response)

    response = yield from _about(dataset_id, "download", query, kind="export", read=judged)
    found: T = response.content
    return found


def _expect_file(response: Response) -> None:
    # An error may come with 200 and where a file was asked (Q49), here in the older envelope.
    head = response.stream.peek(_PEEK_BYTES) if response.stream is not None else b""
    if head.lstrip()[:1] == b"{":
        _refuse(response, _decoded(head))


def file_path(dataset_id: str, kind: str, file_id: str) -> str:
    """Return where a file is; ``kind`` is attachments, alternative_exports or files.

    Source: section 7 of the vendor's multimedia download.
    """
    return f"{_path(dataset_id)}{kind}/{segment(file_id)}/"


def request(
    path: str, query: V1Query, *, kind: Kind = "api", dataset_id: str | None = None, read: Read = None
) -> Request:
    """Return the call: a GET, or a POST with a form when the query is too long for a URL."""
    encoded = urlencode(query.params)
    if len(encoded) <= URL_BYTES:
        return Request(path, query.params, kind=kind, dataset_id=dataset_id, read=read)
    return Request(path, method="POST", form=query.params, kind=kind, dataset_id=dataset_id, read=read)


def _path(dataset_id: str) -> str:
    return f"{DATASETS}/{segment(dataset_named(dataset_id))}/"


def _about(dataset_id: str, endpoint: str, query: V1Query, *, kind: Kind = "api", read: Read = None) -> Plan[Response]:
    named = query.get("dataset")
    if named is not None and named != dataset_id:
        raise OdsConfigError(
            f"the parameters name the dataset {named}, the call {dataset_id}",
            where="parameter dataset of Search API v1.0",
            advice="Leave it out of the parameters",
        )
    asked = V1Query((("dataset", dataset_named(dataset_id)), *query.having(dataset=None).params))
    return (yield from _ask(f"{RECORDS}/{endpoint}/", asked, kind=kind, dataset_id=dataset_id, read=read))


def _ask(
    path: str, query: V1Query, *, kind: Kind = "api", dataset_id: str | None = None, read: Read = None
) -> Plan[Response]:
    try:
        return (yield request(path, query, kind=kind, dataset_id=dataset_id, read=read))
    except OdsNotFound as error:
        if not _switched_off(error, path):
            raise
        raise OdsNotFound(
            "This portal does not offer Search API v1.0",
            status=error.status,
            code=error.code,
            where=error.where,
            advice="Leave v1 out and use Explore v2.1, which searches, analyses and downloads the same datasets",
        ) from None


def _switched_off(error: OdsNotFound, path: str) -> bool:
    if error.status == 410 or error.code == "NotFoundURI":
        return True
    # An address without an id in it cannot be missing for another reason, unless the answer names one.
    fixed = path.startswith(RECORDS) or path == f"{DATASETS}/search/"
    return fixed and error.code is None and not error.what.startswith("Unknown")


def hits(found: Row) -> int:
    """Return how many rows a search counts.

    Raises:
        OdsNotAPortal: It says so in no number.
    """
    try:
        return int(found["nhits"])
    except (TypeError, ValueError, OverflowError):
        raise OdsNotAPortal(
            "The answer counts its rows in no number",
            status=200,
            where="Search API v1.0, nhits",
            advice=f"Check {setting('host')}; some portals only imitate this API",
        ) from None


def _windowed(query: V1Query) -> V1Query:
    rows, start = query.number("rows"), query.number("start") or 0
    if start + (rows or 0) > WINDOW_ROWS:
        raise OdsConfigError(
            f"start + rows is {start + (rows or 0)}, and Search API v1.0 shows the first {WINDOW_ROWS} rows only",
            where="parameters rows and start",
            advice="Use the download of the same query, which has no such limit",
        )
    return query


def _decoded(body: bytes) -> Any:
    try:
        return decode(body)
    except (ValueError, RecursionError):
        return None


def _json(response: Response) -> Any:
    body = _decoded(response.body) if response.content is None else response.content
    _refuse(response, body)
    return body


def _refuse(response: Response, body: Any) -> None:
    """Raise the error that a body with the key ``error`` is, whatever its status."""
    if isinstance(body, dict) and isinstance(body.get("error"), str) and not {"features", "nhits"} & set(body):
        raise failure(response, body, where=response.url)


def _object(response: Response, *keys: str) -> Row:
    body = _json(response)
    if not isinstance(body, dict) or any(key not in body for key in keys):
        raise _strange(response, f"an object with {', '.join(keys)}")
    return body


def _objects(response: Response, value: Any) -> list[Row]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise _strange(response, "a list of objects")
    return value


def _strange(response: Response, expected: str) -> OdsNotAPortal:
    return OdsNotAPortal(
        f"The answer is not shaped like Search API v1.0: {expected} was expected",
        status=response.status,
        where=response.url,
        advice=f"Check {setting('host')}; some portals only imitate this API",
    )
