"""Decide whether a download is cut into parts, and into how many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ods_provider.core.counting import counted, verb
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.formats.joining import joinable
from ods_provider.core.plans.partitions import Part, Partition, partition
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.parts.assembling import Layout
from ods_provider.jobs.state import State

Streams = int | Literal["auto"]
AUTO: Literal["auto"] = "auto"
LOOK_CALLS = 2  # what a look at the dataset takes: there is one at the end
_ROWS_A_PART = 25_000  # below, another stream is over before it has paid for its look-ups
_QUOTA_SHARE = 2  # of the calls that are left, one in so many is taken unasked: others live on the same quota


@dataclass(frozen=True, slots=True)
class Cutting:
    """How a download is to be cut.

    Args:
        download: What is wanted.
        layout: One file, or a folder.
        parts: How many; ``auto`` looks at the size and the quota.
        partition_by: Field to cut by; None finds one.
        most: How many ``auto`` takes at most.
        calls_a_part: How many each takes when it is fetched.
    """

    download: DownloadJob
    layout: Layout
    parts: Streams
    partition_by: str | None
    most: int
    calls_a_part: int = 1

    def expect_possible(self, argument: str) -> None:
        """Check that the download can be cut.

        Args:
            argument: What parts are called where they are asked for.

        Raises:
            OdsConfigError: It cannot, and somebody asked for several; else one stream is as good.
        """
        layout = self.layout
        if layout not in ("file", "folder"):
            raise OdsConfigError(
                f"layout={layout!r} is not known", where="argument layout", advice="Use file or folder"
            )
        if self.download.dataset_id is None:
            raise OdsConfigError(
                "the catalogue is one stream",
                where=f"arguments {argument}, layout",
                advice="Leave them out, or name a dataset",
            )
        against, why = self._one_stream()
        if against and self.parts not in (1, AUTO):
            raise OdsConfigError(
                why,
                where=f"arguments {argument}, {against}",
                advice=f"Pass {argument}=1, or leave out what stands against it",
            )

    def _one_stream(self) -> tuple[str, str]:
        """Return the argument that stands against cutting, and why; nothing when the download can be cut."""
        query, format = self.download.query, self.download.format.name
        given = (("order_by", query.order_by), ("group_by", query.group_by), ("limit", self.download.limit))
        for name, value in given:
            if value is not None:
                return name, f"{name} is kept by one stream only"
        if self.layout == "file" and format not in joinable():
            known = ", ".join(joinable())
            return "layout", f"parts of {format} do not make one file ({known} do, and layout='folder' any)"
        return "", ""

    def cut(self, ctx: JobContext, before: State, *, readable: bool = True) -> Partition:
        """Return the parts, proven by the portal's counts; one where it is not worth or not able to be cut.

        Args:
            ctx: The job's.
            before: The dataset as it was looked at.
            readable: Whether what is written can be read again by this user.

        Raises:
            OdsError: The file, or one of the files in the folder, could not be right.
        """
        if self.layout == "file" or not before.matching:
            self.download.rules.expect_data(before)
        parted = self._cut(ctx, before, readable=readable)
        if before.matching:
            # What one file cannot hold may well be held by several.
            largest = max(part.rows for part in parted.parts)
            self.download.rules.expect_data(replace(before, matching=largest))
        return parted

    def _cut(self, ctx: JobContext, before: State, *, readable: bool) -> Partition:
        download, auto = self.download, self.parts == AUTO
        total = before.matching or 0
        wanted = min(self.most, total // _ROWS_A_PART) if self.parts == AUTO else self.parts
        _, why = self._one_stream()
        if not readable:
            why = "this user may write there, but not look, so that no part could be read back"
        if not why and auto and wanted < 2:
            why = f"{counted(total, 'rows')} {verb(total, 'is', 'are')} not worth several"
        if why or wanted < 2 or before.dataset is None:
            return Partition(None, (Part(0, None, total, "all rows"),), total, (why,) if why else (), 0)
        left = ctx.remaining(download.dataset_id)
        if left is not None:
            # The plan reckons with two calls a part: one that counts it, one that fetches it.
            left = (left - LOOK_CALLS) * 2 // (1 + self.calls_a_part)
            left = max(0, left // _QUOTA_SHARE if auto else left)
        return ctx.client.run(
            partition(
                before.dataset, download.query, parts=wanted, field=self.partition_by, total=total, most_calls=left
            )
        )
