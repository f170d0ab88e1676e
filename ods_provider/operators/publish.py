"""``OdsPublishFileOperator`` and ``OdsPublishOperator``: a file to a live dataset, and orders to publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of, kept_as, params_apart
from ods_provider.airflow.stopping import stopping
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.publish import PublishJob
    from ods_provider.jobs.publishfile import PublishFileJob


class OdsPublishFileOperator(OdsJobOperator):
    """Make a file the data of a dataset, without a gap: upload it, publish it, and prove that its rows show.

    The dataset's resource stays the one it was and is pointed at the new file. When the publication fails, or is not
    what was wanted, the earlier file is brought back, and what was public before is public again.

    Args:
        dataset_id: The dataset: its id, or its uid (``da_…``).
        path: A file of any filesystem: CSV, TSV, JSON lines, JSON, GeoJSON, xlsx or Parquet; or
        records: a list of dicts, or the XCom of an earlier task.
        resource: Uid or title of the resource that takes the file; None where the dataset has one at most. A first one
            is made where it has none, under this title.
        new_title: Title under which a dataset is made that is not there yet, restricted, and with ``dataset_id`` as its
            id. It changes nothing of one that is there; None makes none.
        extractor: The portal's extractor, such as ``csvfile``; None tells it from the file, or keeps the resource's.
        params: Parameters of the extractor, such as ``{"sheet_no": 2}``, above what the file and the resource say.
        if_unchanged: When the same content was published last and the portal still has it: ``skip`` the task, ``keep``
            what it returned then, or ``publish`` again.
        max_errors: How many cells may be lost because they do not fit their fields.
        min_rows: Fewer rows than this are not published.
        max_drop: How many rows less than before may be: a share such as ``20%``, or a number; None sets no limit.
        restore: Whether a publication that fails brings the earlier file back.
        delimiter: What stands between the cells of a CSV, ``tab`` for one of those; None tells it from the rows.
        encoding: The encoding of a CSV, such as ``cp1252``; None is the resource's, or UTF-8.
        timeout: Seconds to wait for the portal; it goes on with its work after them, and so does the next try.
        dry_run: Read the file, and tell what would be done.

    Returns:
        An Outcome: rows, rows_shown, equal_rows, records_errors, sha256, verified, resource, file, status,
        data_processed, unchanged, calls, quota_remaining.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        path: Any = None,
        records: Sequence[Mapping[str, Any]] | str | None = None,
        resource: str | None = None,
        new_title: str | None = None,
        extractor: str | None = None,
        params: Mapping[str, Any] | str | None = None,
        if_unchanged: str = "skip",
        max_errors: int | str = 0,
        min_rows: int | str = 0,
        max_drop: str | None = "20%",
        restore: bool | str = True,
        delimiter: str | None = None,
        encoding: str | None = None,
        timeout: float | str | None = None,
        dry_run: bool | str = False,
        **kwargs: Any,
    ) -> None:
        # The DAG's parameters come under the same name, for templates.
        self.extractor_params, of_the_dag = params_apart(params)
        super().__init__(params=of_the_dag, **kwargs)
        self.dataset_id = dataset_id
        self.path = path
        self.records = records
        self.resource = resource
        self.new_title = new_title
        self.extractor = extractor
        self.if_unchanged = if_unchanged
        self.max_errors = max_errors
        self.min_rows = min_rows
        self.max_drop = max_drop
        self.restore = restore
        self.delimiter = delimiter
        self.encoding = encoding
        self.timeout = timeout
        self.only_dry_run = dry_run

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *map(kept_as, job_arguments))

    def make_job(self) -> PublishFileJob:
        """Return the publication that the rendered arguments describe."""
        from ods_provider.jobs.arguments import publish_file_job

        return publish_file_job(**self.given())


class OdsPublishOperator(OdsJobOperator):
    """Order a dataset's publication, and wait for its end in the triggerer.

    What runs already is waited for first, since it may have begun before the last change.

    Args:
        dataset_id: The dataset: its id, or its uid (``da_…``).
        action: ``publish``, ``publish_metadata`` (no record is read) or ``unpublish``.
        wait: Whether it is waited for; else the Outcome holds the ``publication`` for an ``OdsPublicationSensor``.
        timeout: Seconds to wait for the portal.
        abort_on_timeout: Whether the portal is told to stop when ``timeout``, or ``execution_timeout``, is over;
            else it goes on with its work.
        dry_run: Only tell what would be ordered.

    Returns:
        An Outcome: action, status, records_errors, shown_errors, publication, calls, quota_remaining.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        action: str = "publish",
        wait: bool | str = True,
        timeout: float | str | None = None,
        abort_on_timeout: bool | str = False,
        dry_run: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.action = action
        self.wait = wait
        self.timeout = timeout
        self.abort_on_timeout = abort_on_timeout
        self.only_dry_run = dry_run

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *map(kept_as, job_arguments))

    def make_job(self) -> PublishJob:
        """Return the order that the rendered arguments describe."""
        from ods_provider.jobs.arguments import publish_job

        return publish_job(**self.given())

    def _begin(self, context: Any) -> Any:
        with self._stopping():
            return super()._begin(context)

    def _go_on(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        with self._stopping():
            return super()._go_on(next_method, next_kwargs, context)

    def _stopping(self) -> AbstractContextManager[None]:
        return stopping(self.ods_conn_id, self.dataset_id, wanted=lambda: self.abort_on_timeout)
