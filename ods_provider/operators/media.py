"""``OdsMediaOperator``: fetch the files of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.media import MediaJob


class OdsMediaOperator(OdsJobOperator):
    """Fetch a dataset's attachments or alternative exports, or the files of its records, into a folder.

    Files come in parallel, under safe names, with a manifest of what came from where. A file is the unit of progress.

    Args:
        dataset_id: The dataset.
        path: Folder; a path, an fsspec URL, ``s3://conn@bucket/prefix``, or an ObjectStoragePath.
        kind: ``attachments``, ``alternative_exports``, ``files`` of a field, or ``thumbnails`` of its images.
        field: The file-typed field; None takes the only one.
        where: ODSQL filter on the records whose files are wanted.
        refine, exclude: The same, by facets: ``{"facet": "value"}`` or ``{"facet": ["value", …]}``.
        limit: Files at most; None wants all.
        parallel: Files fetched at the same time.
        if_missing: When a file is listed and not there: ``fail`` once the others have come, or ``skip`` it and say so
            in the manifest.
        if_unchanged: When an earlier run fetched the same and the dataset did not change since: ``fetch`` it all the
            same, ``keep`` what stands there and return its Outcome, or ``skip`` this task, and so what follows it.
        v1: Parameters of Search API v1.0, in its own words, instead of the filters and the limit above:
            ``{"q": "paris", "rows": 20}``. Empty, it takes all files, by that API's list and from its addresses.

    Returns:
        An Outcome: files, missing, size_bytes, manifest (a JSON lines file), calls, quota_remaining.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        path: Any,
        kind: str = "attachments",
        field: str | None = None,
        where: str | Sequence[str] | None = None,
        refine: Mapping[str, Any] | str | None = None,
        exclude: Mapping[str, Any] | str | None = None,
        limit: int | str | None = None,
        parallel: int | str = 4,
        if_missing: str = "fail",
        if_unchanged: str = "fetch",
        v1: Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.path = path
        self.kind = kind
        self.field = field
        self.where = where
        self.refine = refine
        self.exclude = exclude
        self.limit = limit
        self.parallel = parallel
        self.if_missing = if_missing
        self.if_unchanged = if_unchanged
        self.v1 = v1

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *job_arguments)

    def make_job(self) -> MediaJob:
        """Return the fetch that the rendered arguments describe."""
        from ods_provider.jobs.arguments import media_job

        return media_job(**self.given())
