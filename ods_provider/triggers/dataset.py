"""Triggers that fire when a dataset was updated: once for a sensor, again and again for an asset."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, BaseTrigger, TriggerEvent

from ods_provider.triggers.polling import failed, poll

if TYPE_CHECKING:
    from ods_provider.core.schema import Dataset

POLL_INTERVAL_S = 60.0


async def freshness(ods_conn_id: str, dataset_id: str, every_s: float) -> AsyncIterator[Dataset]:
    """Yield the dataset's description at every poll, through one client. One call a poll.

    Raises:
        OdsError: One that no waiting cures.
    """
    from ods_provider.core.plans.catalog import dataset
    from ods_provider.hooks.ods import OdsHook

    with await OdsHook.alook_up(ods_conn_id) as client:
        async for seen in poll(lambda: client.arun(dataset(dataset_id)), every_s=every_s):
            yield seen


class OdsDatasetUpdateTrigger(BaseTrigger):
    """Fire once, when the dataset is newer than ``since``.

    Args:
        ods_conn_id: Connection of type ``ods``.
        dataset_id: The dataset.
        since: Portal times to compare with, by name, ISO 8601.
        what: ``data``, ``metadata`` or ``any``.
        poll_interval_s: Seconds between looks.
    """

    def __init__(
        self,
        *,
        ods_conn_id: str,
        dataset_id: str,
        since: Mapping[str, str],
        what: str = "data",
        poll_interval_s: float = POLL_INTERVAL_S,
    ) -> None:
        super().__init__()
        self.ods_conn_id = ods_conn_id
        self.dataset_id = dataset_id
        self.since = dict(since)
        self.what = what
        self.poll_interval_s = poll_interval_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path of this class and its arguments as JSON values."""
        return f"{__name__}.OdsDatasetUpdateTrigger", {
            "ods_conn_id": self.ods_conn_id,
            "dataset_id": self.dataset_id,
            "since": self.since,
            "what": self.what,
            "poll_interval_s": self.poll_interval_s,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the dataset is newer; an error that no waiting cures becomes an event that says so."""
        from ods_provider.core.errors import OdsError
        from ods_provider.core.watch import moved_on, watermark, what_named

        try:
            what = what_named(self.what)
            since = watermark(self.since, what)
            async for seen in freshness(self.ods_conn_id, self.dataset_id, self.poll_interval_s):
                if moved_on(seen, since, what):
                    yield TriggerEvent({"status": "updated", "result": seen.freshness()})
                    return
        except OdsError as error:
            yield TriggerEvent(failed(error))


class OdsDatasetEventTrigger(BaseEventTrigger):
    """Fire at every update of a dataset: the trigger of an ``AssetWatcher``.

    Where Airflow keeps a state for assets (3.3), the last seen time is kept there, so that an update that happens while
    no triggerer runs is seen afterwards. Elsewhere the first look after a start is the new beginning.

    Args:
        ods_conn_id: Connection of type ``ods``.
        dataset_id: The dataset.
        what: ``data``, ``metadata`` or ``any``.
        poll_interval_s: Seconds between looks.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        ods_conn_id: str = "ods_default",
        what: str = "data",
        poll_interval_s: float = POLL_INTERVAL_S,
    ) -> None:
        super().__init__()
        self.ods_conn_id = ods_conn_id
        self.dataset_id = dataset_id
        self.what = what
        self.poll_interval_s = poll_interval_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path of this class and its arguments as JSON values."""
        return f"{__name__}.OdsDatasetEventTrigger", {
            "ods_conn_id": self.ods_conn_id,
            "dataset_id": self.dataset_id,
            "what": self.what,
            "poll_interval_s": self.poll_interval_s,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll for ever and yield the dataset's freshness at every update."""
        from ods_provider.core.watch import moved_on, watermark, what_named

        what = what_named(self.what)
        memory = _Memory(getattr(self, "asset_state_store", None), f"ods/{self.dataset_id}")
        last = await memory.get()
        async for seen in freshness(self.ods_conn_id, self.dataset_id, self.poll_interval_s):
            now = seen.freshness()
            if last is not None and not moved_on(seen, watermark(last, what), what):
                continue
            first, last = last is None, now
            # Kept before it is told: a crash in between loses this event; the other order would tell it twice.
            await memory.set(now)
            if not first:
                yield TriggerEvent(now)


class _Memory:
    """The last seen freshness, in Airflow's asset state where there is one."""

    def __init__(self, store: Any, key: str) -> None:
        self._store = store
        self._key = key

    async def get(self) -> dict[str, Any] | None:
        if self._store is None:
            return None
        try:
            kept = await self._store.aget(self._key)
        except ValueError:
            # Two assets with the same trigger share one row and no state (apache/airflow#71460).
            self._store = None
            return None
        return kept if isinstance(kept, dict) else None

    async def set(self, value: dict[str, Any]) -> None:
        if self._store is not None:
            await self._store.aset(self._key, value)
