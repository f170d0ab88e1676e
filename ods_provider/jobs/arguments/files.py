"""The arguments of a download and of a fetch of files."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.formats.endings import DEFAULT_FORMAT, format_for, packed_for
from ods_provider.core.formats.registry import format_named, format_names
from ods_provider.core.given import clauses, is_given, mapping, required, text, whole_number
from ods_provider.core.query import Query
from ods_provider.core.source import CATALOG, source_named
from ods_provider.jobs.arguments.kinds import Mapped, Number, Place, Text, Texts, file_place, word
from ods_provider.jobs.arguments.older import asked_in
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.media import MediaJob
from ods_provider.jobs.parts.parted import MOST_PARALLEL, PartedDownloadJob
from ods_provider.jobs.parts.spread import PartJob
from ods_provider.jobs.v1 import V1DownloadJob
from ods_provider.jobs.v1_media import V1MediaJob

PARALLEL = 4


def download_job(
    *,
    dataset_id: Text,
    path: Place,
    source: Text = CATALOG,
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
    if_unchanged: Text = "fetch",
    parallel: Number = 1,
    partition_by: Text = None,
    layout: Text = "file",
    part: Mapped = None,
    v1: Mapped = None,
) -> DownloadJob | PartedDownloadJob | PartJob:
    """Return a download of a dataset, or of the catalogue where ``dataset_id`` is None; or of a part that was named.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    if is_given(part):
        return _of_part(mapping("part", part) or {}, locals())
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
        "if_unchanged": word("if_unchanged", if_unchanged, "fetch"),
    }
    parts: dict[str, Any] = {
        "parallel": _streams(parallel),
        "partition_by": text("partition_by", partition_by),
        "layout": word("layout", layout, "file"),
    }
    told = {name: value for name, value in parts.items() if value != _ONE_STREAM[name]}
    where_kept = source_named(source)
    older, dataset = asked_in(v1, query, dataset_id, source=where_kept, format_options=options, **beside, **told)
    place, asked = required("path", path), word("format", format)
    if parts["layout"] == "file":
        place = file_place(place)
    if older is not None:
        packed_for(place, None, possible=False)
        return V1DownloadJob.of(dataset_named(dataset), place, older, format=asked, **how)
    catalogue = dataset is None
    # The catalogue has no Parquet, and nothing else that most would mean.
    chosen = format_for(place, asked, format_names(catalogue=catalogue), default=None if catalogue else DEFAULT_FORMAT)
    job = DownloadJob(
        dataset_id=dataset,
        path=place,
        format=format_named(chosen, catalogue=catalogue),
        query=query,
        format_options=packed_for(place, options, possible=not catalogue),
        source=where_kept,
        **beside,
        **how,
    )
    return PartedDownloadJob(job, **parts) if told else job


_ONE_STREAM: dict[str, Any] = {"parallel": 1, "partition_by": None, "layout": "file"}
_AUTO = "auto"


def plain(job: DownloadJob | PartedDownloadJob | PartJob) -> DownloadJob:
    """Return what is downloaded, whether or not over several streams."""
    return job if isinstance(job, DownloadJob) else job.download


def _of_part(part: Mapping[str, Any], given: Mapping[str, Any]) -> PartJob:
    """Return the download of a part, which says all that is wanted: other words beside it would change the rows."""
    beside = signature(download_job).parameters
    told = [
        name
        for name, value in given.items()
        if name not in ("part", "dataset_id", "path", "if_moved") and is_given(value) and value != beside[name].default
    ]
    if told:
        raise OdsConfigError(
            f"part excludes {', '.join(told)}",
            where=f"argument{'s' if len(told) > 1 else ''} {', '.join(told)}",
            advice="Give them to OdsPartitionOperator, which names the parts",
        )
    return PartJob.of(part)


def _streams(parallel: Number) -> int | str:
    """Return how many streams are wanted, ``auto`` where the job finds out."""
    if word("parallel", parallel) == _AUTO:
        return _AUTO
    return whole_number("parallel", parallel, least=1, most=MOST_PARALLEL, default=1)


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
    if_unchanged: Text = "fetch",
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
        "if_unchanged": word("if_unchanged", if_unchanged, "fetch"),
    }
    older, dataset = asked_in(v1, query, dataset_id, **beside)
    dataset, folder = dataset_named(dataset), required("path", path)
    if older is not None:
        return V1MediaJob.of(dataset, folder, older, **how)
    return MediaJob(dataset_id=dataset, path=folder, query=query, **beside, **how)
