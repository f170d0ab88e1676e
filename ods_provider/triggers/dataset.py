"""Triggers that fire when a dataset was updated: once for a sensor, again and again for an asset."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, BaseTrigger, TriggerEvent

from ods_provider.triggers.memory import Memory
from ods_provider.triggers.polling import failed, poll, sleep_until
from ods_provider.triggers.together import together

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ods_provider.core.schema import Dataset
    from ods_provider.core.source import Source

log = logging.getLogger(__name__)
POLL_INTERVAL_S = 60.0


async def descriptions(
    ods_conn_id: str,
    dataset_id: str,
    every_s: float,
    *,
    source: Source,
    answered: bool,
    says: Callable[[Dataset], str] | None = None,
) -> AsyncGenerator[Dataset]:
    """Yield the dataset's description at every poll. A hundred datasets of one portal cost one call a poll.

    Raises:
        OdsError: One that no waiting cures.
    """
    from ods_provider.core.datasetid import dataset_named

    named = dataset_named(dataset_id)
    async with (
        together(ods_conn_id, source, every_s=every_s) as shared,
        aclosing(poll(lambda: shared.look(named), every_s=every_s, answered=answered, says=says)) as looks,
    ):
        async for seen in looks:
            yield seen


class OdsDatasetUpdateTrigger(BaseTrigger):
    """Fire once, when the dataset is newer than ``since``.

    Args:
        ods_conn_id: Connection of type ``ods``.
        dataset_id: The dataset.
        since: Portal times to compare with, by name, ISO 8601, None where the portal knew none; without any it
            fires at the first look.
        what: ``data``, ``metadata`` or ``any``.
        poll_interval_s: Seconds between looks.
        first_at: When to look first, ISO 8601; None looks at once.
        source: ``catalog`` or ``monitoring``.
    """

    def __init__(
        self,
        *,
        ods_conn_id: str,
        dataset_id: str,
        since: Mapping[str, str | None] | None,
        what: str = "data",
        poll_interval_s: float = POLL_INTERVAL_S,
        first_at: str | None = None,
        source: Source = "catalog",
    ) -> None:
        super().__init__()
        self.ods_conn_id = ods_conn_id
        self.dataset_id = dataset_id
        self.since = dict(since) if since else None
        self.what = what
        self.poll_interval_s = poll_interval_s
        self.first_at = first_at
        self.source: Source = source

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path of this class and its arguments as JSON values."""
        from ods_provider.core.source import source_told

        return f"{__name__}.OdsDatasetUpdateTrigger", {
            "ods_conn_id": self.ods_conn_id,
            "dataset_id": self.dataset_id,
            "since": self.since,
            "what": self.what,
            "poll_interval_s": self.poll_interval_s,
            "first_at": self.first_at,
            **source_told(self.source),
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the dataset is newer; an error that no waiting cures becomes an event that says so."""
        if self.first_at:
            await sleep_until(datetime.fromisoformat(self.first_at))
        try:
            event = TriggerEvent({"status": "updated", "result": await self._update()})
        except Exception as error:
            event = TriggerEvent(failed(error))
        yield event

    async def _update(self) -> dict[str, Any]:
        from ods_provider.core.source import source_told
        from ods_provider.core.watermark import compared, moved_on, watermark, what_named

        what = what_named(self.what)
        since = watermark(self.since, what) if self.since else None

        def says(seen: Dataset) -> str:
            return f"{self.dataset_id}: {compared(seen, since or {}, what)}"

        # Who knows a time of this portal has had an answer of it.
        looks = descriptions(
            self.ods_conn_id,
            self.dataset_id,
            self.poll_interval_s,
            source=self.source,
            answered=since is not None,
            says=says,
        )
        async with aclosing(looks):
            async for seen in looks:
                if since is None or moved_on(seen, since, what):
                    if since is not None:
                        log.info(says(seen))
                    return seen.freshness() | source_told(self.source)
        raise AssertionError("it looks for ever")  # pragma: no cover


class OdsDatasetEventTrigger(BaseEventTrigger):
    """Fire at every update of a dataset: the trigger of an ``AssetWatcher``.

    Where Airflow keeps a state for assets (3.3), the last seen time is kept there, so that an update that happens while
    no triggerer runs is seen afterwards. Elsewhere the first look after a start is the new beginning.

    A watcher has nobody to fail for: whatever goes wrong is logged, and after ``poll_interval_s`` it looks again, with
    the connection as it is then.

    Args:
        dataset_id: The dataset.
        ods_conn_id: Connection of type ``ods``.
        what: ``data``, ``metadata`` or ``any``.
        poll_interval_s: Seconds between looks.
        source: ``catalog``, or ``monitoring`` for what the portal knows of its own use.
        fire_first: Whether the first look fires too, where no earlier one is remembered: a new watcher then begins with
            what is there, and not with the next update.

    Raises:
        OdsConfigError: ``what`` or ``source`` is none of these, or ``dataset_id`` no id.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        ods_conn_id: str = "ods_default",
        what: str = "data",
        poll_interval_s: float = POLL_INTERVAL_S,
        source: str = "catalog",
        fire_first: bool = False,
    ) -> None:
        from ods_provider.core.datasetid import dataset_named
        from ods_provider.core.faces import AIRFLOW
        from ods_provider.core.source import source_named
        from ods_provider.core.watermark import what_named

        super().__init__()
        # Checked here, where the file with the DAG shows it: nothing renders a watcher's arguments later.
        with AIRFLOW.speaking():
            self.dataset_id = dataset_named(dataset_id)
            self.what = what_named(what)
            self.source = source_named(source)
        self.ods_conn_id = ods_conn_id
        self.poll_interval_s = poll_interval_s
        self.fire_first = fire_first

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path of this class and its arguments as JSON values."""
        from ods_provider.core.source import source_told

        return f"{__name__}.OdsDatasetEventTrigger", {
            "dataset_id": self.dataset_id,
            "ods_conn_id": self.ods_conn_id,
            "what": self.what,
            "poll_interval_s": self.poll_interval_s,
            # Airflow knows a trigger again by its arguments: what was not given is not told.
            **({"fire_first": True} if self.fire_first else {}),
            **source_told(self.source),
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll for ever and yield the dataset's freshness at every update."""
        from ods_provider.core.errors import OdsError
        from ods_provider.core.patience import pace_s
        from ods_provider.core.source import named

        name = named(self.source, self.dataset_id)
        memory = Memory(getattr(self, "asset_state_store", None), f"ods/{name}/{self.what}")
        while True:
            try:
                async with aclosing(self._updates(memory)) as updates:
                    async for freshness in updates:
                        yield TriggerEvent(freshness)
            except Exception as error:
                # Raised, it would be started again by the triggerer at once, and so call the portal without a pause.
                said = error if isinstance(error, OdsError) else f"{type(error).__name__}: {error}"
                pause_s = pace_s(self.poll_interval_s)
                self.log.error("Looking again in %.0f s: %s", pause_s, said)  # noqa: TRY400  the message says it all
                await asyncio.sleep(pause_s)

    async def _updates(self, memory: Memory) -> AsyncGenerator[dict[str, Any]]:
        from ods_provider.core.source import source_told
        from ods_provider.core.watermark import TIMES, moved_on, watermark

        looks = descriptions(self.ods_conn_id, self.dataset_id, self.poll_interval_s, source=self.source, answered=True)
        async with aclosing(looks):
            async for seen in looks:
                # What was told one look ago has reached Airflow's database meanwhile.
                await memory.keep_told()
                now, last = seen.freshness() | source_told(self.source), await memory.last()
                if not any(now[name] for name in TIMES[self.what]):
                    self.log.warning("The portal does not say when %s changed; looking again", self.dataset_id)
                elif last is None and not self.fire_first:
                    memory.tell(now)
                    await memory.keep_told()
                elif last is None or moved_on(seen, watermark(last, self.what), self.what):
                    memory.tell(now)
                    yield now
