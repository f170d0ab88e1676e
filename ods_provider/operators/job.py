"""What every operator does around its job: run it, defer when it must wait, fail for good when no retry can help."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator

from ods_provider.airflow.arguments import kept_as
from ods_provider.airflow.legs import Rescheduled, deadline, fires_at, hasten, left_of, time_out
from ods_provider.airflow.links import LINKS
from ods_provider.airflow.policy import DEFAULT_CONN_ID, deferrable_by_default
from ods_provider.airflow.tolerance import Tolerant
from ods_provider.airflow.traced import Traced

if TYPE_CHECKING:
    from datetime import datetime

    from ods_provider.core.outcome import Wait
    from ods_provider.jobs.context import Job
    from ods_provider.jobs.ends import Ends


class OdsJobOperator(Tolerant, Traced, BaseOperator):
    """Base of the operators: one job each.

    Args:
        ods_conn_id: Connection of type ``ods``.
        deferrable: Whether a long wait is spent in the triggerer (the default); without a triggerer the task is
            rescheduled instead. Either way it holds no worker slot.
        max_failures: How many failed runs in a row are tolerated: the task is skipped, and told. The next one fails.
    """

    job_arguments: tuple[str, ...] = ()
    template_fields: Sequence[str] = ("ods_conn_id",)
    ui_color = "#dff0f5"
    operator_extra_links = LINKS

    def __init__(
        self,
        *,
        ods_conn_id: str = DEFAULT_CONN_ID,
        deferrable: bool | None = None,
        max_failures: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ods_conn_id = ods_conn_id
        self.deferrable = deferrable
        self.tolerate(max_failures)

    @abstractmethod
    def make_job(self) -> Job:
        """Return the job that the rendered arguments describe.

        Raises:
            OdsConfigError: An argument is bad.
        """

    def given(self) -> dict[str, Any]:
        """Return the rendered arguments, for the job's builder."""
        return {name: getattr(self, kept_as(name)) for name in self.job_arguments}

    def ends(self) -> Ends:
        """Return what the job reads and writes, as far as that is known now."""
        from ods_provider.jobs.ends import ends_of

        return ends_of(self.make_job(), self.heard, self._result)

    def execute(self, context: Any) -> Any:
        """Run the job from its start, or from what an earlier try confirmed."""
        with self.tolerating(context):
            return self._begin(context)

    def _begin(self, context: Any) -> Any:
        if self._defers():
            return self._advance(context, None, deadline(self))
        from ods_provider.core.errors import OdsError

        try:
            legs = Rescheduled(context, self.ods_conn_id)
        except OdsError as error:
            self.fail(error)
        carried = legs.carried()
        return self._advance(context, carried.get("checkpoint"), deadline(self, carried.get("deadline")), legs)

    def resume(self, context: Any, event: Any = None, **kwargs: Any) -> Any:
        """Go on after a wait; the state comes back in the trigger's event."""
        from ods_provider.core.errors import OdsConfigError
        from ods_provider.triggers.wait import checkpoint_of

        try:
            checkpoint = checkpoint_of(event)
        except OdsConfigError as error:
            self.fail(error)
        return self._advance(context, checkpoint, deadline(self, event.get("deadline")))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """Go on after a deferral, or fail as the task does whose ``execution_timeout`` is over."""
        with self.tolerating(context):
            return self._go_on(next_method, next_kwargs, context)

    def _go_on(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        from airflow.sdk.exceptions import TaskDeferralTimeout

        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            time_out("execution_timeout was over while the task waited for the portal")

    def on_kill(self) -> None:
        """Suspend: nothing unfinished stays, confirmed units are kept, and the next try goes on."""
        from ods_provider.jobs.context import Suspended

        cancel: threading.Event | None = getattr(self, "_cancel", None)
        if cancel is None:
            return
        cancel.set()
        # Airflow calls this from a signal handler and then lets the task run on: only an exception stops a read that
        # may last until the idle timeout.
        raise Suspended("killed; progress is kept and the next try goes on")

    def _defers(self) -> bool:
        return deferrable_by_default() if self.deferrable is None else self.deferrable

    def _advance(
        self,
        context: Any,
        checkpoint: Mapping[str, Any] | None,
        over: datetime | None,
        legs: Rescheduled | None = None,
    ) -> Any:
        from airflow.sdk.exceptions import AirflowSkipException

        from ods_provider.airflow.outlets import tell
        from ods_provider.core.errors import OdsError
        from ods_provider.core.outcome import Done
        from ods_provider.hooks.ods import OdsHook
        from ods_provider.plugins.airflowmemory import keep

        hasten(over)
        self._cancel: threading.Event | None = threading.Event()
        try:
            result = OdsHook(self.ods_conn_id).run_job(
                self.make_job(), context=context, checkpoint=checkpoint, cancel=self._cancel, hear=self.heard
            )
        except OdsError as error:
            if legs is not None:
                legs.forget()
            self.fail(error)
        finally:
            self._cancel = None
        if isinstance(result, Done):
            if legs is not None:
                legs.forget()
            if result.skipped is not None:
                raise AirflowSkipException(result.skipped)
            self._result = result.result
            tell(self, context, result.result)
            if getattr(self, "if_unchanged", "fetch") != "fetch":
                keep(context["ti"], result.result)
            return result.result
        self._suspend(result, over, legs)

    def _suspend(self, wait: Wait, over: datetime | None, legs: Rescheduled | None) -> NoReturn:
        from airflow.sdk.exceptions import AirflowRescheduleException

        # Not while a DAG file is parsed: Airflow's triggers take longer to import than all else here.
        from ods_provider.triggers.harvest import OdsHarvestTrigger
        from ods_provider.triggers.publication import OdsFollowingTrigger, OdsPublicationTrigger
        from ods_provider.triggers.wait import OdsWaitTrigger

        if legs is not None:
            legs.keep(wait.checkpoint, over)
            raise AirflowRescheduleException(wait.until)
        carried: dict[str, Any] = {
            "reason": wait.reason,
            "checkpoint": wait.checkpoint,
            "deadline": over.isoformat() if over else None,
        }
        trigger: OdsWaitTrigger | OdsFollowingTrigger
        if wait.watching:
            # The triggerer looks: a worker is needed again when the portal is done, and not for every look.
            first = fires_at(wait.until).isoformat()
            carried["latest"] = wait.latest.isoformat() if wait.latest else None
            follow = OdsPublicationTrigger if "publication" in wait.watching else OdsHarvestTrigger
            trigger = follow(ods_conn_id=self.ods_conn_id, first_at=first, **wait.watching, **carried)
        else:
            trigger = OdsWaitTrigger(until=fires_at(wait.until), **carried)
        self.defer(trigger=trigger, method_name="resume", timeout=left_of(over))
