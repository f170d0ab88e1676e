"""``OdsHarvestTrigger``: fire when a harvester's run, or the publications of its datasets, have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ods_provider.triggers.publication import OdsFollowingTrigger
from ods_provider.triggers.publications import looks_of

if TYPE_CHECKING:
    from ods_provider.triggers.together import Together


class OdsHarvestTrigger(OdsFollowingTrigger):
    """Look at a harvester until its order has ended, or at the publications of its datasets until all have.

    Args:
        ods_conn_id: Connection of type ``ods``.
        harvest: What was ordered, as JSON; or
        publications: the publications, as JSON; they are looked at together with those of other triggers.
        how: As of ``OdsFollowingTrigger``.
    """

    def __init__(
        self,
        *,
        ods_conn_id: str,
        harvest: Mapping[str, Any] | None = None,
        publications: Sequence[Mapping[str, Any]] = (),
        **how: Any,
    ) -> None:
        super().__init__(ods_conn_id=ods_conn_id, **how)
        self.harvest = None if harvest is None else dict(harvest)
        self.publications = [dict(each) for each in publications]

    def followed(self) -> dict[str, Any]:
        """Return the harvest, and the publications that have not ended."""
        return {"harvest": self.harvest, "publications": self.publications}

    async def ended(self, shared: Together) -> bool:
        """Look once."""
        from ods_provider.core.counting import counted
        from ods_provider.core.plans.automation import harvesters
        from ods_provider.core.plans.automation.harvesters import Harvest
        from ods_provider.core.plans.automation.publications import Publication

        if self.harvest is not None:
            harvest = Harvest.of(self.harvest)
            seen = await shared.asking.run(lambda _: harvesters.look(harvest))
            self.harvest, self.seen = seen.harvest.as_dict(), f"The harvest is not over: {seen.message}"
            return seen.ended
        looks = looks_of(shared)
        told = await asyncio.gather(*(looks.look(Publication.of(each)) for each in self.publications))
        self.publications = [each.publication.as_dict() for each in told if not each.ended]
        self.seen = f"{counted(len(self.publications), 'publications')} at work"
        return not self.publications
