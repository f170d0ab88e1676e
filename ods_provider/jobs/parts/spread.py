"""A download by many workers: one task names the parts, and each of many fetches one of them, anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsMoved
from ods_provider.core.events import Partitioned
from ods_provider.core.source import source_told
from ods_provider.core.times import iso
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.parts.assembling import Assembly, Layout
from ods_provider.jobs.parts.cutting import AUTO, LOOK_CALLS, Cutting, Streams
from ods_provider.jobs.parts.named import MADE, download_of, is_named, state_of
from ods_provider.jobs.parts.parted import part_name
from ods_provider.sinks.marks import mark_of

MOST_PARTS = 1_000  # Airflow maps a task 1,024 times at most, unless its administrator says otherwise
_MOST_BY_ITSELF = 64
_FETCHED = "fetched"


@dataclass(frozen=True, slots=True)
class PartitionJob:
    """Name the parts of a download, for other tasks to fetch.

    Args:
        download: What is wanted, and where it goes in the end.
        parts: How many, 1 to 1,000; ``auto`` looks at the size and the quota.
        partition_by: Field to cut by; None finds one.
        layout: ``folder`` of parts with a manifest, or one ``file``.
    """

    download: DownloadJob
    parts: Streams = AUTO
    partition_by: str | None = None
    layout: Layout = "folder"
    name: ClassVar[str] = "partition"

    def __post_init__(self) -> None:
        self._cutting.expect_possible("parts")
        if not isinstance(self.download.path, str):
            raise OdsConfigError(
                "the path has to be a text, which other workers can open",
                where="argument path",
                advice="Write it as a path that all workers share, or as a URL such as s3://connection@bucket/key",
            )

    @property
    def _cutting(self) -> Cutting:
        # Each worker looks at the dataset by itself, before and after.
        calls = 1 + 2 * LOOK_CALLS
        return Cutting(self.download, self.layout, self.parts, self.partition_by, _MOST_BY_ITSELF, calls_a_part=calls)

    @property
    def dataset_id(self) -> str | None:
        """The dataset."""
        return self.download.dataset_id

    def work(self, ctx: JobContext) -> list[dict[str, Any]]:
        """Return one mapping a part: the arguments with which a download fetches it."""
        asked, ctx = self.download, ctx.at(self.download.source)
        place = ctx.destination(asked.path) if self.layout == "folder" else ctx.file(asked.path)
        Assembly(ctx, asked, place, self.layout).expect_place()
        before = asked.look(ctx)
        parts = self._cutting.cut(ctx, before)
        ctx.emit(Partitioned(parts.field, len(parts.parts), parts.calls, 0, parts.tried))
        # The folder of progress of this run: like that of any other it is swept by a later one if nobody comes for it.
        folder = ctx.progress_folder(place)
        ctx.tidy(folder.above())
        shown, _, last = asked.path.rstrip("/").rpartition("/")
        hidden = f"{shown}/{folder.name}" if shown or last != asked.path.rstrip("/") else folder.name
        options = dict(asked.format_options or {})
        if self.layout == "file":
            options["compressed"] = None
        common = {
            "of": len(parts.parts),
            "dataset_id": asked.dataset_id,
            "query": asdict(asked.query),
            "format": asked.format.name,
            "format_options": options,
            "target": asked.path,
            "packed": asked.packed,
            "layout": self.layout,
            "field": parts.field,
            "state": [iso(before.processed), before.matching, before.records_count],
            "set": ctx.token,
            **source_told(asked.source),
        }
        made = []
        for part in parts.parts:
            path = f"{hidden}/{part_name(part.number, replace(asked, format_options=options))}"
            told = {"number": part.number, "label": part.label, "rows": part.rows, "where": part.where, "path": path}
            # Only what no portal wrote stands where a scheduler may take it for a template.
            made.append({"dataset_id": asked.dataset_id, "path": path, "part": told | common})
        return made


@dataclass(frozen=True, slots=True)
class PartJob:
    """Fetch one of the parts that a ``PartitionJob`` named, if the dataset is still as it was then.

    A run that had it fetched already, and is run again, does not ask for it again.

    Args:
        download: The part's query and place.
        part: As it was named.
    """

    download: DownloadJob
    part: Mapping[str, Any]
    name: ClassVar[str] = "download"

    @classmethod
    def of(cls, part: Mapping[str, Any]) -> PartJob:
        """Return the job of a part as it was named.

        Raises:
            OdsConfigError: Nobody named this.
        """
        if not is_named(part):
            raise OdsConfigError(
                "this is no part that was named for a download",
                where="argument part",
                advice="Expand the download over the output of OdsPartitionOperator",
            )
        download = download_of(part, part["path"])
        query = download.query
        if part["where"] is not None:
            query = replace(query, where=(*query.where, part["where"]))
        # Another state of the dataset needs other parts: there is nothing to try again here.
        return cls(replace(download, query=query, if_moved="fail"), part)

    @property
    def dataset_id(self) -> str | None:
        """The dataset."""
        return self.download.dataset_id

    def work(self, ctx: JobContext) -> dict[str, Any]:
        """Return the Outcome of the part, which holds the part as it was named."""
        ctx = ctx.at(self.download.source)
        place = ctx.destination(self.download.path)
        ledger = ctx.ledger(
            fingerprint(base_url=ctx.client.connection.base_url, part=self.part), beside=place, valid=_fetched
        )
        before = self.download.look(ctx)
        state = state_of(self.part)
        if (before.processed, before.matching) != (state.processed, self.part["rows"]):
            raise OdsMoved(
                f"the dataset was republished since its parts were named: {iso(state.processed)} with "
                f"{counted(self.part['rows'], 'rows')} in this one, now {iso(before.processed)} with {before.matching}",
                where=self.download.where_told(),
                advice="Run the task that names the parts again, and all that follow it",
            )
        kept = ledger.units.get(_FETCHED)
        if kept is not None and kept["mark"] == mark_of(place):
            return dict(kept)
        made = self.download.work_from(ctx, place, before) | {"part": dict(self.part), "mark": mark_of(place)}
        if made["mark"] is not None:
            # It stays until the parts are put together, and goes with them.
            ledger.confirm(_FETCHED, made)
        return made


def _fetched(unit: str, kept: Any) -> bool:
    return unit == _FETCHED and set(kept) >= MADE and kept["mark"] is not None
