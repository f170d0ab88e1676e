"""Dagster's face: a resource, asset factories, ops and sensors over the jobs that every scheduler shares.

The names below are looked up when they are first used: the plugin beside them is loaded where Dagster is not installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ods_provider.schedulers.dagster.assets import (
        ods_analysis_asset,
        ods_dataset_asset,
        ods_load_asset,
        ods_media_asset,
        ods_mirror_asset,
        ods_search_asset,
    )
    from ods_provider.schedulers.dagster.ops import (
        ods_analysis_op,
        ods_assemble_op,
        ods_download_op,
        ods_harvest_op,
        ods_load_op,
        ods_media_op,
        ods_metadata_op,
        ods_partition_op,
        ods_publish_file_op,
        ods_publish_op,
        ods_push_op,
        ods_search_op,
        ods_sync_op,
        ods_visibility_op,
    )
    from ods_provider.schedulers.dagster.pairs import OdsAsset
    from ods_provider.schedulers.dagster.resource import OdsResource
    from ods_provider.schedulers.dagster.resuming import ods_resume_sensor
    from ods_provider.schedulers.dagster.sentassets import ods_publish_file_asset, ods_push_asset, ods_sync_asset
    from ods_provider.schedulers.dagster.together import ods_definitions
    from ods_provider.schedulers.dagster.updates import ods_dataset_sensor
    from ods_provider.schedulers.dagster.upstream import ods_portal_assets

__all__ = [
    "OdsAsset",
    "OdsResource",
    "ods_analysis_asset",
    "ods_analysis_op",
    "ods_assemble_op",
    "ods_dataset_asset",
    "ods_dataset_sensor",
    "ods_definitions",
    "ods_download_op",
    "ods_harvest_op",
    "ods_load_asset",
    "ods_load_op",
    "ods_media_asset",
    "ods_media_op",
    "ods_metadata_op",
    "ods_mirror_asset",
    "ods_partition_op",
    "ods_portal_assets",
    "ods_publish_file_asset",
    "ods_publish_file_op",
    "ods_publish_op",
    "ods_push_asset",
    "ods_push_op",
    "ods_resume_sensor",
    "ods_search_asset",
    "ods_search_op",
    "ods_sync_asset",
    "ods_sync_op",
    "ods_visibility_op",
]

_HOMES = {
    "OdsAsset": "pairs",
    "OdsResource": "resource",
    "ods_dataset_sensor": "updates",
    "ods_definitions": "together",
    "ods_portal_assets": "upstream",
    "ods_publish_file_asset": "sentassets",
    "ods_push_asset": "sentassets",
    "ods_resume_sensor": "resuming",
    "ods_sync_asset": "sentassets",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name) or ("ops" if name.endswith("_op") else "assets")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
