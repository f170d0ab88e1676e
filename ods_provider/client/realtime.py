"""Records pushed into a dataset, and deleted from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ods_provider.client.running import Runs
from ods_provider.core.outcome import outcome
from ods_provider.core.plans import push


class RealtimeCalls(Runs):
    """The client's methods about realtime resources."""

    def push(self, dataset_id: str, resource_id: str, records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Push records in batches under 5 MB and return an Outcome with ``rows`` and ``batches``."""
        return self._send(dataset_id, resource_id, records, "push")

    def delete(
        self,
        dataset_id: str,
        resource_id: str,
        records: Iterable[Mapping[str, Any]] = (),
        *,
        record_id: str | None = None,
    ) -> dict[str, Any]:
        """Delete the given records by value, or one by its id; return an Outcome."""
        if record_id is None:
            return self._send(dataset_id, resource_id, records, "delete")
        self.run(push.delete_by_id(dataset_id, resource_id, record_id))
        return outcome(dataset_id=dataset_id, rows=1, batches=1, calls=1)

    def _send(
        self, dataset_id: str, resource_id: str, rows: Iterable[Mapping[str, Any]], action: Any
    ) -> dict[str, Any]:
        from ods_provider.core.batches import batches
        from ods_provider.core.shapes import opened

        sent = calls = 0
        for batch in batches(opened(rows, where="argument records")):
            self.run(push.send(dataset_id, resource_id, batch.body, action=action))
            sent, calls = sent + batch.rows, calls + 1
        return outcome(dataset_id=dataset_id, rows=sent, batches=calls, calls=calls)
