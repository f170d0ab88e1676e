"""Fetch the parts of a query, several at a time, each into a file of its own beside the destination."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, replace

from ods_provider.core.checkpoint import Ledger
from ods_provider.core.events import Event, Progress
from ods_provider.core.plans.partitions import Part, Partition
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.parts.assembling import Made
from ods_provider.jobs.running.pace import Pace
from ods_provider.jobs.sidebyside import side_by_side
from ods_provider.jobs.state import State
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.marks import mark_of

UNIT = "done-"
_TRIES = 2  # at a part that comes whole and yet with other rows than the portal counted


class PartFetcher:
    """Fetches one part after another, in several threads; ``stop`` ends what is under way.

    Args:
        ctx: The job's.
        download: What all parts have in common.
        cut: The parts.
        before: The dataset as it was looked at.
        places: Where each part goes, by its number.
    """

    def __init__(
        self,
        ctx: JobContext,
        download: DownloadJob,
        cut: Partition,
        before: State,
        places: Mapping[int, Destination],
    ) -> None:
        self._ctx, self._download, self._cut, self._before, self._places = ctx, download, cut, before, places
        self._sizes: dict[int, int] = {}
        self._rows: dict[int, int] = {}
        self.stop = threading.Event()

    @property
    def size_bytes(self) -> int:
        """How much came so far, of all parts."""
        return sum(self._sizes.values())

    def have(self, made: Mapping[int, Made]) -> None:
        """Count parts that are here."""
        self._sizes |= {number: each.size_bytes for number, each in made.items()}
        self._rows |= {number: each.rows for number, each in made.items() if each.rows is not None}

    def tell(self) -> None:
        """Say how far all parts are: in rows, once some are counted."""
        total = sum(part.rows for part in self._cut.parts) if self._rows else None
        if total is None:
            self._ctx.progress(self.size_bytes, None, "bytes", size_bytes=self.size_bytes)
        else:
            self._ctx.progress(sum(self._rows.values()), total, "rows", size_bytes=self.size_bytes)

    def __call__(self, part: Part) -> Made:
        """Fetch ``part``."""

        def told(event: Event) -> None:
            # How far all of them are is said by the one thread that may talk to the scheduler.
            if isinstance(event, Progress):
                self._sizes[part.number] = event.size_bytes or 0
                if event.unit == "rows":
                    self._rows[part.number] = event.done
            else:
                self._ctx.emit(event)

        place = self._places[part.number]
        asked = replace(self._download, path=place, query=self._cut.query_of(self._download.query, part))
        # Each piece is heard of, so that what all of them have brought is never seconds old.
        run = replace(self._ctx.run, progress_every_s=0.0)
        ctx = replace(self._ctx, cancel=self.stop, emit=told, run=run, streams=len(self._cut.parts), _pace=Pace())
        copy = asked.fetch(ctx, place, replace(self._before, matching=part.rows))
        with copy.writer as writer:
            writer.commit()
        made = Made(copy.rows, writer.size_bytes, writer.sha256, mark_of(place))
        self.have({part.number: made})
        return made


def fetch_parts(
    ctx: JobContext, fetcher: PartFetcher, cut: Partition, made: dict[int, Made], ledger: Ledger, *, parallel: int
) -> None:
    """Fetch the parts that are not in ``made`` yet, and add them.

    A part is confirmed when it holds the rows that the portal counted. One that does not is fetched once more, and then
    given back as it is: the dataset may have been republished, which its next look will tell.

    Raises:
        OdsError: One part's failure; those under way then are finished and confirmed.
    """
    fetcher.have(made)
    for _ in range(_TRIES):
        left = [part for part in cut.parts if part.number not in made or _is_off(part, made[part.number])]
        # What takes longest begins first.
        left.sort(key=lambda part: -part.rows)
        if not left:
            break

        def keep(part: Part, found: Made) -> None:
            made[part.number] = found
            if not _is_off(part, found):
                ledger.confirm(unit_of(part), asdict(found))

        side_by_side(
            ctx,
            fetcher,
            left,
            parallel=parallel,
            keep=keep,
            passes_over=lambda _part, _error: False,
            tell=fetcher.tell,
            name="ods-part",
        )
        fetcher.stop.clear()


def _is_off(part: Part, found: Made) -> bool:
    return found.rows is not None and found.rows != part.rows


def unit_of(part: Part) -> str:
    """Return the name under which a part is confirmed."""
    # Not as the part is called: units of progress are files, which end in .json as well.
    return f"{UNIT}{part.number:05d}"
