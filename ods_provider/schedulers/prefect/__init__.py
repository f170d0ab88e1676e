"""Prefect's face: a credentials block and one task for each job.

The names below are looked up when they are first used: the plugin beside them is loaded where Prefect is not installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ods_provider.schedulers.prefect.administering import ods_harvest, ods_visibility
    from ods_provider.schedulers.prefect.credentials import OdsCredentials
    from ods_provider.schedulers.prefect.describing import ods_metadata
    from ods_provider.schedulers.prefect.tasks import (
        ods_analyse,
        ods_assemble,
        ods_await_update,
        ods_download,
        ods_load,
        ods_media,
        ods_mirror,
        ods_partition,
        ods_publish,
        ods_publish_file,
        ods_push,
        ods_search,
        ods_sync,
    )

__all__ = [
    "OdsCredentials",
    "ods_analyse",
    "ods_assemble",
    "ods_await_update",
    "ods_download",
    "ods_harvest",
    "ods_load",
    "ods_media",
    "ods_metadata",
    "ods_mirror",
    "ods_partition",
    "ods_publish",
    "ods_publish_file",
    "ods_push",
    "ods_search",
    "ods_sync",
    "ods_visibility",
]

_HOMES = {
    "OdsCredentials": "credentials",
    "ods_harvest": "administering",
    "ods_metadata": "describing",
    "ods_visibility": "administering",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'tasks')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
