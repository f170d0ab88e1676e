"""Aggregate a dataset on the portal: groups, clusters, or the values of facets, all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ods_provider.core.clusters import GeoCluster, cluster_rows
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.plans import catalog, records
from ods_provider.core.query import Query
from ods_provider.core.source import CATALOG, Source
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.rows import give_map, give_rows


@dataclass(frozen=True, slots=True)
class AnalysisJob:
    """Aggregates, groups, clusters or facets, to XCom or to a file of JSON lines (GeoJSON where asked).

    It takes one call, or two where a list reached the portal's cap; there is nothing to keep between tries.

    Args:
        dataset_id: The dataset; None analyses the catalogue.
        query: ``select`` with or without ``group_by``; with facets, only its filters.
        facet: Facets to list instead, as rows ``{facet, value, count}``.
        geo_cluster: Clusters of points instead of ``group_by``; counted unless ``select`` says otherwise.
        geojson: Whether clusters come as a FeatureCollection.
        limit: Rows at most; None wants all.
        path: File to write; None returns the rows.
        max_xcom_bytes: Most bytes of rows, as JSON, that are returned without a path.
        source: Where the dataset is kept.

    Raises:
        OdsConfigError: Not exactly one of aggregates, clusters and facets was asked.
    """

    dataset_id: str | None
    query: Query
    facet: tuple[str, ...] = ()
    geo_cluster: GeoCluster | None = None
    geojson: bool = False
    limit: int | None = None
    path: Any = None
    max_xcom_bytes: int = 1_000_000
    source: Source = CATALOG
    name: ClassVar[str] = "analysis"

    def __post_init__(self) -> None:
        aggregated = bool(self.query.select or self.query.group_by or self.geo_cluster)
        if aggregated == bool(self.facet):
            raise OdsConfigError(
                "both aggregates and facets were asked" if aggregated else "neither aggregates nor facets were asked",
                where="arguments select, group_by, geo_cluster, facet",
                advice='Pass select="count(*)" with group_by or geo_cluster, or facet="country"',
            )
        if self.geo_cluster and (self.query.group_by or self.dataset_id is None):
            raise OdsConfigError(
                "geo_cluster groups the points of a dataset by itself",
                where="arguments geo_cluster, group_by, dataset_id",
                advice="Leave group_by out and name a dataset",
            )
        if self.geojson and not self.geo_cluster:
            raise OdsConfigError(
                "only clusters have a place on a map", where="argument geojson", advice="Pass geo_cluster with it"
            )

    def work(self, ctx: JobContext) -> Any:
        """Return the rows, or an Outcome when a path was given."""
        ctx = ctx.at(self.source)
        rows = self._facets(ctx) if self.facet else self._clusters(ctx) if self.geo_cluster else self._groups(ctx)
        place = None if self.path is None else ctx.file(self.path)
        if self.geojson:
            return give_map(ctx, place, rows, max_xcom_bytes=self.max_xcom_bytes, dataset_id=self.dataset_id)
        return give_rows(ctx, place, rows, max_xcom_bytes=self.max_xcom_bytes, dataset_id=self.dataset_id)

    def _groups(self, ctx: JobContext) -> list[dict[str, Any]]:
        return ctx.client.run(records.aggregate(self.dataset_id, self.query, limit=self.limit))

    def _clusters(self, ctx: JobContext) -> list[dict[str, Any]]:
        assert self.geo_cluster is not None
        query = replace(
            self.query, select=self.query.select or "count(*) as count", group_by=self.geo_cluster.group_by()
        )
        rows = ctx.client.run(records.aggregate(self.dataset_id, query, limit=self.limit))
        return cluster_rows(rows, where=f"dataset {self.dataset_id}")

    def _facets(self, ctx: JobContext) -> list[dict[str, Any]]:
        found = ctx.client.run(catalog.facets(self.dataset_id, self.facet, self.query))
        rows = [
            {"facet": name, "value": value, "count": count} for name, pairs in found.items() for value, count in pairs
        ]
        return rows if self.limit is None else rows[: self.limit]
