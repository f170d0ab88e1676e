"""``OdsWaitTrigger``: come back at a time, bringing the job's state along."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from ods_provider.triggers.polling import sleep_until


class OdsWaitTrigger(BaseTrigger):
    """Fire once at ``until``.

    The state travels in the event, not in the arguments of the deferral, which ``airflow dags test`` drops.

    Args:
        until: Aware UTC, as datetime or ISO 8601 text. An absolute time: a triggerer that restarts does not begin anew.
        reason: One sentence for the log.
        checkpoint: JSON state of the job.
        deadline: When the task's ``execution_timeout`` is over, ISO 8601; it only travels along.
    """

    def __init__(
        self,
        until: datetime | str,
        reason: str = "",
        checkpoint: Mapping[str, Any] | None = None,
        deadline: str | None = None,
    ) -> None:
        super().__init__()
        self.until = datetime.fromisoformat(until) if isinstance(until, str) else until
        self.reason = reason
        self.checkpoint = dict(checkpoint or {})
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path of this class and its arguments as JSON values."""
        return f"{__name__}.OdsWaitTrigger", {
            "until": self.until.isoformat(),
            "reason": self.reason,
            "checkpoint": self.checkpoint,
            "deadline": self.deadline,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Sleep until then and fire."""
        self.log.info("Waiting until %s. %s", self.until.isoformat(), self.reason)
        await sleep_until(self.until)
        deadline = {"deadline": self.deadline} if self.deadline else {}
        yield TriggerEvent({"status": "resume", "checkpoint": self.checkpoint, **deadline})


def checkpoint_of(event: Any) -> dict[str, Any]:
    """Return the state that an event of ``OdsWaitTrigger`` brings.

    Raises:
        OdsConfigError: It is no such event: something else fired.
    """
    from ods_provider.core.errors import OdsConfigError

    if not isinstance(event, Mapping) or event.get("status") != "resume":
        raise OdsConfigError(
            f"the task was resumed by an event that is none of ours: {event!r:.200}",
            where="OdsWaitTrigger",
            advice="Clear the task to run it again; confirmed progress is kept",
        )
    return dict(event.get("checkpoint") or {})
