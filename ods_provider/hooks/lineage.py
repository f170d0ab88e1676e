"""Which datasets a task of a user's own reads and writes through a hook: Airflow's hook lineage."""

from __future__ import annotations

import logging
from typing import Any

from ods_provider.core.asseturis import of_portal
from ods_provider.core.events import Event, RequestSent

log = logging.getLogger(__name__)


class HookLineage:
    """Listens to a client, and tells Airflow's collector of each dataset once; where nobody reads it, in vain.

    Args:
        hook: The hook that made the client.
        portal: Base URL of the portal.
    """

    def __init__(self, hook: Any, portal: str) -> None:
        self._hook = hook
        self._portal = portal
        self._told: set[tuple[str, bool]] = set()

    def __call__(self, event: Event) -> None:
        """Hear of one event."""
        if not isinstance(event, RequestSent) or event.dataset_id is None or event.status >= 400:
            return
        seen = (event.dataset_id, event.writes)
        if seen in self._told:
            return
        self._told.add(seen)
        try:
            self._tell(event.dataset_id, writes=event.writes)
        except Exception as error:
            # Nobody's call to a portal fails of a lineage.
            log.debug("No lineage of %s: %s", event.dataset_id, error)

    def _tell(self, name: str, *, writes: bool) -> None:
        from airflow.sdk.lineage import get_hook_lineage_collector

        collector = get_hook_lineage_collector()
        tell = collector.add_output_asset if writes else collector.add_input_asset
        tell(context=self._hook, uri=of_portal(self._portal, name))
