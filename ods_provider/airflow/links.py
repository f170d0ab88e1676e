"""The links of a task: the dataset on the portal, the call that brought the data, what was written.

Airflow asks in the worker when a leg of the task has ended, and keeps what it is given: nothing is asked of the portal,
and nothing at all when a page shows them.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Protocol

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from ods_provider.jobs.ends import Ends, Heard

log = logging.getLogger("airflow.task")


class Task(Protocol):
    """What a link is made of: an operator or a sensor."""

    @property
    def heard(self) -> Heard:
        """What was heard while it ran."""
        ...

    def ends(self) -> Ends:
        """Return what it reads and writes."""
        ...

    def portal(self) -> str:
        """Return the portal's base URL."""
        ...


class _Link(BaseOperatorLink):
    """Base of the links: one that cannot be told is empty, and no error of the task."""

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address, ``""`` where there is none."""
        try:
            return self.found(operator) or ""
        except Exception as error:
            # Of a task whose arguments or connection are bad, and which failed of that.
            log.debug("No link %r: %s", self.name, error)
            return ""

    @abstractmethod
    def found(self, task: Task) -> str | None:
        """Return the address, None where there is none."""


class OdsDatasetLink(_Link):
    """Leads to the dataset on the portal."""

    name = "Dataset on the portal"

    def found(self, task: Task) -> str | None:
        """Return its page in the catalogue."""
        from ods_provider.airflow.places import dataset_link
        from ods_provider.jobs.ends import PortalData

        ends = task.ends()
        names = [each.name for each in (*ends.reads, *ends.writes) if isinstance(each, PortalData)]
        return dataset_link(task.portal(), names[0]) if names else None


class OdsQueryLink(_Link):
    """Repeats the call that brought the data; it holds no key, so that a portal shows what everybody may see."""

    name = "API query"

    def found(self, task: Task) -> str | None:
        """Return the address of the call."""
        return task.heard.query


class OdsOutputLink(_Link):
    """Leads to the file or the table that was written, where a browser can see it: in S3, GCS and BigQuery."""

    name = "File or table"

    def found(self, task: Task) -> str | None:
        """Return its page in the store's console."""
        from ods_provider.airflow.places import place_of
        from ods_provider.jobs.ends import PortalData

        written = [each for each in task.ends().writes if not isinstance(each, PortalData)]
        return place_of(written[0], task.portal()).link if written else None


LINKS: Collection[BaseOperatorLink] = (OdsDatasetLink(), OdsQueryLink(), OdsOutputLink())
