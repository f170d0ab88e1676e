"""``OdsMirrorPlanOperator``: which datasets of a portal are to be fetched now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.mirror import MirrorPlanJob


class OdsMirrorPlanOperator(OdsJobOperator):
    """Compare the catalogue with a mirror, and name the batches of datasets that are fetched now.

    The task group ``ods_mirror`` puts it before a mapped ``OdsMirrorDatasetOperator`` and ``OdsMirrorReportOperator``.

    Args:
        to: A folder (path or URL), a database URL, or the connection id of a database with ``into="tables"``.
        into: ``files`` or ``tables``; None looks at ``to``.
        format: Of the files: parquet unless given.
        schema: Of the tables; None takes the database's own.
        where, refine, exclude: Filters on the catalogue.
        reserve: Calls of the quota that are left to others; None leaves a tenth of it.
        max_calls: Calls that a run makes at most; None goes as far as the quota.
        most_batches: Batches at most; None takes Airflow's ``max_map_length``.

    Returns:
        A list of batches, for ``expand(batch=…)``.
    """

    def __init__(
        self,
        *,
        to: Any,
        into: str | None = None,
        format: str | None = None,
        schema: str | None = None,
        where: str | Sequence[str] | None = None,
        refine: Mapping[str, Any] | str | None = None,
        exclude: Mapping[str, Any] | str | None = None,
        reserve: int | str | None = None,
        max_calls: int | str | None = None,
        most_batches: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.into = into
        self.format = format
        self.schema = schema
        self.where = where
        self.refine = refine
        self.exclude = exclude
        self.reserve = reserve
        self.max_calls = max_calls
        self.most_batches = most_batches

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *job_arguments)

    def make_job(self) -> MirrorPlanJob:
        """Return the plan that the rendered arguments describe."""
        from airflow.sdk.configuration import conf

        from ods_provider.core.given import is_given
        from ods_provider.jobs.arguments import mirror_plan_job

        given = self.given()
        if not is_given(given["most_batches"]):
            given["most_batches"] = conf.getint("core", "max_map_length", fallback=1024)
        return mirror_plan_job(**given)
