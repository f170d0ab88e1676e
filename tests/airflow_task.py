"""A task of Airflow without Airflow's servers: its context, its run, its deferral and the trigger's events."""

from __future__ import annotations

import asyncio
import contextvars
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen


class TaskInstance:
    """As much of a task instance as an operator may ask for; XComs of earlier runs are given."""

    dag_id = "a_dag"
    map_index = -1
    try_number = 1

    def __init__(self, task_id: str, earlier: Any = None, *, map_index: int = -1, kept: Any = None) -> None:
        self.map_index = map_index
        self.kept: dict[str, list[Any]] = {} if kept is None else kept
        self.run_id = f"manual__{os.urandom(4).hex()}"
        self.task_id = task_id
        self._earlier = earlier

    def xcom_pull(
        self,
        task_ids: str,
        *,
        include_prior_dates: bool = False,
        map_indexes: int | None = None,
        key: str = "return_value",
    ) -> Any:
        """As Airflow's: the newest result of a named map index; without one, all of them once they are several."""
        if key != "return_value":
            return self.kept.get(key)
        found = self._earlier if include_prior_dates and task_ids == self.task_id else None
        if not isinstance(found, list) or not found:
            return found
        return found[-1] if map_indexes == self.map_index or len(found) == 1 else found

    def xcom_push(self, key: str, value: Any) -> None:
        self.kept.setdefault(key, []).append(json.loads(json.dumps(value)))

    def get_first_reschedule_date(self, context: Any) -> None:
        return None


class Variables:
    """As Airflow's: texts by name; JSON in, JSON out."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.broken = False

    def get(self, key: str, default: Any = None, *, deserialize_json: bool = False) -> Any:
        assert deserialize_json
        if self.broken:
            raise RuntimeError("no API server")
        return json.loads(self.kept[key]) if key in self.kept else default

    def set(self, key: str, value: Any, description: str | None = None, *, serialize_json: bool = False) -> None:
        assert serialize_json and description and len(key) <= 250
        self.kept[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        del self.kept[key]


class TaskStateStore:
    """As Airflow's: JSON in, JSON out, None refused."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.kept[key]) if key in self.kept else default

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        if value is None:
            raise ValueError("Cannot set value as None")
        self.kept[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)


def context_of(task: Any, *, earlier: Any = None, map_index: int = -1, kept: Any = None, **more: Any) -> dict[str, Any]:
    """What Airflow hands to ``execute``, for a run that no timetable started: no logical date, no ``ds``.

    ``earlier`` is what the task returned in earlier runs, ``kept`` what it pushed under other keys, at any map index.
    """
    ti = TaskInstance(task.task_id, earlier, map_index=map_index, kept=kept)
    run = SimpleNamespace(run_id=ti.run_id, run_type="asset_triggered", logical_date=None, conf={})
    return {
        "ti": ti,
        "task_instance": ti,
        "task": task,
        "dag_run": run,
        "run_id": ti.run_id,
        "params": {},
        "task_state_store": TaskStateStore(),
        **more,
    }


class Runs:
    """The runs of a DAG by their dates, and what their tasks returned: as the API server answers tasks about them."""

    def __init__(self) -> None:
        self.results: dict[tuple[str, str, int], Any] = {}
        self.pushed: dict[tuple[str, str, int, str], Any] = {}
        self.dates: dict[str, datetime | None] = {}
        self.broken = False

    def context(self, task: Any, *, date: datetime | None, map_index: int = -1, run_type: str = "scheduled") -> Any:
        """The context of a task in the run of a date; without one, of a run of its own."""
        context = context_of(task, map_index=map_index)
        run_id = f"{run_type}__{date.isoformat()}" if date else context["run_id"]
        self.dates[run_id] = date
        ti = DatedTaskInstance(task.task_id, map_index=map_index)
        ti.run_id, ti.runs, ti.date = run_id, self, date
        run = SimpleNamespace(run_id=run_id, run_type=run_type, logical_date=date, run_after=date, conf={})
        dated = {"ds": f"{date:%Y-%m-%d}"} if date else {}
        return context | {"ti": ti, "task_instance": ti, "dag_run": run, "run_id": run_id} | dated

    def run(self, task: Any, *, day: int, **how: Any) -> Any:
        """What a task returns on a day of January 2026; the run does not succeed by that."""
        return run_task(task, self.context(task, date=datetime(2026, 1, day, tzinfo=UTC), **how))

    def succeed(self, task: Any, *, day: int, by: Callable[..., Any] | None = None, **how: Any) -> Any:
        """The same, and it succeeds; ``by=finish_task`` where it may be deferred before."""
        context = self.context(task, date=datetime(2026, 1, day, tzinfo=UTC), **how)
        result = (by or run_task)(task, context)
        ti = context["ti"]
        self.results[task.task_id, ti.run_id, ti.map_index] = json.loads(json.dumps(result))
        return result


class DatedTaskInstance(TaskInstance):
    """A task instance that can look at earlier runs, as Airflow's does: ``xcom_pull`` and ``get_previous_ti``."""

    runs: Runs
    date: datetime | None

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep it under the run, the task, its map index and the key."""
        self.runs.pushed[self.run_id, self.task_id, self.map_index, key] = json.loads(json.dumps(value))

    def get_previous_ti(self, state: Any = None, logical_date: Any = None, map_index: int = -1) -> Any:
        """The one before a date; every run of ``Runs`` that a task returned something in has succeeded."""
        if self.runs.broken:
            raise RuntimeError("no API")
        before = logical_date or self.date
        found = [
            (date, run_id)
            for task_id, run_id, index in self.runs.results
            if (task_id, index) == (self.task_id, map_index)
            and (date := self.runs.dates[run_id])
            and (before is None or date < before)
        ]
        return SimpleNamespace(logical_date=max(found)[0], run_id=max(found)[1]) if found else None

    def xcom_pull(
        self,
        task_ids: str,
        *,
        include_prior_dates: bool = False,
        map_indexes: int | None = None,
        key: str = "return_value",
        run_id: str | None = None,
    ) -> Any:
        """Results by date, the latest first; without a map index a list, unless it is one."""
        if key != "return_value":
            until = self.runs.dates[self.run_id] or datetime.max.replace(tzinfo=UTC)
            pushed = [
                value
                for (run, task_id, index, name), value in self.runs.pushed.items()
                if (task_id, name) == (task_ids, key) and (run == self.run_id or include_prior_dates)
                if map_indexes in (None, index) and (date := self.runs.dates[run]) and date <= until
            ]
            return pushed[0] if len(pushed) == 1 else pushed or None
        asked = run_id or self.run_id
        until = self.runs.dates[asked] or datetime.max.replace(tzinfo=UTC)
        found = {
            (self.runs.dates[run] or datetime.min.replace(tzinfo=UTC), index): value
            for (task_id, run, index), value in self.runs.results.items()
            if task_id == task_ids
            and key == "return_value"
            and (map_indexes is None or index == map_indexes)
            and (run == asked or (include_prior_dates and (date := self.runs.dates[run]) and date <= until))
        }
        values = [found[each] for each in sorted(found, reverse=True)]
        if map_indexes is not None or len(values) == 1:
            return values[0] if values else None
        return values


def run_task(task: Any, context: dict[str, Any] | None = None) -> Any:
    """Render the templates and execute, as Airflow's task runner does."""
    from airflow.sdk.bases.operator import ExecutorSafeguard

    context = context_of(task) if context is None else context
    task.render_template_fields(context)
    inside = contextvars.copy_context()
    inside.run(ExecutorSafeguard.tracker.set, task)
    return inside.run(task.execute, context)


def resume_task(task: Any, context: dict[str, Any], deferred: Any, event: Any) -> Any:
    """Go on after a deferral, as the task runner does in another process, with the event through JSON."""
    kwargs = {**(deferred.kwargs or {}), "event": json.loads(json.dumps(event))}
    return task.resume_execution(deferred.method_name, kwargs, context)


def finish_task(task: Any, context: dict[str, Any] | None = None) -> Any:
    """Run it, and go on as often as it is deferred: where a portal takes its time, here because the machine is busy."""
    from airflow.sdk.exceptions import TaskDeferred

    context = context_of(task) if context is None else context
    try:
        return run_task(task, context)
    except TaskDeferred as deferral:
        deferred = deferral
    while True:
        trigger = at_once(deferred.trigger)
        trigger.poll_interval_s = 0.2
        (event,) = events_of(trigger)
        try:
            return resume_task(task, context, deferred, event)
        except TaskDeferred as deferral:
            deferred = deferral


def revived(trigger: Any) -> Any:
    """The trigger as the triggerer makes it: from its path and its arguments, which have been JSON."""
    path, arguments = trigger.serialize()
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)(**json.loads(json.dumps(arguments)))


def at_once(trigger: Any) -> Any:
    """The trigger of a deferral as the triggerer makes it, but for its first ten seconds."""
    made = revived(trigger)
    if hasattr(made, "first_at"):
        made.first_at = None
    return made


def events_of(
    trigger: Any,
    *,
    count: int = 1,
    meanwhile: Callable[[], Any] | None = None,
    answers: int = 1,
    again: Callable[[], Any] | None = None,
    looks: int | None = None,
    timeout_s: float = 60,
) -> Any:
    """Payloads of the first events of a trigger that was sent to the triggerer.

    ``meanwhile`` runs once its portal has given it so many ``answers``, ``again`` after its first event. So many
    ``looks`` after ``meanwhile`` are enough, however few events they brought.
    """
    before = _answered(trigger)

    async def listen(found: list[Any]) -> None:
        async for event in trigger.run():
            found.append(event.payload)
            if len(found) == count:
                return
            if again is not None:
                again()

    async def act() -> None:
        if meanwhile is not None:
            if before is None:  # nobody is there who could tell
                await asyncio.sleep(0.5)
            else:
                await _more_than(trigger, before + answers - 1)
            meanwhile()
        if looks is None:
            await asyncio.Event().wait()
        else:
            await _more_than(trigger, (_answered(trigger) or 0) + looks)

    async def collect() -> list[Any]:
        found: list[Any] = []
        tasks = [asyncio.create_task(listen(found)), asyncio.create_task(act())]
        try:
            async with asyncio.timeout(timeout_s):
                over, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in over:
            task.result()
        return found

    return asyncio.run(collect())


async def _more_than(trigger: Any, calls: int) -> None:
    while (await asyncio.to_thread(_answered, trigger) or 0) <= calls:  # noqa: ASYNC110  another thread's portal
        await asyncio.sleep(0.02)


def _answered(trigger: Any) -> int | None:
    """Count the calls that the portal of a trigger's connection has answered; None where no portal is."""
    found = json.loads(os.environ.get(f"AIRFLOW_CONN_{getattr(trigger, 'ods_conn_id', '').upper()}") or "{}")
    try:
        with urlopen(f"{found['host']}/_control/requests", timeout=60) as answer:
            return sum(bool(entry["status"]) for entry in json.load(answer))
    except (KeyError, URLError):
        return None
