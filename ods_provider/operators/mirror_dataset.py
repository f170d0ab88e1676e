"""``OdsMirrorDatasetOperator``: bring the datasets of one batch of a mirror."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.core.counting import counted
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.mirror import MirrorBatchJob


class OdsMirrorDatasetOperator(OdsJobOperator):
    """Bring the datasets of a batch into files or tables; one that fails stops no other.

    Datasets whose failure may pass fail the task while it has retries left, and a retry fetches only what is not here.
    After that the task succeeds and says what failed: the report fails of it.

    Args:
        to, into, format, schema: As in the plan.
        batch: What ``OdsMirrorPlanOperator`` named.
        staging: Folder where exports lie until they are loaded; None takes this user's state folder.
        wait: Whether a quota that is spent is waited for; else the rest is left to the next run.

    Returns:
        What was done of each dataset.
    """

    def __init__(
        self,
        *,
        to: Any,
        batch: Any,
        into: str | None = None,
        format: str | None = None,
        schema: str | None = None,
        staging: Any = None,
        wait: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.batch = batch
        self.into = into
        self.format = format
        self.schema = schema
        self.staging = staging
        self.wait = wait

    job_arguments = arguments_of(__init__)
    # A portal's ids may look like templates, and a batch holds some.
    template_fields: Sequence[str] = ("ods_conn_id", *(name for name in job_arguments if name != "batch"))

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Map the task; the instances are labelled by their datasets."""
        kwargs.setdefault("map_index_template", "{{ task.map_label }}")
        return super().partial(**kwargs)

    @property
    def map_label(self) -> str:
        """What an instance of the mapped task is called."""
        first, *others = (str(each["listed"]["dataset_id"]) for each in self.batch["datasets"])
        return f"{first} and {len(others)} more" if others else first

    def make_job(self) -> MirrorBatchJob:
        """Return the work that the batch describes."""
        from ods_provider.jobs.arguments import mirror_batch_job

        return mirror_batch_job(**self.given())

    def _advance(self, context: Any, *given: Any) -> Any:
        from ods_provider.core.errors import OdsMismatch
        from ods_provider.jobs.mirror import failures

        rows = super()._advance(context, *given)
        again = failures(rows)
        if again and context["ti"].try_number <= (self.retries or 0):
            raise OdsMismatch(
                f"{len(again)} of {counted(len(rows), 'datasets')} failed, and may not fail again",
                where=", ".join(each["dataset_id"] for each in again[:5]),
                advice="The task's next try fetches them; the others are here",
            )
        return rows
