"""Read rows for a job: to XCom or to a file, going on with the pages that an earlier try confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ods_provider.core.checkpoint import Ledger, fingerprint
from ods_provider.core.errors import OdsConfigError, OdsMismatch, OdsMoved, OdsSinkError
from ods_provider.core.pages import Batch, Page, Row, Rows
from ods_provider.core.reading import Reader, settled
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.rows import as_json, give_rows
from ods_provider.sinks.destination import Destination

_START = "start"

Finish = Callable[[Any], Any]
"""What is left to do with what is returned, before the pages are forgotten; it returns the result."""


def as_it_is(result: Any) -> Any:
    """Return what was read: nothing is left to do."""
    return result


def read_rows(
    ctx: JobContext,
    rows: Rows,
    *,
    limit: int | None,
    asked: Mapping[str, Any],
    place: Destination | None,
    max_xcom_bytes: int,
    dataset_id: str | None,
    finish: Finish = as_it_is,
) -> Any:
    """Return the rows, or the Outcome of the file that holds them.

    A page is the unit of progress: after a wait or a kill, the pages already here are not asked for again. When the
    dataset was republished meanwhile, all of it is read anew, three times at most.

    Args:
        ctx: The job's context.
        rows: The query, at its API.
        limit: Rows at most; None wants all.
        asked: What decides which rows are wanted: progress of another question is not progress of this one.
        place: File to write; None returns the rows.
        max_xcom_bytes: Most bytes of rows, as JSON, that are returned, or kept in the scheduler's store meanwhile.
        dataset_id: For the Outcome.
        finish: What is left to do.

    Raises:
        OdsMoved: The dataset was republished each time.
        OdsConfigError: The rows do not fit into XCom and no place was given.
    """
    identity = fingerprint(base_url=ctx.client.connection.base_url, **asked)
    kept = KeptPages(ctx, identity, place)
    reader = Reader(ctx.client.run, rows)

    def once() -> Any:
        found = (row for batch in _told(ctx, reader, reader.batches(limit, kept=kept)) for row in batch)
        try:
            return give_rows(ctx, place, found, max_xcom_bytes=max_xcom_bytes, dataset_id=dataset_id)
        except (OdsMoved, OdsMismatch, OdsConfigError):
            # Pages of two states of a dataset must never be put together, and rows that do not fit help nobody.
            kept.clear()
            raise

    result = finish(settled(once))
    # Last: a kill before it leaves the next try all pages.
    kept.clear()
    return result


def _told(ctx: JobContext, reader: Reader, batches: Iterator[Batch]) -> Iterator[Batch]:
    """Pass batches on, say how far they are, and stop where the job was told to."""
    done = 0
    ctx.check()
    for batch in batches:
        yield batch
        ctx.check()
        done += len(batch)
        if reader.total != len(batch):
            ctx.progress(done, reader.total, "rows")


class KeptPages:
    """The pages of a job as ``core.reading.Kept``: how many rows, and which ids they have, in the ledger.

    With a destination the rows themselves lie beside it as JSON lines, a file for each page; without one they will be
    returned, and lie in the scheduler's store as far as they may go there.
    """

    def __init__(self, ctx: JobContext, identity: str, place: Destination | None) -> None:
        self._files = None if place is None else ctx.folder_store(place)
        if self._files is None:
            self._ledger = ctx.ledger(identity, valid=_valid)
        else:
            self._ledger = Ledger(self._files, identity, _valid)

    def start(self) -> Mapping[str, Any] | None:
        """Return how the reading began."""
        start: Mapping[str, Any] | None = self._ledger.units.get(_START)
        return start

    def begin(self, start: Mapping[str, Any]) -> None:
        """Keep how it begins, once."""
        if self.start() is None:
            self._ledger.confirm(_START, dict(start))

    def page(self, number: int) -> Page | None:
        """Return a confirmed page; what is damaged is asked for again."""
        kept = self._ledger.units.get(_unit(number))
        if kept is None or self.start() is None:
            return None
        try:
            rows: list[Row] = kept["rows"] if self._files is None else _rows(self._files.attached(_name(number)))
        except (ValueError, OdsSinkError):
            return None
        ids = kept["ids"]
        return Page(kept["total"], rows, ids and ids.split()) if len(rows) == kept["count"] else None

    def confirm(self, number: int, page: Page) -> None:
        """Keep a page: its rows first, so that what the ledger says is there."""
        entry: dict[str, Any] = {"total": page.total_count, "count": len(page.rows)}
        entry["ids"] = None if page.ids is None else " ".join(page.ids)
        if self._files is None:
            entry["rows"] = page.rows
        else:
            self._files.attach(_name(number), b"".join(as_json(row) + b"\n" for row in page.rows))
        self._ledger.confirm(_unit(number), entry)

    def clear(self) -> None:
        """Forget everything."""
        self._ledger.clear()


def _valid(unit: str, kept: Any) -> bool:
    if unit == _START:
        return type(kept["state"]) is dict
    rows, ids = kept.get("rows", []), kept["ids"]
    return type(kept["total"]) is type(kept["count"]) is int and type(rows) is list and type(ids) in (str, type(None))


def _unit(number: int) -> str:
    return f"page-{number:04}"


def _name(number: int) -> str:
    return f"{_unit(number)}.jsonl"


def _rows(lines: bytes) -> list[Row]:
    return [json.loads(line) for line in lines.split(b"\n") if line]
