"""Assets made of a portal's data."""

from collections.abc import Mapping
from typing import Any

from dagster import (
    PartitionsDefinition,
)

from ods_provider.jobs.arguments import (
    analysis_job,
    download_job,
    load_job,
    media_job,
    mirror_job,
    search_job,
)
from ods_provider.schedulers.dagster.checks import Checks
from ods_provider.schedulers.dagster.pairs import RESOURCE, OdsAsset, name_of, pair
from ods_provider.schedulers.dagster.partitions import Parts, Where


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
    checks: Checks = None,
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
        checks: What Dagster checks of it, by name, or a mapping from names to what they take: ``rows_counted``, which
            stops what stands behind it, ``min_rows``, ``schema_unchanged``, and ``fresh``, the longest time since the
            records changed: ``{"rows_counted": True, "fresh": "36 hours"}``.
        asset_options: Anything else that ``@asset`` takes: metadata, io_manager_key, …
        arguments: What ``@asset`` is most often given (key_prefix, group_name, deps, owners, tags, kinds, description,
            code_version, automation_condition, backfill_policy, retry_policy), and what ``OdsDownloadOperator`` takes:
            source, select, where, order_by, refine, exclude, lang, timezone, limit, group_by, format_options, if_moved,
            min_rows, if_unchanged, parallel, partition_by, layout, v1.

    Raises:
        OdsConfigError: An argument is bad.
    """
    return pair(
        download_job,
        {"dataset_id": dataset_id, "path": path, "format": format, **arguments},
        Parts(partitions_def, partition_field, partition_where, path),
        name=name,
        resource_key=resource_key,
        options=asset_options,
        checks=checks,
    )


def ods_load_asset(  # noqa: D417  the rest is as with a dataset
    dataset_id: str,
    *,
    table: str,
    destination: Any,
    name: str | None = None,
    resource_key: str = RESOURCE,
    partitions_def: PartitionsDefinition | None = None,
    partition_field: str | dict[str, str] | None = None,
    partition_where: Where | None = None,
    checks: Checks = None,
    asset_options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> OdsAsset:
    """Return a dataset, or a query of it, as a table of a database.

    Metadata: row count, column schema, table, state of the dataset; that state is the data version too.

    Args:
        dataset_id: The dataset.
        table: ``table`` or ``schema.table``.
        destination: A URL: ``duckdb:///city.duckdb``, ``postgresql://…``; or an ``EnvVar`` that holds one.
        name: The asset's name; None makes one of the table's.
        arguments: What ``OdsLoadOperator`` takes besides: source, select, where, mode, swap, primary_key,
            delete_missing, cursor, lag, columns, expect, geo, min_rows, if_moved, if_unchanged, parallel, …
        resource_key, partitions_def, partition_field, partition_where, checks, asset_options: As in
            ``ods_dataset_asset``. Each partition is loaded by a filter of its own: use ``mode="merge"``, or a
            ``cursor`` with ``mode="append"``. With ``backfill_policy=BackfillPolicy.single_run()`` a range of time
            partitions is one load.
    """
    return pair(
        load_job,
        {"dataset_id": dataset_id, "table": table, "destination": destination, **arguments},
        Parts(partitions_def, partition_field, partition_where, None),
        name=name or name_of(table),
        resource_key=resource_key,
        options=asset_options,
        checks=checks,
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
    rows_as: str = "list",
    asset_options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> OdsAsset:
    """Return the rows of a search, or the datasets of the portal, as an asset.

    Args:
        name: The asset's name.
        dataset_id: The dataset; None searches the catalogue.
        path: JSON lines file to write; without it the rows go to the asset's IO manager.
        rows_as: What goes there: ``list`` of dictionaries, or ``arrow``, a ``pyarrow.Table``.
        arguments: What ``OdsSearchOperator`` takes besides, and ``max_bytes``, the most bytes of rows without a path.
        resource_key, partitions_def, partition_field, partition_where, asset_options: As in ``ods_dataset_asset``.
    """
    return pair(
        search_job,
        {"dataset_id": dataset_id, "path": path, **arguments},
        Parts(partitions_def, partition_field, partition_where, path),
        name=name,
        resource_key=resource_key,
        options=asset_options,
        rows_as=rows_as,
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
    rows_as: str = "list",
    asset_options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> OdsAsset:
    """Return aggregates of a dataset, all groups of them, as an asset.

    Args:
        name: The asset's name.
        dataset_id: The dataset; None lists the facets of the catalogue.
        path: JSON lines file to write; without it the rows go to the asset's IO manager.
        rows_as: What goes there: ``list`` of dictionaries, or ``arrow``, a ``pyarrow.Table``.
        arguments: What ``OdsAnalysisOperator`` takes besides: select, group_by, facet, geo_cluster, where, …
        resource_key, partitions_def, partition_field, partition_where, asset_options: As in ``ods_dataset_asset``.
    """
    return pair(
        analysis_job,
        {"dataset_id": dataset_id, "path": path, **arguments},
        Parts(partitions_def, partition_field, partition_where, path),
        name=name,
        resource_key=resource_key,
        options=asset_options,
        rows_as=rows_as,
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
    return pair(
        media_job,
        {"dataset_id": dataset_id, "path": path, **arguments},
        Parts(partitions_def, partition_field, partition_where, path),
        name=name or f"{name_of(dataset_id)}_files",
        resource_key=resource_key,
        options=asset_options,
    )


def ods_mirror_asset(
    name: str = "portal",
    *,
    to: Any,
    resource_key: str = RESOURCE,
    asset_options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> OdsAsset:
    """Return all of a portal that a query of its catalogue chooses, as files in a folder or tables of a database.

    Each materialization brings what changed, as far as the quota goes; its metadata are the report, dataset by dataset.
    It fails, after that was kept, where a dataset failed.

    Args:
        name: The asset's name.
        to: A folder, or a database: a URL, or an ``EnvVar`` that holds one, with ``into="tables"``.
        resource_key: Key of the ``OdsResource``.
        asset_options: As in ``ods_dataset_asset``.
        arguments: What the task group ``ods_mirror`` takes besides: into, format, schema, where, refine, exclude,
            vanished, reserve, max_calls, parallel, staging, wait.
    """
    return pair(
        mirror_job,
        {"to": to, **arguments},
        Parts(None, None, None, None),
        name=name,
        resource_key=resource_key,
        options=asset_options,
    )
