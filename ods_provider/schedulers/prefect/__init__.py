"""Prefect's face: a credentials block and one task for each job.

The names below are looked up when they are first used: the plugin beside them is loaded where Prefect is not installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ods_provider.schedulers.prefect.credentials import OdsCredentials
    from ods_provider.schedulers.prefect.tasks import (
        ods_analyse,
        ods_await_update,
        ods_download,
        ods_media,
        ods_push,
        ods_search,
    )

__all__ = [
    "OdsCredentials",
    "ods_analyse",
    "ods_await_update",
    "ods_download",
    "ods_media",
    "ods_push",
    "ods_search",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "credentials" if name == "OdsCredentials" else "tasks"
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
