"""Aggregate a dataset on the portal: groups, or the values of facets, all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.plans import catalog, records
from ods_provider.core.query import Query
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.rows import Allowance, write_rows


@dataclass(frozen=True, slots=True)
class AnalysisJob:
    """Aggregates, groups or facets, to XCom or to a JSON lines file.

    It takes one call, or two where a list reached the portal's cap; there is nothing to keep between tries.

    Args:
        dataset_id: The dataset.
        query: ``select`` with or without ``group_by``; with facets, only its filters.
        facet: Facets to list instead, as rows ``{facet, value, count}``.
        limit: Rows at most; None wants all.
        path: File to write; None returns the rows.
        max_xcom_bytes: Most bytes of rows, as JSON, that are returned without a path.

    Raises:
        OdsConfigError: Neither aggregates nor facets were asked, or both.
    """

    dataset_id: str
    query: Query
    facet: tuple[str, ...] = ()
    limit: int | None = None
    path: Any = None
    max_xcom_bytes: int = 1_000_000
    name: ClassVar[str] = "analysis"

    def __post_init__(self) -> None:
        aggregated = bool(self.query.select or self.query.group_by)
        if aggregated == bool(self.facet):
            raise OdsConfigError(
                "both aggregates and facets were asked" if aggregated else "neither aggregates nor facets were asked",
                where="arguments select, group_by, facet",
                advice='Pass select="count(*)" with group_by, or facet="country"',
            )

    def work(self, ctx: JobContext) -> Any:
        """Return the rows, or an Outcome when a path was given."""
        place = None if self.path is None else ctx.destination(self.path)
        rows = self._facets(ctx) if self.facet else self._groups(ctx)
        if place is not None:
            return write_rows(ctx, place, rows, dataset_id=self.dataset_id)
        Allowance(self.max_xcom_bytes).take(rows)
        return rows

    def _groups(self, ctx: JobContext) -> list[dict[str, Any]]:
        return ctx.client.run(records.aggregate(self.dataset_id, self.query, limit=self.limit))

    def _facets(self, ctx: JobContext) -> list[dict[str, Any]]:
        found = ctx.client.run(catalog.facets(self.dataset_id, self.facet, self.query))
        rows = [
            {"facet": name, "value": value, "count": count} for name, pairs in found.items() for value, count in pairs
        ]
        return rows if self.limit is None else rows[: self.limit]
