"""Find datasets, or records of one, to XCom or to a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.plans import records
from ods_provider.core.plans.rows import ExploreRows
from ods_provider.core.query import Query
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.pages import read_rows
from ods_provider.jobs.rows import give_rows


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
        if self.dataset_id is not None and self.record_id is not None:
            found = [ctx.client.run(records.record(self.dataset_id, self.record_id, self.query))]
            return give_rows(ctx, place, found, max_xcom_bytes=self.max_xcom_bytes, dataset_id=self.dataset_id)
        asked = {"dataset_id": self.dataset_id, "query": self.query, "limit": self.limit}
        return read_rows(
            ctx,
            ExploreRows(self.dataset_id, self.query),
            limit=self.limit,
            asked=asked,
            place=place,
            max_xcom_bytes=self.max_xcom_bytes,
            dataset_id=self.dataset_id,
        )
