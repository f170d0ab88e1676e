"""Assets made of a portal's data, or of data sent to it, each with the sensor that brings it back after a wait."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dagster import (
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    AssetsDefinition,
    Definitions,
    MaterializeResult,
    Nothing,
    Output,
    PartitionsDefinition,
    SensorDefinition,
    asset,
)

from ods_provider.core.given import clauses
from ods_provider.core.outcome import Done
from ods_provider.jobs.arguments import analysis_job, download_job, media_job, push_job, search_job
from ods_provider.jobs.download import DownloadJob
from ods_provider.schedulers.dagster import metadata
from ods_provider.schedulers.dagster.arguments import Builder, job_of
from ods_provider.schedulers.dagster.partitions import Parts, Where
from ods_provider.schedulers.dagster.resuming import ods_resume_sensor
from ods_provider.schedulers.dagster.working import Step

RESOURCE = "ods"
DATASET_ID = "ods/dataset_id"
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]+")
_SHAPING = ("select", "group_by", "v1")


class OdsAsset(NamedTuple):
    """An asset, and the sensor that runs it again when it had to wait: ``Definitions`` needs both."""

    asset: AssetsDefinition
    resume_sensor: SensorDefinition

    def definitions(self) -> Definitions:
        """Return both as definitions, for ``Definitions.merge``."""
        return Definitions(assets=[self.asset], sensors=[self.resume_sensor])


def ods_dataset_asset(
    dataset_id: str | None,
    *,
    path: Any,
    format: str | None = None,
    name: str | None = None,
    resource_key: str = RESOURCE,
    partitions_def: PartitionsDefinition | None = None,
    partition_field: str | dict[str, str] | None = None,
    partition_where: Where | None = None,
    asset_options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> OdsAsset:
    """Return a dataset as a file that holds exactly its rows.

    Metadata: row count, column schema, path, sha256, size, state of the dataset; that state is the data version too.

    Args:
        dataset_id: The dataset; None exports the catalogue.
        path: File to write: a path or an fsspec URL; with partitions it holds ``{partition}``.
        format: Export format; None takes what the path's ending names, and Parquet where it has none.
        name: The asset's name; None makes one of the dataset's id.
        resource_key: Key of the ``OdsResource``.
        partitions_def: Dagster's partitions.
        partition_field: The field that holds the partition's key, or whose time lies in its window; with several
            dimensions a mapping from dimension to field.
        partition_where: Instead, a function of the partition's key and window that returns an ODSQL filter.
        asset_options: Anything else that ``@asset`` takes: key_prefix, group_name, deps, automation_condition, …
        arguments: What ``OdsDownloadOperator`` takes: select, where, order_by, refine, exclude, lang, timezone, limit,
            group_by, format_options, if_moved, min_rows, v1.

    Raises:
        OdsConfigError: An argument is bad.
    """
    return _pair(
        download_job,
        {"dataset_id": dataset_id, "path": path, "format": format, **arguments},
        Parts(partitions_def, partition_field, partition_where, path),
        name=name,
        resource_key=resource_key,
        options=asset_options,
    )


def ods_search_asset(  # noqa: D417  the rest is as with a dataset
    name: str,
    *,
    dataset_id: str | None = None,
    path: Any = None,
    resource_key: str = RESOURCE,
    partitions_def: PartitionsDefinition | None = None,
    partition_field: str | dict[str, str] | None = None,
    partition_where: Where | None = None,
    asset_options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> OdsAsset:
    """Return the rows of a search, or the datasets of the portal, as an asset.

    Args:
        name: The asset's name.
        dataset_id: The dataset; None searches the catalogue.
        path: JSON lines file to write; without it the rows go to the asset's IO manager.
        arguments: What ``OdsSearchOperator`` takes besides, and ``max_bytes``, the most bytes of rows without a path.
        resource_key, partitions_def, partition_field, partition_where, asset_options: As in ``ods_dataset_asset``.
    """
    return _pair(
        search_job,
        {"dataset_id": dataset_id, "path": path, **arguments},
        Parts(partitions_def, partition_field, partition_where, path),
        name=name,
        resource_key=resource_key,
        options=asset_options,
    )


def ods_analysis_asset(  # noqa: D417  the rest is as with a dataset
    name: str,
    *,
    dataset_id: str | None,
    path: Any = None,
    resource_key: str = RESOURCE,
    partitions_def: PartitionsDefinition | None = None,
    partition_field: str | dict[str, str] | None = None,
    partition_where: Where | None = None,
    asset_options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> OdsAsset:
    """Return aggregates of a dataset, all groups of them, as an asset.

    Args:
        name: The asset's name.
        dataset_id: The dataset; None lists the facets of the catalogue.
        path: JSON lines file to write; without it the rows go to the asset's IO manager.
        arguments: What ``OdsAnalysisOperator`` takes besides: select, group_by, facet, geo_cluster, where, …
        resource_key, partitions_def, partition_field, partition_where, asset_options: As in ``ods_dataset_asset``.
    """
    return _pair(
        analysis_job,
        {"dataset_id": dataset_id, "path": path, **arguments},
        Parts(partitions_def, partition_field, partition_where, path),
        name=name,
        resource_key=resource_key,
        options=asset_options,
    )


def ods_media_asset(  # noqa: D417  the rest is as with a dataset
    dataset_id: str,
    *,
    path: Any,
    name: str | None = None,
    resource_key: str = RESOURCE,
    partitions_def: PartitionsDefinition | None = None,
    partition_field: str | dict[str, str] | None = None,
    partition_where: Where | None = None,
    asset_options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> OdsAsset:
    """Return a dataset's attachments, or the files of its records, as a folder with a manifest.

    Args:
        dataset_id: The dataset.
        path: The folder; with partitions it holds ``{partition}``.
        name: The asset's name; None makes one of the dataset's id.
        arguments: What ``OdsMediaOperator`` takes besides: kind, field, where, refine, exclude, limit,
            parallel, v1.
        resource_key, partitions_def, partition_field, partition_where, asset_options: As in ``ods_dataset_asset``.
    """
    return _pair(
        media_job,
        {"dataset_id": dataset_id, "path": path, **arguments},
        Parts(partitions_def, partition_field, partition_where, path),
        name=name or f"{_name_of(dataset_id)}_files",
        resource_key=resource_key,
        options=asset_options,
    )


def ods_push_asset(  # noqa: D417  the rest is as with a dataset
    dataset_id: str,
    resource_id: str,
    *,
    records: str | AssetKey | AssetsDefinition | OdsAsset | None = None,
    path: Any = None,
    name: str | None = None,
    resource_key: str = RESOURCE,
    asset_options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> OdsAsset:
    """Return what stands on the portal in a realtime resource as an asset, made by sending records there.

    Args:
        dataset_id, resource_id: The realtime resource; its push key stands in the resource.
        records: The asset whose value is the list of records; or
        path: a file of them. Name the asset that writes it in ``asset_options={"deps": […]}``.
        name: The asset's name; None makes one of the dataset's id.
        arguments: What ``OdsPushOperator`` takes besides: action, batch_bytes, record_id, file_fields, confirm.
        resource_key, asset_options: As with a dataset.
    """
    arguments = {"dataset_id": dataset_id, "resource_id": resource_id, "path": path, **arguments}
    if records is not None:
        arguments["records"] = ()
    return _pair(
        push_job,
        arguments,
        Parts(None, None, None, path),
        name=name or f"{_name_of(dataset_id)}_pushed",
        resource_key=resource_key,
        options=asset_options,
        records=records,
    )


def _pair(
    make: Builder,
    arguments: dict[str, Any],
    parts: Parts,
    *,
    name: str | None,
    resource_key: str,
    options: Mapping[str, Any] | None,
    records: Any = None,
) -> OdsAsset:
    # Built once now, so that a bad argument is found when the code is loaded and not at night.
    built = job_of(make, arguments)
    if isinstance(built, DownloadJob):
        # Of all partitions: the dot of a key is no ending.
        arguments |= {"format": built.format.name}
    dataset_id = arguments["dataset_id"]
    rows = _gives_rows(make, arguments)

    def work(context: AssetExecutionContext, **inputs: Any) -> Iterator[Any]:
        given = {**arguments, **inputs, **_of_partition(context, parts, arguments)}
        step = Step(context, getattr(context.resources, resource_key))
        done = step.run(job_of(make, given))
        if isinstance(done, Done):
            yield _made(step, done.result, arguments, rows=rows)

    def without(context: AssetExecutionContext) -> Iterator[Any]:
        yield from work(context)

    def with_records(context: AssetExecutionContext, records: Any) -> Iterator[Any]:
        yield from work(context, records=records)

    chosen = dict(options or {})
    shown = {DATASET_ID: dataset_id, **chosen.pop("metadata", {})} if dataset_id else chosen.pop("metadata", {})
    defaults = {"kinds": {"opendatasoft"}, "description": _described(make, dataset_id)}
    made: Any = asset(
        name=name or _name_of(dataset_id or "catalogue"),
        required_resource_keys={resource_key},
        output_required=False,
        dagster_type=None if rows else Nothing,
        partitions_def=parts.definition,
        metadata=shown,
        ins=None if records is None else {"records": AssetIn(key=_key(records))},
        **{**defaults, **chosen},
    )(without if records is None else with_records)
    return OdsAsset(made, ods_resume_sensor(made))


def _made(step: Step, result: Any, arguments: Mapping[str, Any], *, rows: bool) -> Any:
    said = metadata.of_result(result)
    dataset = step.native.dataset
    if dataset is not None:
        whole = not any(arguments.get(name) for name in _SHAPING)
        said |= metadata.of_dataset(dataset, step.native.resource.connection().base_url, columns=whole)
    if rows:
        return Output(result, metadata=said)
    return MaterializeResult(metadata=said, data_version=metadata.version(result))


def _of_partition(context: AssetExecutionContext, parts: Parts, arguments: Mapping[str, Any]) -> dict[str, Any]:
    narrowed = parts.filter(context)
    if narrowed is None:
        return {}
    return {"where": [*clauses("where", arguments.get("where")), narrowed], "path": parts.place(context)}


def _gives_rows(make: Builder, arguments: Mapping[str, Any]) -> bool:
    return make in (search_job, analysis_job) and arguments.get("path") is None


def _described(make: Builder, dataset_id: str | None) -> str:
    return f"The {make.__name__.removesuffix('_job')} of {dataset_id or 'the catalogue'} on an Opendatasoft portal."


def _name_of(dataset_id: str) -> str:
    return _NOT_A_NAME.sub("_", dataset_id).strip("_")


def _key(records: Any) -> Any:
    found = getattr(records, "asset", records)
    return found.key if isinstance(found, AssetsDefinition) else found
