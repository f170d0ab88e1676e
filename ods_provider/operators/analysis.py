"""``OdsAnalysisOperator``: aggregate a dataset on the portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.analysis import AnalysisJob
    from ods_provider.jobs.v1 import V1AnalysisJob


class OdsAnalysisOperator(OdsJobOperator):
    """Return aggregates, groups or facet values of a dataset, all of them, however many the portal lists at once.

    Args:
        dataset_id: The dataset; None analyses the catalogue.
        source: As in a search.
        select: Aggregates, such as ``"count(*) as cities, max(population) as largest"``.
        group_by: What to group by; None aggregates the whole.
        facet: Facet or facets to list instead: rows ``{facet, value, count}``. A facet may be a call of the portal's:
            ``facet(name="country", sort="alphanum", limit=20)``.
        geo_cluster: Clusters of points on a map instead of groups:
            ``{"field": "coordinates", "zoom": 6, "radius": 40}``, zoom 0 (the world) to 25, radius in pixels.
            Rows are ``{cluster_center: {lon, lat}, count}``, or what ``select`` says in place of the count.
        geojson: Return clusters as a GeoJSON FeatureCollection.
        where, order_by, refine, exclude, lang, timezone: As in a search.
        limit: Rows at most; None wants all.
        v1: Parameters of Search API v1.0, in its own words, instead of the query above:
            ``{"x": "country_code", "y": {"n": {"func": "COUNT"}}}``. With ``clusterprecision`` the rows are clusters.
        path: JSON lines file to write instead of returning rows.
        max_xcom_bytes: Most bytes of rows that are returned; more is an error that asks for a path.

    Returns:
        A list of rows, or an Outcome when ``path`` is given.
    """

    def __init__(
        self,
        *,
        dataset_id: str | None,
        source: str = "catalog",
        select: str | Sequence[str] | None = None,
        group_by: str | Sequence[str] | None = None,
        facet: str | Sequence[str] | None = None,
        geo_cluster: Mapping[str, Any] | str | None = None,
        geojson: bool | str = False,
        where: str | Sequence[str] | None = None,
        order_by: str | Sequence[str] | None = None,
        refine: Mapping[str, Any] | str | None = None,
        exclude: Mapping[str, Any] | str | None = None,
        lang: str | None = None,
        timezone: str = "UTC",
        limit: int | str | None = None,
        path: Any = None,
        max_xcom_bytes: int | str = 1_000_000,
        v1: Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.source = source
        self.select = select
        self.group_by = group_by
        self.facet = facet
        self.geo_cluster = geo_cluster
        self.geojson = geojson
        self.where = where
        self.order_by = order_by
        self.refine = refine
        self.exclude = exclude
        self.lang = lang
        self.timezone = timezone
        self.limit = limit
        self.path = path
        self.max_xcom_bytes = max_xcom_bytes
        self.v1 = v1

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *job_arguments)

    def make_job(self) -> AnalysisJob | V1AnalysisJob:
        """Return the analysis that the rendered arguments describe."""
        from ods_provider.jobs.arguments import analysis_job

        return analysis_job(**self.given())
