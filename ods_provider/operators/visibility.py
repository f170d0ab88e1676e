"""``OdsVisibilityOperator``: a dataset for everybody, or for few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of, kept_as
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.visibility import VisibilityJob


class OdsVisibilityOperator(OdsJobOperator):
    """Make a dataset public or restricted, and end once a call without a key sees it, or no longer sees it.

    Where that does not show at once, the dataset is published as it is prepared.

    Args:
        dataset_id: The dataset: its id, or its uid (``da_…``).
        public: Whether everybody sees it; else only whom a rule of its security lets.
        timeout: Seconds to wait for the portal; it goes on with its work after them, and so does the next try.
        dry_run: Only tell what would be done.

    Returns:
        An Outcome: public, anonymous, changed, published, unchanged, calls, quota_remaining.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        public: bool | str = True,
        timeout: float | str | None = None,
        dry_run: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.public = public
        self.timeout = timeout
        self.only_dry_run = dry_run

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *map(kept_as, job_arguments))

    def make_job(self) -> VisibilityJob:
        """Return the change that the rendered arguments describe."""
        from ods_provider.jobs.arguments import visibility_job

        return visibility_job(**self.given())
