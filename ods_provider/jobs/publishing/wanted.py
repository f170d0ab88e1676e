"""What a publication of a file is asked to do."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsIncomplete
from ods_provider.core.events import StepDone
from ods_provider.core.narrate import size
from ods_provider.core.share import Share
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.content import Content, Given
from ods_provider.jobs.publishing.pointing import reads_by
from ods_provider.jobs.publishing.showing import LAG_S
from ods_provider.sources.delimited import DelimitedText

IfUnchanged = Literal["skip", "keep", "publish"]
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The arguments, checked.

    Args:
        dataset_id: Which dataset: its id or its uid.
        path: A file of any filesystem, or
        records: the records themselves.
        resource: The uid or title of the resource that takes the file; None where the dataset has one at most.
        extractor: What reads it on the portal; None tells it from the file, or keeps the resource's.
        params: Parameters of the extractor, above those that are told.
        if_unchanged: When what was published last was the same: ``skip``, ``keep`` what it returned, or ``publish``.
        max_errors: Cells that may be lost because they do not fit their fields.
        min_rows: Fewer rows than this are not published.
        max_drop: How many rows less than before may be; None sets no limit.
        restore: Whether a publication that fails brings the earlier file back.
        delimiter, encoding: How a CSV is written; None tells it from the file.
        timeout_s: Seconds to wait for the portal; it goes on with its work after them.
        dry_run: Whether only to tell what would be done.
        new_title: Title under which a dataset is made that is not there yet; None makes none.
        lag_s: Seconds that Explore may need to show what was published.
    """

    dataset_id: str
    path: Any = None
    records: Sequence[Record] | None = None
    resource: str | None = None
    extractor: str | None = None
    params: Mapping[str, Any] | None = None
    if_unchanged: IfUnchanged = "skip"
    max_errors: int = 0
    min_rows: int = 0
    max_drop: Share | None = None
    restore: bool = True
    delimiter: str | None = None
    encoding: str | None = None
    timeout_s: float | None = None
    dry_run: bool = False
    new_title: str | None = None
    lag_s: float = LAG_S

    def __post_init__(self) -> None:
        if (self.path is None) == (self.records is None):
            raise OdsConfigError(
                "pass either a path or records", where="arguments path, records", advice="Give exactly one of them"
            )
        if self.if_unchanged not in get_args(IfUnchanged):
            raise OdsConfigError(
                f"if_unchanged={self.if_unchanged!r} is not known",
                where="argument if_unchanged",
                advice=f"Use {', '.join(get_args(IfUnchanged))}",
            )
        given = self.given({})
        if given.text.told and self.path is None:
            raise OdsConfigError(
                "delimiter and encoding say how a CSV is written, and none is given",
                where="arguments delimiter, encoding",
                advice="Leave them out, or pass a path",
            )
        if self.path is not None:
            given.expect_ending()

    def given(self, params: Mapping[str, Any]) -> Given:
        """Return what is published, read with these parameters where the user names no others."""
        text = DelimitedText(self.delimiter, self.encoding)
        return Given(self.path, self.records, text, {**params, **(self.params or {})}, self.dataset_id)

    def read(self, ctx: JobContext, resource: Mapping[str, Any] | None) -> Content:
        """Read what is published, as the resource that takes it says, and tell of it."""
        began = time.monotonic()
        content = self.given(reads_by(resource, self.extractor)).read(ctx)
        told = f"{size(content.about.size_bytes)} of {content.about.kind}"
        ctx.emit(StepDone("Read", content.about.rows, time.monotonic() - began, told))
        return content

    def expect_enough(self, rows: int, before: int | None) -> None:
        """Check that there are as many rows as are wanted at least.

        Args:
            rows: Of the content.
            before: How many stand; None where nobody knows.

        Raises:
            OdsIncomplete: There are too few.
        """
        if rows < self.min_rows:
            raise OdsIncomplete(
                f"it holds {counted(rows, 'rows')}, fewer than min_rows={self.min_rows:,}",
                where=f"publication of {self.dataset_id}",
                advice="Nothing was changed. Look whether the file is whole, or lower min_rows",
            )
        drop = self.max_drop
        if drop is not None and before is not None and not drop.allows(before - rows, before):
            raise OdsIncomplete(
                f"it holds {counted(rows, 'rows')} where {before:,} stand, which is {before - rows:,} less, more than "
                f"max_drop={drop}",
                where=f"publication of {self.dataset_id}",
                advice="Nothing was changed. Look whether the file is whole, or raise max_drop (None sets no limit)",
            )

    def state(self, sha256: str) -> str:
        """Return what tells one content from others: its bytes, and how they are read."""
        return fingerprint(sha256=sha256, extractor=self.extractor, params=dict(self.params or {}))
