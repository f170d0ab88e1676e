"""Find datasets, or records of one, to XCom or to a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.plans import catalog, records
from ods_provider.core.plans.rows import ExploreRows
from ods_provider.core.query import Query
from ods_provider.core.source import CATALOG, Source, named
from ods_provider.core.times import iso
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.pages import Finish, as_it_is, read_rows
from ods_provider.jobs.rows import give_rows
from ods_provider.jobs.unchanged import Earlier, IfUnchanged, digest_of, expect_known
from ods_provider.sinks.destination import Destination


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
        if_unchanged: With a path: what to do when an earlier run wrote the same and the dataset did not change since:
            ``fetch`` it all the same, ``keep`` what stands there, or ``skip`` what follows too.
        source: Where the dataset is kept.
    """

    dataset_id: str | None
    query: Query
    limit: int | None = None
    path: Any = None
    max_xcom_bytes: int = 1_000_000
    record_id: str | None = None
    if_unchanged: IfUnchanged = "fetch"
    source: Source = CATALOG
    name: ClassVar[str] = "search"

    def __post_init__(self) -> None:
        expect_known(self.if_unchanged)
        if self.if_unchanged != "fetch" and self.path is None:
            raise OdsConfigError(
                f"if_unchanged={self.if_unchanged!r} goes with a file: rows that are returned are kept nowhere",
                where="argument if_unchanged",
                advice="Give a path, or leave it out",
            )
        narrowed = self.query.filtered or self.query.order_by or self.limit is not None
        if self.record_id is not None and (self.dataset_id is None or narrowed):
            raise OdsConfigError(
                "record_id names one record of a dataset",
                where="argument record_id",
                advice="Name its dataset, and leave out where, order_by, refine, exclude and limit",
            )

    def work(self, ctx: JobContext) -> Any:
        """Return the rows, or an Outcome when a path was given."""
        ctx = ctx.at(self.source)
        place = None if self.path is None else ctx.file(self.path)
        if place is None:
            return self._read(ctx, None)
        asked = {"job": self.name, "record_id": self.record_id, **self._asked()}
        earlier = Earlier(ctx, place, asked, how=self.if_unchanged)
        before = self._state(ctx)
        found = earlier.still(before["dataset_state"])
        if found is not None:
            return found

        def finish(written: dict[str, Any]) -> dict[str, Any]:
            # Of which of two states the rows are, nobody knows.
            same = before if before == self._state(ctx) else {"dataset_state": None}
            return earlier.written(written | same | {"calls": ctx.calls})

        return self._read(ctx, place, finish)

    def _asked(self) -> dict[str, Any]:
        return {"dataset_id": named(self.source, self.dataset_id), "query": self.query, "limit": self.limit}

    def _state(self, ctx: JobContext) -> dict[str, str | None]:
        """Return what an Outcome tells of the dataset's state, nothing where nobody asks."""
        if self.if_unchanged == "fetch" or self.dataset_id is None:
            return {"dataset_state": None}
        dataset = ctx.client.run(catalog.dataset(self.dataset_id))
        matching = ctx.client.run(records.count(self.dataset_id, self.query))
        digest = digest_of(dataset.data_processed, dataset.records_count, matching, dataset)
        return {"data_processed": iso(dataset.data_processed), "dataset_state": digest}

    def _read(self, ctx: JobContext, place: Destination | None, finish: Finish = as_it_is) -> Any:
        if self.dataset_id is not None and self.record_id is not None:
            found = [ctx.client.run(records.record(self.dataset_id, self.record_id, self.query))]
            return finish(give_rows(ctx, place, found, max_xcom_bytes=self.max_xcom_bytes, dataset_id=self.dataset_id))
        return read_rows(
            ctx,
            ExploreRows(self.dataset_id, self.query),
            limit=self.limit,
            asked=self._asked(),
            place=place,
            max_xcom_bytes=self.max_xcom_bytes,
            dataset_id=self.dataset_id,
            finish=finish,
        )
