"""``OdsMetadataOperator``: values of a dataset's metadata, set field by field and published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of, kept_as
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.metadata import MetadataJob


class OdsMetadataOperator(OdsJobOperator):
    """Set values of a dataset's metadata, only those that differ, and publish them.

    Args:
        dataset_id: The dataset: its id, or its uid (``da_…``).
        metadata: Values by their names, such as ``{"default.title": "Trees", "custom.data_owner": None}``; None, or the
            text ``null``, takes a value back.
        coverage_of: Field of dates whose first and last value become ``dcat.temporal_coverage_start`` and ``_end``.
        publish: What is published when something changed: ``metadata`` (no record is read), ``full``, or None.
        override: Whether values that people pinned over those of a harvested dataset's source are changed, too.
        timeout: Seconds to wait for the portal.
        dry_run: Only tell what would be changed.

    Returns:
        An Outcome: changed_fields (field, old, new, pinned), kept_fields (field, value, asked), action, status,
        unchanged, dry_run, note, calls, quota_remaining.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        metadata: Mapping[str, Any] | str | None = None,
        coverage_of: str | None = None,
        publish: str | None = "metadata",
        override: bool | str = False,
        timeout: float | str | None = None,
        dry_run: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.metadata = metadata
        self.coverage_of = coverage_of
        self.publish = publish
        self.override = override
        self.timeout = timeout
        self.only_dry_run = dry_run

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *map(kept_as, job_arguments))

    def make_job(self) -> MetadataJob:
        """Return the change that the rendered arguments describe."""
        from ods_provider.jobs.arguments import metadata_job

        return metadata_job(**self.given())
