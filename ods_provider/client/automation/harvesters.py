"""Datasets that other portals are asked for: ``client.automation.harvesters``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ods_provider.client.automation.office import Office
from ods_provider.core.errors import OdsPublicationFailed, OdsPublicationRunning
from ods_provider.core.plans.automation import harvesters
from ods_provider.core.plans.automation.harvesters import Harvest, HarvestLook, Order

Object = dict[str, Any]
Objects = list[Object]


class Harvesters:
    """Harvesters, each by its uid. What one found is seen once its datasets are published.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def list(self) -> Objects:
        """Return all; credentials among their settings are ``***`` or None."""
        return self._office.run(harvesters.harvesters())

    def get(self, harvester: str) -> Object:
        """Return one: ``{uid, name, type, status, has_error, last_started_at, attached_datasets_count, …}``."""
        return self._office.run(harvesters.harvester(harvester))

    def status(self, harvester: str) -> str:
        """Return its status: ``new``, ``idle``, ``queued``, ``processing``, ``aborting``, ``deleting``."""
        return str(self.get(harvester).get("status"))

    def errors(self, harvester: str) -> Object:
        """Return what went wrong in its last run: ``{harvester: text | None, resources: {id: text}}``."""
        return self._office.run(harvesters.errors(harvester))

    def preview(self, harvester: str) -> Objects:
        """Return what a run would find, as far as the portal looks."""
        return self._office.run(harvesters.preview(harvester))

    def datasets(self, harvester: str) -> Objects:
        """Return the datasets that it made and that are still there."""
        return self._office.run(harvesters.attached(harvester))

    def start(self, harvester: str) -> Harvest:
        """Start a run and return it: ``wait`` follows it.

        Raises:
            OdsPublicationRunning: It is at something else.
        """
        return self._ordered(harvester, "start")

    def publish(self, harvester: str) -> Harvest:
        """Have its datasets queued for publication; each of them is followed by itself then. As ``start`` otherwise."""
        return self._ordered(harvester, "publish")

    def unpublish(self, harvester: str) -> Harvest:
        """Have its datasets queued for being public no more. As ``start`` otherwise."""
        return self._ordered(harvester, "unpublish")

    def abort(self, harvester: str) -> None:
        """Stop what it is at.

        Raises:
            OdsQueryError: It is at nothing.
        """
        self._office.run(harvesters.aborted(harvester))

    def look(self, harvest: Harvest) -> HarvestLook:
        """Look once how far a run is: ``.state`` is running, done or failed. It never waits."""
        return self._office.run(harvesters.look(harvest))

    def wait(
        self, harvest: Harvest, *, timeout_s: float = 3600.0, seen: Callable[[HarvestLook], None] | None = None
    ) -> HarvestLook:
        """Wait until a run has ended, and return the last look; single datasets may have failed: see ``errors``.

        Args:
            harvest: What was ordered.
            timeout_s: Seconds to wait; after them the portal goes on with its work.
            seen: Hears every look.

        Raises:
            OdsPublicationFailed: The run failed as a whole; the message is the portal's.
            OdsPublicationRunning: It has not ended.
        """
        now = harvest

        def once() -> HarvestLook | None:
            nonlocal now
            look = self.look(now)
            now = look.harvest
            if seen:
                seen(look)
            return look if look.ended else None

        ended = self._office.waited(once, timeout_s, lambda: f"{harvest.order} of harvester {harvest.harvester_uid}")
        if ended.state == "failed":
            raise OdsPublicationFailed(
                f"the portal says: {ended.message}",
                where=f"{harvest.order} of harvester {harvest.harvester_uid}",
                advice="Correct the harvester's settings, or wait until its source answers",
            )
        return ended

    def _ordered(self, harvester: str, order: Order) -> Harvest:
        made = self._office.run(harvesters.ordered(harvester, order))
        if made is None:
            raise OdsPublicationRunning(
                "the harvester is at something else",
                where=f"{order} of harvester {harvester}",
                advice="Run it again once that has ended, or abort it",
            )
        return made
