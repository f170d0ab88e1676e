"""Realtime push 1.0: add, upsert and delete records.

Source: Realtime push API 1.0; Q19, Q20, Q51.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ods_provider.testing.access import Access
from ods_provider.testing.errors import Refusal, no_dataset, no_resource
from ods_provider.testing.fitting import fitted
from ods_provider.testing.media import unpacked
from ods_provider.testing.schema import DatasetState
from ods_provider.testing.store import Store, record_id
from ods_provider.testing.writing import json_response

ROOT = "/api/push/1.0/{dataset_id}/{resource_id}"
MOST_BYTES = 5_000_000


class Realtime:
    """The handlers.

    Args:
        store: The data.
        access: Whose push key counts.
    """

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    def routes(self) -> list[Route]:
        """Return the routes; without the final slash there is a redirect, which turns a POST into a GET (Q19)."""
        return [
            Route(f"{ROOT}/push/", self.push, methods=["POST"]),
            Route(f"{ROOT}/delete/", self.delete, methods=["POST"]),
            Route(f"{ROOT}/{{record_id}}/delete/", self.delete_by_id, methods=["GET"]),
            Route(f"{ROOT}/push", self.slash, methods=["GET", "POST"]),
            Route(f"{ROOT}/delete", self.slash, methods=["GET", "POST"]),
        ]

    def slash(self, request: Request) -> Response:
        """Redirect to the address with the slash."""
        return RedirectResponse(str(request.url.replace(path=request.url.path + "/")), 301)

    async def push(self, request: Request) -> Response:
        """Add records, or replace those with the same unique id."""
        state, records = await self._records(request)
        self._store.insert(state, [unpacked(state, record) for record in records])
        return self._ok(state)

    async def delete(self, request: Request) -> Response:
        """Delete the records with these values."""
        state, records = await self._records(request)
        self._store.remove(state, [record_id(state, fitted(state, record)) for record in records])
        return self._ok(state)

    def delete_by_id(self, request: Request) -> Response:
        """Delete one record by its id."""
        state = self._state(request)
        if not self._store.remove(state, [request.path_params["record_id"]]):
            raise no_resource(f"record {request.path_params['record_id']}")
        return self._ok(state)

    def _ok(self, state: DatasetState) -> Response:
        self._store.touched(state)
        return json_response({"status": "OK"})

    def _state(self, request: Request) -> DatasetState:
        dataset_id, resource_id = request.path_params["dataset_id"], request.path_params["resource_id"]
        state = self._store.datasets.get(dataset_id)
        if state is None:
            raise no_dataset(dataset_id)
        if state.realtime_resource != resource_id:
            raise no_resource(f"resource {resource_id}")
        if not state.push_enabled:
            raise Refusal(403, "ForbiddenAccess", "The resource is disabled.")
        self._access.check_push(request, state)
        return state

    async def _records(self, request: Request) -> tuple[DatasetState, list[dict[str, Any]]]:
        state = self._state(request)
        body = await request.body()
        if len(body) > MOST_BYTES:
            raise Refusal(413, "PayloadTooLarge", f"The payload holds {len(body)} bytes, the maximum is {MOST_BYTES}.")
        try:
            # Whatever the content type says.
            parsed = json.loads(body)
        except ValueError:
            raise Refusal(400, "InvalidJSON", "The payload is not valid JSON.") from None
        records = parsed if isinstance(parsed, list) else [parsed]
        if not all(isinstance(record, dict) for record in records):
            raise Refusal(400, "InvalidPayload", "The payload must be an object or a list of objects.")
        return state, records
