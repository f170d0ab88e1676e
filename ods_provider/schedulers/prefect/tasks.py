"""One Prefect task for each job. Arguments are those of the Airflow operators, in the portal's own words.

Every task takes ``credentials``, an ``OdsCredentials`` or the name of one (``ods-default``), and ``wait_mode``: how a
long wait is spent (``auto``, ``continue``, ``retry``, ``hold``; see ``waiting``). Results are persisted, so that a flow
that is continued or retried does not run again what is finished; ``with_options(retries=3)`` retries what may pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task

from ods_provider.core.clusters import GeoCluster
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.formats.registry import format_named
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.core.query import Query, clauses, record_list, required, whole_number
from ods_provider.core.watermark import what_named
from ods_provider.jobs.analysis import AnalysisJob
from ods_provider.jobs.context import Job
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.media import MediaJob
from ods_provider.jobs.push import PushJob
from ods_provider.jobs.search import SearchJob
from ods_provider.jobs.v1 import V1AnalysisJob, V1DownloadJob, V1SearchJob
from ods_provider.jobs.v1_media import V1MediaJob
from ods_provider.jobs.watch import WatchJob
from ods_provider.schedulers.prefect.credentials import DEFAULT, OdsCredentials
from ods_provider.schedulers.prefect.updates import announce, last_seen, memory_name, remember
from ods_provider.schedulers.prefect.waiting import WaitMode, leave
from ods_provider.schedulers.prefect.working import advance, named, same_call, worth_retrying

P = ParamSpec("P")
R = TypeVar("R")
Credentials = OdsCredentials | str
_QUERY = ("select", "where", "group_by", "order_by", "refine", "exclude", "lang", "timezone")
_SHOWN = ("include_links", "include_app_metas")
_V2_ONLY = ("limit", "facet", "geo_cluster", "record_id", "format_options", *_SHOWN)
_DEFAULTS = {"timezone": "UTC"}


def _ods_task(function: Callable[P, R]) -> Task[P, R]:
    return task(
        name=function.__name__.replace("_", "-"),
        tags=["ods"],
        persist_result=True,
        cache_key_fn=same_call,
        retry_condition_fn=worth_retrying,
        on_completion=[leave],
    )(function)


@_ods_task
def ods_search(
    dataset_id: str | None = None,
    *,
    credentials: Credentials = DEFAULT,
    select: str | None = None,
    where: str | Sequence[str] | None = None,
    order_by: str | None = None,
    refine: Mapping[str, Any] | None = None,
    exclude: Mapping[str, Any] | None = None,
    lang: str | None = None,
    timezone: str = "UTC",
    limit: int | None = None,
    include_links: bool = False,
    include_app_metas: bool = False,
    record_id: str | None = None,
    path: Any = None,
    max_bytes: int = 1_000_000,
    v1: Mapping[str, Any] | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Return rows: records of a dataset, or datasets when no ``dataset_id`` is given; an Outcome with ``path``.

    ``v1`` asks Search API v1.0 instead, in its own words. A page is the unit of progress. More than ``max_bytes`` of
    rows without a path are an error that says so.
    """
    given = named(locals())
    job: Job
    if v1 is not None:
        job = V1SearchJob(dataset_id or None, _v1(given), path=path, max_xcom_bytes=max_bytes)
    else:
        job = SearchJob(
            dataset_id=dataset_id or None,
            query=_query(given),
            record_id=record_id or None,
            limit=whole_number("limit", limit),
            path=path,
            max_xcom_bytes=max_bytes,
        )
    return advance(job, credentials=credentials, wait_mode=wait_mode, **given)


@_ods_task
def ods_analyse(
    dataset_id: str | None,
    *,
    credentials: Credentials = DEFAULT,
    select: str | None = None,
    group_by: str | Sequence[str] | None = None,
    facet: str | Sequence[str] | None = None,
    geo_cluster: Mapping[str, Any] | None = None,
    geojson: bool = False,
    where: str | Sequence[str] | None = None,
    order_by: str | None = None,
    refine: Mapping[str, Any] | None = None,
    exclude: Mapping[str, Any] | None = None,
    lang: str | None = None,
    timezone: str = "UTC",
    limit: int | None = None,
    path: Any = None,
    max_bytes: int = 1_000_000,
    v1: Mapping[str, Any] | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Return aggregates, groups or facet values, all of them; an Outcome with ``path``."""
    given = named(locals())
    job: Job
    if v1 is not None:
        job = V1AnalysisJob(
            required("dataset_id", dataset_id), _v1(given), path=path, max_xcom_bytes=max_bytes, geojson=geojson
        )
    else:
        job = AnalysisJob(
            dataset_id=_dataset_or_catalogue(dataset_id),
            query=_query(given),
            facet=clauses("facet", facet),
            geo_cluster=GeoCluster.of(geo_cluster),
            geojson=geojson,
            limit=whole_number("limit", limit),
            path=path,
            max_xcom_bytes=max_bytes,
        )
    return advance(job, credentials=credentials, wait_mode=wait_mode, **given)


@_ods_task
def ods_download(
    dataset_id: str | None,
    path: Any,
    *,
    credentials: Credentials = DEFAULT,
    format: str = "parquet",
    select: str | None = None,
    where: str | Sequence[str] | None = None,
    order_by: str | None = None,
    refine: Mapping[str, Any] | None = None,
    exclude: Mapping[str, Any] | None = None,
    lang: str | None = None,
    timezone: str = "UTC",
    limit: int | None = None,
    group_by: str | Sequence[str] | None = None,
    format_options: Mapping[str, Any] | None = None,
    if_moved: str = "retry",
    min_rows: int = 0,
    v1: Mapping[str, Any] | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Write a dataset, or a query of it, to a file that holds exactly its rows, and return the Outcome."""
    given = named(locals())
    target = required("path", path)
    least = whole_number("min_rows", min_rows) or 0
    job: Job
    if v1 is not None:
        job = V1DownloadJob.of(
            required("dataset_id", dataset_id), target, _v1(given), format=format, if_moved=if_moved, min_rows=least
        )
    else:
        job = DownloadJob(
            dataset_id=_dataset_or_catalogue(dataset_id),
            path=target,
            format=format_named(format, catalogue=dataset_id is None),
            query=_query(given),
            limit=whole_number("limit", limit),
            format_options=format_options,
            if_moved=if_moved,  # type: ignore[arg-type]  # the job refuses what it does not know
            min_rows=least,
        )
    return advance(job, credentials=credentials, wait_mode=wait_mode, **given)


@_ods_task
def ods_media(
    dataset_id: str,
    path: Any,
    *,
    credentials: Credentials = DEFAULT,
    kind: str = "attachments",
    field: str | None = None,
    where: str | Sequence[str] | None = None,
    refine: Mapping[str, Any] | None = None,
    exclude: Mapping[str, Any] | None = None,
    limit: int | None = None,
    parallel: int = 4,
    v1: Mapping[str, Any] | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Fetch a dataset's files into a folder, in parallel, with a manifest; return the Outcome. A file is the unit."""
    given = named(locals())
    target = required("path", path)
    at_once = whole_number("parallel", parallel, least=1) or 1
    job: Job
    if v1 is not None:
        job = V1MediaJob.of(
            required("dataset_id", dataset_id), target, _v1(given), kind=kind, field=field or None, parallel=at_once
        )
    else:
        job = MediaJob(
            dataset_id=required("dataset_id", dataset_id),
            path=target,
            kind=kind,  # type: ignore[arg-type]  # the job refuses what it does not know
            field=field or None,
            where=clauses("where", where),
            query=Query.of(refine=refine, exclude=exclude),
            limit=whole_number("limit", limit),
            parallel=at_once,
        )
    return advance(job, credentials=credentials, wait_mode=wait_mode, **given)


@_ods_task
def ods_push(
    dataset_id: str,
    resource_id: str,
    records: Sequence[Mapping[str, Any]] | None = None,
    *,
    path: Any = None,
    record_id: str | Sequence[str] | None = None,
    file_fields: str | Sequence[str] | None = None,
    confirm: bool = False,
    credentials: Credentials = DEFAULT,
    action: str = "push",
    batch_bytes: int = 5_000_000,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Send records, or a file of them, to a realtime resource and return the Outcome. A batch is the unit."""
    given = named(locals())
    job = PushJob(
        dataset_id=required("dataset_id", dataset_id),
        resource_id=required("resource_id", resource_id),
        records=record_list("records", records),
        path=path or None,
        record_ids=clauses("record_id", record_id),
        file_fields=clauses("file_fields", file_fields),
        confirm=confirm,
        action=action,  # type: ignore[arg-type]  # the job refuses what it does not know
        batch_bytes=whole_number("batch_bytes", batch_bytes) or 0,
    )
    return advance(job, credentials=credentials, wait_mode=wait_mode, **given)


@_ods_task
def ods_await_update(
    dataset_id: str,
    *,
    credentials: Credentials = DEFAULT,
    since: Any = None,
    what: str = "data",
    poll_interval_s: float = 300.0,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Return ``{dataset_id, data_processed, modified, records_count}`` once the dataset is newer than ``since``.

    ``since=None`` takes what this flow saw last, from a Prefect Variable; the very first time it returns at once and so
    records the first value. Emits the event ``opendatasoft.dataset.updated``.
    """
    given = named(locals())
    watched, aspect = required("dataset_id", dataset_id), what_named(what)
    name = memory_name(credentials, watched, aspect)
    memory = last_seen(name) if since is None else since
    job = WatchJob(watched, memory, aspect, float(poll_interval_s))
    seen = advance(job, credentials=credentials, wait_mode=wait_mode, **given)
    if isinstance(seen, Mapping):
        remember(name, seen)
        if memory is not None:
            announce(credentials, seen)
    return seen


def _query(given: Mapping[str, Any]) -> Query:
    wanted: dict[str, Any] = {name: given.get(name) for name in _QUERY}
    return Query.of(**wanted | {name: given[name] for name in _SHOWN if name in given})


def _dataset_or_catalogue(dataset_id: str | None) -> str | None:
    # None was written by somebody; an empty text is a mistake.
    found: str | None = None if dataset_id is None else required("dataset_id", dataset_id)
    return found


def _v1(given: Mapping[str, Any]) -> V1Query:
    """Return what the argument ``v1`` describes.

    Raises:
        OdsConfigError: An argument of Explore v2.1 was given too; the message names it.
    """
    others = [
        name
        for name in (*_QUERY, *_V2_ONLY)
        if given.get(name) not in (None, False, "", [], {}, (), _DEFAULTS.get(name))
    ]
    if others:
        raise OdsConfigError(
            f"v1 excludes {', '.join(others)}",
            where=f"argument {', '.join(others)}",
            advice="Write them into v1, in that API's own words (q, refine, rows, sort, timezone, …), or leave v1 out",
        )
    return V1Query.of(given["v1"])
