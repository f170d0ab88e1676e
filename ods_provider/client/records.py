"""Records, counts and aggregates of a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ods_provider.client.running import Runs
from ods_provider.core.plans import records
from ods_provider.core.plans.rows import ExploreRows
from ods_provider.core.query import Filter, Query
from ods_provider.core.reading import Reader
from ods_provider.core.typed import typing_of

if TYPE_CHECKING:
    from ods_provider.core.plans.records import Row


class RecordCalls(Runs):
    """The client's methods about records."""

    def count(
        self,
        dataset_id: str | None,
        *,
        where: str | Sequence[str] | None = None,
        refine: Filter = None,
        exclude: Filter = None,
    ) -> int:
        """Return how many records match; without a dataset, how many datasets."""
        return self.run(records.count(dataset_id, Query.of(where=where, refine=refine, exclude=exclude)))

    def records(
        self,
        dataset_id: str,
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
        """Yield records as dicts in constant memory.

        Where one page of 100 does not hold them, they come in pages if ``order_by`` is given; without it, and past
        10,000, from one export, because pages without an order may repeat rows and skip others. ``select`` to
        ``timezone`` are the portal's own words, ``limit`` the most records wanted. With ``include_links`` and
        ``include_app_metas`` each comes with its links and technical fields, in pages, up to 10,000 records. ``typed``
        gives dates, times and points Python's types from the schema (``core.typed`` has the table), which costs one
        call per client and dataset; else they stay as the portal's JSON has them.

        Raises:
            OdsMismatch: Fewer or more came than the portal counts, or pages repeat rows.
            OdsMoved: The dataset changed while it was read.
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
        rows = ExploreRows(dataset_id, query)
        known = dataset_id in self._schemas
        convert = typing_of(self.schema(dataset_id)) if typed else None
        state = rows.described(self.schema(dataset_id)) if typed and not known else None
        for batch in Reader(self.run, rows).batches(limit, state=state):
            yield from convert(batch) if convert else batch

    def record(
        self,
        dataset_id: str,
        record_id: str,
        *,
        select: str | None = None,
        lang: str | None = None,
        timezone: str = "UTC",
        include_links: bool = False,
        include_app_metas: bool = False,
        typed: bool = True,
    ) -> Row:
        """Return one record, ``typed`` as in ``records``.

        Its id is the ``_id`` that ``records(include_app_metas=True)`` shows.
        """
        query = Query.of(
            select=select,
            lang=lang,
            timezone=timezone,
            include_links=include_links,
            include_app_metas=include_app_metas,
        )
        row = self.run(records.record(dataset_id, record_id, query))
        return typing_of(self.schema(dataset_id))([row])[0] if typed else row

    def aggregate(
        self,
        dataset_id: str | None,
        *,
        select: str,
        group_by: str | Sequence[str] | None = None,
        where: str | Sequence[str] | None = None,
        order_by: str | None = None,
        refine: Filter = None,
        exclude: Filter = None,
        lang: str | None = None,
        timezone: str = "UTC",
        limit: int | None = None,
    ) -> list[Row]:
        """Return aggregates: one row without ``group_by``, all groups with it, however many they are.

        ``select`` holds aggregates (``"count(*) as n"``), ``group_by`` fields, ``range(…)``, ``year(…)`` and the like,
        ``limit`` the most groups wanted. Without a dataset the catalogue is aggregated.
        """
        query = Query.of(
            select=select,
            group_by=group_by,
            where=where,
            order_by=order_by,
            refine=refine,
            exclude=exclude,
            lang=lang,
            timezone=timezone,
        )
        return self.run(records.aggregate(dataset_id, query, limit=limit))

    def rows(self, dataset_id: str | None, query: Query, *, limit: int | None = None) -> Iterator[Row]:
        """Yield the rows of a ready query as the portal's JSON has them; without a dataset, those of the catalogue."""
        for rows in Reader(self.run, ExploreRows(dataset_id, query)).batches(limit):
            yield from rows
