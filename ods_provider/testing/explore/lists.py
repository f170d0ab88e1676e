"""Lists and single objects: datasets, records, facets.

Source: Explore v2.1 endpoints 1, 6 to 10; Q1, Q2, Q5, Q35.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from ods_provider.testing import catalog
from ods_provider.testing.errors import Refusal, gone, no_resource
from ods_provider.testing.explore.place import Place, Source, here
from ods_provider.testing.odsql import OdsqlError, compile_facet
from ods_provider.testing.querying import ask, flag, run_list, window, zone
from ods_provider.testing.schema import literal
from ods_provider.testing.writing import json_response, json_text_response

MOST_FACET_VALUES = 100


class Lists:
    """The handlers.

    Args:
        place: What requests are about.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def datasets(self, request: Request) -> Response:
        """GET /catalog/datasets."""
        total, rows, offset, limit = self.found_datasets(request)
        return self._listed(request, total, rows, offset, limit)

    def found_datasets(self, request: Request) -> tuple[int, list[str], int, int]:
        """Return total, the asked datasets as JSON, and the window they come from."""
        params = request.query_params
        with self._place.store.cursor() as cursor:
            source = self._place.source(request, cursor)
            asked = ask(params, source.fields, source.table)
            limit, offset = window(params, grouped=asked.grouped, group_ceiling=self._place.ceiling, opaque=True)
            total, rows = run_list(cursor, asked, limit=limit, offset=offset, base="")
        if not params.get("select") and not asked.grouped:
            ids = (json.loads(row)["dataset_id"] for row in rows)
            rows = [json.dumps(self._place.whole(found, request), ensure_ascii=False) for found in ids]
        return total, rows, offset, limit

    def dataset(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}."""
        state = self._place.state(request)
        if not request.query_params.get("select"):
            return json_response(self._place.whole(state.dataset_id, request))
        with self._place.store.cursor() as cursor:
            catalog.create_table(self._place.store, cursor, [state])
            table = f'(SELECT * FROM {catalog.TABLE} WHERE "$id" = {literal(state.dataset_id)})'  # noqa: S608  quoted
            _, rows = run_list(cursor, ask(request.query_params, catalog.fields(), table), limit=1, offset=0, base="")
        return json_text_response(rows[0])

    def records(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}/records."""
        total, rows, offset, limit = self.found_records(request)
        return self._listed(request, total, rows, offset, limit)

    def found_records(self, request: Request) -> tuple[int, list[str], int, int]:
        """Return total, the asked records as JSON, and the window they come from."""
        params = request.query_params
        with self._place.store.cursor() as cursor:
            source = self._place.source(request, cursor, records=True)
            asked = ask(params, source.fields, source.table, rows=True)
            limit, offset = window(params, grouped=asked.grouped, group_ceiling=self._place.ceiling)
            total, rows = run_list(cursor, asked, limit=limit, offset=offset, base=_base(request))
        if asked.grouped:
            # Not the number of groups, beyond what a page can hold (Q2).
            total = min(total, self._place.ceiling)
        return total, rows, offset, limit

    def _listed(self, request: Request, total: int, rows: list[str], offset: int, limit: int) -> Response:
        links = ""
        if flag(request.query_params, "include_links", False):
            links = f'"links": {json.dumps(pages(request, total, offset, limit))}, '
        return json_text_response(f'{{{links}"total_count": {total}, "results": [{", ".join(rows)}]}}')

    def record(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}/records/{record_id}."""
        return json_text_response(self.found_record(request))

    def found_record(self, request: Request) -> str:
        """Return one record as JSON.

        Raises:
            Refusal: 404.
        """
        record_id = request.path_params["record_id"]
        with self._place.store.cursor() as cursor:
            source = self._place.source(request, cursor, records=True)
            table = f'(SELECT * FROM {source.table} WHERE "$id" = {literal(record_id)})'  # noqa: S608  quoted
            asked = ask(request.query_params, source.fields, table, rows=True)
            _, rows = run_list(cursor, asked, limit=1, offset=0, base=_base(request))
        if not rows:
            raise no_resource(f"record {record_id}")
        return rows[0]

    def facets(self, request: Request) -> Response:
        """GET /catalog/facets and /catalog/datasets/{dataset_id}/facets."""
        with self._place.store.cursor() as cursor:
            source = self._place.source(request, cursor, records=True)
            asked = request.query_params.getlist("facet") or _declared(source)
            found = [_counted(request, source, cursor, facet) for facet in asked]
        source_url = here(request).removesuffix("/facets")
        links = [{"rel": "self", "href": here(request)}, {"rel": "source", "href": source_url}]
        return json_response({"links": links, "facets": [facet for facet in found if facet["facets"]]})

    def removed(self, request: Request) -> Response:
        """Gone since version 2.1 (Q46)."""
        raise gone()


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def pages(request: Request, total: int, offset: int, limit: int) -> list[dict[str, str]]:
    """Return the addresses of this page and of those around it."""
    starts = {"self": offset, "first": 0}
    if limit > 0:
        starts |= {"last": max(0, (total - 1) // limit * limit)}
        starts |= {"prev": max(0, offset - limit)} if offset > 0 else {}
        starts |= {"next": offset + limit} if offset + limit < total else {}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in ("offset", "apikey")]
    return [
        {"rel": rel, "href": f"{here(request)}?{urlencode([*kept, ('offset', str(start))])}"}
        for rel, start in starts.items()
    ]


def _declared(source: Source) -> list[str]:
    if source.state is None:
        return list(catalog.FACETS)
    return [column.name for column in source.state.columns if "facet" in column.annotations]


def _counted(request: Request, source: Source, cursor: Any, facet: str) -> dict[str, Any]:
    params = request.query_params
    try:
        made = compile_facet(
            source.fields,
            table=source.table,
            facet=facet,
            where=[clause for clause in params.getlist("where") if clause.strip()],
            refine=params.getlist("refine"),
            exclude=params.getlist("exclude"),
            timezone=zone(params),
            lang=params.get("lang") or "en",
        )
    except OdsqlError as error:
        raise Refusal(400, error.code, error.message) from None
    rows = cursor.execute(made.sql, list(made.params)).fetchmany(MOST_FACET_VALUES)
    return {"name": made.name, "facets": [_facet_value(value, count) for value, count in rows]}


def _facet_value(value: Any, count: int) -> dict[str, Any]:
    text = "true" if value is True else "false" if value is False else str(value)
    return {"name": text, "count": count, "state": "displayed", "value": text}
