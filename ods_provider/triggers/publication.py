"""``OdsPublicationTrigger``: fire when a publication has ended, well or not."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from ods_provider.triggers.polling import poll, sleep_until
from ods_provider.triggers.publications import looks_of
from ods_provider.triggers.together import together

if TYPE_CHECKING:
    from ods_provider.triggers.together import Together

POLL_INTERVAL_S = 15.0


class OdsFollowingTrigger(BaseTrigger):
    """Look at what a portal is at until it has ended, and bring the job's state along.

    What it came to is found out by the task, which looks once more: the event only says that there is something to see.
    That is so too where no waiting helps any more, such as after a key was withdrawn.

    Args:
        ods_conn_id: Connection of type ``ods``.
        reason: One sentence for the log.
        checkpoint: JSON state of the job, which travels along.
        deadline: When the task's ``execution_timeout`` is over, ISO 8601; it travels along.
        first_at: When to look first, ISO 8601; None looks at once.
        latest: When it fires whatever it sees, ISO 8601: the job's own ``timeout`` is over then.
        poll_interval_s: Seconds between looks.
    """

    def __init__(
        self,
        *,
        ods_conn_id: str,
        reason: str = "",
        checkpoint: Mapping[str, Any] | None = None,
        deadline: str | None = None,
        first_at: str | None = None,
        latest: str | None = None,
        poll_interval_s: float = POLL_INTERVAL_S,
    ) -> None:
        super().__init__()
        self.ods_conn_id = ods_conn_id
        self.reason = reason
        self.checkpoint = dict(checkpoint or {})
        self.deadline = deadline
        self.first_at = first_at
        self.latest = latest
        self.poll_interval_s = poll_interval_s
        self.seen = ""

    @abstractmethod
    def followed(self) -> dict[str, Any]:
        """Return what is followed, as JSON values by the names of the arguments."""

    @abstractmethod
    async def ended(self, shared: Together) -> bool:
        """Look once, put into ``seen`` what that showed, and return whether it has ended."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path of this class and its arguments as JSON values."""
        return f"{type(self).__module__}.{type(self).__name__}", {
            "ods_conn_id": self.ods_conn_id,
            **self.followed(),
            "reason": self.reason,
            "checkpoint": self.checkpoint,
            "deadline": self.deadline,
            "first_at": self.first_at,
            "latest": self.latest,
            "poll_interval_s": self.poll_interval_s,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until it has ended and fire."""
        self.log.info("Waiting for the portal. %s", self.reason)
        if self.first_at:
            await sleep_until(datetime.fromisoformat(self.first_at))
        left_s = (datetime.fromisoformat(self.latest) - datetime.now(UTC)).total_seconds() if self.latest else None
        try:
            async with asyncio.timeout(left_s):
                await self._until_ended()
        except TimeoutError:
            self.log.info("The time to wait for the portal is over: the task looks for itself")
        except Exception as error:
            self.log.warning("The task looks for itself: %s", error)
        deadline = {"deadline": self.deadline} if self.deadline else {}
        yield TriggerEvent({"status": "resume", "checkpoint": self.checkpoint, **self.followed(), **deadline})

    async def _until_ended(self) -> None:
        async with together(self.ods_conn_id, every_s=self.poll_interval_s) as shared:

            async def look() -> bool:
                return await self.ended(shared)

            looks = poll(look, every_s=self.poll_interval_s, answered=True, says=lambda _: self.seen)
            async with aclosing(looks) as told:
                async for ended in told:
                    if ended:
                        return


class OdsPublicationTrigger(OdsFollowingTrigger):
    """Look at a publication until it has ended; fifty of them on one portal cost a handful of calls a look.

    Args:
        ods_conn_id: Connection of type ``ods``.
        publication: What was ordered, as JSON.
        how: As of ``OdsFollowingTrigger``.
    """

    def __init__(self, *, ods_conn_id: str, publication: Mapping[str, Any], **how: Any) -> None:
        super().__init__(ods_conn_id=ods_conn_id, **how)
        self.publication = dict(publication)

    def followed(self) -> dict[str, Any]:
        """Return the publication."""
        return {"publication": self.publication}

    async def ended(self, shared: Together) -> bool:
        """Look once, with all others that look at this portal."""
        from ods_provider.core.plans.automation.publications import Publication

        seen = await looks_of(shared).look(Publication.of(self.publication))
        self.publication, self.seen = seen.publication.as_dict(), seen.said(seen.publication.dataset_id)
        return seen.ended
