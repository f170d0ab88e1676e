"""One Prefect task for each job. Arguments are those of the Airflow operators, in the portal's own words.

Every task takes ``credentials``, an ``OdsCredentials`` or the name of one (``ods-default``), and ``wait_mode``: how a
long wait is spent (``auto``, ``continue``, ``retry``, ``hold``; see ``waiting``). Results are persisted, so that a flow
that is continued or retried does not run again what is finished; ``with_options(retries=3)`` retries what may pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import in_words
from ods_provider.jobs.arguments import analysis_job, download_job, media_job, push_job, search_job, watch_job
from ods_provider.jobs.context import Job
from ods_provider.schedulers.prefect.credentials import DEFAULT, OdsCredentials
from ods_provider.schedulers.prefect.updates import announce, last_seen, memory_name, remember
from ods_provider.schedulers.prefect.waiting import WaitMode, leave
from ods_provider.schedulers.prefect.working import advance, named, same_call, worth_retrying

P = ParamSpec("P")
R = TypeVar("R")
Credentials = OdsCredentials | str
_WORDS = {"max_xcom_bytes": "max_bytes"}
_WORDS_OF_THE_JOB = {word: name for name, word in _WORDS.items()}


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
    v1: Mapping[str, Any] | str | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Return rows: records of a dataset, or datasets when no ``dataset_id`` is given; an Outcome with ``path``.

    ``v1`` asks Search API v1.0 instead, in its own words. A page is the unit of progress. More than ``max_bytes`` of
    rows without a path are an error that says so.
    """
    return _do(search_job, locals(), wait_mode=wait_mode, credentials=credentials)


@_ods_task
def ods_analyse(
    dataset_id: str | None,
    *,
    credentials: Credentials = DEFAULT,
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
    v1: Mapping[str, Any] | str | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Write a dataset, or a query of it, to a file that holds exactly its rows, and return the Outcome."""
    return _do(download_job, locals(), wait_mode=wait_mode, credentials=credentials)


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
    v1: Mapping[str, Any] | str | None = None,
    wait_mode: WaitMode = "auto",
) -> Any:
    """Fetch a dataset's files into a folder, in parallel, with a manifest; return the Outcome. A file is the unit."""
    return _do(media_job, locals(), wait_mode=wait_mode, credentials=credentials)


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
def ods_await_update(
    dataset_id: str,
    *,
    credentials: Credentials = DEFAULT,
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
    name = memory_name(credentials, job.dataset_id, job.what)
    if job.since is None:
        job = replace(job, since=last_seen(name))
    seen = advance(job, credentials=credentials, wait_mode=wait_mode, **given)
    if isinstance(seen, Mapping):
        remember(name, seen)
        if job.since is not None:
            announce(credentials, seen)
    return seen


def _do(make: Callable[..., Job], called: Mapping[str, Any], *, wait_mode: WaitMode, credentials: Credentials) -> Any:
    """Make the job of a task's arguments, and run it."""
    given = named(called)
    try:
        job = make(**{_WORDS_OF_THE_JOB.get(name, name): value for name, value in given.items()})
        return advance(job, credentials=credentials, wait_mode=wait_mode, **given)
    except OdsConfigError as error:
        raise in_words(error, _WORDS) from None
