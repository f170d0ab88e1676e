"""The control plane: what ``LocalPortal`` does in Python, over HTTP, for a portal in another process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ods_provider.testing.backoffice.office import BackOffice
from ods_provider.testing.faults import Faults
from ods_provider.testing.line import LoggedRequest
from ods_provider.testing.quotas import Quotas
from ods_provider.testing.store import Store

Told = Callable[..., Any]


class Controlled(Protocol):
    """What a portal lets itself be told over HTTP; ``LocalPortal`` describes each."""

    @property
    def store(self) -> Store:
        """The data."""

    @property
    def requests(self) -> Sequence[LoggedRequest]:
        """The calls it got."""

    @property
    def faults(self) -> Faults:
        """The faults that are ordered."""

    @property
    def quotas(self) -> Quotas:
        """The quotas."""

    @property
    def fault(self) -> Told:
        """Order a fault."""

    @property
    def clear_faults(self) -> Told:
        """Take all faults back."""

    @property
    def set_quota(self) -> Told:
        """Set a quota."""

    @property
    def touch(self) -> Told:
        """Republish a dataset."""

    @property
    def add_dataset(self) -> Told:
        """Add a dataset."""

    @property
    def remove_dataset(self) -> Told:
        """Take a dataset away."""

    @property
    def rename(self) -> Told:
        """Give a dataset another id."""

    @property
    def rows(self) -> Told:
        """Return what a dataset holds."""

    @property
    def office(self) -> BackOffice:
        """What the Automation API prepares and publishes."""

    @property
    def reset(self) -> Told:
        """Go back to the start."""


def application(portal: Controlled) -> Starlette:
    """Return what answers below ``/_control``; its calls count in no quota and stand in no log."""

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            return await _told(portal.clear_faults, {})
        if request.method == "GET":
            return JSONResponse(portal.faults.told())
        return await _told(portal.fault, await _options(request))

    async def quota(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(portal.quotas.told())
        return await _told(portal.set_quota, await _options(request))

    async def touch(request: Request) -> Response:
        return await _told(portal.touch, {"dataset_id": dataset(request), **await _options(request)})

    async def add(request: Request) -> Response:
        if request.method == "DELETE":
            return await _told(portal.remove_dataset, {"dataset_id": dataset(request)})
        return await _told(
            portal.add_dataset, {"dataset_id": request.path_params["dataset_id"], **await _options(request)}
        )

    async def rename(request: Request) -> Response:
        return await _told(portal.rename, {"dataset_id": dataset(request), **await _options(request)})

    def rows(request: Request) -> Response:
        found = portal.rows(dataset(request))
        return JSONResponse([{name: _plain(value) for name, value in row.items()} for row in found])

    def dataset(request: Request) -> str:
        wanted: str = request.path_params["dataset_id"]
        if wanted not in portal.store.datasets:
            raise HTTPException(404, f"no dataset {wanted!r}; there are {', '.join(portal.store.datasets)}")
        return wanted

    def requests(request: Request) -> Response:
        return JSONResponse([asdict(entry) for entry in portal.requests])

    async def reset(request: Request) -> Response:
        return await _told(portal.reset, {})

    async def switches(request: Request) -> Response:
        return await _told(portal.office.switch, await _options(request))

    async def outcome(request: Request) -> Response:
        return await _told(portal.office.outcome, await _options(request))

    async def step(request: Request) -> Response:
        return await _told(portal.office.step, await _options(request))

    async def settle(request: Request) -> Response:
        return await _told(portal.office.settle, {})

    async def keys(request: Request) -> Response:
        return await _told(portal.office.add_key, await _options(request))

    async def harvesters(request: Request) -> Response:
        return await _told(portal.office.add_harvester, await _options(request))

    def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/faults", faults, methods=["GET", "POST", "DELETE"]),
            Route("/quota", quota, methods=["GET", "POST"]),
            Route("/datasets/{dataset_id}", add, methods=["PUT", "DELETE"]),
            Route("/datasets/{dataset_id}/rename", rename, methods=["POST"]),
            Route("/datasets/{dataset_id}/touch", touch, methods=["POST"]),
            Route("/datasets/{dataset_id}/rows", rows),
            Route("/automation/switches", switches, methods=["GET", "POST"]),
            Route("/automation/outcome", outcome, methods=["POST"]),
            Route("/automation/step", step, methods=["POST"]),
            Route("/automation/settle", settle, methods=["POST"]),
            Route("/automation/keys", keys, methods=["POST"]),
            Route("/automation/harvesters", harvesters, methods=["POST"]),
            Route("/requests", requests),
            Route("/reset", reset, methods=["POST"]),
            Route("/health", health),
        ],
        exception_handlers={HTTPException: _refused},
    )


async def _options(request: Request) -> dict[str, Any]:
    if not await request.body():
        return {}
    try:
        options = await request.json()
    except ValueError as error:
        raise HTTPException(400, f"the body is no JSON: {error}") from None
    if not isinstance(options, dict):
        raise HTTPException(400, "the body must be an object of arguments")
    return options


async def _told(work: Callable[..., Any], options: dict[str, Any]) -> Response:
    try:
        return JSONResponse({"done": await run_in_threadpool(lambda: work(**options))})
    except (TypeError, ValueError) as error:
        raise HTTPException(400, str(error)) from None


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float, bool, list, dict)) else value.isoformat()
