"""The control plane: what ``LocalPortal`` does in Python, over HTTP, for a portal in another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from ods_provider.testing.portal import LocalPortal


def routes(portal: Callable[[], LocalPortal]) -> list[Route]:
    """Return the routes below ``/_control``; they count in no quota and stand in no log."""

    def told(work: Callable[..., Any], options: dict[str, Any]) -> Response:
        try:
            return JSONResponse({"done": work(**options)})
        except (TypeError, ValueError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 400)

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            portal().clear_faults()
            return JSONResponse({"done": None})
        return told(portal().fault, await request.json())

    async def quota(request: Request) -> Response:
        return told(portal().set_quota, await request.json())

    async def touch(request: Request) -> Response:
        options = await request.json() if await request.body() else {}
        return told(portal().touch, {"dataset_id": request.path_params["dataset_id"], **options})

    def rows(request: Request) -> Response:
        found = portal().rows(request.path_params["dataset_id"])
        return JSONResponse([{name: _plain(value) for name, value in row.items()} for row in found])

    def requests(request: Request) -> Response:
        return JSONResponse([asdict(entry) for entry in portal().requests])

    def reset(request: Request) -> Response:
        return told(portal().reset, {})

    def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    root = "/_control"
    return [
        Route(f"{root}/faults", faults, methods=["POST", "DELETE"]),
        Route(f"{root}/quota", quota, methods=["POST"]),
        Route(f"{root}/datasets/{{dataset_id}}/touch", touch, methods=["POST"]),
        Route(f"{root}/datasets/{{dataset_id}}/rows", rows),
        Route(f"{root}/requests", requests),
        Route(f"{root}/reset", reset, methods=["POST"]),
        Route(f"{root}/health", health),
    ]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float, bool, list, dict)) else value.isoformat()
