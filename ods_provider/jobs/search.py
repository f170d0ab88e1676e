"""Find datasets, or records of one: pages of 100, one export beyond 10,000 rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from ods_provider.core.checkpoint import Ledger, fingerprint
from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsMoved
from ods_provider.core.limits import PAGE_ROWS, WINDOW_ROWS
from ods_provider.core.plans import catalog, records
from ods_provider.core.query import Query
from ods_provider.core.reading import Reader
from ods_provider.core.times import iso, parse_time
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.rows import Allowance, write_rows

Row = dict[str, Any]
# The time of an answer has whole seconds, is often a cached one, and its clock is not the one that dates the data.
_CLOCK = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class SearchJob:
    """Rows of a query, to XCom or to a JSON lines file.

    A page is the unit of progress: after a wait or a kill, the pages already here are not asked for again.

    Args:
        dataset_id: None searches the catalogue.
        query: What to select.
        limit: Rows at most; None wants all.
        path: File to write; None returns the rows.
        max_xcom_bytes: Most bytes of rows, as JSON, that are returned without a path.
        record_id: One record of the dataset instead of all that match; of the query its select and extras count.
    """

    dataset_id: str | None
    query: Query
    limit: int | None = None
    path: Any = None
    max_xcom_bytes: int = 1_000_000
    record_id: str | None = None
    name: ClassVar[str] = "search"

    def __post_init__(self) -> None:
        narrowed = self.query.filtered or self.query.order_by or self.limit is not None
        if self.record_id is not None and (self.dataset_id is None or narrowed):
            raise OdsConfigError(
                "record_id names one record of a dataset",
                where="argument record_id",
                advice="Name its dataset, and leave out where, order_by, refine, exclude and limit",
            )

    def work(self, ctx: JobContext) -> Any:
        """Return the rows, or an Outcome when a path was given."""
        place = None if self.path is None else ctx.file(self.path)
        base_url = ctx.client.connection.base_url
        ledger = ctx.ledger(
            fingerprint(
                base_url=base_url,
                dataset_id=self.dataset_id,
                query=self.query,
                limit=self.limit,
                record_id=self.record_id,
            ),
            beside=place,
            valid=lambda unit, kept: type(kept["rows"]) is list and (unit != "page-0000" or type(kept["total"]) is int),
        )
        try:
            rows = self._rows(ctx, ledger)
            if place is not None:
                result: Any = write_rows(ctx, place, rows, dataset_id=self.dataset_id)
            else:
                result = list(Allowance(self.max_xcom_bytes).fitting(rows))
        except (OdsMoved, OdsIncomplete):
            # Pages of two states of the dataset must never be put together.
            ledger.clear()
            raise
        ledger.clear()
        return result

    def _rows(self, ctx: JobContext, ledger: Ledger) -> Iterator[Row]:
        if self.dataset_id is not None and self.record_id is not None:
            yield ctx.client.run(records.record(self.dataset_id, self.record_id, self.query))
            return
        pages = _Pages(ctx, self, ledger)
        first = pages.get(0, done=0, total=None, previous=[])
        total = pages.total if self.limit is None else min(self.limit, pages.total)
        if total > WINDOW_ROWS:
            for batch in pages.reader.export(total=total, limited=self.limit is not None):
                ctx.check()
                yield from batch
            return
        yield from first[:total]
        done, previous, number = len(first), first, 1
        resumed = pages.kept > 0
        while done < total:
            page = pages.get(number, done=done, total=total, previous=previous)
            yield from page
            done, previous, number = done + len(page), page, number + 1
            ctx.progress(done, total, "rows")
        if resumed:
            self._expect_same(ctx, pages)

    def _expect_same(self, ctx: JobContext, pages: _Pages) -> None:
        """Raise when the dataset was republished after the first page came, in a run before this one.

        Asked last, and only then: a look at every resume could use up a small quota, and no page would ever come.
        """
        if self.dataset_id is None or pages.sent_at is None:
            return
        processed = ctx.client.run(catalog.dataset(self.dataset_id)).data_processed
        if processed is not None and processed > pages.sent_at + _CLOCK:
            raise OdsMoved(
                f"the dataset was republished at {iso(processed)}, after its first rows had come",
                where=f"dataset {self.dataset_id}",
                advice="Run it again, or use the download, which reads the dataset in one call",
            )


class _Pages:
    """Pages by number, from the ledger where they are confirmed, else from the portal."""

    def __init__(self, ctx: JobContext, job: SearchJob, ledger: Ledger) -> None:
        self._ctx, self._job, self._ledger = ctx, job, ledger
        self.reader = Reader(ctx.client.run, job.dataset_id, job.query)
        self.total = 0
        self.kept = 0
        self.sent_at: datetime | None = None

    def get(self, number: int, *, done: int, total: int | None, previous: list[Row]) -> list[Row]:
        self._ctx.check()
        unit = f"page-{number:04}"
        kept = self._ledger.units.get(unit)
        if kept is not None:
            self.kept += 1
        else:
            kept = self._ask(done=done, total=total, previous=previous)
            # A search of one page has nothing to go on with: it costs its store nothing.
            if number or min(kept["total"], self._job.limit or kept["total"]) > len(kept["rows"]):
                self._ledger.confirm(unit, kept)
        if number == 0:
            self.total, self.sent_at = kept["total"], parse_time(kept.get("sent_at"))
        rows: list[Row] = kept["rows"]
        return rows

    def _ask(self, *, done: int, total: int | None, previous: list[Row]) -> dict[str, Any]:
        job = self._job
        if total is None:
            ask = PAGE_ROWS if job.limit is None else min(PAGE_ROWS, job.limit)
            page = self._ctx.client.run(self.reader.page(limit=ask))
            # Rows that an export will give are not worth keeping.
            big = min(page.total_count, job.limit or page.total_count) > WINDOW_ROWS
            return {"total": page.total_count, "rows": [] if big else page.rows, "sent_at": iso(page.sent_at)}
        return {"rows": self.reader.next_page(done=done, total=total, counted=self.total, previous=previous)}
