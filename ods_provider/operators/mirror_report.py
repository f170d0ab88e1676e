"""``OdsMirrorReportOperator``: say what came of a mirror's run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.mirror import MirrorReportJob


class OdsMirrorReportOperator(OdsJobOperator):
    """Gather what the batches did, see to what vanished, and remember it for the next run.

    It is to run whatever became of them (``trigger_rule="all_done"``): a dataset whose task said nothing is looked for
    where the mirror is. It fails when a dataset failed, after the report was logged and pushed.

    Args:
        to, into, format, schema: As in the plan.
        batches: The output of ``OdsMirrorPlanOperator``: where it failed there is nothing to report.
        results: The output of the mapped ``OdsMirrorDatasetOperator``.
        vanished: What becomes of the file or table of a dataset that is gone or has another id: ``keep`` it, ``mark``
            it in the mirror's list, or ``drop`` it.

    Returns:
        The report: how many datasets are done, unchanged, left to tomorrow, failed, vanished, renamed and left out;
        rows, calls; and ``datasets``, each with what was done and why not.
    """

    def __init__(
        self,
        *,
        to: Any,
        batches: Any,
        results: Any = None,
        into: str | None = None,
        format: str | None = None,
        schema: str | None = None,
        vanished: str = "keep",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.batches = batches
        self.results = results
        self.into = into
        self.format = format
        self.schema = schema
        self.vanished = vanished

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *job_arguments)

    def make_job(self) -> MirrorReportJob:
        """Return the report that the rendered arguments describe."""
        from ods_provider.jobs.arguments import mirror_report_job

        return mirror_report_job(**self.given())

    def _advance(self, context: Any, *given: Any) -> Any:
        from ods_provider.core.errors import OdsIncomplete
        from ods_provider.jobs.mirror import expect_none_failed

        report = super()._advance(context, *given)
        try:
            expect_none_failed(report)
        except OdsIncomplete as error:
            # What a task that fails returns is kept nowhere.
            context["ti"].xcom_push(key="return_value", value=report)
            self.fail(error)
        return report
