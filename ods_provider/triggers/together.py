"""Looks of many triggers at datasets of one portal, put together: a hundred of them are one call.

A thousand watched datasets would otherwise cost a thousand calls at every interval, which is more than most portals
allow in a day. Triggers of one process that use the same connection share a client, and wake at the same moments
(``polling.poll``), so that their looks meet here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ods_provider.client import OdsClient
    from ods_provider.core.schema import Dataset

GATHER_S = 0.2


class Together:
    """The looks at one portal, of all triggers in one event loop that use the same connection.

    Args:
        client: What asks; it is closed when the last trigger has left.
        loop: Where the triggers run.
    """

    def __init__(self, client: OdsClient, loop: asyncio.AbstractEventLoop) -> None:
        self.client = client
        self.loop = loop
        self.users = 0
        self._wanted: dict[str, asyncio.Future[Dataset]] = {}
        self._asking: set[asyncio.Task[None]] = set()

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
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
        # One trigger that is cancelled must not take the answer from the others.
        return await asyncio.shield(future)

    async def _ask_soon(self) -> None:
        from ods_provider.core.errors import OdsError
        from ods_provider.core.plans.freshness import calls

        await asyncio.sleep(GATHER_S)
        wanted, self._wanted = self._wanted, {}
        for some in calls(wanted):
            try:
                await self._ask(some, wanted)
            except OdsError as error:
                for dataset_id in some:
                    if not wanted[dataset_id].done():
                        wanted[dataset_id].set_exception(error)

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
                wanted[dataset_id].set_result(await self.client.arun(dataset(dataset_id)))
            except OdsError as error:
                wanted[dataset_id].set_exception(error)

    async def _found(self, ids: list[str]) -> dict[str, Dataset]:
        from ods_provider.core.errors import OdsQueryError
        from ods_provider.core.plans.freshness import datasets

        try:
            return await self.client.arun(datasets(ids))
        except OdsQueryError:
            # What the portal cannot read may be one id of many: each is asked for by itself, so that none of the others
            # pays for it. Any other error, such as a wrong key, is everybody's.
            return {}


_OPEN: list[Together] = []


@asynccontextmanager
async def together(ods_conn_id: str) -> AsyncGenerator[Together]:
    """Join those who look at the portal of a connection; the connection is looked up, so that a new key is seen.

    Raises:
        OdsConfigError: The connection is bad.
    """
    from ods_provider.hooks.ods import OdsHook

    loop = asyncio.get_running_loop()
    client = await OdsHook(ods_conn_id).aget_conn()
    shared = next(
        (open_ for open_ in _OPEN if open_.loop is loop and open_.client.connection == client.connection), None
    )
    if shared is None:
        shared = Together(client, loop)
        _OPEN.append(shared)
    else:
        client.close()
    shared.users += 1
    try:
        yield shared
    finally:
        shared.users -= 1
        if not shared.users:
            _OPEN.remove(shared)
            shared.client.close()
