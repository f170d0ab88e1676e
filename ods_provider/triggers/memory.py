"""What a watcher saw last: in Airflow's asset state where there is one, and for as long as its trigger runs."""

from __future__ import annotations

import logging
from typing import Any

log = logging.getLogger(__name__)


class Memory:
    """The freshness that was told last. An update is told at least once.

    It is kept one look after it was told, and not before: a triggerer that dies between the two tells it again, whereas
    one that died between keeping and telling would have lost it. (Who consumes it compares versions.)

    Args:
        store: Airflow's asset state of the trigger, None where it has none.
        key: Under which name it is kept there.
    """

    def __init__(self, store: Any, key: str) -> None:
        self._of_assets = _each_asset(store)
        # An accessor of another shape still serves a trigger of one asset.
        self._stores = self._of_assets or ([store] if store is not None else [])
        self._key = key
        self._last: dict[str, Any] | None = None
        self._unkept = False

    async def last(self) -> dict[str, Any] | None:
        """Return what was told or kept last, None when nothing was yet.

        Raises:
            Exception: Airflow's state cannot be read now.
        """
        if self._last is None:
            found = [kept for store in self._stores if isinstance(kept := await self._get(store), dict)]
            # Several assets know the same, unless one of them was watched elsewhere: none of them may miss an update.
            self._last = min(found, key=_age, default=None)
        return self._last

    async def _get(self, store: Any) -> Any:
        try:
            return await store.aget(self._key)
        except ValueError as error:
            if self._of_assets:
                raise
            log.warning("Updates are remembered for as long as the triggerer runs, and no longer: %s", error)
            self._stores = []
            return None

    def tell(self, freshness: dict[str, Any]) -> None:
        """Take note of what is told now."""
        self._last = freshness
        self._unkept = True

    async def keep_told(self) -> None:
        """Keep what was told, if anything was since; what cannot be kept now is kept later."""
        if not self._unkept:
            return
        try:
            for store in self._stores:
                await store.aset(self._key, self._last)
        except Exception as error:
            log.warning("What was told cannot be kept now: %s: %s", type(error).__name__, error)
        else:
            self._unkept = False


def _each_asset(store: Any) -> list[Any]:
    # Two assets with the same trigger share it. Airflow's accessor then wants to know whose state is meant, and nobody
    # tells the trigger its assets (apache/airflow#71460): they are taken from where the accessor holds them.
    return [*getattr(store, "_by_name", {}).values(), *getattr(store, "_by_uri", {}).values()]


def _age(freshness: dict[str, Any]) -> tuple[str, str]:
    # ISO 8601 in UTC, which sorts as text.
    return str(freshness.get("data_processed") or ""), str(freshness.get("modified") or "")
