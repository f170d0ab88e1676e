"""``OdsPublicationSensor``: wait until a dataset's publication has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.arguments import arguments_of
from ods_provider.airflow.stopping import stopping
from ods_provider.sensors.looking import OdsLookingSensor

if TYPE_CHECKING:
    from ods_provider.client import OdsClient
    from ods_provider.triggers.publication import OdsPublicationTrigger
    from ods_provider.triggers.wait import OdsWaitTrigger


class OdsPublicationSensor(OdsLookingSensor):
    """Succeed when a publication has ended well, and fail when it has not.

    Any end is an end: a dataset that stands at ``error`` or ``limit_reached`` is not waited for. When the sensor's
    ``timeout`` is over, the portal goes on with its work unless it is told to stop.

    Args:
        dataset_id: The dataset: its id, or its uid (``da_…``).
        publication: The ``publication`` of an ``OdsPublishOperator(wait=False)``, so that an end that was there before
            is not taken for its own; None waits for whatever runs.
        abort_on_timeout: Whether the portal is told to stop when ``timeout`` or ``execution_timeout`` is over.

    Returns:
        ``{dataset_id, status, since, is_published, records_errors}``, the last of them a number.
    """

    def __init__(
        self,
        *,
        dataset_id: str,
        publication: Mapping[str, Any] | str | None = None,
        abort_on_timeout: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.publication = publication
        self.abort_on_timeout = abort_on_timeout
        self._seen: Mapping[str, Any] | None = None

    template_fields: Sequence[str] = ("ods_conn_id", *arguments_of(__init__))

    def understand(self, context: Any) -> None:
        """Find out which publication is waited for."""
        from ods_provider.core.datasetid import dataset_named
        from ods_provider.core.given import mapping, required, truth

        self._dataset = dataset_named(required("dataset_id", self.dataset_id))
        truth("abort_on_timeout", self.abort_on_timeout, default=False)
        self._seen = self._seen or mapping("publication", self.publication)

    def look(self, client: OdsClient) -> dict[str, Any] | None:
        """Return how it ended, None while it runs.

        Raises:
            OdsPublicationFailed: It ended, and not well; the message is the portal's.
        """
        from ods_provider.core.errors import OdsPublicationFailed
        from ods_provider.core.plans.automation.publications import Publication

        datasets = client.automation.datasets
        if self._seen:
            publication = Publication.of(self._seen)
        else:
            found = datasets.get(self._dataset)
            # Of whatever runs any end will do: as if it had been seen at work.
            uid, shown_as = str(found["uid"]), found.get("dataset_id")
            publication = Publication(uid, "publish", "", None, seen_busy=True, dataset_id=shown_as)
        seen = datasets.look(publication)
        self._seen = seen.publication.as_dict()
        self.log.info(seen.said(self._dataset))
        if not seen.ended or seen.status is None:
            return None
        if seen.state == "failed":
            raise OdsPublicationFailed(
                f"the portal says: {seen.message}",
                where=f"publication of {self._dataset}",
                advice="Correct what it names, and publish again",
            )
        told = seen.status
        return {
            "dataset_id": self._dataset,
            "status": told.status,
            "since": told.since,
            "is_published": told.is_published,
            "records_errors": len(told.records_errors),
        }

    def make_trigger(self) -> OdsPublicationTrigger | OdsWaitTrigger:
        """Return the trigger that goes on looking."""
        from ods_provider.airflow.legs import fires_at
        from ods_provider.triggers.publication import OdsPublicationTrigger
        from ods_provider.triggers.wait import OdsWaitTrigger

        if self._seen is None:
            # Not even the dataset could be looked up: the portal is down for a while.
            return OdsWaitTrigger(until=fires_at(datetime.now(UTC) + timedelta(seconds=self.poke_interval)))
        return OdsPublicationTrigger(
            ods_conn_id=self.ods_conn_id,
            publication=self._seen,
            poll_interval_s=self.poke_interval,
            first_at=fires_at().isoformat(),
        )

    def execute_complete(self, context: Any, event: Any = None) -> dict[str, Any]:
        """Look at what the trigger saw the end of, and return it.

        Raises:
            AirflowFailException: It ended, and not well; or the event is none of ours.
        """
        if not isinstance(event, Mapping) or event.get("status") != "resume":
            return super().execute_complete(context, event)
        self._seen = event.get("publication") or None
        found: dict[str, Any] = super()._begin(context)
        return found

    def _begin(self, context: Any) -> Any:
        with self._stopping():
            return super()._begin(context)

    def _go_on(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        with self._stopping():
            return super()._go_on(next_method, next_kwargs, context)

    def _stopping(self) -> AbstractContextManager[None]:
        return stopping(self.ods_conn_id, self.dataset_id, wanted=lambda: self.abort_on_timeout)
