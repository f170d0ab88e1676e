"""The arguments of Dagster's assets and ops as jobs: coerced and checked once, in the portal's own words."""

from collections.abc import Mapping, Sequence
from typing import Any

from ods_provider.core.clusters import GeoCluster
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.formats.registry import format_named
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.core.query import Filter, Query, clauses, required, whole_number
from ods_provider.jobs.analysis import AnalysisJob
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.media import MediaJob
from ods_provider.jobs.push import PushJob
from ods_provider.jobs.search import SearchJob
from ods_provider.jobs.v1 import V1AnalysisJob, V1DownloadJob, V1SearchJob
from ods_provider.jobs.v1_media import V1MediaJob

MAX_BYTES = 10_000_000


def search_job(
    *,
    dataset_id: str | None = None,
    path: Any = None,
    record_id: str | None = None,
    limit: Any = None,
    max_bytes: int = MAX_BYTES,
    v1: Any = None,
    **query: Any,
) -> SearchJob | V1SearchJob:
    """Return a search; without ``path`` its rows are the result, at most ``max_bytes`` of them as JSON."""
    if v1 is not None:
        asked = _alone(v1, limit=limit, record_id=record_id, **query)
        return V1SearchJob(dataset_id or None, asked, path=path or None, max_xcom_bytes=max_bytes)
    return SearchJob(
        dataset_id=dataset_id or None,
        query=Query.of(**query),
        record_id=record_id or None,
        limit=whole_number("limit", limit),
        path=path or None,
        max_xcom_bytes=max_bytes,
    )


def analysis_job(
    *,
    dataset_id: str | None,
    facet: str | Sequence[str] | None = None,
    geo_cluster: Mapping[str, Any] | None = None,
    geojson: bool = False,
    path: Any = None,
    limit: Any = None,
    max_bytes: int = MAX_BYTES,
    v1: Any = None,
    **query: Any,
) -> AnalysisJob | V1AnalysisJob:
    """Return an analysis; without ``path`` its rows are the result."""
    if v1 is not None:
        asked = _alone(v1, limit=limit, facet=facet, geo_cluster=geo_cluster, **query)
        return V1AnalysisJob(
            required("dataset_id", dataset_id), asked, path=path or None, max_xcom_bytes=max_bytes, geojson=geojson
        )
    return AnalysisJob(
        dataset_id=dataset_id,
        query=Query.of(**query),
        facet=clauses("facet", facet),
        geo_cluster=GeoCluster.of(geo_cluster),
        geojson=geojson,
        limit=whole_number("limit", limit),
        path=path or None,
        max_xcom_bytes=max_bytes,
    )


def download_job(
    *,
    dataset_id: str | None,
    path: Any,
    format: str = "parquet",
    limit: Any = None,
    format_options: Mapping[str, Any] | None = None,
    if_moved: Any = "retry",
    min_rows: Any = 0,
    v1: Any = None,
    **query: Any,
) -> DownloadJob:
    """Return a download."""
    if v1 is not None:
        return V1DownloadJob.of(
            required("dataset_id", dataset_id),
            required("path", path),
            _alone(v1, limit=limit, format_options=format_options, **query),
            format=format,
            if_moved=if_moved,
            min_rows=whole_number("min_rows", min_rows) or 0,
        )
    return DownloadJob(
        dataset_id=dataset_id,
        path=required("path", path),
        format=format_named(format, catalogue=dataset_id is None),
        query=Query.of(**query),
        limit=whole_number("limit", limit),
        format_options=format_options or None,
        if_moved=if_moved,
        min_rows=whole_number("min_rows", min_rows) or 0,
    )


def media_job(
    *,
    dataset_id: str,
    path: Any,
    kind: Any = "attachments",
    field: str | None = None,
    where: str | Sequence[str] | None = None,
    refine: Filter = None,
    exclude: Filter = None,
    limit: Any = None,
    parallel: Any = 4,
    v1: Any = None,
) -> MediaJob:
    """Return a fetch of files."""
    if v1 is not None:
        return V1MediaJob.of(
            required("dataset_id", dataset_id),
            required("path", path),
            _alone(v1, where=where, refine=refine, exclude=exclude, limit=limit),
            kind=kind,
            field=field or None,
            parallel=whole_number("parallel", parallel, least=1) or 1,
        )
    return MediaJob(
        dataset_id=required("dataset_id", dataset_id),
        path=required("path", path),
        kind=kind,
        field=field or None,
        where=clauses("where", where),
        limit=whole_number("limit", limit),
        parallel=whole_number("parallel", parallel, least=1) or 1,
        query=Query.of(refine=refine, exclude=exclude),
    )


def push_job(
    *,
    dataset_id: str,
    resource_id: str,
    records: Sequence[Mapping[str, Any]] | None = None,
    path: Any = None,
    action: Any = "push",
    batch_bytes: Any = 5_000_000,
    record_id: str | Sequence[str] | None = None,
    file_fields: str | Sequence[str] | None = None,
    confirm: bool = False,
) -> PushJob:
    """Return a push or a delete."""
    return PushJob(
        dataset_id=required("dataset_id", dataset_id),
        resource_id=required("resource_id", resource_id),
        records=records,
        path=path or None,
        action=action,
        batch_bytes=whole_number("batch_bytes", batch_bytes) or 0,
        record_ids=clauses("record_id", record_id),
        file_fields=clauses("file_fields", file_fields),
        confirm=confirm,
    )


def _alone(v1: Any, **others: Any) -> V1Query:
    """Return the query of Search API v1.0, which excludes the words of the other API."""
    given = sorted(name for name, value in others.items() if value)
    if given:
        raise OdsConfigError(
            f"v1 excludes {', '.join(given)}",
            where=f"arguments {', '.join(given)}",
            advice="Write them into v1, in that API's own words, or leave v1 out",
        )
    return V1Query.of(v1)
