"""Move data out of, and into, Opendatasoft (Huwise) portals: an Airflow provider on a core for any scheduler.

Importing this package loads neither Airflow nor requests: public names are looked up when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ods_provider.client import OdsClient
    from ods_provider.core.connection import OdsConnection
    from ods_provider.core.errors import OdsError

__all__ = ["OdsClient", "OdsConnection", "OdsError", "__version__"]

_HOMES = {
    "OdsClient": "ods_provider.client",
    "OdsConnection": "ods_provider.core.connection",
    "OdsError": "ods_provider.core.errors",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("ods-provider")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
