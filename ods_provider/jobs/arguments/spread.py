"""The arguments of a download by many workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import is_given, record_list, required, text, whole_number
from ods_provider.core.source import CATALOG
from ods_provider.jobs.arguments.files import download_job, plain
from ods_provider.jobs.arguments.kinds import Mapped, Number, Place, Text, Texts, word
from ods_provider.jobs.parts.cutting import AUTO
from ods_provider.jobs.parts.gathering import AssembleJob
from ods_provider.jobs.parts.spread import MOST_PARTS, PartitionJob


def partition_job(
    *,
    dataset_id: Text,
    path: Place,
    source: Text = CATALOG,
    parts: Number = AUTO,
    partition_by: Text = None,
    layout: Text = "folder",
    format: Text = None,
    select: Texts = None,
    where: Texts = None,
    refine: Mapped = None,
    exclude: Mapped = None,
    lang: Text = None,
    timezone: Text = "UTC",
    format_options: Mapped = None,
) -> PartitionJob:
    """Return what names the parts of a download.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    laid = word("layout", layout, "folder")
    download = plain(
        download_job(
            dataset_id=required("dataset_id", dataset_id),
            path=path,
            source=source,
            format=format,
            select=select,
            where=where,
            refine=refine,
            exclude=exclude,
            lang=lang,
            timezone=timezone,
            format_options=format_options,
            layout=laid,
        )
    )
    wanted: Any = AUTO
    if word("parts", parts, AUTO) != AUTO:
        wanted = whole_number("parts", parts, least=1, most=MOST_PARTS)
    return PartitionJob(download, wanted, text("partition_by", partition_by), laid)


def assemble_job(*, parts: Any, min_rows: Number = 0) -> AssembleJob:
    """Return what puts the downloaded parts together.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    found = record_list("parts", list(parts) if _is_several(parts) else parts)
    if found is None:
        raise OdsConfigError(
            "no parts were given", where="argument parts", advice="Pass the output of the mapped download"
        )
    # A mapped task that was skipped gives nothing: which part that was is told by its number.
    return AssembleJob(
        [each for each in found if is_given(each)], min_rows=whole_number("min_rows", min_rows, default=0)
    )


def _is_several(parts: Any) -> bool:
    # What a mapped task gave is a sequence of its own kind, which is read as it is walked over.
    return hasattr(parts, "__iter__") and not isinstance(parts, (str, bytes, Mapping))
