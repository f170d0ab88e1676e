"""Explore v2.1 over a store: every endpoint of its table, and version 2.0 under its old addresses.

Source: Explore v2.1 endpoints and parameters; Q46 (versions), Q47 (where portals differ from the specification).
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import Route

from ods_provider.testing.access import STORAGE, Access
from ods_provider.testing.explore.exporting import Exporting
from ods_provider.testing.explore.files import Files
from ods_provider.testing.explore.lists import Lists
from ods_provider.testing.explore.place import Place
from ods_provider.testing.explore.version2 import Handler, Version2
from ods_provider.testing.store import Store

ROOT = "/api/explore/v2.1/catalog"


class Explore:
    """The handlers.

    Args:
        store: The data.
        access: Who may see what.
        group_by_ceiling: This portal's ceiling for groups (Q2).
    """

    def __init__(self, store: Store, access: Access, *, group_by_ceiling: int = 20_000) -> None:
        place = Place(store, access, group_by_ceiling)
        self._lists = Lists(place)
        self._exporting = Exporting(place)
        self._files = Files(place)
        self._version2 = Version2(place, self._lists)

    def routes(self) -> list[Route]:
        """Return the routes of the catalogue, the pages of its datasets and version 2.0 included."""
        files = self._files
        table = [
            *self.endpoints(ROOT),
            *((f"/explore/dataset/{{dataset_id}}{path}", handler) for path, handler in files.pages()),
            (f"{STORAGE}{{dataset_id}}/{{export_id}}", files.stored),
            *self._version2.table(self._shared()),
        ]
        return routed(table)

    def _shared(self) -> list[tuple[str, Handler]]:
        """Return what did not change since version 2.0."""
        lists, exporting, files = self._lists, self._exporting, self._files
        return [
            ("/exports", exporting.formats),
            ("/exports/{name}", exporting.export),
            ("/facets", lists.facets),
            ("/datasets/{dataset_id}/facets", lists.facets),
            ("/datasets/{dataset_id}/exports", exporting.formats),
            ("/datasets/{dataset_id}/exports/{name}", exporting.export),
            *((f"/datasets/{{dataset_id}}{path}", handler) for path, handler in files.table()),
        ]

    def endpoints(self, root: str) -> list[tuple[str, Handler]]:
        """Return the endpoints of version 2.1 below the address of a source."""
        lists, one = self._lists, root + "/datasets/{dataset_id}"
        gone = (f"{one}/aggregates", f"{one}/query", f"{root}/query", f"{root}/aggregates")
        return [
            (f"{root}/datasets", lists.datasets),
            (one, lists.dataset),
            (f"{one}/records", lists.records),
            (f"{one}/records/{{record_id}}", lists.record),
            *((root + path, handler) for path, handler in self._shared()),
            *((path, lists.removed) for path in gone),
        ]


def routed(table: Iterable[tuple[str, Handler]]) -> list[Route]:
    """Return routes, GET only, each with a slash at its end and without: the vendor's own client sends one."""
    return [Route(path + end, handler, methods=["GET"]) for path, handler in table for end in ("", "/")]
