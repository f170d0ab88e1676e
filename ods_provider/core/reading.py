"""Read the rows of a query, however many: pages of 100 up to the window, one export beyond and without an order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ods_provider.core import jsonarray, jsonl
from ods_provider.core.errors import OdsConfigError, OdsMismatch, OdsMoved
from ods_provider.core.given import whole_number
from ods_provider.core.limits import PAGE_ROWS, WINDOW_ROWS
from ods_provider.core.plans import records
from ods_provider.core.plans.records import Page, Row
from ods_provider.core.query import Query
from ods_provider.core.wire import ByteStream, Plan

Batch = list[Row]


@dataclass(frozen=True, slots=True)
class Reader:
    """The rows of one query.

    Args:
        run: What runs a plan to its end.
        dataset_id: None reads the catalogue.
        query: What to select.
    """

    run: Callable[[Plan[Any]], Any]
    dataset_id: str | None
    query: Query

    def batches(self, limit: int | None = None) -> Iterator[Batch]:
        """Yield the rows in lists as they come, in constant memory."""
        wanted = whole_number("limit", limit)
        first: Page = self.run(self.page(limit=PAGE_ROWS if wanted is None else min(PAGE_ROWS, wanted)))
        total = first.total_count if wanted is None else min(wanted, first.total_count)
        if total > WINDOW_ROWS or (total > PAGE_ROWS and self._may_overlap):
            yield from self.export(total=total, limited=wanted is not None)
            return
        yield first.rows[:total]
        done, previous = len(first.rows), first.rows
        while done < total:
            page = self.next_page(done=done, total=total, counted=first.total_count, previous=previous)
            yield page
            done, previous = done + len(page), page

    @property
    def _may_overlap(self) -> bool:
        """Whether pages may repeat rows and skip others, and an export may be asked for instead.

        Rows have no order unless one is asked for (Q9). The catalogue's export is not known to look as its pages do.
        """
        plain = not (self.query.include_links or self.query.include_app_metas)
        return self.dataset_id is not None and not self.query.order_by and plain

    def page(self, *, limit: int, offset: int = 0) -> Plan[Page]:
        """Ask for one page. One call."""
        return records.page(self.dataset_id, self.query, offset=offset, limit=limit)

    def next_page(self, *, done: int, total: int, counted: int, previous: Batch) -> Batch:
        """Return the page that begins after ``done`` rows, checked against the one before.

        Raises:
            OdsMoved: The portal counts other rows now than on the first page.
            OdsMismatch: The page is short, or repeats the one before (Q59).
        """
        ask = min(PAGE_ROWS, total - done)
        page: Page = self.run(self.page(offset=done, limit=ask))
        where = f"{self.dataset_id or 'the catalogue'}, rows {done} to {done + ask}"
        if page.total_count != counted:
            raise OdsMoved(
                f"the portal counted {counted} rows, and now {page.total_count}",
                where=where,
                advice="Run it again, or use the download, which reads the dataset in one call",
            )
        if len(page.rows) != ask or (page.rows == previous and len(previous) == ask > 1):
            raise OdsMismatch(
                f"a page holds {len(page.rows)} rows of {ask}"
                if len(page.rows) != ask
                else "a page repeats the one before",
                where=where,
                advice="Add an order_by on a unique field, or use the download",
            )
        return page.rows

    def export(self, *, total: int, limited: bool) -> Iterator[Batch]:
        """Yield the rows of an export and compare their number with ``total`` at the end.

        Raises:
            OdsConfigError: Links or technical fields were asked, which exports do not have.
            OdsMismatch: The numbers differ; the rows yielded so far are not all.
        """
        if self.query.include_links or self.query.include_app_metas:
            raise OdsConfigError(
                f"{total} rows come as an export, which has neither links nor technical fields",
                where="arguments include_links, include_app_metas",
                advice=f"Set a limit of at most {WINDOW_ROWS}, narrow the query, or leave them out",
            )
        limit = total if limited else None
        # The catalogue is not offered as JSON lines.
        named = "json" if self.dataset_id is None else "jsonl"
        response = self.run(records.open_export(self.dataset_id, self.query, format=named, limit=limit))
        assert response.stream is not None  # an export is always streamed
        where = f"GET {response.url}"
        if named == "jsonl":
            found = jsonl.batches(response.stream, where=where, quoted=response.quoted)
        else:
            found = _listed(response.stream, where)
        got = 0
        for batch in found:
            got += len(batch)
            yield batch
        if got != total:
            raise OdsMismatch(
                f"the export held {got} rows where the portal counted {total}",
                where=where,
                advice="It may have been republished meanwhile: run it again",
            )


def _listed(stream: ByteStream, where: str) -> Iterator[Batch]:
    rows = jsonarray.rows(stream, where=where)
    while batch := list(islice(rows, PAGE_ROWS)):
        yield batch
