"""Looks of many triggers at publications on one portal, put together: fifty of them are a handful of calls.

They share what the looks at datasets share (``together``): a client for each connection, and the moments of looking.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ods_provider.triggers.together import GATHER_S, Together

if TYPE_CHECKING:
    from ods_provider.core.plans.automation.publications import Look, Publication


class PublicationLooks:
    """The looks at publications of all triggers that share a portal.

    Args:
        shared: What they share.
    """

    def __init__(self, shared: Together) -> None:
        self._asking = shared.asking
        self._wanted: list[tuple[Publication, asyncio.Future[Look]]] = []
        self._at_it: set[asyncio.Task[None]] = set()

    async def look(self, publication: Publication) -> Look:
        """Return a look at a publication; what others ask within 0.2 s goes into the same look at many.

        Raises:
            OdsError: What the calls ended with.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Look] = loop.create_future()
        # Read once, so that nobody is told of an error whose trigger has gone meanwhile.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._wanted.append((publication, future))
        if len(self._wanted) == 1:
            task = loop.create_task(self._ask_soon())
            self._at_it.add(task)
            task.add_done_callback(self._at_it.discard)
        return await future

    async def _ask_soon(self) -> None:
        await asyncio.sleep(GATHER_S)
        wanted, self._wanted = self._wanted, []
        try:
            await self._ask(wanted)
        except BaseException as error:
            for _, future in wanted:
                if not future.done():
                    future.set_exception(error) if isinstance(error, Exception) else future.cancel()
            if not isinstance(error, Exception):
                raise

    async def _ask(self, wanted: list[tuple[Publication, asyncio.Future[Look]]]) -> None:
        from ods_provider.core.errors import OdsError
        from ods_provider.core.plans.automation.watching import look_many

        publications = [publication for publication, _ in wanted]
        try:
            looks = await self._asking.run(lambda _: look_many(publications))
        except OdsError as error:
            if error.transient or len(wanted) == 1:
                raise
            # One of them is gone, or out of this key's reach: none of the others pays for it.
            for publication, future in wanted:
                await self._alone(publication, future)
            return
        for (_, future), seen in zip(wanted, looks, strict=True):
            if not future.done():
                future.set_result(seen)

    async def _alone(self, publication: Publication, future: asyncio.Future[Look]) -> None:
        from ods_provider.core.errors import OdsError
        from ods_provider.core.plans.automation import publications

        try:
            seen = await self._asking.run(lambda _: publications.look(publication))
        except OdsError as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(seen)


_LOOKS: WeakKeyDictionary[Together, PublicationLooks] = WeakKeyDictionary()


def looks_of(shared: Together) -> PublicationLooks:
    """Return the looks at publications of all that share this portal."""
    return _LOOKS.setdefault(shared, PublicationLooks(shared))
