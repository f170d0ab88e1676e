"""The monitoring source of Explore v2.1: how the portal is used, as datasets, for who has the right.

Source: ``/api/explore/v2.1/monitoring/``, with the endpoints of the catalogue. Users tell of the 401 without a key; the
body of the 403 is our reading.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ods_provider.testing.access import Access
from ods_provider.testing.datasets.usage import SOURCE, api_log, statistics
from ods_provider.testing.explore import Explore, routed
from ods_provider.testing.schema import DatasetState
from ods_provider.testing.store import Store
from ods_provider.testing.usage import DOMAIN, Usage

ROOT = f"/api/explore/v2.1/{SOURCE}"


class Monitoring:
    """The handlers.

    Args:
        store: The portal's datasets, of which the statistics are.
        usage: The calls that it got.
        access: Who may look.
        group_by_ceiling: As in the catalogue.
    """

    def __init__(self, store: Store, usage: Usage, access: Access, *, group_by_ceiling: int = 20_000) -> None:
        self._portal = store
        self._usage = usage
        self._access = access
        self.store = Store(None)
        self.reset()
        self._explore = Explore(self.store, access, group_by_ceiling=group_by_ceiling)

    def routes(self) -> list[Route]:
        """Return the routes: those of the catalogue, behind the right."""
        return routed([(path, self._guarded(handler)) for path, handler in self._explore.endpoints(ROOT)])

    def reset(self) -> None:
        """Forget what was noted."""
        with self.store.lock:
            self._begun = False

    def _begin(self) -> None:
        # At the first look: most portals live without one, and many are reset before each test.
        self._log, self._statistics = api_log(), statistics()
        for state in (self._log, self._statistics):
            self.store.add(state, [])
        self._taken = 0
        self._shown: list[dict[str, Any]] = []
        self._sizes: dict[str, tuple[tuple[str, datetime], int]] = {}
        self._begun = True

    def _guarded(self, handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def guarded(request: Request) -> Response:
            self._access.check_monitoring(request)
            self._bring_up_to_date()
            return handler(request)

        return guarded

    def _bring_up_to_date(self) -> None:
        """Take in the calls that have ended since the last look; the one that looks is not among them."""
        # The portal's too: a dataset that is withdrawn meanwhile could not be measured.
        with self.store.lock, self._portal.lock:
            if not self._begun:
                self._begin()
            came = self._usage.since(self._taken)
            if came:
                self._taken += len(came)
                self.store.insert(self._log, came)
                self._log.data_processed = datetime.fromisoformat(came[-1]["timestamp"])
            states = list(self._portal.datasets.values())
            rows = [self._row(state) for state in states]
            if rows != self._shown:
                self._shown = rows
                self.store.replace(self._statistics, rows)
            # Counters are no news of the data: which datasets there are, and of which state, is.
            newest = max((state.data_processed for state in states), default=self._statistics.data_processed)
            self._statistics.data_processed = newest

    def _row(self, state: DatasetState) -> dict[str, Any]:
        dataset_id = state.dataset_id
        calls, downloads = self._usage.counted(dataset_id)
        return {
            "dataset_id": dataset_id,
            "title": state.title,
            "publisher": state.publisher,
            "license": state.license,
            "keyword": state.keyword or None,
            "theme": state.theme or None,
            "visibility": "restricted" if state.restricted else "domain",
            "domain_id": DOMAIN,
            "modified": state.modified.astimezone(UTC).isoformat(),
            "records_count": self._portal.count(dataset_id),
            "records_size": self._size_bytes(state),
            "api_call_count": calls,
            "download_count": downloads,
            "reuse_count": 0,
            "popularity_score": float(calls + downloads),
        }

    def _size_bytes(self, state: DatasetState) -> int:
        """Return the size of a dataset's rows, measured once for each state."""
        known = self._sizes.get(state.dataset_id)
        now = (state.table, state.data_processed)
        if known is None or known[0] != now:
            known = (now, self._portal.size_bytes(state.dataset_id))
            self._sizes[state.dataset_id] = known
        return known[1]
