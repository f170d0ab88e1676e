"""What a browser is shown at the portal's address: its datasets, and what each of them holds.

The pages are files. Their script asks the handlers of Explore v2.1 below an address of its own, so that what people see
is what programs get, and that looking changes nothing of what a test is about: neither quotas nor faults nor the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ods_provider.testing.access import Access
from ods_provider.testing.backoffice.office import BackOffice
from ods_provider.testing.errors import Refusal, no_resource
from ods_provider.testing.explore import routed
from ods_provider.testing.explore.lists import Lists
from ods_provider.testing.explore.place import Place
from ods_provider.testing.site.addresses import DATA, DATASET, ICON, ROOT, STATIC, VIEWS
from ods_provider.testing.store import Store
from ods_provider.testing.writing import json_response

Handler = Callable[[Request], Response]
_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS: Mapping[str, str] = {
    # Nothing from elsewhere, and no script but our files: a text of a dataset cannot become one.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class Site:
    """The pages, and what they ask for.

    Args:
        store: The data.
        access: Who may see what: the pages show no key, so that they see what anybody sees.
        office: Whose publications are told; None where the portal has no back office.
    """

    def __init__(self, store: Store, access: Access, office: BackOffice | None) -> None:
        self._place = Place(store, access, 0)  # no page asks for groups
        self._access = access
        self._office = office

    def routes(self) -> list[Route]:
        """Return the routes."""
        lists, one = Lists(self._place), f"{DATA}/datasets/{{dataset_id}}"
        asked: list[tuple[str, Handler]] = [
            (f"{DATA}/datasets", lists.datasets),
            (one, lists.dataset),
            (f"{one}/records", lists.records),
            (f"{one}/publication", self._publication),
        ]
        pages: list[tuple[str, Handler]] = [("", self._dataset), *((f"/{view}", self._dataset) for view in VIEWS)]
        return [
            *(Route(path, self._home, methods=["GET"]) for path in ("/", ROOT.rstrip("/"))),
            Route(ROOT, self._portal, methods=["GET"]),
            Route(f"{STATIC}/{{name}}", self._static, methods=["GET"]),
            Route(ICON, self._icon, methods=["GET"]),
            *routed((f"{DATASET}{path}", handler) for path, handler in pages),
            *routed((path, self._looked(handler)) for path, handler in asked),
        ]

    def _looked(self, handler: Handler) -> Handler:
        """Return a handler with what the front does before the others."""

        def looked(request: Request) -> Response:
            self._access.check(request)
            if self._office is not None and self._office.active:
                self._office.advance()
            return handler(request)

        return looked

    def _home(self, request: Request) -> Response:
        return RedirectResponse(ROOT, headers=dict(_HEADERS))

    def _portal(self, request: Request) -> Response:
        return _page("portal.html")

    def _dataset(self, request: Request) -> Response:
        try:
            self._access.check(request)
            self._place.state(request)
        except Refusal as refusal:
            # The same page, which will hear the same and say so.
            return _page("dataset.html", refusal.status)
        return _page("dataset.html")

    def _static(self, request: Request) -> Response:
        return _file(request.path_params["name"])

    def _icon(self, request: Request) -> Response:
        return _file("icon.svg")

    def _publication(self, request: Request) -> Response:
        """Return the status of a dataset in the back office, null where nobody has asked for one there."""
        state = self._place.state(request)
        if self._office is None:
            return json_response(None)
        with self._office.lock:
            draft = self._office.drafts.shown(state.dataset_id)
            return json_response(draft.status.as_json() if draft else None)


def _page(name: str, status: int = 200) -> Response:
    return Response((_FOLDER / name).read_bytes(), status, headers=dict(_HEADERS), media_type="text/html")


def _file(name: str) -> Response:
    path = _FOLDER / name
    if path.suffix not in _TYPES or path not in _FOLDER.iterdir():
        raise no_resource(f"file {name}")
    return Response(path.read_bytes(), headers=dict(_HEADERS), media_type=_TYPES[path.suffix])
