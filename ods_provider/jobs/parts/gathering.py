"""What many workers fetched: prove that all parts are there and of one state of the dataset, and commit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsMismatch
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.parts.assembling import Assembly, Layout, Made, Piece, rows_of
from ods_provider.jobs.parts.named import MADE, download_of, is_named, state_of
from ods_provider.sinks.marks import mark_of


@dataclass(frozen=True, slots=True)
class AssembleJob:
    """Prove that all parts are there and of one state of the dataset, and commit them as a folder or as one file.

    Args:
        parts: The Outcomes of all parts.
        min_rows: Fewer rows than this are an error.
    """

    parts: Sequence[Mapping[str, Any]]
    min_rows: int = 0
    name: ClassVar[str] = "assembly"

    def __post_init__(self) -> None:
        told = [each.get("part") for each in self.parts]
        whole = all(set(each) >= MADE for each in self.parts)
        if not told or not whole or not all(map(is_named, told)):
            raise OdsConfigError(
                "these are no Outcomes of downloaded parts",
                where="argument parts",
                advice="Pass the output of the mapped download whose parts OdsPartitionOperator named",
            )

    @property
    def dataset_id(self) -> str | None:
        """The dataset."""
        return str(self.parts[0]["part"]["dataset_id"])

    def work(self, ctx: JobContext) -> dict[str, Any]:
        """Return the Outcome of the folder or the file that now stands under its name."""
        found = sorted(self.parts, key=lambda each: int(each["part"]["number"]))
        self._expect_all(found)
        first = found[0]["part"]
        options = dict(first["format_options"]) | ({"compressed": True} if first["packed"] else {})
        download = replace(download_of(first, first["target"]), format_options=options, min_rows=self.min_rows)
        layout: Layout = first["layout"]
        ctx = ctx.at(download.source)
        place = ctx.destination(first["target"]) if layout == "folder" else ctx.file(first["target"])
        pieces = [_piece(ctx, each) for each in found]
        state = state_of(first)
        download.rules.expect_rows(rows_of(pieces), state, state)
        assembly = Assembly(ctx, download, place, layout)
        # An earlier try may have been ended after its commit, when it had removed some or all of the parts.
        result = assembly.committed(pieces, state)
        if result is None:
            _expect_standing(pieces, found)
            result = assembly.commit(pieces, state, moved=False)
            assembly.tell(pieces, state, result)
        pieces[0].place.above().remove(recursive=True)
        return result | {"parts": len(pieces), "partition_by": first["field"]}

    def _expect_all(self, found: Sequence[Mapping[str, Any]]) -> None:
        first = found[0]["part"]
        if any((each["part"]["set"], each["part"]["state"]) != (first["set"], first["state"]) for each in found):
            raise OdsMismatch(
                "the parts were named by different runs",
                where=f"dataset {self.dataset_id}",
                advice="Run the task that names the parts again, and all that follow it",
            )
        numbers = [int(each["part"]["number"]) for each in found]
        missing = sorted(set(range(int(first["of"]))) - set(numbers))
        if missing or len(numbers) != len(set(numbers)):
            what = f"parts {', '.join(map(str, missing[:10]))} are missing" if missing else "a part is there twice"
            raise OdsIncomplete(
                f"{what}, of {first['of']}",
                where=f"dataset {self.dataset_id}",
                advice="Run the mapped downloads that did not succeed again",
            )


def _piece(ctx: JobContext, each: Mapping[str, Any]) -> Piece:
    part, place = each["part"], ctx.destination(each["part"]["path"])
    return Piece(place.name, part["where"], place, Made(each["rows"], each["size_bytes"], each["sha256"], each["mark"]))


def _expect_standing(pieces: Sequence[Piece], found: Sequence[Mapping[str, Any]]) -> None:
    for piece, each in zip(pieces, found, strict=True):
        if piece.made.mark is None or mark_of(piece.place) != piece.made.mark:
            part = each["part"]
            raise OdsMismatch(
                f"part {part['number']} ({part['label']}) does not stand there as it was written",
                where=piece.place.url,
                advice="Run its download again; all workers have to see the same files",
            )
