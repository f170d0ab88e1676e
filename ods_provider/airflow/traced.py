"""What every operator and sensor tells of both its ends: to OpenLineage, to assets, and in links."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ods_provider.jobs.ends import Ends, Heard


class Traced:
    """Mixed into the bases of operators and sensors.

    Airflow makes a new operator for each leg of a task, and OpenLineage asks the one that ran the last.
    """

    ods_conn_id: str
    _heard: Heard | None = None
    _result: Any = None
    _failed: str | None = None

    @property
    def heard(self) -> Heard:
        """What was heard while the task ran: it listens to the job or to the client."""
        from ods_provider.jobs.ends import Heard

        if self._heard is None:
            self._heard = Heard()
        return self._heard

    @abstractmethod
    def ends(self) -> Ends:
        """Return what the task reads and writes, as far as that is known now.

        Raises:
            OdsError: An argument is bad.
        """

    def portal(self) -> str:
        """Return the portal's base URL.

        Raises:
            OdsConfigError: The connection is bad.
        """
        from ods_provider.airflow.facets import portal_of

        return self.heard.portal or portal_of(self.ods_conn_id)[0]

    def get_openlineage_facets_on_start(self) -> Any:
        """Return the ``OperatorLineage`` of a task that begins."""
        return self._lineage(done=False)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return the ``OperatorLineage`` of a task that succeeded, or was skipped and so wrote nothing."""
        return self._lineage()

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> Any:
        """Return the ``OperatorLineage`` of a try that failed, with why it did."""
        return self._lineage(done=False)

    def _lineage(self, *, done: bool = True) -> Any:
        from ods_provider.airflow.facets import Facets, portal_of
        from ods_provider.core.errors import OdsError
        from ods_provider.jobs.ends import Ends

        try:
            base_url, secrets = portal_of(self.ods_conn_id)
            ends = self._known_ends()
        except OdsError:
            # Of a task that fails of its connection or its arguments, and says so itself: its inlets and outlets tell.
            return None
        if not done and ends.reads:
            # Backends put the events of a run together: an output that was told before would be one of a task that is
            # skipped, or fails. What reads nothing is known by nothing else.
            ends = Ends(ends.reads)
        return Facets(self.heard.portal or base_url, secrets).lineage(ends, self._failed)

    def _known_ends(self) -> Ends:
        """Return both ends; where an argument is bad, the dataset alone."""
        from ods_provider.core.errors import OdsError
        from ods_provider.jobs.ends import watched

        try:
            return self.ends()
        except OdsError:
            return watched(getattr(self, "dataset_id", None), getattr(self, "source", None), self.heard, None)
