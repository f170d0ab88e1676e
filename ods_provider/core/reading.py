"""Read the rows of a query, however many, from whichever API: the one way for the client and every job.

Pages are asked for where an order was, or where one page holds all; else the rows come as one export, because pages
without an order may repeat rows and skip others (Q9). A row of a page is known by its record id, never by its values.
Where rows come in more than one answer, the dataset is described before the first and after the last (Q11): what was
read is an error when it changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, TypeVar

from ods_provider.core.bodies import Refetched
from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsError, OdsMismatch, OdsMoved
from ods_provider.core.given import whole_number
from ods_provider.core.pages import Batch, Kept, Page, Rows, State, expect_rows
from ods_provider.core.wire import Plan, Response

T = TypeVar("T")
TRIES = 3
_NOWHERE = "Run it again; the download of a file begins anew by itself when a dataset is republished"


class _Nothing:
    """Keeps nothing: whoever iterates has the rows."""

    def start(self) -> None:
        return None

    def begin(self, start: Mapping[str, Any]) -> None:
        return None

    def page(self, number: int) -> None:
        return None

    def confirm(self, number: int, page: Page) -> None:
        return None


class Reader:
    """The rows of one query.

    Args:
        run: What runs a plan to its end.
        rows: The query, at its API.

    Attributes:
        total: How many rows there will be, once it is known.
    """

    def __init__(self, run: Callable[[Plan[Any]], Any], rows: Rows) -> None:
        self._run = run
        self._rows = rows
        self._tied = False
        self.total: int | None = None

    def batches(self, limit: Any = None, *, kept: Kept | None = None, state: State | None = None) -> Iterator[Batch]:
        """Yield the rows in lists as they come, in constant memory.

        Args:
            limit: Rows at most; None wants all.
            kept: What an earlier try kept; pages that it has are not asked for again.
            state: The dataset's, when it was described just before.

        Raises:
            OdsMoved: The dataset changed while it was read.
            OdsMismatch: What came is not what the portal counts.
            OdsConfigError: There are too many rows for pages, and this query has no export.
        """
        rows, wanted = self._rows, whole_number("limit", limit)
        several = wanted is None or wanted > rows.page_rows
        if not rows.counted:
            yield from self._export(None, wanted, state)
        elif several and rows.paged and not self._tied:
            yield from self._in_pages(wanted, kept or _Nothing(), state)
        else:
            ask = rows.page_rows if wanted is None else min(rows.page_rows, wanted)
            first: Page = self._run(rows.page(offset=0, limit=ask, known=False))
            total = self._expected(first, wanted)
            if total > rows.page_rows:
                yield from self._export(total, wanted, state)
            else:
                yield self._expect_first(first, ask).rows

    def _in_pages(self, wanted: int | None, kept: Kept, state: State | None) -> Iterator[Batch]:
        """Yield page after page; an export instead where they reach too far or do not show what they hold."""
        rows, begun = self._rows, kept.start()
        start = begun or {"state": dict(state or self._run(rows.state()))}
        ask = rows.page_rows if wanted is None else min(rows.page_rows, wanted)
        page = kept.page(0)
        if page is None:
            try:
                page = self.ask_for(offset=0, limit=ask, known=True)
            except OdsError:
                # With one call a window, the next try must get further than this one.
                kept.begin(start)
                raise
            self._expect_first(page, ask)
        pages = _Pages(self, kept, page, total=self._expected(page, wanted))
        if pages.total > rows.window_rows or (pages.several and page.ids is None and rows.exported):
            # What was seen before a wait says little now, and an export has nothing from before it.
            yield from self._export(pages.total, wanted, None if begun else start["state"])
            return
        if pages.several:
            kept.begin(start)
        yield from pages
        if pages.several:
            self._expect_same(start["state"])

    def ask_for(self, *, offset: int, limit: int, known: bool) -> Page:
        """Return one page."""
        page: Page = self._run(self._rows.page(offset=offset, limit=limit, known=known))
        return page.marked()

    def repeats(self, offset: int) -> OdsMismatch:
        """Return the error of a page with rows of an earlier one; the next try takes an export where there is one."""
        self._tied = self._rows.exported
        return OdsMismatch(
            "a page repeats rows of the pages before",
            where=f"{self._rows.where}, from row {offset}",
            advice="The order leaves rows equal: add a unique field to it, or leave it out",
        )

    def _expect_first(self, page: Page, ask: int) -> Page:
        expect_rows(page, min(ask, page.total_count), where=f"{self._rows.where}, its first rows")
        return page

    def _expected(self, page: Page, wanted: int | None) -> int:
        self.total = page.total_count if wanted is None else min(wanted, page.total_count)
        return self.total

    @property
    def where(self) -> str:
        """What is read, for messages."""
        return self._rows.where

    @property
    def page_rows(self) -> int:
        """Rows that a page holds at most."""
        return self._rows.page_rows

    def _export(self, total: int | None, wanted: int | None, state: State | None) -> Iterator[Batch]:
        before = state or self._run(self._rows.state())
        response: Response = self._run(self._rows.open_export(total=total, limit=wanted))
        got = 0
        if isinstance(response.stream, Refetched) and total is not None:
            response.stream.doubt = lambda: got < total
        with closing(self._rows.listed(response, limit=wanted)) as batches:
            for batch in batches:
                got += len(batch)
                yield batch
        if total is not None and got != total:
            raise OdsMismatch(
                f"the export held {counted(got, 'rows')} where the portal counted {total:,}",
                where=f"GET {response.url}",
                advice="It may have been republished meanwhile: run it again",
            )
        self._expect_same(before)

    def _expect_same(self, before: State) -> None:
        after: State = self._run(self._rows.state())
        changed = {name: (before.get(name), after.get(name)) for name in after if before.get(name) != after.get(name)}
        if changed:
            said = ", ".join(f"{name} was {then} and is {now}" for name, (then, now) in changed.items())
            raise OdsMoved(f"the dataset was republished while it was read: {said}", where=self.where, advice=_NOWHERE)


class _Pages:
    """Pages in their order, each one checked against what the first said and against the ids of those before."""

    def __init__(self, reader: Reader, kept: Kept, first: Page, *, total: int) -> None:
        self._reader, self._kept, self._first = reader, kept, first
        self._seen: set[str] = set()
        self.total = total

    @property
    def several(self) -> bool:
        """Whether the first is not all."""
        return self.total > len(self._first.rows)

    def __iter__(self) -> Iterator[Batch]:
        done, number, page = 0, 0, self._first
        fresh = self.several and self._kept.page(0) is None
        while True:
            self._expect_new(page, done)
            yield page.rows
            if fresh:
                # Behind the yield: whoever reads has taken the rows now.
                self._kept.confirm(number, page)
            done, number = done + len(page.rows), number + 1
            if done >= self.total:
                return
            kept = self._kept.page(number)
            page, fresh = kept or self._next(done), kept is None

    def _next(self, done: int) -> Page:
        ask = min(self._reader.page_rows, self.total - done)
        page = self._reader.ask_for(offset=done, limit=ask, known=self._first.ids is not None)
        where = f"{self._reader.where}, rows {done} to {done + ask}"
        if page.total_count != self._first.total_count:
            raise OdsMoved(
                f"the portal counted {counted(self._first.total_count, 'rows')}, and now {page.total_count:,}",
                where=where,
                advice=_NOWHERE,
            )
        expect_rows(page, ask, where=where)
        return page

    def _expect_new(self, page: Page, done: int) -> None:
        if self._first.ids is None:
            return
        if page.ids is None:
            raise OdsMismatch(
                "a page shows no record ids, and the first one did", where=self._reader.where, advice=_NOWHERE
            )
        fresh = set(page.ids)
        if len(fresh) != len(page.rows) or fresh & self._seen:
            raise self._reader.repeats(done)
        self._seen |= fresh


def settled(read: Callable[[], T]) -> T:
    """Return what ``read`` returns, which begins anew when the dataset was republished meanwhile: three tries.

    Raises:
        OdsMoved, OdsMismatch: It was, each time.
    """
    for _ in range(TRIES - 1):
        try:
            return read()
        except (OdsMoved, OdsMismatch):
            continue
    return read()
