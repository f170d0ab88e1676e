"""Records pushed into a dataset, and deleted from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ods_provider.client.running import Runs
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.outcome import outcome
from ods_provider.core.plans import push

if TYPE_CHECKING:
    from ods_provider.core.schema import Dataset
    from ods_provider.core.shapes import UnknownFields


class RealtimeCalls(Runs):
    """The client's methods about realtime resources."""

    def push(
        self,
        dataset_id: str,
        resource_id: str,
        records: Iterable[Mapping[str, Any]],
        *,
        unknown_fields: UnknownFields = "refuse",
    ) -> dict[str, Any]:
        """Push records in batches under 5 MB and return an Outcome with ``rows`` and ``batches``.

        Args:
            dataset_id: Where to.
            resource_id: Which resource of it.
            records: Mappings of field to value; a single one is one record.
            unknown_fields: ``refuse`` what the first records name and the dataset's schema does not, where the key may
                see it: a portal drops that without a word. ``send`` it for a processor of the dataset.

        Raises:
            OdsConfigError: A record cannot be sent as it is, or names a field that is none.
        """
        return self._send(dataset_id, resource_id, records, "push", unknown_fields)

    def delete(
        self,
        dataset_id: str,
        resource_id: str,
        records: Iterable[Mapping[str, Any]] = (),
        *,
        record_id: str | None = None,
        unknown_fields: UnknownFields = "refuse",
    ) -> dict[str, Any]:
        """Delete the given records by value, or one by its id; return an Outcome. ``unknown_fields`` as in ``push``."""
        if record_id is None:
            return self._send(dataset_id, resource_id, records, "delete", unknown_fields)
        self.run(push.delete_by_id(dataset_id, resource_id, record_id))
        return outcome(dataset_id=dataset_id, rows=1, batches=1, calls=1)

    def _send(
        self,
        dataset_id: str,
        resource_id: str,
        rows: Iterable[Mapping[str, Any]],
        action: Any,
        unknown_fields: UnknownFields,
    ) -> dict[str, Any]:
        from ods_provider.core.batches import batches
        from ods_provider.core.shapes import Names, opened

        if isinstance(rows, Mapping):
            rows = [rows]  # one record, or an answer that holds many: as in the jobs
        # Before anything is read, or asked about another dataset than the one that was meant.
        push.endpoint(dataset_id, resource_id, action)

        def describe() -> Dataset | None:
            return self.schema_if_seen(dataset_id)

        names = Names("argument records")
        records = opened(rows, describe, where="argument records")
        filled = batches(names.watching(records))
        if unknown_fields != "send":
            filled = names.before(filled, describe)
        sent = calls = 0
        try:
            for batch in filled:
                self.run(push.send(dataset_id, resource_id, batch.body, action=action))
                sent, calls = sent + batch.rows, calls + 1
                del batch  # before the next one is made
        except OdsConfigError:
            # Whoever adds the field that was missing shall not be told of a schema of before.
            self._schemas.pop(dataset_id, None)
            raise
        return outcome(dataset_id=dataset_id, rows=sent, batches=calls, calls=calls)
