"""What both sensors do: look once; what is not there yet is left to a trigger, or to Airflow's own sensor modes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue

from ods_provider.airflow.policy import DEFAULT_CONN_ID, deferrable_by_default, fail

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger

    from ods_provider.client import OdsClient


class OdsLookingSensor(BaseSensorOperator):
    """Base of the sensors.

    Args:
        ods_conn_id: Connection of type ``ods``.
        deferrable: Whether to wait in the triggerer (the default). Otherwise Airflow's ``mode`` says how:
            ``reschedule`` frees the worker between looks, ``poke`` holds it.
    """

    template_fields: Sequence[str] = ("ods_conn_id",)
    ui_color = "#e8f4ea"

    def __init__(self, *, ods_conn_id: str = DEFAULT_CONN_ID, deferrable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ods_conn_id = ods_conn_id
        self.deferrable = deferrable

    @abstractmethod
    def look(self, client: OdsClient, context: Any) -> dict[str, Any] | None:
        """Return the result, or None when it is not there yet.

        Raises:
            OdsError: Looking failed.
        """

    @abstractmethod
    def make_trigger(self) -> BaseTrigger:
        """Return the trigger that goes on looking; called after a look that found nothing."""

    def poke(self, context: Any) -> PokeReturnValue:
        """Look once."""
        from ods_provider.core.errors import OdsError
        from ods_provider.hooks.ods import OdsHook

        try:
            with OdsHook(self.ods_conn_id).get_conn() as client:
                result = self.look(client, context)
        except OdsError as error:
            if not self._patient_with(error):
                fail(error)
            self.log.warning("Not yet: %s", error)
            result = None
        return PokeReturnValue(is_done=result is not None, xcom_value=result)

    def execute(self, context: Any) -> Any:
        """Look once; then defer, or go on as ``mode`` says."""
        deferrable = deferrable_by_default() if self.deferrable is None else self.deferrable
        if not deferrable:
            return super().execute(context)
        from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

        try:
            found = self.poke(context)
        except AirflowFailException as error:
            # As Airflow does for looks of its own and for those of a trigger.
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from None
            raise
        if found.is_done:
            return found.xcom_value
        self.defer(trigger=self.make_trigger(), method_name="execute_complete", timeout=timedelta(seconds=self.timeout))

    def execute_complete(self, context: Any, event: Any = None) -> dict[str, Any]:
        """Return what the trigger found.

        Raises:
            AirflowFailException: It met an error that no waiting cures, or the event is none of ours.
        """
        from ods_provider.core.errors import OdsConfigError

        if isinstance(event, Mapping) and event.get("status") == "updated":
            return dict(event["result"])
        known = event if isinstance(event, Mapping) and event.get("status") == "failed" else {}
        fail(
            OdsConfigError(
                str(known.get("error") or f"the sensor was resumed by an event that is none of ours: {event!r:.200}"),
                where=f"trigger of {self.task_id}",
                advice="Correct it and clear the task",
                transient=bool(known.get("transient")),
            )
        )

    def _patient_with(self, error: Any) -> bool:
        # A quota that is spent, or a portal that is down for a while, only delays what is waited for.
        from ods_provider.core.errors import OdsResponseError, OdsTransportError

        return isinstance(error, (OdsResponseError, OdsTransportError)) and error.transient
