"""``OdsSearchOperator``: find datasets, or records of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.search import SearchJob
    from ods_provider.jobs.v1 import V1SearchJob


class OdsSearchOperator(OdsJobOperator):
    """Return the rows of a query: datasets of the portal, or records of one dataset.

    Rows that one page of 100 does not hold come in pages where ``order_by`` is given, up to 10,000, else in one export.
    A page is the unit of progress. A dataset that is republished meanwhile is read anew.

    Args:
        dataset_id: The dataset whose records are searched; None searches the catalogue for datasets.
        source: ``catalog``, or ``monitoring`` for what the portal knows of its own use (``ods-api-monitoring``,
            ``ods-datasets-monitoring``); the key needs the right ``explore_monitoring``.
        select: Fields and expressions of ODSQL; None takes all fields.
        where: Filter in ODSQL; a list's clauses must all hold.
        order_by: Order in ODSQL, such as ``population DESC``.
        refine: Facets to keep: ``{"facet": "value"}`` or ``{"facet": ["value", …]}``.
        exclude: Facets to drop, likewise.
        lang: Language of labels and of ``date_format``.
        timezone: Zone of datetime filters and values.
        limit: Rows at most; None wants all.
        include_links: Whether each row comes with its links, ``_links``; up to 10,000 rows.
        include_app_metas: Whether each row comes with its technical fields, such as its id, ``_id``; up to 10,000 rows.
        record_id: One record of the dataset, by its id, instead of a query; the other arguments but ``select``,
            ``lang``, ``timezone`` and the two above are left out.
        v1: Parameters of Search API v1.0, in its own words, instead of the query above: ``{"q": "paris", "rows": 20}``.
            The rows are its ``records`` or ``datasets`` objects, all of them unless ``rows`` says how many.
        path: JSON lines file to write instead of returning rows; ``s3://conn@bucket/key`` works.
        max_xcom_bytes: Most bytes of rows that are returned; more is an error that asks for a path.
        if_unchanged: With a ``path``, when an earlier run wrote the same and the dataset did not change since:
            ``fetch`` it all the same, ``keep`` what stands there and return its Outcome, or ``skip`` this task, and so
            what follows it.

    Returns:
        A list of rows, or an Outcome when ``path`` is given.
    """

    def __init__(
        self,
        *,
        dataset_id: str | None = None,
        source: str = "catalog",
        select: str | Sequence[str] | None = None,
        where: str | Sequence[str] | None = None,
        order_by: str | Sequence[str] | None = None,
        refine: Mapping[str, Any] | str | None = None,
        exclude: Mapping[str, Any] | str | None = None,
        lang: str | None = None,
        timezone: str = "UTC",
        limit: int | str | None = None,
        include_links: bool | str = False,
        include_app_metas: bool | str = False,
        record_id: str | None = None,
        path: Any = None,
        max_xcom_bytes: int | str = 1_000_000,
        if_unchanged: str = "fetch",
        v1: Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.source = source
        self.select = select
        self.where = where
        self.order_by = order_by
        self.refine = refine
        self.exclude = exclude
        self.lang = lang
        self.timezone = timezone
        self.limit = limit
        self.include_links = include_links
        self.include_app_metas = include_app_metas
        self.record_id = record_id
        self.path = path
        self.max_xcom_bytes = max_xcom_bytes
        self.if_unchanged = if_unchanged
        self.v1 = v1

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *job_arguments)

    def make_job(self) -> SearchJob | V1SearchJob:
        """Return the search that the rendered arguments describe."""
        from ods_provider.jobs.arguments import search_job

        return search_job(**self.given())
