"""``OdsAssembleOperator``: commit the parts that mapped downloads fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.operators.job import OdsJobOperator

if TYPE_CHECKING:
    from ods_provider.jobs.parts.gathering import AssembleJob


class OdsAssembleOperator(OdsJobOperator):
    """Prove that all parts are there and of one state of the dataset, and commit them as a folder or as one file.

    Args:
        parts: The output of the mapped ``OdsDownloadOperator``.
        min_rows: Fewer rows than this are an error.

    Returns:
        The Outcome of the folder or the file, with ``parts``.
    """

    def __init__(self, *, parts: Any, min_rows: int | str = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parts = parts
        self.min_rows = min_rows

    job_arguments = arguments_of(__init__)
    template_fields: Sequence[str] = ("ods_conn_id", *job_arguments)

    def make_job(self) -> AssembleJob:
        """Return the job that the rendered arguments describe."""
        from ods_provider.jobs.arguments import assemble_job

        return assemble_job(**self.given())
