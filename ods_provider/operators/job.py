"""What every operator does around its job: run it, defer when it must wait, fail for good when no retry can help."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator

from ods_provider.airflow.legs import Rescheduled, deadline, fires_at, hasten, left_of, time_out
from ods_provider.airflow.policy import DEFAULT_CONN_ID, deferrable_by_default, fail
from ods_provider.triggers.wait import OdsWaitTrigger, checkpoint_of

if TYPE_CHECKING:
    from datetime import datetime

    from ods_provider.core.outcome import Wait
    from ods_provider.jobs.context import Job


class OdsJobOperator(BaseOperator):
    """Base of the operators: one job each.

    Args:
        ods_conn_id: Connection of type ``ods``.
        deferrable: Whether a long wait is spent in the triggerer (the default); without a triggerer the task is
            rescheduled instead. Either way it holds no worker slot.
    """

    job_arguments: tuple[str, ...] = ()
    template_fields: Sequence[str] = ("ods_conn_id",)
    ui_color = "#dff0f5"

    def __init__(self, *, ods_conn_id: str = DEFAULT_CONN_ID, deferrable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ods_conn_id = ods_conn_id
        self.deferrable = deferrable

    @abstractmethod
    def make_job(self) -> Job:
        """Return the job that the rendered arguments describe.

        Raises:
            OdsConfigError: An argument is bad.
        """

    def given(self) -> dict[str, Any]:
        """Return the rendered arguments, for the job's builder."""
        return {name: getattr(self, name) for name in self.job_arguments}

    def execute(self, context: Any) -> Any:
        """Run the job from its start, or from what an earlier try confirmed."""
        if self._defers():
            return self._advance(context, None, deadline(self))
        from ods_provider.core.errors import OdsError

        try:
            legs = Rescheduled(context, self.ods_conn_id)
        except OdsError as error:
            fail(error)
        carried = legs.carried()
        return self._advance(context, carried.get("checkpoint"), deadline(self, carried.get("deadline")), legs)

    def resume(self, context: Any, event: Any = None, **kwargs: Any) -> Any:
        """Go on after a wait; the state comes back in the trigger's event."""
        from ods_provider.core.errors import OdsConfigError

        try:
            checkpoint = checkpoint_of(event)
        except OdsConfigError as error:
            fail(error)
        return self._advance(context, checkpoint, deadline(self, event.get("deadline")))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """Go on after a deferral, or fail as the task does whose ``execution_timeout`` is over."""
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
        from ods_provider.core.errors import OdsError
        from ods_provider.core.outcome import Done
        from ods_provider.hooks.ods import OdsHook

        hasten(over)
        self._cancel: threading.Event | None = threading.Event()
        try:
            result = OdsHook(self.ods_conn_id).run_job(
                self.make_job(), context=context, checkpoint=checkpoint, cancel=self._cancel
            )
        except OdsError as error:
            if legs is not None:
                legs.forget()
            fail(error)
        finally:
            self._cancel = None
        if isinstance(result, Done):
            if legs is not None:
                legs.forget()
            return result.result
        self._suspend(result, over, legs)

    def _suspend(self, wait: Wait, over: datetime | None, legs: Rescheduled | None) -> NoReturn:
        from airflow.sdk.exceptions import AirflowRescheduleException

        if legs is not None:
            legs.keep(wait.checkpoint, over)
            raise AirflowRescheduleException(wait.until)
        trigger = OdsWaitTrigger(
            until=fires_at(wait.until),
            reason=wait.reason,
            checkpoint=wait.checkpoint,
            deadline=over.isoformat() if over else None,
        )
        self.defer(trigger=trigger, method_name="resume", timeout=left_of(over))
