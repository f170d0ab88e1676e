"""``OdsAnalysisOperator``: aggregate a dataset on the portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.operators.job import QUERY_FIELDS, OdsJobOperator, query_of

if TYPE_CHECKING:
    from ods_provider.jobs.analysis import AnalysisJob
    from ods_provider.jobs.v1 import V1AnalysisJob


class OdsAnalysisOperator(OdsJobOperator):
    """Return aggregates, groups or facet values of a dataset, all of them, however many the portal lists at once.

    Args:
        dataset_id: The dataset.
        select: Aggregates, such as ``"count(*) as cities, max(population) as largest"``.
        group_by: What to group by; None aggregates the whole.
        facet: Facet or facets to list instead: rows ``{facet, value, count}``.
        where, order_by, refine, exclude, lang, timezone: As in a search.
        limit: Rows at most; None wants all.
        v1: Parameters of Search API v1.0, in its own words, instead of the query above:
            ``{"x": "country_code", "y": {"n": {"func": "COUNT"}}}``. With ``clusterprecision`` the rows are clusters.
        path: JSON lines file to write instead of returning rows.
        max_xcom_bytes: Most bytes of rows that are returned; more is an error that asks for a path.

    Returns:
        A list of rows, or an Outcome when ``path`` is given.
    """

    template_fields: Sequence[str] = (
        "ods_conn_id",
        "dataset_id",
        *QUERY_FIELDS,
        "group_by",
        "facet",
        "path",
        "max_xcom_bytes",
        "v1",
    )

    def __init__(
        self,
        *,
        dataset_id: str,
        select: str | None = None,
        group_by: str | Sequence[str] | None = None,
        facet: str | Sequence[str] | None = None,
        where: str | Sequence[str] | None = None,
        order_by: str | None = None,
        refine: Mapping[str, Any] | None = None,
        exclude: Mapping[str, Any] | None = None,
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
        self.select = select
        self.group_by = group_by
        self.facet = facet
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

    def make_job(self) -> AnalysisJob | V1AnalysisJob:
        """Return the analysis that the rendered arguments describe."""
        from ods_provider.core.query import clauses, required, whole_number
        from ods_provider.jobs.analysis import AnalysisJob

        dataset_id = required("dataset_id", self.dataset_id)
        allowed = whole_number("max_xcom_bytes", self.max_xcom_bytes) or 0
        if self.v1 is not None:
            from ods_provider.jobs.v1 import V1AnalysisJob
            from ods_provider.operators.v1 import v1_query

            query = v1_query(self, "group_by", "facet", "geo_cluster")
            return V1AnalysisJob(dataset_id, query, path=self.path, max_xcom_bytes=allowed)
        return AnalysisJob(
            dataset_id=dataset_id,
            query=query_of(self, group_by=self.group_by),
            facet=clauses("facet", self.facet),
            limit=whole_number("limit", self.limit),
            path=self.path,
            max_xcom_bytes=allowed,
        )
