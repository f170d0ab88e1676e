"""The monitoring source in Python words: the portal's log of calls, and the statistics of its datasets."""

from __future__ import annotations

from ods_provider.client.source import SourceClient
from ods_provider.core.source import MONITORING, Source


class MonitoringClient(SourceClient):
    """``client.monitoring``: the words of the client about datasets, records and exports, at ``/monitoring/``.

    The key needs the right ``explore_monitoring`` ("Browse analytics"). Datasets, schemas and the quotas of single
    datasets are those of this source, even where the catalogue has some of the same id.

    Args:
        portal: The client, whose connections, quota and end it shares.
    """

    def __init__(self, portal: SourceClient) -> None:
        super().__init__(portal.connection, portal.terms, MONITORING)
        self._portal = portal

    def __repr__(self) -> str:
        return f"{self._portal!r}.monitoring"

    def at(self, source: Source) -> SourceClient:
        """Return what asks that source: this, or the client that it belongs to."""
        return self._portal.at(source)

    def _expect_open(self) -> None:
        self._portal._expect_open()  # noqa: SLF001  one client, two sources
