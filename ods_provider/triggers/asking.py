"""A connection's client that outlives the connection: a rotated key, or a host that has moved, is looked up anew."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from ods_provider.triggers.polling import sleep_until

if TYPE_CHECKING:
    from ods_provider.client import OdsClient
    from ods_provider.core.source import Source
    from ods_provider.core.wire import Plan

T = TypeVar("T")
log = logging.getLogger(__name__)


class Asking:
    """Asks a portal, for as long as something is waited for.

    Args:
        ods_conn_id: Connection of type ``ods``.
        client: A client of that connection as it is now; whoever closes this closes it, or the one that took its place.
    """

    def __init__(self, ods_conn_id: str, client: OdsClient) -> None:
        self.ods_conn_id = ods_conn_id
        self.client = client

    @classmethod
    async def of(cls, ods_conn_id: str) -> Asking:
        """Look the connection up.

        Raises:
            OdsError: There is none, or it is bad.
        """
        from ods_provider.hooks.ods import OdsHook

        return cls(ods_conn_id, await OdsHook(ods_conn_id).aget_conn())

    @classmethod
    async def patiently(cls, ods_conn_id: str, *, every_s: float) -> Asking:
        """Look the connection up; what only passes, such as a vault that is down for a moment, is tried again.

        Args:
            ods_conn_id: Connection of type ``ods``.
            every_s: Seconds between two tries.

        Raises:
            OdsError: There is none, or it is bad.
        """
        from ods_provider.core.errors import OdsError
        from ods_provider.core.patience import next_look, patient_with

        while True:
            until = next_look(datetime.now(UTC), every_s=every_s)
            try:
                return await cls.of(ods_conn_id)
            except OdsError as error:
                if not patient_with(error, answered=False):
                    raise
                log.warning("Looking again at %s: %s", until.isoformat(timespec="seconds"), error)
            await sleep_until(until)

    async def run(self, plan: Callable[[OdsClient], Plan[T]], source: Source = "catalog") -> T:
        """Run what ``plan`` makes; what a connection of yesterday may be to blame for is asked once more with today's.

        Raises:
            OdsError: What the call ended with.
        """
        from ods_provider.core.errors import OdsAuthError, OdsNotAPortal, OdsNotFound, OdsTransportError

        used = self.client
        try:
            return await used.at(source).arun(plan(used))
        except (OdsAuthError, OdsNotAPortal, OdsNotFound, OdsTransportError):
            if not await self._renewed(used):
                raise
        log.info("The connection %s has changed meanwhile: asking with it as it is now", self.ods_conn_id)
        return await self.client.at(source).arun(plan(self.client))

    async def _renewed(self, used: OdsClient) -> bool:
        from ods_provider.core.errors import OdsError
        from ods_provider.hooks.ods import OdsHook

        try:
            client = await OdsHook(self.ods_conn_id).aget_conn()
        except OdsError as error:
            # What the call ended with says more than this.
            log.debug("The connection %s cannot be looked up now: %s", self.ods_conn_id, error)
            return False
        if client.connection == self.client.connection:
            client.close()
            # Others may have renewed it while this call was on its way.
            return self.client is not used
        self.client.close()
        self.client = client
        return True

    def close(self) -> None:
        """Close the client."""
        self.client.close()
