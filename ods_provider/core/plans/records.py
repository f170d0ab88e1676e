"""Ask for rows: a count, a page, one record, groups; and all of them as one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ods_provider.core.bounds import LIST_BYTES, read_all
from ods_provider.core.errors import OdsError, OdsNotAPortal, OdsQueryError, OdsResponseError, OdsTruncated
from ods_provider.core.faces import setting
from ods_provider.core.limits import GROUP_ROWS
from ods_provider.core.plans.explore import get, json_object
from ods_provider.core.query import Query
from ods_provider.core.strictjson import decode, goes_on
from ods_provider.core.verdict import ERROR_COLUMNS
from ods_provider.core.wire import Params, Plan, Request, Response

Row = dict[str, Any]
T = TypeVar("T")
_ALL = Query()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: ``total_count`` rows match in all, ``rows`` came."""

    total_count: int
    rows: list[Row]


def list_parts(dataset_id: str | None) -> tuple[str, ...]:
    """Return the endpoint that lists rows: records of a dataset, or datasets of the catalogue."""
    return ("datasets",) if dataset_id is None else ("records",)


def page(dataset_id: str | None, query: Query, *, offset: int = 0, limit: int) -> Plan[Page]:
    """Ask for one page. One call.

    Args:
        dataset_id: None lists datasets.
        query: What to select.
        offset: First row; ``offset + limit`` may not pass 10,000 (Q35).
        limit: Rows, at most 100 (20,000 with ``group_by``); 0 asks for the count alone (Q58).
    """
    params = (*query.list_params(), ("limit", str(limit)), ("offset", str(offset)))
    response = yield get(*list_parts(dataset_id), dataset_id=dataset_id, params=params)
    # Groups come with a count that says nothing (Q2), or with none.
    body = json_object(response, "results", *(() if query.group_by else ("total_count",)))
    return Page(count_of(body, "total_count"), objects(body["results"]))


def count_of(body: Mapping[str, Any], name: str) -> int:
    """Return the number of rows that an answer counts, 0 where it counts none.

    Raises:
        ValueError: No rows can be that many; the driver makes an error of it that names the call.
    """
    counted = body.get(name, 0)
    if isinstance(counted, bool) or int(counted) < 0:
        raise ValueError(f"{name} is {counted!r}")
    return int(counted)


def objects(rows: object) -> list[Row]:
    """Return ``rows``, which a portal sent as a list of JSON objects.

    Raises:
        TypeError: It is something else; the driver makes an error of it that names the call.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TypeError("not a list of objects")
    return rows


def count(dataset_id: str | None, query: Query) -> Plan[int]:
    """Ask how many rows match the query's filters. One call."""
    result = yield from page(dataset_id, query.filters_only(), limit=0)
    return result.total_count


def record(dataset_id: str, record_id: str, query: Query = _ALL) -> Plan[Row]:
    """Ask for one record; of the query its select, language, time zone and extras count. One call."""
    response = yield get("records", record_id, dataset_id=dataset_id, params=query.list_params())
    return dict(json_object(response))


def aggregate(dataset_id: str | None, query: Query, *, limit: int | None = None) -> Plan[list[Row]]:
    """Ask for aggregates or groups, all of them, in one call or two.

    Without ``group_by`` the portal repeats the one row as often as ``limit`` says, so one is asked for (Q6). With it, a
    list that reaches the cap may be cut without a sign, and portals differ in the cap (Q1, Q2): it is asked for
    again as an export, which has none.

    Args:
        dataset_id: None aggregates the catalogue.
        query: ``select`` of aggregates, with or without ``group_by``.
        limit: Groups wanted at most; None wants all.
    """
    if query.group_by is None:
        return (yield from page(dataset_id, query, limit=1)).rows
    ask = GROUP_ROWS if limit is None else min(limit, GROUP_ROWS)
    try:
        rows = (yield from page(dataset_id, query, limit=ask)).rows
    except OdsQueryError as error:
        if error.code != "InvalidRESTParameterError":
            raise
        # This portal's ceiling is lower than the usual one; the export knows none.
        return (yield from export_rows(dataset_id, query, limit=limit))
    if len(rows) < ask or (limit is not None and len(rows) >= limit):
        return rows
    return (yield from export_rows(dataset_id, query, limit=limit))


def open_export(
    dataset_id: str | None, query: Query, *, format: str, limit: int | None = None, options: Params = ()
) -> Plan[Response]:
    """Ask for an export and return the answer with its stream unread; the caller closes it. One call (Q55).

    Args:
        dataset_id: None exports the catalogue.
        query: What to select; ``group_by`` is not capped here.
        format: ``csv``, ``jsonl``, ``parquet`` and so on.
        limit: Rows at most; None exports all.
        options: Parameters of the format's own.
    """
    request = _export(dataset_id, query, format=format, limit=limit, options=options)
    return (yield from _answered(request, query, format))


def export(
    dataset_id: str | None,
    query: Query,
    *,
    format: str,
    read: Callable[[Response], T],
    limit: int | None = None,
    options: Params = (),
) -> Plan[T]:
    """Ask for an export and return what ``read`` makes of it; one that breaks off is asked for and read again.

    Args:
        dataset_id: None exports the catalogue.
        query: What to select; ``group_by`` is not capped here.
        format: ``csv``, ``jsonl``, ``parquet`` and so on.
        read: Reads the answer's stream to its end, from the beginning at each try.
        limit: Rows at most; None exports all.
        options: Parameters of the format's own.
    """
    request = _export(dataset_id, query, format=format, limit=limit, options=options)
    found: T = (yield from _answered(replace(request, read=read), query, format)).content
    return found


def _export(dataset_id: str | None, query: Query, *, format: str, limit: int | None, options: Params = ()) -> Request:
    params = (*query.params(), ("limit", str(-1 if limit is None else limit)), *options)
    return get("exports", format, dataset_id=dataset_id, params=params, kind="export")


def _answered(request: Request, query: Query, format: str) -> Plan[Response]:
    """Ask for an export; what is taken for an error that came with status 200 (Q49) is asked for again if it is a row.

    One row of JSON lines may have the columns by which an error is known.
    """
    try:
        return (yield request)
    except OdsResponseError as error:
        if format != "jsonl" or error.status != 200 or error.code is None:
            raise
        if not (yield from _has_columns_of_an_error(request.dataset_id, query)):
            raise
    return (yield replace(request, expects=frozenset({"json"})))


def _has_columns_of_an_error(dataset_id: str | None, query: Query) -> Plan[bool]:
    try:
        found = yield from page(dataset_id, query, limit=1)
    except OdsError:
        return False
    return any(set(names) <= set(row) for row in found.rows for names in ERROR_COLUMNS)


def export_rows(dataset_id: str | None, query: Query, *, limit: int | None = None) -> Plan[list[Row]]:
    """Ask for an export and return its rows as one list: for groups, which are few beside the rows. One call."""
    return (yield from export(dataset_id, query, format="json", read=_rows, limit=limit))


def _rows(response: Response) -> list[Row]:
    body = response.body
    if response.stream is not None:
        body = read_all(response.stream, where=f"GET {response.url}", most_bytes=LIST_BYTES)
    try:
        return objects(decode(body))
    except (ValueError, TypeError, RecursionError) as error:
        if isinstance(error, ValueError) and goes_on(error):
            raise OdsTruncated(
                "the JSON export ends before it is whole",
                where=f"GET {response.url}",
                advice="It was asked for again; if it persists, ask the portal's operator",
            ) from None
        raise OdsNotAPortal(
            "The JSON export is not a list of rows",
            status=response.status,
            where=f"GET {response.url}",
            advice=f"Check {setting('host')}",
        ) from None
