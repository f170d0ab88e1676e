"""What both sensors do: look once; what is not there yet is left to a trigger, or to Airflow's own sensor modes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue

from ods_provider.airflow.legs import deadline, left_of, time_out
from ods_provider.airflow.links import LINKS
from ods_provider.airflow.policy import DEFAULT_CONN_ID, deferrable_by_default
from ods_provider.airflow.tolerance import Tolerant
from ods_provider.airflow.traced import Traced

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger

    from ods_provider.client import OdsClient
    from ods_provider.jobs.ends import Ends


class OdsLookingSensor(Tolerant, Traced, BaseSensorOperator):
    """Base of the sensors.

    Args:
        ods_conn_id: Connection of type ``ods``.
        deferrable: Whether to wait in the triggerer (the default). Otherwise Airflow's ``mode`` says how:
            ``reschedule`` frees the worker between looks, ``poke`` holds it.
        max_failures: How many failed runs in a row are tolerated, a timeout included: the task is skipped, and told.
            The next one fails.
    """

    template_fields: Sequence[str] = ("ods_conn_id",)
    ui_color = "#e8f4ea"
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
        self._answered = False

    @abstractmethod
    def understand(self, context: Any) -> None:
        """Make of the arguments what ``look`` and ``make_trigger`` need: a bad one shall not cost a call.

        Raises:
            OdsConfigError: One is bad.
        """

    @abstractmethod
    def look(self, client: OdsClient) -> dict[str, Any] | None:
        """Return the result, or None when it is not there yet.

        Raises:
            OdsError: Looking failed.
        """

    def found(self, context: Any, result: dict[str, Any]) -> dict[str, Any]:
        """Return what the task returns; called once, at its end."""
        return result

    @abstractmethod
    def make_trigger(self) -> BaseTrigger:
        """Return the trigger that goes on looking; called after a look that found nothing."""

    def ends(self) -> Ends:
        """Return what the sensor looks at: a dataset, or the portal."""
        from ods_provider.jobs.ends import watched

        return watched(getattr(self, "dataset_id", None), getattr(self, "source", None), self.heard, self._result)

    def _ended(self, context: Any, result: dict[str, Any]) -> dict[str, Any]:
        self._result = result
        return self.found(context, result)

    def poke(self, context: Any) -> PokeReturnValue:
        """Look once."""
        from ods_provider.core.errors import OdsError
        from ods_provider.core.patience import patient_with
        from ods_provider.hooks.ods import OdsHook

        try:
            # First of all: the trigger needs it even where no connection is found for a first look.
            self.understand(context)
            with OdsHook(self.ods_conn_id).get_conn(hear=self.heard) as client:
                result = self.look(client)
            self._answered = True
        except OdsError as error:
            if not patient_with(error, answered=self._has_answered(context)):
                self.fail(error)
            self.log.warning("Not yet: %s", error)
            result = None
        if result is None:
            self.log.info("Looking again in %g s", self.poke_interval)
        return PokeReturnValue(is_done=result is not None, xcom_value=result)

    def execute(self, context: Any) -> Any:
        """Look once; then defer, or go on as ``mode`` says."""
        with self.tolerating(context):
            return self._begin(context)

    def _begin(self, context: Any) -> Any:
        from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, AirflowSkipException

        deferrable = deferrable_by_default() if self.deferrable is None else self.deferrable
        if not deferrable:
            try:
                return self._ended(context, super().execute(context) or {})
            except AirflowSkipException as skip:
                if self.soft_fail and skip.__cause__ is None:
                    # Airflow says of all but a timeout why it skips.
                    raise skip from AirflowSensorTimeout(str(skip))
                raise
        over = deadline(self)
        try:
            found = self.poke(context)
        except AirflowFailException as error:
            # As Airflow does for looks of its own and for those of a trigger.
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from None
            raise
        if found.is_done:
            return self._ended(context, dict(found.xcom_value or {}))
        longest = timedelta(seconds=self.timeout)
        left = left_of(over)
        timeout = longest if left is None else min(longest, left)
        self.defer(trigger=self.make_trigger(), method_name="execute_complete", timeout=timeout)

    def execute_complete(self, context: Any, event: Any = None) -> dict[str, Any]:
        """Return what the trigger found.

        Raises:
            AirflowFailException: It met an error that no waiting cures, or the event is none of ours.
        """
        from ods_provider.core.errors import OdsConfigError, OdsError

        if isinstance(event, Mapping) and event.get("status") == "updated":
            return self._ended(context, dict(event["result"]))
        if not isinstance(event, Mapping) or event.get("status") != "failed":
            error = OdsConfigError(
                f"the sensor was resumed by an event that is none of ours: {event!r:.200}",
                where=f"trigger of {self.task_id}",
                advice="Clear the task to look again",
            )
            self.fail(error)
        # The trigger's sentence begins with the class of its error, as Airflow's exception shall.
        kind, _, said = str(event.get("error")).partition(": ")
        made = OdsConfigError if kind == OdsConfigError.__name__ else OdsError
        self.fail(made(said, transient=bool(event.get("transient"))), kind=kind)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """Go on after the deferral; the shorter of ``timeout`` and ``execution_timeout`` says how it may end."""
        with self.tolerating(context):
            return self._go_on(next_method, next_kwargs, context)

    def _go_on(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        from airflow.sdk.exceptions import AirflowSensorTimeout

        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowSensorTimeout:
            if self.execution_timeout is None or self.execution_timeout.total_seconds() >= self.timeout:
                raise
        time_out("execution_timeout was over while the sensor waited")

    def _has_answered(self, context: Any) -> bool:
        # In a process that was rescheduled, an earlier one has looked.
        return self._answered or context["ti"].get_first_reschedule_date(context) is not None
