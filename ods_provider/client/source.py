"""One source of a portal in Python words: its datasets, their records, their exports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from dataclasses import replace
from typing import Self

from ods_provider.client.catalogue import CatalogueCalls
from ods_provider.client.files import FileCalls
from ods_provider.client.records import RecordCalls
from ods_provider.core.connection import OdsConnection
from ods_provider.core.drive import Terms
from ods_provider.core.quota import QuotaBook
from ods_provider.core.source import CATALOG, Source


class SourceClient(CatalogueCalls, RecordCalls, FileCalls, ABC):
    """What a client does at each of a portal's sources: jobs work with it, whichever it is.

    Args:
        connection: Of the portal.
        terms: What plans run under.
        source: ``catalog`` or ``monitoring``.
    """

    def __init__(self, connection: OdsConnection, terms: Terms, source: Source = CATALOG) -> None:
        super().__init__(terms, source)
        self.connection = connection

    @property
    def quota(self) -> QuotaBook:
        """The last known quotas: ``.portal`` and ``.datasets[id]``, each limit, remaining, reset_at."""
        return self.terms.quota

    def counted_alone(self) -> Self:
        """Return the same client with a quota book of its own, which counts the calls of one piece of work."""
        twin = copy(self)
        twin.terms = replace(self.terms, quota=self.quota.part())
        for made in ("monitoring", "automation"):  # for the other's terms
            twin.__dict__.pop(made, None)
        return twin

    @abstractmethod
    def at(self, source: Source) -> SourceClient:
        """Return what asks that source of the same portal."""
