"""What every part of ``client.automation`` works with: the portal, and the uids of datasets named by their id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from ods_provider.core.drive import Terms
from ods_provider.core.errors import OdsNotFound, OdsPublicationRunning
from ods_provider.core.plans.automation import datasets
from ods_provider.core.plans.automation.publications import pause_s
from ods_provider.core.wire import Plan

T = TypeVar("T")


class Portal(Protocol):
    """What runs a plan: the client."""

    terms: Terms

    def run(self, plan: Plan[T]) -> T:
        """Run it to its end."""
        ...


class Office:
    """Runs plans about datasets, whichever way they are named.

    Args:
        portal: The client.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._uids: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Office({self._portal!r})"

    def run(self, plan: Plan[T]) -> T:
        """Run a plan."""
        return self._portal.run(plan)

    def uid(self, dataset: str) -> str:
        """Return the uid of a dataset, looked up once per client where it is named by its id.

        Raises:
            OdsNotFound: There is none that the key may edit.
            OdsConfigError: Several have the id.
        """
        if dataset not in self._uids and datasets.is_uid(dataset):
            return dataset
        return self._uids.get(dataset) or self._looked_up(dataset)

    def on(self, dataset: str, make: Callable[[str], Plan[T]]) -> T:
        """Run a plan about a dataset.

        Args:
            dataset: Its ``dataset_id`` or its uid (``da_…``).
            make: Makes the plan from the uid; made again where the name is that of another dataset by now.
        """
        surely = dataset not in self._uids and not datasets.is_uid(dataset)
        uid = self.uid(dataset)
        try:
            return self.run(make(uid))
        except OdsNotFound as error:
            # What is missing may be something else of the dataset.
            if surely or self._moved(dataset) in (uid, None):
                raise error from None
        return self.run(make(self.uid(dataset)))

    def _looked_up(self, dataset: str) -> str:
        self._uids[dataset] = str(self.run(datasets.found(dataset))["uid"])
        return self._uids[dataset]

    def _moved(self, dataset: str) -> str | None:
        """Return the uid that a name has by now, None where it is nobody's."""
        self.forget(dataset)
        try:
            return self._looked_up(dataset)
        except OdsNotFound:
            return None

    def forget(self, dataset: str) -> None:
        """Look the dataset up again the next time: it was deleted, or has another id."""
        uid = self._uids.pop(dataset, dataset)
        for name in [name for name, other in self._uids.items() if other == uid]:
            del self._uids[name]

    def waited(self, once: Callable[[], T | None], timeout_s: float, what: Callable[[], str]) -> T:
        """Return what ``once`` returns as soon as it is not None, with growing pauses between.

        Raises:
            OdsPublicationRunning: It stays None for ``timeout_s``; ``what`` says what was waited for.
        """
        terms = self._portal.terms
        deadline: datetime = terms.now() + timedelta(seconds=timeout_s)
        looks = 0
        while (found := once()) is None:
            left_s = (deadline - terms.now()).total_seconds()
            if left_s <= 0:
                raise OdsPublicationRunning(
                    f"it has not ended after {timeout_s:.0f} s ({what()})",
                    where="wait for the portal",
                    advice="It goes on there: wait for it again, with a longer timeout_s, or abort it",
                )
            terms.sleep(min(pause_s(looks), left_s))
            looks += 1
        return found
