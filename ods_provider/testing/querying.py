"""Query parameters read as the portal reads them, with its limits, windows and words for what is wrong.

Source: Explore v2.1 common parameters and windows; Q1, Q6, Q35, Q58.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from ods_provider.testing.encode import json_row, renamed
from ods_provider.testing.errors import Refusal, bad_parameter, failed
from ods_provider.testing.odsql import CompiledQuery, Field, OdsqlError, compile_query

PAGE = 100
WINDOW = 10_000
GROUP_PAGE = 20_000
DEFAULT_LIMIT = 10


@dataclass(frozen=True)
class Asked:
    """The query of a request, compiled for one table."""

    compiled: CompiledQuery
    timezone: str

    @property
    def grouped(self) -> bool:
        """Whether rows are groups."""
        return self.compiled.grouped


def flag(params: QueryParams, name: str, default: bool) -> bool:
    """Return a boolean parameter."""
    value = params.get(name)
    if value is None:
        return default
    if value.lower() not in ("true", "false", "1", "0"):
        raise bad_parameter(f"Invalid value for {name} API parameter: {value} was found but a boolean is expected.")
    return value.lower() in ("true", "1")


def number(params: QueryParams, name: str, default: int) -> int:
    """Return an integer parameter."""
    value = params.get(name)
    if value is None or value == "":
        return default
    try:
        return int(value)
    except ValueError:
        raise bad_parameter(
            f"Invalid value for {name} API parameter: {value} was found but an integer is expected."
        ) from None


def zone(params: QueryParams) -> str:
    """Return the time zone, UTC unless said."""
    name = params.get("timezone") or "UTC"
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise bad_parameter(f"Invalid value for timezone API parameter: {name} is not a known timezone.") from None
    return name


def ask(
    params: QueryParams,
    fields: Sequence[Field],
    table: str,
    *,
    rows: bool = False,
    beside: Mapping[str, str] | None = None,
) -> Asked:
    """Compile a request's query.

    Args:
        params: Query parameters.
        fields: What may be named.
        table: Its rows, as SQL.
        rows: Whether rows of a dataset are listed, which may come with their ids, sizes and links.
        beside: Fields to return whatever is selected, by the keys they are returned under.

    Raises:
        Refusal: 400, in the words of the portal.
    """
    timezone = zone(params)
    more = dict(beside or {})
    if rows and flag(params, "include_app_metas", False):
        more |= {"_id": "recordid", "_timestamp": "record_timestamp", "_size": "record_size"}
    if rows and flag(params, "include_links", False):
        more["_links"] = "record_links"
    try:
        compiled = compile_query(
            fields,
            table=table,
            select=params.get("select") or None,
            where=[clause for clause in params.getlist("where") if clause.strip()],
            group_by=params.get("group_by") or None,
            order_by=params.get("order_by") or None,
            refine=params.getlist("refine"),
            exclude=params.getlist("exclude"),
            timezone=timezone,
            lang=params.get("lang") or "en",
            beside=more,
        )
    except OdsqlError as error:
        raise Refusal(400, error.code, error.message) from None
    return Asked(compiled, timezone)


def window(params: QueryParams, *, grouped: bool, group_ceiling: int, opaque: bool = False) -> tuple[int, int]:
    """Return limit and offset of a list, checked as the portal checks them.

    Args:
        params: Query parameters.
        grouped: Whether the query groups, which widens the window.
        group_ceiling: This portal's ceiling of ``offset + limit`` for groups (Q2).
        opaque: The catalogue answers 500 at its window instead of a 400 that says why (Q35).

    Raises:
        Refusal: 400, or 500.
    """
    limit = number(params, "limit", DEFAULT_LIMIT)
    offset = number(params, "offset", 0)
    most = max(GROUP_PAGE, group_ceiling) if grouped else PAGE
    ceiling = group_ceiling if grouped else WINDOW
    if not grouped and not -1 <= limit <= most:
        raise bad_parameter(
            f"Invalid value for limit API parameter: {limit} was found but -1 <= limit <= {most} is expected."
        )
    if limit < -1 or offset < 0:
        name, value = ("limit", limit) if limit < -1 else ("offset", offset)
        raise bad_parameter(f"Invalid value for {name} API parameter: {value} was found but >= 0 is expected.")
    if limit == -1:
        limit = most if not grouped else ceiling - offset
    if offset + limit > ceiling:
        if opaque:
            raise failed()
        raise bad_parameter(
            f"Invalid value for sum of offset + limit API parameter: {offset + limit} was found but <= {ceiling} is "
            f"expected{'' if grouped else '.'}"
        )
    return limit, offset


def run_list(cursor: Any, asked: Asked, *, limit: int, offset: int, base: str) -> tuple[int, list[str]]:
    """Run a query and return how many rows there are in all, and the asked ones as JSON texts."""
    compiled = asked.compiled
    counted = cursor.execute(compiled.count_sql, list(compiled.count_params)).fetchone()
    total = int(counted[0]) if counted else 0
    if limit == 0:
        return total, []
    row = json_row(compiled.columns, timezone=asked.timezone, base=base)
    sql = f"SELECT {row} FROM {renamed(compiled.sql, compiled.columns)} LIMIT {limit} OFFSET {offset}"  # noqa: S608
    rows = [text for (text,) in cursor.execute(sql, list(compiled.params)).fetchall()]
    if compiled.scalar and rows:
        # The one row comes as often as rows were asked for (Q6).
        rows = rows * max(0, min(limit, max(total, 1)) - offset)
    return total, rows
