"""Bring a dataset into a file, or a folder of parts, over many streams at once: each part is kept once it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ods_provider.core.checkpoint import Ledger, fingerprint
from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsMismatch
from ods_provider.core.events import Partitioned
from ods_provider.core.formats.endings import file_name
from ods_provider.core.outcome import Done
from ods_provider.core.plans.partitions import Part, Partition
from ods_provider.core.source import Source
from ods_provider.core.times import iso
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import MOVED_TRIES, DownloadJob
from ods_provider.jobs.parts.assembling import Assembly, Layout, Made, Piece, rows_of
from ods_provider.jobs.parts.cutting import AUTO, Cutting, Streams
from ods_provider.jobs.parts.fetching import UNIT, PartFetcher, fetch_parts, unit_of
from ods_provider.jobs.state import State
from ods_provider.jobs.unchanged import Earlier, IfUnchanged
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.marks import marks_below

MOST_PARALLEL = 32
_MOST_BY_ITSELF = 16
_PLAN = "plan"
_KEPT = ".kept"


@dataclass(frozen=True, slots=True)
class PartedDownloadJob:
    """One export for each part of a query, proven by the portal's own counts to be all of it.

    A part is the unit of progress: after a kill, a quota or on another host only unfinished ones are asked for.

    Args:
        download: What is wanted, and where.
        parallel: Streams at the same time, 1 to 32, and parts; ``auto`` looks at the size and the quota.
        partition_by: Field to cut by; None finds one.
        layout: ``file``, or ``folder`` of parts with a manifest.
    """

    download: DownloadJob
    parallel: Streams = 1
    partition_by: str | None = None
    layout: Layout = "file"
    name: ClassVar[str] = "download"

    def __post_init__(self) -> None:
        self._cutting.expect_possible("parallel")
        if self.parallel == 1 and self.partition_by is not None:
            raise OdsConfigError(
                "one stream is not cut",
                where="arguments partition_by, parallel",
                advice="Pass parallel=4 or so as well, or leave it out",
            )

    @property
    def _cutting(self) -> Cutting:
        return Cutting(self.download, self.layout, self.parallel, self.partition_by, _MOST_BY_ITSELF)

    @property
    def dataset_id(self) -> str | None:
        """The dataset."""
        return self.download.dataset_id

    @property
    def source(self) -> Source:
        """Where the dataset is kept."""
        return self.download.source

    @property
    def if_unchanged(self) -> IfUnchanged:
        """What to do when an earlier run wrote the same."""
        return self.download.if_unchanged

    def work(self, ctx: JobContext, before: State | None = None) -> dict[str, Any] | Done:
        """Return the Outcome of the file or the folder that now stands under its name.

        Args:
            ctx: The job's context.
            before: The dataset as somebody looked at it just now; None looks at it.
        """
        ctx = ctx.at(self.source)
        # Beside what a link leads to: there the folder is made, and what a killed run left of it is swept.
        path, one = self.download.path, self.layout == "file"
        place = ctx.file(path) if one else ctx.destination(path).behind_links()
        assembly = Assembly(ctx, self.download, place, self.layout)
        assembly.expect_place()
        before = before or self.download.look(ctx)
        earlier = self.download.earlier(ctx, place, folder=self.layout == "folder")
        return earlier.still(before.digest) or self._work_from(ctx, place, assembly, before, earlier)

    def _work_from(
        self, ctx: JobContext, place: Destination, assembly: Assembly, before: State, earlier: Earlier
    ) -> dict[str, Any]:
        ledger = ctx.ledger(self._identity(ctx), beside=place, valid=_valid)
        for tries_left in reversed(range(MOVED_TRIES)):
            ctx.check()
            parts = self._parts(ctx, ledger, before, place)
            if parts.field is None and self.layout == "file":
                ledger.clear()
                return earlier.written(self.download.work_from(ctx, place, before))
            pieces = self._fetch(ctx, ledger, parts, before, place)
            after = self.download.look(ctx)
            moved = before.moved_to(after)
            if not moved or self.download.if_moved == "accept":
                if not moved:
                    self._expect_parts(parts, pieces)
                self.download.rules.expect_rows(rows_of(pieces), before, after)
                result = assembly.commit(pieces, after, moved=moved)
                # The parts go last: a kill before would leave nothing by which a next try knows that all is fetched.
                result = earlier.written(result | {"parts": len(pieces), "partition_by": parts.field})
                ledger.clear()
                return result
            if self.download.if_moved == "fail" or not tries_left:
                raise self.download.moved_error(before, after)
            before = after
        raise AssertionError("the loop returns or raises")

    def _identity(self, ctx: JobContext) -> str:
        asked = self.download
        return fingerprint(
            base_url=ctx.client.connection.base_url,
            dataset_id=asked.named,
            query=asked.query,
            limit=asked.limit,
            format=asked.format.name,
            options=asked.format.params(asked.format_options),
            parts=(self.partition_by, self.layout),
        )

    def _parts(self, ctx: JobContext, ledger: Ledger, before: State, place: Destination) -> Partition:
        """Return the parts: those of an earlier try where the dataset is as it was then."""
        state = [iso(before.processed), before.matching, before.records_count]
        kept = ledger.units.get(_PLAN)
        some = any(unit.startswith(UNIT) for unit in ledger.units)
        if kept is not None and kept["state"] == state and (some or kept["parallel"] == self.parallel):
            parts = _partition_from(kept)
        else:
            ledger.clear()
            readable = place.can.folders or place.above().names_if_allowed() is not None
            parts = self._cutting.cut(ctx, before, readable=readable)
            ledger.confirm(_PLAN, {"state": state, "parallel": self.parallel, **_partition_kept(parts)})
        done = sum(unit_of(part) in ledger.units for part in parts.parts)
        ctx.emit(Partitioned(parts.field, len(parts.parts), parts.calls, done, parts.tried))
        return parts

    def _fetch(
        self, ctx: JobContext, ledger: Ledger, parts: Partition, before: State, place: Destination
    ) -> list[Piece]:
        folder, asked = ctx.progress_folder(place), self.download
        if self.layout == "file":
            # What is joined is packed afterwards.
            asked = replace(asked, format_options={**(asked.format_options or {}), "compressed": None})
        names = {part.number: part_name(part.number, asked) for part in parts.parts}
        # Whatever ends in .json there is read as a unit of progress.
        places = {number: folder.child(f"{name}{_KEPT}") for number, name in names.items()}
        standing = marks_below(folder)
        made = {}
        for part in parts.parts:
            kept = ledger.units.get(unit_of(part))
            if kept is not None and standing.get(places[part.number].name) == kept["mark"]:
                made[part.number] = Made(**kept)
        fetcher = PartFetcher(ctx, asked, parts, before, places)
        streams = _MOST_BY_ITSELF if self.parallel == AUTO else self.parallel
        fetch_parts(ctx, fetcher, parts, made, ledger, parallel=streams)
        return [Piece(names[part.number], part.where, places[part.number], made[part.number]) for part in parts.parts]

    def _expect_parts(self, parts: Partition, pieces: list[Piece]) -> None:
        for part, piece in zip(parts.parts, pieces, strict=True):
            if piece.made.rows not in (None, part.rows):
                raise OdsMismatch(
                    f"part {part.number} ({part.label}) holds {counted(piece.made.rows, 'rows')} "
                    f"where the portal counts {part.rows}",
                    where=self.download.where_told(),
                    advice="The other parts are kept. Run it again; if it persists, the export is gated or broken",
                )


def part_name(number: int, download: DownloadJob) -> str:
    """Return what the file of a part is called."""
    return file_name(f"part-{number:05d}", download.format.name, download.format_options)


def _partition_kept(parts: Partition) -> dict[str, Any]:
    each = [[part.number, part.where, part.rows, part.label] for part in parts.parts]
    told = {"tried": list(parts.tried), "calls": parts.calls}
    return {"field": parts.field, "parts": each, "total": parts.total, **told}


def _partition_from(kept: Mapping[str, Any]) -> Partition:
    parts = tuple(Part(int(number), where, int(rows), str(label)) for number, where, rows, label in kept["parts"])
    return Partition(kept["field"], parts, int(kept["total"]), tuple(kept["tried"]), int(kept["calls"]))


def _valid(unit: str, kept: Any) -> bool:
    if unit == _PLAN:
        return bool(_partition_from(kept).parts) and {"state", "parallel"} <= set(kept)
    return Made(**kept).size_bytes >= 0
