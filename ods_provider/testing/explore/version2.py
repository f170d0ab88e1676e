"""Version 2.0 of Explore, under both of its addresses: older shapes, and headers that tell of its end.

Source: Explore v2.0; Q46. The text of the headers is ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from ods_provider.testing.explore.lists import Lists, pages
from ods_provider.testing.explore.place import Place, base, dataset_links
from ods_provider.testing.writing import json_response

PREFIXES = ("/api/explore/v2.0", "/api/v2")
_ALIASES = {"rows": "limit", "start": "offset"}
_BESIDE = ("_id", "_timestamp", "_size")
Handler = Callable[[Request], Response]


class Version2:
    """The handlers.

    Args:
        place: What requests are about.
        lists: The lists of version 2.1, whose rows are wrapped.
    """

    def __init__(self, place: Place, lists: Lists) -> None:
        self._place = place
        self._lists = lists

    def table(self, shared: Sequence[tuple[str, Handler]]) -> list[tuple[str, Handler]]:
        """Return addresses and what answers there; ``shared`` are those whose answers did not change."""
        one = "/datasets/{dataset_id}"
        table: list[tuple[str, Handler]] = [
            ("/datasets", self.datasets),
            (one, self.dataset),
            (f"{one}/records", self.records),
            (f"{one}/records/{{record_id}}", self.record),
            (f"{one}/aggregates", self.aggregates),
            *shared,
        ]
        return [(f"{prefix}/catalog{path}", _deprecated(handler)) for prefix in PREFIXES for path, handler in table]

    def datasets(self, request: Request) -> Response:
        """GET /catalog/datasets: each dataset in an envelope of its own."""
        total, rows, offset, limit = self._lists.found_datasets(request)
        found = [json.loads(row) for row in rows]
        wrapped = [{"links": dataset_links(request, one.get("dataset_id", "")), "dataset": one} for one in found]
        return json_response({"total_count": total, "links": pages(request, total, offset, limit), "datasets": wrapped})

    def dataset(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}."""
        made = self._place.whole(self._place.state(request).dataset_id, request)
        return json_response({"links": dataset_links(request, made["dataset_id"]), "dataset": made})

    def records(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}/records: fields lie two envelopes deep."""
        total, rows, offset, limit = self._lists.found_records(_with_ids(request))
        wrapped = [self._wrapped(request, json.loads(row)) for row in rows]
        return json_response({"total_count": total, "links": pages(request, total, offset, limit), "records": wrapped})

    def record(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}/records/{record_id}."""
        return json_response(self._wrapped(request, json.loads(self._lists.found_record(_with_ids(request)))))

    def aggregates(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}/aggregates: groups, which 2.1 moved to the records."""
        _, rows, _, _ = self._lists.found_records(request)
        return json_response(
            {
                "links": dataset_links(request, request.path_params["dataset_id"]),
                "aggregations": [json.loads(row) for row in rows],
            }
        )

    def _wrapped(self, request: Request, row: dict[str, Any]) -> dict[str, Any]:
        told = {name.removeprefix("_"): row.pop(name) for name in _BESIDE if name in row}
        return {"links": dataset_links(request, request.path_params["dataset_id"]), "record": {**told, "fields": row}}


def _deprecated(handler: Handler) -> Handler:
    def answer(request: Request) -> Response:
        response = handler(_aliased(request))
        newer = f"{base(request)}/api/explore/v2.1/"
        response.headers["ODS-Explore-API-Deprecation"] = f"This version of the API is deprecated, use {newer}"
        response.headers["Link"] = f'<{newer}>; rel="deprecation"'
        return response

    return answer


def _aliased(request: Request) -> Request:
    # Old spellings; here, and only here, a minus before a field means descending (Q16).
    made = []
    for name, value in request.query_params.multi_items():
        if name == "sort":
            parts = (part.strip() for part in value.split(","))
            made.append(("order_by", ", ".join(f"{part[1:]} desc" if part[:1] == "-" else part for part in parts)))
        else:
            made.append((_ALIASES.get(name, name), value))
    return _with(request, made)


def _with_ids(request: Request) -> Request:
    return _with(request, [*request.query_params.multi_items(), ("include_app_metas", "true")])


def _with(request: Request, params: list[tuple[str, str]]) -> Request:
    query = str(QueryParams(params)).encode()
    return Request({**request.scope, "query_string": query})
