"""The packages that an engine stands on, and what installs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ods_provider.core.errors import OdsConfigError


def required(module: str, extra: str, where: str) -> Any:
    """Return a module that came with an extra.

    Args:
        module: Its name.
        extra: What of ours brings it.
        where: The database that needs it, as people are told of it.

    Raises:
        OdsConfigError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise OdsConfigError(
            f"The package {module} is missing, or cannot be imported: {error}",
            where=where,
            advice=f"Run: pip install 'ods-provider[{extra}]'",
        ) from error
