"""Datasets, facets and lists of files: what a portal's catalogue tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.client.running import Runs
from ods_provider.core.plans import catalog
from ods_provider.core.plans.rows import ExploreRows
from ods_provider.core.query import Filter, Query
from ods_provider.core.reading import Reader
from ods_provider.core.schema import Dataset
from ods_provider.core.typed import typed_datasets

if TYPE_CHECKING:
    from ods_provider.core.plans.records import Row


class CatalogueCalls(Runs):
    """The client's methods about datasets."""

    def dataset(self, dataset_id: str, *, lang: str | None = None) -> Dataset:
        """Return one dataset's description as a value."""
        return self.run(catalog.dataset(dataset_id, lang=lang))

    def dataset_object(
        self,
        dataset_id: str,
        *,
        select: str | None = None,
        lang: str | None = None,
        timezone: str = "UTC",
        include_links: bool = False,
        include_app_metas: bool = False,
    ) -> Row:
        """Return one dataset as the portal sends it."""
        query = Query.of(
            select=select,
            lang=lang,
            timezone=timezone,
            include_links=include_links,
            include_app_metas=include_app_metas,
        )
        return self.run(catalog.dataset_object(dataset_id, query))

    def datasets(
        self,
        *,
        select: str | None = None,
        where: str | Sequence[str] | None = None,
        order_by: str | None = None,
        refine: Filter = None,
        exclude: Filter = None,
        lang: str | None = None,
        timezone: str = "UTC",
        limit: int | None = None,
        include_links: bool = False,
        include_app_metas: bool = False,
        typed: bool = True,
    ) -> Iterator[Row]:
        """Yield dataset objects: one page, else pages if ``order_by`` is given, else (and past 10,000) one export.

        ``select`` to ``timezone`` are the portal's own words, ``limit`` the most datasets wanted. With
        ``include_links`` and ``include_app_metas`` each comes with its links and technical fields. ``typed`` makes
        times aware datetimes; else they stay text, as the portal sends them.
        """
        query = Query.of(
            select=select,
            where=where,
            order_by=order_by,
            refine=refine,
            exclude=exclude,
            lang=lang,
            timezone=timezone,
            include_links=include_links,
            include_app_metas=include_app_metas,
        )
        for rows in Reader(self.run, ExploreRows(None, query)).batches(limit):
            yield from typed_datasets(rows) if typed else rows

    def facets(
        self,
        dataset_id: str | None = None,
        *,
        facet: str | Iterable[str] = (),
        where: str | Sequence[str] | None = None,
        refine: Filter = None,
        exclude: Filter = None,
        lang: str | None = None,
        timezone: str = "UTC",
    ) -> catalog.Facets:
        """Return ``{facet: [(value, count), …]}``, whole, past the 100 values where a facet list stops.

        ``facet`` takes names, or calls such as ``facet(name="country", sort="alphanum", limit=20)``; without it all
        declared facets are listed. Without a dataset the catalogue is asked. The rest are the portal's own words.
        """
        names = [facet] if isinstance(facet, str) else list(facet)
        query = Query.of(where=where, refine=refine, exclude=exclude, lang=lang, timezone=timezone)
        return self.run(catalog.facets(dataset_id, names, query))

    def export_formats(self, dataset_id: str | None = None) -> list[str]:
        """Return the export formats that are offered for a dataset, or for the catalogue."""
        return self.run(catalog.export_formats(dataset_id))

    def attachments(self, dataset_id: str) -> list[dict[str, Any]]:
        """Return a dataset's attachments: ``[{id, title, mimetype, url}]``."""
        return self.run(catalog.attachments(dataset_id))

    def alternative_exports(self, dataset_id: str) -> list[dict[str, Any]]:
        """Return the files that a publisher offers beside the exports: ``[{id, title, mimetype, url}]``."""
        return self.run(catalog.alternative_exports(dataset_id))
