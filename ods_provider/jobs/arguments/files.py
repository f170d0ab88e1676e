"""The arguments of a download and of a fetch of files."""

from __future__ import annotations

from typing import Any

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.formats.endings import DEFAULT_FORMAT, format_for, packed_for
from ods_provider.core.formats.registry import format_named, format_names
from ods_provider.core.given import clauses, mapping, required, text, whole_number
from ods_provider.core.query import Query
from ods_provider.jobs.arguments.kinds import Mapped, Number, Place, Text, Texts, file_place, word
from ods_provider.jobs.arguments.older import asked_in
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.media import MediaJob
from ods_provider.jobs.v1 import V1DownloadJob
from ods_provider.jobs.v1_media import V1MediaJob

PARALLEL, MOST_PARALLEL = 4, 32


def download_job(
    *,
    dataset_id: Text,
    path: Place,
    format: Text = None,
    select: Texts = None,
    where: Texts = None,
    order_by: Texts = None,
    refine: Mapped = None,
    exclude: Mapped = None,
    lang: Text = None,
    timezone: Text = "UTC",
    limit: Number = None,
    group_by: Texts = None,
    format_options: Mapped = None,
    if_moved: Text = "retry",
    min_rows: Number = 0,
    v1: Mapped = None,
) -> DownloadJob:
    """Return a download of a dataset, or of the catalogue where ``dataset_id`` is None.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    query = Query.of(
        select=select,
        where=where,
        group_by=group_by,
        order_by=order_by,
        refine=refine,
        exclude=exclude,
        lang=lang,
        timezone=timezone,
    )
    options = mapping("format_options", format_options)
    beside: dict[str, Any] = {"limit": whole_number("limit", limit)}
    how: dict[str, Any] = {
        "if_moved": word("if_moved", if_moved, "retry"),
        "min_rows": whole_number("min_rows", min_rows, default=0),
    }
    older, dataset = asked_in(v1, query, dataset_id, format_options=options, **beside)
    place, asked = file_place(required("path", path)), word("format", format)
    if older is not None:
        packed_for(place, None, possible=False)
        return V1DownloadJob.of(dataset_named(dataset), place, older, format=asked, **how)
    catalogue = dataset is None
    # The catalogue has no Parquet, and nothing else that most would mean.
    chosen = format_for(place, asked, format_names(catalogue=catalogue), default=None if catalogue else DEFAULT_FORMAT)
    return DownloadJob(
        dataset_id=dataset,
        path=place,
        format=format_named(chosen, catalogue=catalogue),
        query=query,
        format_options=packed_for(place, options, possible=not catalogue),
        **beside,
        **how,
    )


def media_job(
    *,
    dataset_id: Text,
    path: Place,
    kind: Text = "attachments",
    field: Text = None,
    where: Texts = None,
    refine: Mapped = None,
    exclude: Mapped = None,
    limit: Number = None,
    parallel: Number = PARALLEL,
    if_missing: Text = "fail",
    v1: Mapped = None,
) -> MediaJob:
    """Return a fetch of a dataset's files into a folder.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    query = Query.of(refine=refine, exclude=exclude)
    beside: dict[str, Any] = {"where": clauses("where", where), "limit": whole_number("limit", limit)}
    how: dict[str, Any] = {
        "kind": word("kind", kind, "attachments"),
        "field": text("field", field),
        "parallel": whole_number("parallel", parallel, least=1, most=MOST_PARALLEL, default=PARALLEL),
        "if_missing": word("if_missing", if_missing, "fail"),
    }
    older, dataset = asked_in(v1, query, dataset_id, **beside)
    dataset, folder = dataset_named(dataset), required("path", path)
    if older is not None:
        return V1MediaJob.of(dataset, folder, older, **how)
    return MediaJob(dataset_id=dataset, path=folder, query=query, **beside, **how)
