"""Looks of many triggers at datasets of one portal, put together: a hundred of them are one call.

A thousand watched datasets would otherwise cost a thousand calls at every interval, which is more than most portals
allow in a day. Triggers of one process that use the same connection share a client, and wake at the same moments
(``polling.poll``), so that their looks meet here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ods_provider.triggers.asking import Asking

if TYPE_CHECKING:
    from ods_provider.core.schema import Dataset
    from ods_provider.core.source import Source

GATHER_S = 0.2


class Together:
    """The looks at one portal, of all triggers in one event loop that use the same connection.

    Args:
        asking: What asks; it is closed when the last trigger has left.
        source: Which of the portal's sources is looked at.
        loop: Where the triggers run.
    """

    def __init__(self, asking: Asking, source: Source, loop: asyncio.AbstractEventLoop) -> None:
        self.asking = asking
        self.source: Source = source
        self.loop = loop
        self.users = 0
        self._wanted: dict[str, asyncio.Future[Dataset]] = {}
        self._at_it: set[asyncio.Task[None]] = set()

    def is_for(self, asking: Asking, source: Source, loop: asyncio.AbstractEventLoop) -> bool:
        """Return whether looks that would be made with ``asking`` may be made here."""
        # An id says nothing without its source, and one call asks one source.
        same = (self.asking.ods_conn_id, self.source) == (asking.ods_conn_id, source)
        return same and self.loop is loop and self.asking.client.connection == asking.client.connection

    async def look(self, dataset_id: str) -> Dataset:
        """Return the dataset's description as it is now; what others ask within 0.2 s goes into the same call.

        Raises:
            OdsError: What the call ended with.
        """
        future = self._wanted.get(dataset_id)
        if future is None:
            future = self._wanted[dataset_id] = self.loop.create_future()
            # Read once, so that nobody is told of an error whose trigger has gone meanwhile.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            if len(self._wanted) == 1:
                task = self.loop.create_task(self._ask_soon())
                self._at_it.add(task)
                task.add_done_callback(self._at_it.discard)
        # One trigger that is cancelled must not take the answer from the others.
        return await asyncio.shield(future)

    async def _ask_soon(self) -> None:
        from ods_provider.core.plans.freshness import calls

        await asyncio.sleep(GATHER_S)
        wanted, self._wanted = self._wanted, {}
        try:
            for some in calls(wanted):
                try:
                    await self._ask(some, wanted)
                except Exception as error:
                    _fail(wanted, some, error)
        except BaseException as error:
            # Whatever ends this, nobody may wait for an answer that will never come.
            _fail(wanted, wanted, error if isinstance(error, Exception) else asyncio.CancelledError())
            if not isinstance(error, Exception):
                raise

    async def _ask(self, ids: list[str], wanted: dict[str, asyncio.Future[Dataset]]) -> None:
        from ods_provider.core.errors import OdsError
        from ods_provider.core.plans.catalog import dataset

        found = await self._found(ids) if len(ids) > 1 else {}
        for dataset_id in ids:
            if dataset_id in found:
                wanted[dataset_id].set_result(found[dataset_id])
                continue
            # Alone, or not in the catalogue that this key sees: asked for by its name, it says why.
            try:
                seen = await self.asking.run(lambda _, name=dataset_id: dataset(name), self.source)  # type: ignore[misc]  # binds the loop's value
            except OdsError as error:
                wanted[dataset_id].set_exception(error)
            else:
                wanted[dataset_id].set_result(seen)

    async def _found(self, ids: list[str]) -> dict[str, Dataset]:
        from ods_provider.core.errors import OdsQueryError
        from ods_provider.core.plans.freshness import datasets

        try:
            return await self.asking.run(lambda _: datasets(ids), self.source)
        except OdsQueryError:
            # What the portal cannot read may be one id of many: each is asked for by itself, so that none of the others
            # pays for it. Any other error, such as a wrong key, is everybody's.
            return {}


def _fail(wanted: dict[str, asyncio.Future[Dataset]], ids: Iterable[str], error: BaseException) -> None:
    for dataset_id in ids:
        if wanted[dataset_id].done():
            continue
        if isinstance(error, asyncio.CancelledError):
            wanted[dataset_id].cancel()
        else:
            wanted[dataset_id].set_exception(error)


class _Joining:
    """Those who join at the same moment: for all of them the connection is looked up once, after the last has come.

    Args:
        ods_conn_id: Connection of type ``ods``.
        source: Which of the portal's sources they look at.
        every_s: Seconds between two tries to look it up.
        loop: Where they run.
    """

    def __init__(self, ods_conn_id: str, source: Source, every_s: float, loop: asyncio.AbstractEventLoop) -> None:
        self.ods_conn_id, self.source, self.every_s, self.loop = ods_conn_id, source, every_s, loop
        self.wanted = (ods_conn_id, source, every_s, loop)
        self._waiting = 0
        self._task = loop.create_task(self._join())
        self._task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def shared(self) -> Together:
        """Return what they share; whoever gets it leaves it at the end.

        Raises:
            OdsConfigError: The connection is bad.
        """
        self._waiting += 1
        try:
            # One trigger that is cancelled must not take the portal from the others.
            return await asyncio.shield(self._task)
        except asyncio.CancelledError:
            self._waiting -= 1
            if self._task.done() and not self._task.cancelled() and self._task.exception() is None:
                _leave(self._task.result())
            raise

    async def _join(self) -> Together:
        # All that are ready now go first: at its start a triggerer begins hundreds of triggers at once.
        await asyncio.sleep(0)
        _JOINING.remove(self)
        asking = await Asking.patiently(self.ods_conn_id, every_s=self.every_s)
        shared = next((open_ for open_ in _OPEN if open_.is_for(asking, self.source, self.loop)), None)
        if shared is None:
            shared = Together(asking, self.source, self.loop)
            _OPEN.append(shared)
        else:
            asking.close()
        # They are users from here on, even those who have not heard of it yet.
        shared.users += self._waiting
        _leave(shared, users=0)
        return shared


_OPEN: list[Together] = []
_JOINING: list[_Joining] = []


def _leave(shared: Together, *, users: int = 1) -> None:
    """Leave, and close what nobody uses any more."""
    shared.users -= users
    if not shared.users and shared in _OPEN:
        _OPEN.remove(shared)
        shared.asking.close()


@asynccontextmanager
async def together(ods_conn_id: str, source: Source = "catalog", *, every_s: float = 60.0) -> AsyncGenerator[Together]:
    """Join those who look at the portal of a connection; the connection is looked up, so that a new key is seen.

    Args:
        ods_conn_id: Connection of type ``ods``.
        source: Which of the portal's sources they look at.
        every_s: Seconds between two tries to look it up, while it cannot be found for a moment.

    Raises:
        OdsConfigError: The connection is bad.
    """
    loop = asyncio.get_running_loop()
    wanted = (ods_conn_id, source, every_s, loop)
    joining = next((each for each in _JOINING if each.wanted == wanted), None)
    if joining is None:
        joining = _Joining(*wanted)
        _JOINING.append(joining)
    shared = await joining.shared()
    try:
        yield shared
    finally:
        _leave(shared)
