"""``OdsLoadOperator``: bring a dataset into a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.load import LoadJob


class OdsLoadOperator(OdsJobOperator):
    """Load a dataset, or a query of it, into a table of a database, which shows the old rows or the new ones.

    The export is verified as a download is before the table is touched, then staged, counted at the destination, and
    put in place in one step together with the memory of it (``_ods_loads``, in the same schema).

    Args:
        dataset_id: The dataset.
        table: ``table`` or ``schema.table``; it is made where it does not stand.
        destination: An Airflow connection id, or a URL: ``duckdb:///city.duckdb``, ``postgresql://…``,
            ``s3://lake/cities``.
        source: ``catalog``, or ``monitoring`` for what the portal knows of its own use.
        select, where, refine, exclude, lang, timezone: As in a search.
        limit: Rows at most; None wants all.
        group_by: Group the rows on the portal.
        mode: ``replace`` all rows; ``append`` to them; ``merge`` by ``primary_key``, where rows that did not change
            stay untouched; ``scd2`` keeps what was, with ``valid_from`` and ``valid_to``.
        swap: How readers see a replacement: ``lock``, ``stage`` or ``rename``; None takes the database's default.
        primary_key: Fields that tell a row from all others; None takes those that the dataset annotates as ``id``.
        delete_missing: Whether ``merge`` deletes rows that the portal no longer has, and ``scd2`` ends them; all rows
            must be asked for: no ``limit``, ``where``, ``refine``, ``exclude`` or ``cursor``.
        cursor: A number, date or datetime that grows with time: only rows at or after the highest value loaded so far
            are asked for. With ``append`` they take the place of the table's rows from there on.
        lag: How far before that value rows are asked for again: ``3 days``, ``36 hours``, or a number.
        columns: When fields are new, gone or of another type: ``evolve`` the table, ``freeze`` it (an error before
            anything is loaded), or ``discard`` what is new.
        expect: ``{field: type}`` that the dataset must have.
        geo: What points and shapes become: ``lonlat`` (two columns; shapes as GeoJSON), ``wkt``, ``geojson``,
            ``postgis``.
        if_moved: When the dataset is republished meanwhile: ``retry`` (three tries), ``fail``, or ``accept``.
        min_rows: Fewer rows than this are an error.
        if_unchanged: When an earlier run loaded the same and the dataset did not change since: ``fetch`` it all the
            same, ``keep`` what stands there and return its Outcome, or ``skip`` this task, and so what follows it.
        parallel, partition_by: As in a download.
        staging: Folder (path or URL) where the export lies until it is loaded, so that a retry, on another host too,
            need not fetch it again; None takes this user's state folder.

    Returns:
        An Outcome: table, rows, inserted, updated, deleted, table_rows, columns_changed, watermark, data_processed,
        seconds of each step.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        table: str,
        destination: Any,
        source: str = "catalog",
        select: str | Sequence[str] | None = None,
        where: str | Sequence[str] | None = None,
        refine: Mapping[str, Any] | str | None = None,
        exclude: Mapping[str, Any] | str | None = None,
        lang: str | None = None,
        timezone: str = "UTC",
        limit: int | str | None = None,
        group_by: str | Sequence[str] | None = None,
        mode: str = "replace",
        swap: str | None = None,
        primary_key: str | Sequence[str] | None = None,
        delete_missing: bool | str = False,
        cursor: str | None = None,
        lag: Any = None,
        columns: str = "evolve",
        expect: Mapping[str, Any] | str | None = None,
        geo: str = "lonlat",
        if_moved: str = "retry",
        min_rows: int | str = 0,
        if_unchanged: str = "fetch",
        parallel: int | str = 1,
        partition_by: str | None = None,
        staging: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.table = table
        self.destination = destination
        self.source = source
        self.select = select
        self.where = where
        self.refine = refine
        self.exclude = exclude
        self.lang = lang
        self.timezone = timezone
        self.limit = limit
        self.group_by = group_by
        self.mode = mode
        self.swap = swap
        self.primary_key = primary_key
        self.delete_missing = delete_missing
        self.cursor = cursor
        self.lag = lag
        self.columns = columns
        self.expect = expect
        self.geo = geo
        self.if_moved = if_moved
        self.min_rows = min_rows
        self.if_unchanged = if_unchanged
        self.parallel = parallel
        self.partition_by = partition_by
        self.staging = staging

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *job_arguments)

    def make_job(self) -> LoadJob:
        """Return the load that the rendered arguments describe."""
        from ods_provider.jobs.arguments import load_job

        return load_job(**self.given())
