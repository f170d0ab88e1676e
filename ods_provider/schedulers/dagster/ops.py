"""Ops for jobs that are no assets: the arguments are given in code, in the run's config, or partly here and there."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from dagster import Config, In, OpDefinition, OpExecutionContext, Out, Output, op

from ods_provider.core.outcome import Done
from ods_provider.jobs.context import Job
from ods_provider.schedulers.dagster import arguments as build
from ods_provider.schedulers.dagster import metadata
from ods_provider.schedulers.dagster.assets import RESOURCE
from ods_provider.schedulers.dagster.working import Step


class _Query(Config):
    dataset_id: str | None = None
    select: str | None = None
    where: list[str] | None = None
    order_by: str | None = None
    refine: dict[str, Any] | None = None
    exclude: dict[str, Any] | None = None
    lang: str | None = None
    timezone: str | None = None
    limit: int | None = None
    path: str | None = None
    v1: dict[str, Any] | None = None


class SearchConfig(_Query):
    """What a search takes from the run's config."""

    record_id: str | None = None
    include_links: bool | None = None
    include_app_metas: bool | None = None


class AnalysisConfig(_Query):
    """What an analysis takes from the run's config."""

    group_by: str | None = None
    facet: list[str] | None = None
    geo_cluster: dict[str, Any] | None = None
    geojson: bool | None = None


class DownloadConfig(_Query):
    """What a download takes from the run's config."""

    format: str | None = None
    group_by: str | None = None
    format_options: dict[str, Any] | None = None
    if_moved: str | None = None
    min_rows: int | None = None


class MediaConfig(Config):
    """What a fetch of files takes from the run's config."""

    dataset_id: str | None = None
    path: str | None = None
    kind: str | None = None
    field: str | None = None
    where: list[str] | None = None
    refine: dict[str, Any] | None = None
    exclude: dict[str, Any] | None = None
    limit: int | None = None
    parallel: int | None = None
    v1: dict[str, Any] | None = None


class PushConfig(Config):
    """What a push takes from the run's config."""

    dataset_id: str | None = None
    resource_id: str | None = None
    path: str | None = None
    action: str | None = None
    batch_bytes: int | None = None
    record_id: list[str] | None = None
    file_fields: list[str] | None = None
    confirm: bool | None = None


def ods_search_op(name: str = "ods_search", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op whose output is the rows of a search, or an Outcome when a path is given."""
    return _op(name, build.search_job, SearchConfig, resource_key, arguments)


def ods_analysis_op(name: str = "ods_analysis", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op whose output is aggregates, or an Outcome when a path is given."""
    return _op(name, build.analysis_job, AnalysisConfig, resource_key, arguments)


def ods_download_op(name: str = "ods_download", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that brings a dataset into a file and whose output is the Outcome."""
    return _op(name, build.download_job, DownloadConfig, resource_key, arguments)


def ods_media_op(name: str = "ods_media", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that fetches files into a folder and whose output is the Outcome."""
    return _op(name, build.media_job, MediaConfig, resource_key, arguments)


def ods_push_op(name: str = "ods_push", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that sends the records of its input ``records``, or of a file, and whose output is the Outcome."""
    return _op(name, build.push_job, PushConfig, resource_key, arguments, takes_records=True)


def _op(
    name: str,
    make: Callable[..., Job],
    config: type[Config],
    resource_key: str,
    arguments: Mapping[str, Any],
    *,
    takes_records: bool = False,
) -> OpDefinition:
    def work(context: OpExecutionContext, **inputs: Any) -> Iterator[Any]:
        # What the config leaves out is as the code says.
        configured = {key: value for key, value in context.op_config.items() if value is not None}
        step = Step(context, getattr(context.resources, resource_key))
        done = step.run(make(**{**arguments, **inputs, **configured}))
        if isinstance(done, Done):
            yield Output(done.result, metadata=metadata.of_result(done.result))

    def without(context: OpExecutionContext) -> Iterator[Any]:
        yield from work(context)

    def with_records(context: OpExecutionContext, records: Any) -> Iterator[Any]:
        yield from work(context, **({"records": records} if records is not None else {}))

    ins: dict[str, Any] = {"ins": {"records": In(Any, default_value=None)}} if takes_records else {}
    made: OpDefinition = op(
        name=name,
        description=f"Runs a {make.__name__.removesuffix('_job')} on an Opendatasoft portal.",
        required_resource_keys={resource_key},
        config_schema=cast("Any", config.to_config_schema()),
        out=Out(Any, is_required=False),
        **ins,
    )(with_records if takes_records else without)
    return made
