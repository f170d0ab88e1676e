"""Dagster's face: a resource, asset factories, ops and sensors over the jobs that every scheduler shares.

The names below are looked up when they are first used: the plugin beside them is loaded where Dagster is not installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ods_provider.schedulers.dagster.assets import (
        OdsAsset,
        ods_analysis_asset,
        ods_dataset_asset,
        ods_media_asset,
        ods_push_asset,
        ods_search_asset,
    )
    from ods_provider.schedulers.dagster.ops import (
        ods_analysis_op,
        ods_download_op,
        ods_media_op,
        ods_push_op,
        ods_search_op,
    )
    from ods_provider.schedulers.dagster.resource import OdsResource
    from ods_provider.schedulers.dagster.resuming import ods_resume_sensor
    from ods_provider.schedulers.dagster.updates import ods_dataset_sensor

__all__ = [
    "OdsAsset",
    "OdsResource",
    "ods_analysis_asset",
    "ods_analysis_op",
    "ods_dataset_asset",
    "ods_dataset_sensor",
    "ods_download_op",
    "ods_media_asset",
    "ods_media_op",
    "ods_push_asset",
    "ods_push_op",
    "ods_resume_sensor",
    "ods_search_asset",
    "ods_search_op",
]

_HOMES = {"OdsResource": "resource", "ods_resume_sensor": "resuming", "ods_dataset_sensor": "updates"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name) or ("ops" if name.endswith("_op") else "assets")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
