"""Search, analysis and download through Search API v1.0, in that API's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar, cast

from ods_provider.core import jsonarray
from ods_provider.core.checkpoint import Ledger, fingerprint
from ods_provider.core.clusters import cluster_rows
from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsMismatch, OdsMoved
from ods_provider.core.formats.endings import format_for
from ods_provider.core.formats.registry import Format, format_named
from ods_provider.core.plans.v1 import calls
from ods_provider.core.plans.v1.params import PAGE_ROWS, WINDOW_ROWS, V1Query
from ods_provider.core.times import parse_time
from ods_provider.core.wire import Plan, Response
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import DownloadJob, State
from ods_provider.jobs.rows import Allowance, give_map, write_rows

Row = dict[str, Any]
T = TypeVar("T")

FORMATS = {made.name: made for made in (*map(format_named, ("csv", "json", "geojson", "shp", "kml")), Format("xls"))}


@dataclass(frozen=True, slots=True)
class V1SearchJob:
    """Record objects of a dataset, or dataset objects of the catalogue, to XCom or to a JSON lines file.

    All that match unless ``rows`` says how many: in pages of 1,000, and past 10,000 in one download. A page is the unit
    of progress.

    Args:
        dataset_id: None searches the catalogue.
        query: That API's parameters.
        path: File to write; None returns the rows.
        max_xcom_bytes: Most bytes of rows, as JSON, that are returned without a path.
    """

    dataset_id: str | None
    query: V1Query
    path: Any = None
    max_xcom_bytes: int = 1_000_000
    name: ClassVar[str] = "search"

    def work(self, ctx: JobContext) -> Any:
        """Return the rows, or an Outcome when a path was given."""
        place = None if self.path is None else ctx.file(self.path)
        base_url = ctx.client.connection.base_url
        identity = fingerprint(base_url=base_url, dataset_id=self.dataset_id, v1=self.query.params)
        ledger = ctx.ledger(identity, beside=place)
        try:
            rows = self.rows(ctx, ledger)
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

    def rows(self, ctx: JobContext, ledger: Ledger) -> Iterator[Row]:
        """Yield the rows; pages that the ledger holds are not asked for again."""
        query = self.query.expect_json()
        wanted, start = query.number("rows"), query.number("start") or 0
        first = min(PAGE_ROWS, WINDOW_ROWS - start if wanted is None else wanted)
        page = self._page(ctx, ledger, query, start=start, rows=max(0, first))
        nhits = page["nhits"]
        total = max(0, nhits - start) if wanted is None else max(0, min(wanted, nhits - start))
        if start + total > WINDOW_ROWS:
            yield from self._all(ctx, query, total)
            return
        seen: set[str] = set()
        done = 0
        while True:
            rows = page["rows"]
            self._expect_page(page, nhits, seen, ask=min(PAGE_ROWS, total - done), done=done)
            yield from rows
            done += len(rows)
            if done >= total:
                return
            ctx.progress(done, total, "rows")
            page = self._page(ctx, ledger, query, start=start + done, rows=min(PAGE_ROWS, total - done))

    def _page(self, ctx: JobContext, ledger: Ledger, query: V1Query, *, start: int, rows: int) -> Row:
        ctx.check()
        unit = f"start-{start:05}"
        kept: Row | None = ledger.units.get(unit)
        if kept is not None:
            return kept
        asked = query.having(start=start, rows=rows)
        plan: Plan[Row] = (
            calls.search_datasets(asked) if self.dataset_id is None else calls.search_records(self.dataset_id, asked)
        )
        body = ctx.client.run(plan)
        page = {"nhits": calls.hits(body), "rows": body["datasets" if self.dataset_id is None else "records"]}
        # A search of one page has nothing to go on with: it costs its store nothing.
        if len(page["rows"]) == PAGE_ROWS and page["nhits"] > start + PAGE_ROWS:
            ledger.confirm(unit, page)
        return page

    def _expect_page(self, page: Row, nhits: int, seen: set[str], *, ask: int, done: int) -> None:
        where = f"{self.dataset_id or 'the catalogue'}, rows {done} to {done + ask}"
        if page["nhits"] != nhits:
            raise OdsMoved(
                f"the portal counted {nhits} rows, and now {page['nhits']}",
                where=where,
                advice="Run it again, or use the download, which reads the dataset in one call",
            )
        ids = {str(row.get("recordid") or row.get("datasetid")) for row in page["rows"]}
        if len(page["rows"]) != ask or len(ids) != ask or ids & seen:
            raise OdsMismatch(
                f"a page holds {len(ids - seen)} new rows of {ask}",
                where=where,
                advice="Sort by a field without equal values, or use the download",
            )
        seen |= ids

    def _all(self, ctx: JobContext, query: V1Query, total: int) -> Iterator[Row]:
        """Yield the rows past the window, where only a download goes on; it knows neither start nor order."""
        if self.dataset_id is None or query.get("start") or query.get("sort"):
            raise OdsConfigError(
                f"{total} rows match, and Search API v1.0 shows the first {WINDOW_ROWS} rows only",
                where="parameters rows, start and sort",
                advice="Narrow the query, leave start and sort out so that a download can be used, or use Explore v2.1",
            )
        limited = query.number("rows") is not None
        asked = query.having(rows=None, facet=None, format="json")
        response = ctx.client.run(calls.open_download(self.dataset_id, asked))
        assert response.stream is not None  # a download is always streamed
        got = 0
        for row in jsonarray.rows(response.stream, where=response.url):
            ctx.check()
            got += 1
            yield row
            if limited and got == total:
                return
            if got % PAGE_ROWS == 0:
                ctx.progress(got, total, "rows")
        if got != total:
            raise OdsMismatch(
                f"the download held {got} rows where the portal counted {total}",
                where=response.url,
                advice="The dataset may have been republished meanwhile: run it again",
            )


@dataclass(frozen=True, slots=True)
class V1AnalysisJob:
    """An analysis, or clusters where their parameters are given, to XCom or to a JSON lines file. One call.

    Args:
        dataset_id: The dataset.
        query: That API's parameters: ``x`` and ``y``, or ``clusterprecision``.
        path: File to write; None returns the rows.
        max_xcom_bytes: Most bytes of rows, as JSON, that are returned without a path.
        geojson: Whether clusters come as a FeatureCollection.
    """

    dataset_id: str
    query: V1Query
    path: Any = None
    max_xcom_bytes: int = 1_000_000
    geojson: bool = False
    name: ClassVar[str] = "analysis"

    def __post_init__(self) -> None:
        if not any(name.startswith("y.") or name == "clusterprecision" for name, _ in self.query.params):
            raise OdsConfigError(
                "neither a series nor a cluster precision was asked",
                where="argument v1",
                advice='Pass {"x": "country", "y": {"n": {"func": "COUNT"}}}, or {"clusterprecision": 5}',
            )
        if self.geojson and self.query.get("clusterprecision") is None:
            raise OdsConfigError(
                "only clusters have a place on a map", where="argument geojson", advice="Pass clusterprecision in v1"
            )

    def work(self, ctx: JobContext) -> Any:
        """Return the rows, or an Outcome when a path was given."""
        place = None if self.path is None else ctx.file(self.path)
        if self.query.get("clusterprecision") is not None:
            rows: list[Row] = ctx.client.run(calls.geocluster(self.dataset_id, self.query))["clusters"]
        else:
            rows = ctx.client.run(calls.analyze(self.dataset_id, self.query))
        if self.geojson:
            placed = cluster_rows(rows, where=f"dataset {self.dataset_id}")
            return give_map(ctx, place, placed, max_xcom_bytes=self.max_xcom_bytes, dataset_id=self.dataset_id)
        if place is not None:
            return write_rows(ctx, place, rows, dataset_id=self.dataset_id)
        Allowance(self.max_xcom_bytes).take(rows)
        return rows


@dataclass(frozen=True, slots=True)
class V1DownloadJob(DownloadJob):
    """One download, counted, hashed, and compared with the ``nhits`` of the same query before and after.

    Args:
        v1: That API's parameters.
    """

    v1: V1Query = field(default_factory=V1Query)

    @classmethod
    def of(
        cls,
        dataset_id: str,
        path: Any,
        query: V1Query,
        *,
        format: str | None = None,
        if_moved: Any = "retry",
        min_rows: int = 0,
    ) -> V1DownloadJob:
        """Return the download of a query; its format is the query's own, else ``format``, else by the path's ending.

        Args:
            dataset_id: The dataset.
            path: File to write; without an ending it gets CSV.
            query: That API's parameters.
            if_moved: As in a download.
            min_rows: As in a download.
            format: What the caller asked for besides, None for nothing.

        Raises:
            OdsConfigError: The format is not offered, or two were named.
        """
        named = query.get("format")
        asked = {each for each in (named, format) if each}
        if len(asked) > 1 or not asked <= set(FORMATS):
            raise OdsConfigError(
                f"Search API v1.0 offers {', '.join(FORMATS)}, and was asked for {' and '.join(sorted(asked))}",
                where="argument format",
                advice="Name one of them, as format or within v1, or use Explore v2.1 for the others",
            )
        chosen = format_for(path, next(iter(asked), None), FORMATS, default="csv")
        return cls(
            dataset_id=dataset_id,
            path=path,
            format=FORMATS[chosen],
            limit=query.number("rows"),
            if_moved=if_moved,
            min_rows=min_rows,
            v1=query.having(format=chosen),
        )

    def _look(self, ctx: JobContext) -> State:
        dataset_id = cast("str", self.dataset_id)  # ``of`` wants one
        metas = ctx.client.run(calls.dataset(dataset_id)).get("metas") or {}
        matching = ctx.client.run(calls.count(dataset_id, self.v1))
        return State(matching, metas.get("records_count"), parse_time(metas.get("data_processed")))

    def _plan(self, read: Callable[[Response], T]) -> Plan[T]:
        return calls.download(cast("str", self.dataset_id), self.v1, read)

    @property
    def _filtered(self) -> bool:
        return self.v1.filtered
