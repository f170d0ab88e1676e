"""``OdsPushOperator``: push records into a realtime resource, or delete them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.push import PushJob


class OdsPushOperator(OdsJobOperator):
    """Send records to a realtime resource in batches filled to the portal's limit. A batch is the unit of progress.

    A success says that the portal accepted the records; it processes them afterwards.

    Args:
        dataset_id: The dataset of the realtime resource.
        resource_id: The resource; its push key stands in the connection.
        records: List of dicts, or the XCom of an earlier task; or
        path: a JSON lines, JSON, GeoJSON, CSV or Parquet file.
        action: ``push`` adds or upserts, ``delete`` removes the records with these values.
        batch_bytes: Largest body of one call, in encoded bytes.
        record_id: Id or ids of records to delete instead, with ``action="delete"``; one call each.
        file_fields: Field or fields whose values are paths or URLs of files, or
            ``{"file": path, "content-type": type}``: the files are sent in their place. No other field is ever taken
            for a path.
        confirm: Read the records back by the dataset's key fields, up to 2,000 of them spread over the whole, and fail
            when one of them does not show as it was pushed.
        delimiter: What stands between the cells of a CSV, ``tab`` for one of those; None tells it from the rows.
        encoding: The encoding of a CSV, such as ``cp1252``; None is UTF-8.
        unknown_fields: ``refuse`` records that name fields which the dataset's schema does not know, before anything is
            sent, or ``send`` them, where a processor of the dataset takes them.

    Returns:
        An Outcome: rows, batches, confirmed (records read back), calls, quota_remaining.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        resource_id: str,
        records: Sequence[Mapping[str, Any]] | str | None = None,
        path: Any = None,
        action: str = "push",
        batch_bytes: int | str = 5_000_000,
        record_id: str | Sequence[str] | None = None,
        file_fields: str | Sequence[str] | None = None,
        confirm: bool | str = False,
        delimiter: str | None = None,
        encoding: str | None = None,
        unknown_fields: str = "refuse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.resource_id = resource_id
        self.records = records
        self.path = path
        self.action = action
        self.batch_bytes = batch_bytes
        self.record_id = record_id
        self.file_fields = file_fields
        self.confirm = confirm
        self.delimiter = delimiter
        self.encoding = encoding
        self.unknown_fields = unknown_fields

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *job_arguments)

    def make_job(self) -> PushJob:
        """Return the push that the rendered arguments describe."""
        from ods_provider.jobs.arguments import push_job

        return push_job(**self.given())
