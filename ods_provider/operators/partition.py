"""``OdsPartitionOperator``: name the parts of a download, for mapped tasks on any worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.parts.spread import PartitionJob


class OdsPartitionOperator(OdsJobOperator):
    """Cut a dataset, or a query of it, into parts that are all of it, proven by the portal's own counts.

    Fetch them with ``OdsDownloadOperator.partial(task_id=...).expand_kwargs(parts.output)``, and commit them with
    ``OdsAssembleOperator(parts=download.output)``. Where one machine is enough, ``OdsDownloadOperator(parallel=N)``
    does all of this in one task.

    Args:
        dataset_id: The dataset.
        source: As in a download.
        path: Where it goes in the end, a text that all workers can open: a shared path or ``s3://conn@bucket/key``.
        parts: How many, 1 to 1,000; ``auto`` looks at the size and the quota.
        partition_by: Field to cut by; None finds one.
        layout: ``folder`` of parts (``part-00000.parquet``) with a manifest, or one ``file``.
        format, format_options: As in a download.
        select, where, refine, exclude, lang, timezone: As in a search.

    Returns:
        A list of mappings, one a part, for ``expand_kwargs``.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        path: str,
        source: str = "catalog",
        parts: int | str = "auto",
        partition_by: str | None = None,
        layout: str = "folder",
        format: str | None = None,
        select: str | Sequence[str] | None = None,
        where: str | Sequence[str] | None = None,
        refine: Mapping[str, Any] | str | None = None,
        exclude: Mapping[str, Any] | str | None = None,
        lang: str | None = None,
        timezone: str = "UTC",
        format_options: Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.path = path
        self.source = source
        self.parts = parts
        self.partition_by = partition_by
        self.layout = layout
        self.format = format
        self.select = select
        self.where = where
        self.refine = refine
        self.exclude = exclude
        self.lang = lang
        self.timezone = timezone
        self.format_options = format_options

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *job_arguments)

    def make_job(self) -> PartitionJob:
        """Return the job that the rendered arguments describe."""
        from ods_provider.jobs.arguments import partition_job

        return partition_job(**self.given())
