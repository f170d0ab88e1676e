"""Run plans against one portal: what every group of the client's methods stands on."""

from __future__ import annotations

from typing import TypeVar

from ods_provider.core.drive import Terms, adrive, drive
from ods_provider.core.errors import OdsConfigError, OdsResponseError
from ods_provider.core.events import DatasetDescribed
from ods_provider.core.plans.sources import within
from ods_provider.core.schema import Dataset
from ods_provider.core.source import CATALOG, Source
from ods_provider.core.wire import Plan

T = TypeVar("T")


class Runs:
    """Runs plans; knows the schema of each dataset that was asked for.

    Args:
        terms: The transport, the rules and the clock that plans run under.
        source: Which of the portal's sources they ask.
    """

    def __init__(self, terms: Terms, source: Source = CATALOG) -> None:
        self.terms = terms
        self.source = source
        self._schemas: dict[str, Dataset] = {}
        self._unseen: set[str] = set()
        self._closed = False

    def run(self, plan: Plan[T]) -> T:
        """Run a plan in this thread; what is wrong with the connection is said in the words of those who made it.

        Raises:
            OdsConfigError: The client is closed.
        """
        self._expect_open()
        with self.terms.face.speaking():
            return self._told(drive(within(self.source, plan), self.terms))

    async def arun(self, plan: Plan[T]) -> T:
        """Run a plan without blocking the event loop."""
        self._expect_open()
        with self.terms.face.speaking():
            return self._told(await adrive(within(self.source, plan), self.terms))

    def _told(self, result: T) -> T:
        # Here, so that whoever listens hears of every description, whatever it was asked for.
        if isinstance(result, Dataset):
            self.terms.emit(DatasetDescribed(result, self.source))
        return result

    def _expect_open(self) -> None:
        if self._closed:
            raise OdsConfigError(
                "the client is closed", where="OdsClient", advice="Use it before it is closed, or make another"
            )

    def schema(self, dataset_id: str) -> Dataset:
        """Return the dataset's description, asked for once per client."""
        from ods_provider.core.plans import catalog

        if dataset_id not in self._schemas:
            self._schemas[dataset_id] = self.run(catalog.dataset(dataset_id))
        return self._schemas[dataset_id]

    def schema_if_seen(self, dataset_id: str) -> Dataset | None:
        """Return the dataset's description, None where the key may not see it: one that may only push is no mistake."""
        if dataset_id in self._unseen:
            return None
        try:
            return self.schema(dataset_id)
        except OdsResponseError as error:
            if error.transient:
                raise
            self._unseen.add(dataset_id)
            return None
