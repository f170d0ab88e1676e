"""Ops for jobs that are no assets: the arguments are given in code, in the run's config, or partly here and there."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dagster import DynamicOut, DynamicOutput, In, OpDefinition, OpExecutionContext, Out, Output, op

from ods_provider.core.outcome import Done
from ods_provider.jobs.arguments import (
    analysis_job,
    assemble_job,
    download_job,
    harvest_job,
    load_job,
    media_job,
    metadata_job,
    partition_job,
    publish_file_job,
    publish_job,
    push_job,
    search_job,
    sync_job,
    visibility_job,
)
from ods_provider.schedulers.dagster import metadata
from ods_provider.schedulers.dagster.arguments import Builder, config_of, job_of
from ods_provider.schedulers.dagster.pairs import RESOURCE
from ods_provider.schedulers.dagster.working import Step


def ods_search_op(name: str = "ods_search", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op whose output is the rows of a search, or an Outcome when a path is given."""
    return _op(name, search_job, resource_key, arguments)


def ods_analysis_op(name: str = "ods_analysis", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op whose output is aggregates, or an Outcome when a path is given."""
    return _op(name, analysis_job, resource_key, arguments)


def ods_download_op(name: str = "ods_download", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that brings a dataset into a file, or the part at its input, and whose output is the Outcome."""
    return _op(name, download_job, resource_key, arguments, takes="part")


def ods_partition_op(name: str = "ods_partition", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op with one dynamic output a part of a dataset, to map a download over and to assemble afterwards."""
    return _op(name, partition_job, resource_key, arguments, dynamic=True)


def ods_assemble_op(name: str = "ods_assemble", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that commits the parts whose Outcomes are collected at its input ``parts``."""
    return _op(name, assemble_job, resource_key, arguments, takes="parts")


def ods_load_op(name: str = "ods_load", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that brings a dataset into a table and whose output is the Outcome."""
    return _op(name, load_job, resource_key, arguments)


def ods_media_op(name: str = "ods_media", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that fetches files into a folder and whose output is the Outcome."""
    return _op(name, media_job, resource_key, arguments)


def ods_push_op(name: str = "ods_push", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that sends the records of its input ``records``, or of a file, and whose output is the Outcome."""
    return _op(name, push_job, resource_key, arguments, takes="records")


def ods_sync_op(name: str = "ods_sync", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that makes a realtime dataset equal to its input ``records``, or to a file; it gives the Outcome."""
    return _op(name, sync_job, resource_key, arguments, takes="records")


def ods_publish_file_op(
    name: str = "ods_publish_file", *, resource_key: str = RESOURCE, **arguments: Any
) -> OpDefinition:
    """Return an op that makes a file, or the records of its input, a dataset's data; its output is the Outcome."""
    return _op(name, publish_file_job, resource_key, arguments, takes="records")


def ods_publish_op(name: str = "ods_publish", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that orders a dataset's publication and follows it, and whose output is the Outcome."""
    return _op(name, publish_job, resource_key, arguments)


def ods_metadata_op(name: str = "ods_metadata", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that sets values of a dataset's metadata and publishes them, and whose output is the Outcome."""
    return _op(name, metadata_job, resource_key, arguments)


def ods_harvest_op(name: str = "ods_harvest", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that runs a harvester and publishes its datasets, and whose output is the Outcome."""
    return _op(name, harvest_job, resource_key, arguments)


def ods_visibility_op(name: str = "ods_visibility", *, resource_key: str = RESOURCE, **arguments: Any) -> OpDefinition:
    """Return an op that makes a dataset public or restricted, seen without a key; its output is the Outcome."""
    return _op(name, visibility_job, resource_key, arguments)


def _op(
    name: str,
    make: Builder,
    resource_key: str,
    arguments: Mapping[str, Any],
    *,
    takes: str | None = None,
    dynamic: bool = False,
) -> OpDefinition:
    def work(context: OpExecutionContext, **inputs: Any) -> Iterator[Any]:
        # What the config leaves out is as the code says.
        configured = {key: value for key, value in context.op_config.items() if value is not None}
        step = Step(context, getattr(context.resources, resource_key))
        given = {name: value for name, value in inputs.items() if value is not None}
        if takes == "parts" and step.another_waits():
            # Dagster collects what is there; the run that goes on for the part that waits collects them all.
            context.log.info("A part of this run waits: the parts are put together when the run is resumed.")
            return
        done = step.run(job_of(make, {**arguments, **given, **configured}))
        if not isinstance(done, Done) or done.skipped is not None:
            return
        if dynamic:
            for each in done.result:
                yield DynamicOutput(each["part"], mapping_key=str(each["part"]["number"]))
        else:
            yield Output(done.result, metadata=metadata.of_result(done.result))

    ins: dict[str, Any] = {"ins": {takes: In(Any, default_value=None)}} if takes else {}
    made: OpDefinition = op(
        name=name,
        description=f"Runs a {make.__name__.removesuffix('_job')} on an Opendatasoft portal.",
        required_resource_keys={resource_key},
        config_schema=config_of(make, takes=takes),
        out=DynamicOut(Any, is_required=False) if dynamic else Out(Any, is_required=False),
        **ins,
    )(_TAKING[takes](work))
    return made


Work = Callable[..., Iterator[Any]]


def _nothing(work: Work) -> Work:
    def run(context: OpExecutionContext) -> Iterator[Any]:
        yield from work(context)

    return run


def _records(work: Work) -> Work:
    def run(context: OpExecutionContext, records: Any) -> Iterator[Any]:
        yield from work(context, records=records)

    return run


def _part(work: Work) -> Work:
    def run(context: OpExecutionContext, part: Any) -> Iterator[Any]:
        # What was named for the download says all of it, its dataset and its place included.
        named = {"part": part, "dataset_id": part["dataset_id"], "path": part["path"]} if part else {}
        yield from work(context, **named)

    return run


def _parts(work: Work) -> Work:
    def run(context: OpExecutionContext, parts: Any) -> Iterator[Any]:
        yield from work(context, parts=parts)

    return run


# Dagster reads an op's inputs from its signature.
_TAKING = {None: _nothing, "records": _records, "part": _part, "parts": _parts}
