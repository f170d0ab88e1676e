"""``OdsHarvestOperator``: what another portal has, brought in and published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of, kept_as
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.harvest import HarvestJob


class OdsHarvestOperator(OdsJobOperator):
    """Start a harvester, wait for its end in the triggerer, publish its datasets, and wait for each of them.

    A run that is under way is waited for, not started twice.

    Args:
        harvester_id: The harvester: its uid, or its name.
        publish: Whether its datasets are published after it.
        max_errors: How many datasets may fail: be not harvested, or not published.
        timeout: Seconds to wait for the portal; it goes on with its work after them, and so does the next try.
        dry_run: Only tell what would be done.

    Returns:
        An Outcome: harvester, attached, new, gone, published, errors, failed, calls, quota_remaining.
    """

    def __init__(
        self,
        *,
        harvester_id: str,
        publish: bool | str = True,
        max_errors: int | str = 0,
        timeout: float | str | None = None,
        dry_run: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.harvester_id = harvester_id
        self.publish = publish
        self.max_errors = max_errors
        self.timeout = timeout
        self.only_dry_run = dry_run

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *map(kept_as, job_arguments))

    def make_job(self) -> HarvestJob:
        """Return the harvest that the rendered arguments describe."""
        from ods_provider.jobs.arguments import harvest_job

        return harvest_job(**self.given())
