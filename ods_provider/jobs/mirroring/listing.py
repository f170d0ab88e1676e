"""The catalogue, read once: all that decides which datasets are asked for."""

from __future__ import annotations

from dataclasses import dataclass

from ods_provider.core.plans.rows import ExploreRows
from ods_provider.core.query import Query
from ods_provider.core.reading import Reader
from ods_provider.core.schema import Dataset
from ods_provider.core.times import iso
from ods_provider.jobs.context import JobContext


@dataclass(frozen=True, slots=True)
class Listed:
    """A dataset as the catalogue lists it.

    Attributes:
        dataset_id: Its id.
        uid: What stays when the id is changed; None where the portal does not say.
        data_processed: When its records last changed, ISO 8601; None where the portal does not say.
        records_count: Rows that it says it holds.
        left_out: Why it has no rows to fetch, None where it has.
    """

    dataset_id: str
    uid: str | None = None
    data_processed: str | None = None
    records_count: int | None = None
    left_out: str | None = None


def read_catalogue(ctx: JobContext, query: Query) -> list[Listed]:
    """Return the datasets that match the filters: one call for up to 100, else an export between two counts."""
    batches = Reader(ctx.client.run, ExploreRows(None, query)).batches()
    return [_listed(Dataset.from_json(row)) for rows in batches for row in rows]


def _listed(found: Dataset) -> Listed:
    why = None
    if not found.has_records:
        why = "it holds no records"
    elif not found.data_visible:
        why = "its records are not shown to this key"
    return Listed(found.dataset_id, found.dataset_uid, iso(found.data_processed), found.records_count, why)
