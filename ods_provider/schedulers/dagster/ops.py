"""Ops for jobs that are no assets: the arguments are given in code, in the run's config, or partly here and there."""

from collections.abc import Iterator, Mapping
from typing import Any

from dagster import In, OpDefinition, OpExecutionContext, Out, Output, op

from ods_provider.core.outcome import Done
from ods_provider.jobs.arguments import analysis_job, download_job, media_job, push_job, search_job
from ods_provider.schedulers.dagster import metadata
from ods_provider.schedulers.dagster.arguments import Builder, config_of, job_of
from ods_provider.schedulers.dagster.assets import RESOURCE
from ods_provider.schedulers.dagster.working import Step


def ods_search_op(name: str = "ods_search", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op whose output is the rows of a search, or an Outcome when a path is given."""
    return _op(name, search_job, resource_key, arguments)


def ods_analysis_op(name: str = "ods_analysis", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op whose output is aggregates, or an Outcome when a path is given."""
    return _op(name, analysis_job, resource_key, arguments)


def ods_download_op(name: str = "ods_download", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that brings a dataset into a file and whose output is the Outcome."""
    return _op(name, download_job, resource_key, arguments)


def ods_media_op(name: str = "ods_media", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that fetches files into a folder and whose output is the Outcome."""
    return _op(name, media_job, resource_key, arguments)


def ods_push_op(name: str = "ods_push", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that sends the records of its input ``records``, or of a file, and whose output is the Outcome."""
    return _op(name, push_job, resource_key, arguments, takes_records=True)


def _op(
    name: str,
    make: Builder,
    resource_key: str,
    arguments: Mapping[str, Any],
    *,
    takes_records: bool = False,
) -> OpDefinition:
    def work(context: OpExecutionContext, **inputs: Any) -> Iterator[Any]:
        # What the config leaves out is as the code says.
        configured = {key: value for key, value in context.op_config.items() if value is not None}
        step = Step(context, getattr(context.resources, resource_key))
        done = step.run(job_of(make, {**arguments, **inputs, **configured}))
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
        config_schema=config_of(make),
        out=Out(Any, is_required=False),
        **ins,
    )(with_records if takes_records else without)
    return made
