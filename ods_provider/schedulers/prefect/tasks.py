"""One Prefect task for each job. Arguments are those of the Airflow operators, in the portal's own words.

Every task takes ``credentials``, an ``OdsCredentials`` or the name of one (``ods-default``), and ``wait_mode``: how a
long wait is spent (``auto``, ``continue``, ``retry``, ``hold``; see ``waiting``). Results are persisted, so that a flow
that is continued or retried does not run again what is finished; ``with_options(retries=3)`` retries what may pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ods_provider.core.source import named as named_dataset
from ods_provider.jobs.arguments import (
    analysis_job,
    assemble_job,
    download_job,
    load_job,
    media_job,
    mirror_job,
    partition_job,
    publish_file_job,
    publish_job,
    push_job,
    search_job,
    sync_job,
    watch_job,
)
from ods_provider.jobs.mirror import expect_none_failed
from ods_provider.schedulers.prefect.credentials import DEFAULT
from ods_provider.schedulers.prefect.tasking import Credentials
from ods_provider.schedulers.prefect.tasking import do as _do
from ods_provider.schedulers.prefect.tasking import ods_task as _ods_task
from ods_provider.schedulers.prefect.updates import announce, last_seen, memory_name, remember
from ods_provider.schedulers.prefect.waiting import WaitMode
from ods_provider.schedulers.prefect.working import advance, named


@_ods_task
def ods_search(
    dataset_id: str | None = None,
    *,
    credentials: Credentials = DEFAULT,
    source: str = "catalog",
    select: str | Sequence[str] | None = None,
    where: str | Sequence[str] | None = None,
    order_by: str | Sequence[str] | None = None,
    refine: Mapping[str, Any] | str | None = None,
    exclude: Mapping[str, Any] | str | None = None,
    lang: str | None = None,
    timezone: str = "UTC",
    limit: int | str | None = None,
    include_links: bool | str = False,
    include_app_metas: bool | str = False,
    record_id: str | None = None,
    path: Any = None,
    max_bytes: int | str = 1_000_000,
    if_unchanged: str = "fetch",
    v1: Mapping[str, Any] | str | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Return rows: records of a dataset, or datasets when no ``dataset_id`` is given; an Outcome with ``path``.

    ``source="monitoring"`` asks what the portal knows of its own use, and ``v1`` Search API v1.0 in its own words. A
    page is the unit of progress. More than ``max_bytes`` of rows without a path are an error that says so.
    """
    return _do(search_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_analyse(
    dataset_id: str | None,
    *,
    credentials: Credentials = DEFAULT,
    source: str = "catalog",
    select: str | Sequence[str] | None = None,
    group_by: str | Sequence[str] | None = None,
    facet: str | Sequence[str] | None = None,
    geo_cluster: Mapping[str, Any] | str | None = None,
    geojson: bool | str = False,
    where: str | Sequence[str] | None = None,
    order_by: str | Sequence[str] | None = None,
    refine: Mapping[str, Any] | str | None = None,
    exclude: Mapping[str, Any] | str | None = None,
    lang: str | None = None,
    timezone: str = "UTC",
    limit: int | str | None = None,
    path: Any = None,
    max_bytes: int | str = 1_000_000,
    v1: Mapping[str, Any] | str | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Return aggregates, groups or facet values, all of them; an Outcome with ``path``."""
    return _do(analysis_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_download(
    dataset_id: str | None,
    path: Any,
    *,
    credentials: Credentials = DEFAULT,
    source: str = "catalog",
    format: str | None = None,
    select: str | Sequence[str] | None = None,
    where: str | Sequence[str] | None = None,
    order_by: str | Sequence[str] | None = None,
    refine: Mapping[str, Any] | str | None = None,
    exclude: Mapping[str, Any] | str | None = None,
    lang: str | None = None,
    timezone: str = "UTC",
    limit: int | str | None = None,
    group_by: str | Sequence[str] | None = None,
    format_options: Mapping[str, Any] | str | None = None,
    if_moved: str = "retry",
    min_rows: int | str = 0,
    if_unchanged: str = "fetch",
    parallel: int | str = 1,
    partition_by: str | None = None,
    layout: str = "file",
    part: Mapping[str, Any] | None = None,
    v1: Mapping[str, Any] | str | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Write a dataset, or a query of it, to a file that holds exactly its rows, and return the Outcome."""
    return _do(download_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_load(
    dataset_id: str,
    table: str,
    destination: Any,
    *,
    credentials: Credentials = DEFAULT,
    source: str = "catalog",
    select: str | Sequence[str] | None = None,
    where: str | Sequence[str] | None = None,
    refine: Mapping[str, Any] | str | None = None,
    exclude: Mapping[str, Any] | str | None = None,
    lang: str | None = None,
    timezone: str = "UTC",
    limit: int | str | None = None,
    group_by: str | Sequence[str] | None = None,
    mode: str = "replace",
    swap: str | None = None,
    primary_key: str | Sequence[str] | None = None,
    delete_missing: bool | str = False,
    cursor: str | None = None,
    lag: Any = None,
    columns: str = "evolve",
    expect: Mapping[str, Any] | str | None = None,
    geo: str = "lonlat",
    if_moved: str = "retry",
    min_rows: int | str = 0,
    if_unchanged: str = "fetch",
    parallel: int | str = 1,
    partition_by: str | None = None,
    staging: Any = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Load a dataset, or a query of it, into a table that shows the old rows or the new ones; return the Outcome.

    ``destination`` is a URL (``duckdb:///city.duckdb``, ``postgresql://…``), or ``secret/NAME``, a block that holds it:
    Prefect shows and keeps a task's parameters.
    """
    return _do(load_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_partition(
    dataset_id: str,
    path: str,
    *,
    credentials: Credentials = DEFAULT,
    source: str = "catalog",
    parts: int | str = "auto",
    partition_by: str | None = None,
    layout: str = "folder",
    format: str | None = None,
    select: str | Sequence[str] | None = None,
    where: str | Sequence[str] | None = None,
    refine: Mapping[str, Any] | str | None = None,
    exclude: Mapping[str, Any] | str | None = None,
    lang: str | None = None,
    timezone: str = "UTC",
    format_options: Mapping[str, Any] | str | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Cut a dataset into parts for ``ods_download.submit(**part)``, and return one mapping a part."""
    return _do(partition_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_assemble(
    parts: Any, *, credentials: Credentials = DEFAULT, min_rows: int | str = 0, wait_mode: WaitMode = "auto"
) -> Any:
    """Commit the parts whose Outcomes these are, as a folder or as one file, and return its Outcome."""
    return _do(assemble_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_media(
    dataset_id: str,
    path: Any,
    *,
    credentials: Credentials = DEFAULT,
    kind: str = "attachments",
    field: str | None = None,
    where: str | Sequence[str] | None = None,
    refine: Mapping[str, Any] | str | None = None,
    exclude: Mapping[str, Any] | str | None = None,
    limit: int | str | None = None,
    parallel: int | str = 4,
    if_missing: str = "fail",
    if_unchanged: str = "fetch",
    v1: Mapping[str, Any] | str | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Fetch a dataset's files into a folder, in parallel, with a manifest; return the Outcome. A file is the unit."""
    return _do(media_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_mirror(
    to: Any,
    *,
    credentials: Credentials = DEFAULT,
    into: str | None = None,
    format: str | None = None,
    schema: str | None = None,
    where: str | Sequence[str] | None = None,
    refine: Mapping[str, Any] | str | None = None,
    exclude: Mapping[str, Any] | str | None = None,
    vanished: str = "keep",
    reserve: int | str | None = None,
    max_calls: int | str | None = None,
    parallel: int | str = 4,
    staging: Any = None,
    wait: bool | str = False,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Bring all of a portal that changed into files or tables, within the quota; return the report.

    Raises:
        OdsIncomplete: A dataset failed; the others are here.
    """
    report = _do(mirror_job, locals(), wait_mode=wait_mode, credentials=credentials)
    if isinstance(report, Mapping):
        expect_none_failed(report)
    return report


@_ods_task
def ods_push(
    dataset_id: str,
    resource_id: str,
    records: Sequence[Mapping[str, Any]] | str | None = None,
    *,
    path: Any = None,
    record_id: str | Sequence[str] | None = None,
    file_fields: str | Sequence[str] | None = None,
    confirm: bool | str = False,
    credentials: Credentials = DEFAULT,
    action: str = "push",
    batch_bytes: int | str = 5_000_000,
    delimiter: str | None = None,
    encoding: str | None = None,
    unknown_fields: str = "refuse",
    wait_mode: WaitMode = "auto",
) -> Any:
    """Send records, or a file of them, to a realtime resource and return the Outcome. A batch is the unit."""
    return _do(push_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_sync(
    dataset_id: str,
    resource_id: str,
    records: Sequence[Mapping[str, Any]] | str | None = None,
    *,
    path: Any = None,
    key: str | Sequence[str] | None = None,
    delete_missing: bool | str = True,
    max_delete: int | str = "10%",
    credentials: Credentials = DEFAULT,
    dry_run: bool | str = False,
    delimiter: str | None = None,
    encoding: str | None = None,
    unknown_fields: str = "refuse",
    wait_mode: WaitMode = "auto",
) -> Any:
    """Make a realtime dataset equal to records, or to a file of them; return the Outcome with the plan."""
    return _do(sync_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_publish_file(
    dataset_id: str,
    path: Any = None,
    *,
    records: Sequence[Mapping[str, Any]] | str | None = None,
    credentials: Credentials = DEFAULT,
    resource: str | None = None,
    new_title: str | None = None,
    extractor: str | None = None,
    params: Mapping[str, Any] | str | None = None,
    if_unchanged: str = "skip",
    max_errors: int | str = 0,
    min_rows: int | str = 0,
    max_drop: str | None = "20%",
    restore: bool | str = True,
    delimiter: str | None = None,
    encoding: str | None = None,
    timeout: float | str | None = None,
    dry_run: bool | str = False,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Make a file, or records, the data of a dataset, without a gap, and return the Outcome once its rows show."""
    return _do(publish_file_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_publish(
    dataset_id: str,
    action: str = "publish",
    *,
    credentials: Credentials = DEFAULT,
    wait: bool | str = True,
    timeout: float | str | None = None,
    abort_on_timeout: bool | str = False,
    dry_run: bool | str = False,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Order a dataset's publication (``publish``, ``publish_metadata``, ``unpublish``) and return the Outcome."""
    return _do(publish_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_await_update(
    dataset_id: str,
    *,
    credentials: Credentials = DEFAULT,
    source: str = "catalog",
    since: Any = None,
    what: str = "data",
    poll_interval_s: float | str = 300.0,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Return ``{dataset_id, data_processed, modified, records_count}`` once the dataset is newer than ``since``.

    ``since=None`` takes what this flow saw last, from a Prefect Variable; the very first time it returns at once and so
    records the first value. Emits the event ``opendatasoft.dataset.updated``.
    """
    given = named(locals())
    job = watch_job(**given)
    name = memory_name(credentials, named_dataset(job.source, job.dataset_id), job.what)
    if job.since is None:
        job = replace(job, since=last_seen(name))
    seen = advance(job, credentials=credentials, wait_mode=wait_mode, **given)
    if isinstance(seen, Mapping):
        remember(name, seen)
        if job.since is not None:
            announce(credentials, seen)
    return seen
