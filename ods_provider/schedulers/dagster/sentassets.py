"""Assets that stand on the portal: made of records or of a file, by sending them there."""

from collections.abc import Mapping
from typing import Any

from dagster import (
    AssetKey,
    AssetsDefinition,
)

from ods_provider.jobs.arguments import (
    publish_file_job,
    push_job,
    sync_job,
)
from ods_provider.schedulers.dagster.arguments import Builder
from ods_provider.schedulers.dagster.pairs import RESOURCE, OdsAsset, name_of, pair
from ods_provider.schedulers.dagster.partitions import Parts


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
    return _sent(
        push_job,
        {"dataset_id": dataset_id, "resource_id": resource_id, "path": path, **arguments},
        records,
        name=name or f"{name_of(dataset_id)}_pushed",
        resource_key=resource_key,
        options=asset_options,
    )


def ods_sync_asset(  # noqa: D417  the rest is as with a dataset
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
    """Return what stands on the portal in a realtime dataset as an asset, made equal to records or to a file.

    Args:
        dataset_id, resource_id: The realtime resource; its push key stands in the resource.
        records: The asset whose value is the list of all records; or
        path: a file of them. Name the asset that writes it in ``asset_options={"deps": […]}``.
        name: The asset's name; None makes one of the dataset's id.
        arguments: What ``OdsSyncOperator`` takes besides: key, delete_missing, max_delete, dry_run.
        resource_key, asset_options: As with a dataset.
    """
    return _sent(
        sync_job,
        {"dataset_id": dataset_id, "resource_id": resource_id, "path": path, **arguments},
        records,
        name=name or f"{name_of(dataset_id)}_synced",
        resource_key=resource_key,
        options=asset_options,
    )


def ods_publish_file_asset(  # noqa: D417  the rest is as with a dataset
    dataset_id: str,
    *,
    records: str | AssetKey | AssetsDefinition | OdsAsset | None = None,
    path: Any = None,
    name: str | None = None,
    resource_key: str = RESOURCE,
    asset_options: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> OdsAsset:
    """Return what a dataset shows its readers as an asset, made by publishing a file or records into it.

    Args:
        dataset_id: The dataset.
        records: The asset whose value is the list of records; or
        path: a file of them. Name the asset that writes it in ``asset_options={"deps": […]}``.
        name: The asset's name; None makes one of the dataset's id.
        arguments: What ``OdsPublishFileOperator`` takes besides: resource, new_title, extractor, params, if_unchanged,
            max_errors, min_rows, max_drop, restore, …
        resource_key, asset_options: As with a dataset.
    """
    return _sent(
        publish_file_job,
        {"dataset_id": dataset_id, "path": path, **arguments},
        records,
        name=name or f"{name_of(dataset_id)}_published",
        resource_key=resource_key,
        options=asset_options,
    )


def _sent(
    make: Builder,
    arguments: dict[str, Any],
    records: Any,
    *,
    name: str,
    resource_key: str,
    options: Mapping[str, Any] | None,
) -> OdsAsset:
    if records is not None:
        arguments["records"] = ()
    parts = Parts(None, None, None, arguments["path"])
    return pair(make, arguments, parts, name=name, resource_key=resource_key, options=options, records=records)
