"""``OdsDownloadOperator``: bring a dataset into a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.download import DownloadJob
    from ods_provider.jobs.parts.parted import PartedDownloadJob
    from ods_provider.jobs.parts.spread import PartJob


class OdsDownloadOperator(OdsJobOperator):
    """Write a dataset, or a query of it, to a file that holds exactly its rows.

    The rows are counted as they pass and compared with what the portal counts before and after. The file appears under
    its name only when they agree, and replaces an older one in one step.

    Args:
        dataset_id: The dataset; None exports the catalogue (``csv``, ``json``, ``xlsx``, ``dcat``, ``rss`` and others).
        source: ``catalog``, or ``monitoring`` for what the portal knows of its own use (``ods-api-monitoring``,
            ``ods-datasets-monitoring``); the key needs the right ``explore_monitoring``.
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
        if_unchanged: When an earlier run wrote the same and the dataset did not change since: ``fetch`` it all the
            same, ``keep`` what stands there and return its Outcome, or ``skip`` this task, and so what follows it.
        parallel: Streams at the same time, 1 to 32, each of them a part of the rows that is kept once it is whole;
            ``auto`` looks at the size and the quota. A portal sends some 64 KB/s a stream.
        partition_by: Field to cut the rows by; None finds one. Either way the portal's counts have to prove the cut.
        layout: ``file``, or ``folder`` of parts (``part-00000.parquet``) with a manifest, committed whole.
        part: One of the parts that ``OdsPartitionOperator`` named, by ``expand_kwargs``; it says all else, and is no
            template.

    Returns:
        An Outcome: rows, size_bytes, sha256, verified, data_processed, moved, calls, quota_remaining; ``hidden_rows``
        and a ``note`` where the portal shows this key fewer rows than it says the dataset holds.
    """

    def __init__(
        self,
        *,
        dataset_id: str | None,
        path: Any,
        source: str = "catalog",
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
        if_unchanged: str = "fetch",
        parallel: int | str = 1,
        partition_by: str | None = None,
        layout: str = "file",
        part: Mapping[str, Any] | None = None,
        v1: Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.path = path
        self.source = source
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
        self.if_unchanged = if_unchanged
        self.parallel = parallel
        self.partition_by = partition_by
        self.layout = layout
        self.part = part
        self.v1 = v1

    job_arguments = arguments_of(__init__)
    # Values of a portal may look like templates, and a part holds some.
    template_fields: Sequence[str] = ("ods_conn_id", *(name for name in job_arguments if name != "part"))

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Map the download; the instances are labelled by their part, or by the end of their path."""
        kwargs.setdefault("map_index_template", "{{ task.map_label }}")
        return super().partial(**kwargs)

    @property
    def map_label(self) -> str:
        """What an instance of the mapped task is called."""
        if self.part is not None:
            return f"{self.part['number']}: {self.part['label']}"
        return str(self.path).rstrip("/").rpartition("/")[2]

    def make_job(self) -> DownloadJob | PartedDownloadJob | PartJob:
        """Return the download that the rendered arguments describe."""
        from ods_provider.jobs.arguments import download_job

        return download_job(**self.given())
