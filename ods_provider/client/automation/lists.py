"""What is applied to records in order, and when: ``client.automation.fields``, ``.processors`` and ``.schedules``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.client.automation.office import Office
from ods_provider.core.forgetting import forgets
from ods_provider.core.plans.automation import lists
from ods_provider.core.plans.automation.lists import Kind

Object = dict[str, Any]
Objects = list[Object]


class Entries:
    """One list of each dataset. Entries are applied in their order; nothing moves one, and a new one is the last.

    Args:
        office: Runs the plans.
        kind: Which list.
    """

    def __init__(self, office: Office, kind: Kind) -> None:
        self._office = office
        self._kind = kind

    def list(self, dataset: str) -> Objects:
        """Return the list of a dataset, in its order."""
        return self._office.on(dataset, lambda uid: lists.entries(uid, self._kind))

    def get(self, dataset: str, entry: str) -> Object:
        """Return one entry, by its uid."""
        return self._office.on(dataset, lambda uid: lists.entry(uid, self._kind, entry))

    @forgets
    def add(self, dataset: str, entry: Mapping[str, Any]) -> Object:
        """Add an entry at the end and return it.

        Args:
            dataset: Which.
            entry: ``{"type": "rename", "label": …, "from_name": …, "to_name": …}`` of a field configuration,
                ``{"type": "string_replace", "label": …, "field": …, "old": …, "new": …}`` of a processor,
                ``{"cron_schedule": "0 6 * * *"}`` of a schedule.
        """
        return self._office.on(dataset, lambda uid: lists.add(uid, self._kind, entry))

    @forgets
    def update(self, dataset: str, entry: str, value: Mapping[str, Any]) -> Object:
        """Put ``value`` in place of an entry, which keeps its uid and its place."""
        return self._office.on(dataset, lambda uid: lists.change(uid, self._kind, entry, value))

    def delete(self, dataset: str, entry: str) -> None:
        """Delete an entry."""
        self._office.on(dataset, lambda uid: lists.remove(uid, self._kind, entry))


class Processors(Entries):
    """Processors of datasets, which run before the field configurations.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        super().__init__(office, "processors")

    def types(self) -> Objects:
        """Return the processors that the portal knows: ``[{type, label, parameters}]``."""
        return self._office.run(lists.processor_types())
