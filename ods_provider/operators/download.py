"""``OdsDownloadOperator``: bring a dataset into a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.download import DownloadJob


class OdsDownloadOperator(OdsJobOperator):
    """Write a dataset, or a query of it, to a file that holds exactly its rows.

    The rows are counted as they pass and compared with what the portal counts before and after. The file appears under
    its name only when they agree, and replaces an older one in one step.

    Args:
        dataset_id: The dataset; None exports the catalogue (``csv``, ``json``, ``xlsx``, ``dcat``, ``rss`` and others).
        path: File to write: a path, an fsspec URL, ``s3://conn@bucket/key``, or an ObjectStoragePath.
        format: None takes what the path's ending names (``cities.csv``; ``cities.csv.gz`` comes as gzip), and Parquet
            where it has none. Else ``parquet``, ``csv``, ``jsonl``, ``json``, ``geojson``, ``xlsx``, or another that
            the portal offers (``shp``, ``fgb``, ``kml``, ``gpx``, ``ical``, ``jsonld``, ``n3``, ``turtle``, ``rdfxml``,
            ``ov2``); an ending that says another one is an error.
        select, where, order_by, refine, exclude, lang, timezone: As in a search.
        group_by: Group the rows on the portal; groups are not capped here.
        limit: Rows at most; None wants all.
        format_options: The format's own parameters. CSV comes comma separated without a BOM unless they say otherwise
            (``{"delimiter": ";", "with_bom": True}``). ``use_labels``, ``epsg`` and ``compressed`` go with every format
            of a dataset.
        v1: Parameters of Search API v1.0, in its own words, instead of the query above: ``{"q": "paris", "format":
            "csv"}``. A path without an ending gets CSV there, with ``;`` unless ``csv_separator`` says otherwise.
        if_moved: When the dataset is republished meanwhile: ``retry`` (three tries), ``fail``, or ``accept``.
        min_rows: Fewer rows than this are an error.

    Returns:
        An Outcome: rows, size_bytes, sha256, verified, data_processed, moved, calls, quota_remaining; ``hidden_rows``
        and a ``note`` where the portal shows this key fewer rows than it says the dataset holds.
    """

    def __init__(
        self,
        *,
        dataset_id: str | None,
        path: Any,
        format: str | None = None,
        select: str | Sequence[str] | None = None,
        where: str | Sequence[str] | None = None,
        order_by: str | Sequence[str] | None = None,
        refine: Mapping[str, Any] | str | None = None,
        exclude: Mapping[str, Any] | str | None = None,
        lang: str | None = None,
        timezone: str = "UTC",
        limit: int | str | None = None,
        group_by: str | Sequence[str] | None = None,
        format_options: Mapping[str, Any] | str | None = None,
        if_moved: str = "retry",
        min_rows: int | str = 0,
        v1: Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.path = path
        self.format = format
        self.select = select
        self.where = where
        self.order_by = order_by
        self.refine = refine
        self.exclude = exclude
        self.lang = lang
        self.timezone = timezone
        self.limit = limit
        self.group_by = group_by
        self.format_options = format_options
        self.if_moved = if_moved
        self.min_rows = min_rows
        self.v1 = v1

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *job_arguments)

    def make_job(self) -> DownloadJob:
        """Return the download that the rendered arguments describe."""
        from ods_provider.jobs.arguments import download_job

        return download_job(**self.given())
