"""A task that waits runs in legs: how long its deferrals last, and what is left of its ``execution_timeout``.

Airflow counts ``execution_timeout`` anew in every leg, and not at all while a task is deferred; ours is the limit of
all legs and waits of one try together.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

log = logging.getLogger("airflow.task")
# Airflow 3.3.2 may take a task for failed whose trigger fires before the scheduler has heard that it was deferred.
SHORTEST_DEFERRAL_S = 10.0


def fires_at(moment: datetime | None = None) -> datetime:
    """Return when a trigger that is made now may fire: at ``moment``, but not before its deferral is known to all."""
    soonest = datetime.now(UTC) + timedelta(seconds=SHORTEST_DEFERRAL_S)
    return soonest if moment is None else max(soonest, moment)


def deadline(task: Any, carried: str | None = None) -> datetime | None:
    """Return when the task's ``execution_timeout`` is over, None where it has none.

    Args:
        task: The operator; called at the start of a leg.
        carried: What an earlier leg of the same try found, ISO 8601.
    """
    if task.execution_timeout is None:
        return None
    return datetime.fromisoformat(carried) if carried else datetime.now(UTC) + task.execution_timeout


def hasten(until: datetime | None) -> None:
    """Make Airflow's alarm of this leg, which allows the whole ``execution_timeout`` again, come at ``until``.

    Raises:
        AirflowTaskTimeout: That is over.
    """
    if until is None:
        return
    left_s = (until - datetime.now(UTC)).total_seconds()
    if left_s <= 0:
        time_out("execution_timeout was over before the task could go on")
    if threading.current_thread() is threading.main_thread() and signal.getitimer(signal.ITIMER_REAL)[0] > left_s:
        signal.setitimer(signal.ITIMER_REAL, left_s)


def left_of(until: datetime | None) -> timedelta | None:
    """Return how long a deferral may last, for ``defer(timeout=…)``; None where nothing limits it."""
    return None if until is None else max(until - datetime.now(UTC), timedelta(seconds=1))


def time_out(why: str) -> NoReturn:
    """Fail as Airflow does when ``execution_timeout`` is over: the task's retries apply.

    Raises:
        AirflowTaskTimeout: Always.
    """
    from airflow.sdk.exceptions import AirflowTaskTimeout

    raise AirflowTaskTimeout(f"{why}; it limits all legs and waits of a try together") from None


class Rescheduled:
    """What a task that is rescheduled, and not deferred, carries from one leg to the next: no trigger brings it along.

    It lies where its progress lies. What another try left there is forgotten.

    Args:
        context: Airflow's, of the task.
        ods_conn_id: The task's connection.
    """

    def __init__(self, context: Any, ods_conn_id: str) -> None:
        from ods_provider.plugins.manager import plugins

        run = plugins().run("airflow", context, connection_ref=ods_conn_id)
        self._store = plugins().checkpoint_store(replace(run, key=f"{run.key}/wait"))
        self._try = context["ti"].try_number
        self._found = self._store.load()

    def carried(self) -> Mapping[str, Any]:
        """Return what the leg before kept, nothing in the first one of a try."""
        return self._found if self._found.get("try") == self._try else {}

    def keep(self, checkpoint: Mapping[str, Any], until: datetime | None) -> None:
        """Keep it for the next leg."""
        self._store.save("checkpoint", dict(checkpoint))
        if until is not None:
            self._store.save("deadline", until.isoformat())
        # Last: what it says holds for what was written before.
        self._store.save("try", self._try)

    def forget(self) -> None:
        """Forget it: the try is over."""
        from ods_provider.core.errors import OdsError

        try:
            if self._found:
                self._store.clear()
        except OdsError as error:
            # What stays there says of which try it is, and hurts no other.
            log.warning("What the task carried from leg to leg could not be removed: %s", error)
