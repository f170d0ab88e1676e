"""Pages of rows: what a reading asks of an API that gives them, and of whoever keeps those that were read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsMismatch
from ods_provider.core.wire import Plan, Response

Row = dict[str, Any]
Batch = list[Row]
State = Mapping[str, Any]
"""What tells two moments of a dataset apart, as JSON; equal states have equal rows."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        total_count: Rows that match in all.
        rows: Those that came.
        ids: Their record ids, None where the portal shows none.
    """

    total_count: int
    rows: Batch
    ids: Sequence[str] | None = None

    def marked(self) -> Page:
        """Return the page with short marks of the ids in place of the ids: they are kept for every row."""
        if self.ids is None:
            return self
        digests = (hashlib.blake2b(each.encode(errors="surrogatepass"), digest_size=9) for each in self.ids)
        return replace(self, ids=[base64.urlsafe_b64encode(each.digest()).decode() for each in digests])


class Rows(Protocol):
    """How one API gives the rows of one query."""

    @property
    def where(self) -> str:
        """What is read, for messages."""
        ...

    @property
    def page_rows(self) -> int:
        """Rows that a page holds at most."""
        ...

    @property
    def window_rows(self) -> int:
        """Rows that pages reach."""
        ...

    @property
    def paged(self) -> bool:
        """Whether more than one page may be asked for."""
        ...

    @property
    def exported(self) -> bool:
        """Whether an export gives the same rows, in the same order where there is one."""
        ...

    @property
    def counted(self) -> bool:
        """Whether the portal's count is the number of rows; that of groups says nothing (Q2)."""
        ...

    def state(self) -> Plan[State]:
        """Describe the dataset as it is now."""
        ...

    def page(self, *, offset: int, limit: int, known: bool) -> Plan[Page]:
        """Ask for one page; ``known`` asks for the ids of its rows too."""
        ...

    def open_export(self, *, total: int | None, limit: int | None) -> Plan[Response]:
        """Ask for all rows as one answer, its stream unread. ``total`` rows are expected.

        Raises:
            OdsConfigError: This query has no export.
        """
        ...

    def listed(self, response: Response, *, limit: int | None) -> Generator[Batch]:
        """Yield the rows of an export in lists."""
        ...


class Kept(Protocol):
    """What is kept of a reading in pages, so that another try goes on."""

    def start(self) -> Mapping[str, Any] | None:
        """Return how it began, None when nothing is kept."""
        ...

    def begin(self, start: Mapping[str, Any]) -> None:
        """Keep how it begins."""
        ...

    def page(self, number: int) -> Page | None:
        """Return a page that was confirmed."""
        ...

    def confirm(self, number: int, page: Page) -> None:
        """Keep a page whose rows were taken."""
        ...


def expect_rows(page: Page, expected: int, *, where: str) -> None:
    """Check that a page holds what it must.

    Raises:
        OdsMismatch: It holds fewer rows, or more than the portal counts.
    """
    if len(page.rows) != expected:
        raise OdsMismatch(
            f"a page holds {counted(len(page.rows), 'rows')} of {expected}, and the portal counts {page.total_count}",
            where=where,
            advice="Run it again; if it persists, ask the portal's operator",
        )
