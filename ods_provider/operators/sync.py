"""``OdsSyncOperator``: make a realtime dataset equal to a file, or to records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of, kept_as
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.sync import SyncJob


class OdsSyncOperator(OdsJobOperator):
    """Push what is new or changed, delete what vanished, and read it back; nothing else is sent.

    What the portal shows is fetched and compared on the worker by DuckDB (``ods-provider[sql]``), in constant memory.
    Once the plan is made, a batch is the unit of progress.

    Args:
        dataset_id: The dataset of the realtime resource.
        resource_id: The resource; its push key stands in the connection.
        records: All records that the dataset shall hold: a list of dicts, or the XCom of an earlier task; or
        path: a JSON lines, JSON, GeoJSON, CSV or Parquet file of them.
        key: Field or fields that tell rows apart; None takes those that the dataset annotates as ``id``.
        delete_missing: Whether rows that the source lacks are deleted.
        max_delete: How many of the rows that stand may go: a share, or a number. More is an error before anything is
            sent, and so is an empty source unless this is ``100%``.
        dry_run: Only make the plan, and return it.
        delimiter: What stands between the cells of a CSV, ``tab`` for one of those; None tells it from the rows.
        encoding: The encoding of a CSV, such as ``cp1252``; None is UTF-8.
        unknown_fields: ``refuse`` records that name fields which the dataset's schema does not know, or ``send`` them,
            where a processor of the dataset takes them; they are not compared.

    Returns:
        An Outcome: rows, standing, new, changed, gone, equal, samples, pushed, deleted, batches, confirmed, dry_run.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        resource_id: str,
        records: Sequence[Mapping[str, Any]] | str | None = None,
        path: Any = None,
        key: str | Sequence[str] | None = None,
        delete_missing: bool | str = True,
        max_delete: int | str = "10%",
        dry_run: bool | str = False,
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
        self.key = key
        self.delete_missing = delete_missing
        self.max_delete = max_delete
        self.only_dry_run = dry_run
        self.delimiter = delimiter
        self.encoding = encoding
        self.unknown_fields = unknown_fields

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *map(kept_as, job_arguments))

    def make_job(self) -> SyncJob:
        """Return the sync that the rendered arguments describe."""
        from ods_provider.jobs.arguments import sync_job

        return sync_job(**self.given())
